"""Tables on a terminal of 80 columns: no line is longer, no word is cut, and what is left out is
said."""

import io
from typing import Any

import msgspec
import pytest
from rich.console import Console
from rich.table import Table

from api.cli.show import audit, cluster, kept, metrics, quality, tables
from tests.cli.test_words_and_colours import GREEN, RED, a_device
from tests.support.fake_cluster import one_lost

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


PART: dict[str, Any] = {"light": RED, "dev_euis": ["2020203907290902"] * 9, "everything": False}
SCHEDULE: dict[str, Any] = {
    "name": f"{OFFICE} [/bold] jeden Werktag",
    "cron": "30 6,7 * * mon-fri",
    "time_zone": "Europe/Berlin",
    "scene_id": None,
    "scene_name": None,
    "part": PART | {"tag": None, "application": None},
    "next": [1_760_000_000.0],
    "last": {"came": "missed", "due_at": 1_759_990_000.0, "reason": "the service was down then"},
}
SCENE: dict[str, Any] = {
    "name": f"{OFFICE} [/bold] am Abend",
    "lights": 200,
    "missing": 12,
    "colours": [RED, GREEN, RED, GREEN],
    "changed_at": 90_000.0,
    "by": "alice@verwaltung.example.org",
}
HOOK: dict[str, Any] = {
    "name": f"{OFFICE} [/bold]",
    "url": "https://receiver.example.org/lamplighter/" + "verdicts/" * 9,
    "kinds": ["verdicts", "states", "gateways", "alerts"],
    "stopped": {"at": 90_000.0, "why": "nothing was taken for a day of tries"},
    "enabled": True,
    "waiting": 500,
}
TRY: dict[str, Any] = {
    "at": 90_000.0,
    "type": "command.verified",
    "event_id": "01JD0000000000000000000000.verified",
    "attempt": 112,
    "status": 503,
    "error": "503 Service Unavailable",
    "answer": "the database of the receiver is being moved to another machine",
    "took_s": 9.98,
}
PLAN: dict[str, Any] = {
    "name": f"{OFFICE} [/bold] Erdgeschoss",
    "order": 12,
    "picture": {"media_type": "image/svg+xml", "width": 12_000, "height": 8_000},
    "changed_at": 90_000.0,
    "by": "alice@verwaltung.example.org",
    "id": "01JD0000000000000000000000",
    "lights": {"2020203907290902": (0.1, 0.25)},
    "gateways": {"0016c001f153a14c": (0.5, 1.0)},
}
ROLLED: dict[str, Any] = {
    "dev_eui": "2020203907290902",
    "state": "superseded",
    "reason": f"a newer command for {OFFICE} came from elsewhere",
    "command_id": "01JD0000000000000000000001",
}
WORST: dict[str, Any] = {
    "name": OFFICE,
    "dev_eui": "2020203907290902",
    "commands": 1_234,
    "verified": 1_000,
    "failed": 234,
    "attempts_per_success": 2.5,
    "time_to_verify_most_s": 4_000.0,
    "why": "234 of 1234 commands expired or were rejected",
}
FIGURES: dict[str, Any] = {
    "hours": 24.0,
    "dev_eui": "2020203907290902",
    **dict.fromkeys(("commands", "open", "verified", "superseded", "withdrawn"), 1_000_000),
    **dict.fromkeys(("expired", "rejected", "judged", "frames"), 1_000_000),
    "success_rate": 0.998,
    "first_attempt_rate": None,
    "frames_per_verified": 1.25,
    **{f"time_to_verify_{name}_s": None for name in ("p50", "p95", "p99")},
    "time_to_verify_s": [{"most": 5.0, "count": 1_000_000}, {"most": None, "count": 3}],
    "attempts_per_success": [{"most": 1.0, "count": 1_000_000}, {"most": None, "count": 3}],
}
SHARED = msgspec.to_builtins(one_lost())
WHOLE = {
    "processes": (cluster.members(SHARED, SHARED["at"]), "Process"),
    "shards": (cluster.shards(SHARED, SHARED["at"]), "Behind"),
    "scenes": (kept.scenes([SCENE], NOW), "200 (12 gone)"),
    "schedules": (kept.schedules([SCHEDULE]), "2025-10-09"),
    "hooks": (kept.hooks([HOOK]), "500"),
    "tries": (kept.tries([TRY]), "112"),
    "plans": (kept.plans([PLAN], NOW), PLAN["id"]),
    "places": (kept.places(PLAN, {"2020203907290902": f"{OFFICE} [/bold]"}), "0016c001f153a14c"),
    "rollout": (kept.rollout_lights([ROLLED]), "2020203907290902"),
    "figures": (metrics.commands(FIGURES), "1000000, 1.25 for each that was verified"),
    "spread": (metrics.spread(FIGURES), "█" * 30),
    "worst": (metrics.worst([WORST]), "1234"),
}
"""Each table with the longest that may be in it, and what of it has to be there in one piece."""


@pytest.mark.parametrize("what", WHOLE)
def test_every_other_table_fits_too_and_a_name_in_brackets_is_no_markup(what: str) -> None:
    table, whole = WHOLE[what]
    told = drawn(table)
    assert max(map(len, told.splitlines())) <= 80, told
    assert whole in told
    named = any("[" in str(cell) for column in table.columns for cell in column.cells)
    assert ("[/bold]" in drawn(table, 400)) is named
    assert named is (what in {"scenes", "schedules", "hooks", "plans", "places"})
    narrow = drawn(table, 60)
    assert max(map(len, narrow.splitlines())) <= 60, narrow
