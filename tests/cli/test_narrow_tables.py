"""Tables on a terminal of 80 columns: no line is longer, no word is cut, and what is left out is
said."""

import io
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from api.cli.show import audit, quality, tables
from tests.cli.test_words_and_colours import GREEN, RED, a_device

NOW = 100_000.0
OFFICE = "Besprechungsraum Süd 2"


def drawn(table: Table, columns: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=columns, highlight=False, emoji=False).print(table)
    return out.getvalue()


def a_row(number: int, **changes: Any) -> dict[str, Any]:
    dev_eui = f"20202039072909{number:02x}"
    more = {"dev_eui": dev_eui, "name": f"{OFFICE} {number}", "since": 90_000.0, "heard_at": 99_990}
    return a_device(**(more | changes))


def gateway(name: str, **changes: Any) -> dict[str, Any]:
    made = {"name": name, "gateway_id": "0016c001f153a14c", "online": True, "known": True}
    made |= {"since": 9_000.0, "last_seen_at": 99_000.0, "heard_at": 99_900.0, "pending": 0}
    return made | {"airtime_used_s": 12.5, "airtime_budget_s": 360.0} | changes


def test_lights_keep_what_says_most() -> None:
    rows = [a_row(2), a_row(10, wanted=RED, as_wanted=False, phase="retrying"), a_row(3, name="")]
    told = drawn(tables.lights(rows, NOW, {"g1": "Dach"}))
    assert max(map(len, told.splitlines())) <= 80
    assert "2020203907290902" in told
    assert "→ retrying" in told
    assert "●  red" in told
    assert "Not shown for want of room: Gateways, Since" in told
    wide = drawn(tables.lights(rows, NOW, {"g1": "Dach"}), 200)
    assert (f"{OFFICE} 10" in wide, "Dach" in wide, "Not shown" in wide) == (True, True, False)


def test_a_column_with_nothing_to_say_is_left_out_without_a_word() -> None:
    told = drawn(tables.lights([a_row(2)], NOW, {}), 200)
    assert ("Should show" in told, "Not shown" in told) == (False, False)


def test_gateways_are_in_natural_order() -> None:
    rows = [gateway("Line 10"), gateway("Line 2", online=False), gateway("line 1")]
    told = drawn(tables.gateways(rows, NOW))
    assert told.index("line 1") < told.index("Line 2") < told.index("Line 10")
    assert max(map(len, told.splitlines())) <= 80
    assert "✗ offline" in told


@pytest.mark.parametrize("columns", [80, 60])
def test_prose_folds_between_words_and_ids_stay_whole(columns: int) -> None:
    alert = {
        "id": "01JD0000000000000000000000",
        "open": True,
        "kind": "light_failed",
        "subject": "2020203907290902",
        "summary": f"light {OFFICE} does not show what it was told to show",
        "opened_at": 90_000.0,
        "since": 90_000.0,
        "repeats": 3,
        "close_reason": None,
    }
    entry = {"at": 99_000.0, "by": "alice", "what": "rollout_change", "on": "2020203907290902"}
    risk = {"name": OFFICE, "dev_eui": "2020203907290902", "chance_30s": 0.6, "uplink_loss": 0.1}
    risk |= {"uplinks_counted": 40.0, "downlink_loss": 0.2, "downlinks_counted": 11.0}
    warning = {"words": "its margin falls by 0.9 dB a day", "since": 99_000.0}
    risk |= {"margin_db": 7.0, "margin_trend_db_per_day": -0.9, "warnings": [warning]}
    roll = {"id": alert["id"], "name": "Evening", "light": GREEN, "state": "running", "reason": ""}
    roll |= {"created_at": 99_000.0, "total": 20, "verified": 3, "failed": 1, "open": 2}
    shown = {
        alert["id"]: tables.alerts([alert], NOW),
        "2020203907290902": audit.entries([entry | {"detail": {"lights": 20}, "peer": ""}], NOW),
        "margin": quality.risks([risk], NOW),
        "running": tables.rollouts([roll | {"waiting": 14}], NOW),
    }
    for whole, table in shown.items():
        told = drawn(table, columns)
        assert max(map(len, told.splitlines())) <= columns, told
        assert str(whole) in told
