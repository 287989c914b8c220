"""How risks and grades are told on the command line, without a service."""

from typing import Any

import msgspec
import pytest
from rich.console import Console
from rich.table import Table

from actors.quality.model import GatewayGrade, Grade, Line, Rule
from api.cli.show import quality
from api.cli.show.states import sort_key
from tests.support.fake_quality import a_grade, a_risk

GATEWAY, OTHER, NEW = (f"0016c001f153a14{letter}" for letter in "cde")


def text(table: Table) -> str:
    console = Console(width=200, no_color=True)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def row(name: str, *rules: Rule, **changes: Any) -> dict[str, Any]:
    risk = a_risk("2020203907290902", 0.6, *rules, since=1_000.0)
    return {**msgspec.to_builtins(risk), "name": name, **changes}


def found(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    warned = dict.fromkeys(Rule, 0)
    return {
        "total": len(rows),
        "unknown": 0,
        "warned": warned,
        "offset": 0,
        "risks": rows,
    } | changes


def test_a_risk_is_told_with_what_it_rests_on() -> None:
    told = text(quality.risks([row("Desk", Rule.TREND)], 8_200.0))
    assert "60 %" in told
    assert "8 % of 40" in told
    assert "0 % of 12" in told
    assert "11 dB, -0.6 a day" in told
    assert "! its margin falls by 0.9 dB a day and is 5 dB now (since 2 h ago)" in told


def test_what_is_not_known_is_a_dash_and_no_zero() -> None:
    nothing = {
        "chance_30s": None,
        "uplink_loss": None,
        "downlink_loss": None,
        "margin_db": None,
        "margin_trend_db_per_day": None,
    }
    told = text(quality.risks([row("Desk", **nothing)], 0.0)).splitlines()[-2]
    assert told.split() == ["Desk", "2020203907290902", "-", "-", "-", "-"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1.0, "above 99.9 %"),
        (0.998, "99.8 %"),
        (0.9899, "99 %"),
        (0.62, "62 %"),
        (0.001, "below 1 %"),
        (None, "-"),
    ],
)
def test_a_chance_is_as_precise_as_it_matters(value: float | None, words: str) -> None:
    assert quality.chance(value) == words


def test_below_the_table_stands_how_many_there_are() -> None:
    warned = dict.fromkeys(Rule, 0) | {Rule.TREND: 2, Rule.MOVED: 1}
    told = quality.risks_in_short(found(row("Desk"), total=9, unknown=3, warned=warned))
    assert told == (
        "9 lights: warned of 2 trend, 1 moved; of 3 lights more nothing known yet;"
        " 8 more with --limit"
    )
    assert quality.risks_in_short(found(row("Desk"))) == "1 light: none is warned of"
    assert quality.risks_in_short(found(unknown=1)) == "Nothing known yet of 1 light."
    assert quality.risks_in_short(found()) == "No light matches."


def test_a_light_is_told_of_in_a_sentence_and_its_warnings() -> None:
    told = list(quality.expected(row("Desk", Rule.FLAPPING), 1_060.0))
    assert told[0][0] == "expected"
    assert told[0][1].startswith("60 %: 3 of the last 40 statuses")
    assert told[1] == ("warning", "flapping: it joined 4 times within 24 h (since 60 s ago)")
    assert list(quality.expected(None, 0.0)) == [("expected", "nothing known yet")]


def test_gateways_and_their_lines_come_the_worst_first() -> None:
    good = a_grade(GATEWAY, Grade.B, Line.LEAD, "late by 0.5 s")
    bad = a_grade(OTHER, Grade.D, Line.ANSWERED, "46 of 57 answered")
    new = GatewayGrade(NEW, None, "nothing known yet", None, ())
    names = {GATEWAY: "Roof", OTHER: "Hall\x1b[31m", NEW: ""}
    rows = [msgspec.to_builtins(one) for one in (new, good, bad)]
    told = text(quality.grades(rows, names))
    assert told.index(OTHER) < told.index(GATEWAY) < told.index(NEW)
    assert "\x1b" not in told
    lines = text(quality.lines(rows[2], names))
    assert lines.index("answered") < lines.index("taken") < lines.index("noise")
    assert "too few weak frames: 3 of 50" in lines


def test_lights_of_an_older_service_can_be_sorted_by_risk_all_the_same() -> None:
    some: list[dict[str, Any]] = [
        {"name": "b", "dev_eui": "2"},
        {"name": "a", "dev_eui": "1", "risk": None},
        {"name": "c", "dev_eui": "3", "risk": {"chance_30s": 0.9, "warnings": []}},
        {"name": "d", "dev_eui": "4", "risk": {"chance_30s": 0.99, "warnings": ["trend"]}},
    ]
    defaults = {"reported": None, "since": 0, "heard_at": None, "phase": "idle", "wanted": None}
    defaults |= {"command_status": None, "reachability": "reachable", "as_wanted": None}
    ordered = sorted((defaults | one for one in some), key=lambda one: sort_key(one, "risk"))
    assert [one["dev_eui"] for one in ordered] == ["4", "3", "1", "2"]
