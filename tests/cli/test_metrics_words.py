"""How well commands succeed, as told on the command line, without a service."""

from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from api.cli.show import metrics
from api.models import MetricsView

NOTHING = MetricsView(*(None, 24.0, 0, 0, 0, 0, 0, 0, 0, 0, None, None, 0, None, None, None, None))


def text(table: Table) -> str:
    console = Console(width=120, no_color=True)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def figures(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(NOTHING, **changes))
    return made


def test_figures_say_what_they_rest_on_and_that_there_are_too_few() -> None:
    told = text(
        metrics.commands(
            figures(
                commands=50,
                judged=40,
                verified=39,
                success_rate=0.975,
                first_attempt_rate=0.9,
                frames=44,
                frames_per_verified=1.128,
                time_to_verify_p50_s=3.25,
                time_to_verify_p95_s=240.0,
            )
        )
    )
    for words in (
        "97.5 % of 40",
        "90.0 % of 39 verified",
        "44, 1.13 for each that was verified",
        "3.2 s",
        "4 min",
        "all lights",
    ):
        assert words in told, told
    assert told.count("too few to tell") == 1
    assert text(metrics.commands(figures())).count("too few to tell") == 5


def test_the_spread_has_a_bar_for_each_bound_and_what_is_beyond() -> None:
    found = {
        "time_to_verify_s": [
            {"most": 5.0, "count": 30},
            {"most": 120.0, "count": 15},
            {"most": None, "count": 1},
        ],
        "attempts_per_success": [{"most": 1.0, "count": 0}, {"most": None, "count": 0}],
    }
    lines = [line.split() for line in text(metrics.spread(found)).splitlines() if line.strip()]
    assert lines[2:] == [
        ["5.0", "s", "30", "█" * 30],
        ["2", "min", "15", "█" * 15],
        ["more", "than", "2", "min", "1", "█"],
        ["1", "frame", "0"],
        ["more", "than", "1", "frame", "0"],
    ]


def test_the_worst_lights_say_why_and_hide_nothing_of_a_hostile_name() -> None:
    row = {"dev_eui": "2020203907290902", "name": "Hall\x1b[31m", "commands": 9, "verified": 6}
    row |= {"failed": 3, "attempts_per_success": None, "time_to_verify_most_s": None}
    told = text(metrics.worst([row | {"why": "3 of 9 expired"}]))
    assert "3 of 9 expired" in told
    assert "\x1b" not in told


def test_a_line_says_how_many_ended() -> None:
    assert metrics.in_short(figures()) == "No command ended within 24 h."
    assert metrics.in_short(figures(commands=1)) == "1 command ended within 24 h, 0 verified"
