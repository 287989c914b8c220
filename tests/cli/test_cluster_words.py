"""How the processes of a fleet are told on the command line, without a service."""

from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from actors.cluster.shown import ClusterShown
from api.cli.show import cluster
from tests.support.fake_cluster import NOW, alone, one_lost, three_processes


def plain(shown: ClusterShown, **changes: Any) -> dict[str, Any]:
    return {**msgspec.to_builtins(shown), **changes}


def text(table: Table) -> str:
    console = Console(width=200, no_color=True)
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.strip() for line in captured.get().splitlines())


def short(shown: ClusterShown, **changes: Any) -> list[str]:
    return [line.plain for line in cluster.in_short(plain(shown, **changes))]


def test_one_process_alone_is_one_line() -> None:
    store = msgspec.to_builtins(alone().store) | {"kind": "sqlite"}
    assert short(alone(), store=store) == [
        "One process serves this fleet alone; its store is sqlite."
    ]


def test_three_processes_that_are_well_are_told_in_two_lines() -> None:
    assert short(three_processes()) == [
        "3 processes on redis+sentinel, each commit confirmed by 1 replica.",
        "All 65 shards have an owner.",
    ]


def test_shards_of_a_lost_process_are_counted_with_the_time_until_they_are_taken() -> None:
    told = short(one_lost())
    assert "11 of 65 shards have no owner that is alive; they are taken within 12 s." in told
    assert told[0].startswith("2 processes")


def test_an_old_look_says_so() -> None:
    told = short(three_processes(), looked_at=NOW - 60.0)
    assert told[-1] == "The engine does not answer since 60 s: this is as it was then."


def test_changes_that_are_shown_late_are_pointed_out() -> None:
    assert short(three_processes(), behind_s=12.0)[-1].endswith("shows changes 12 s late.")


def test_what_failovers_cost_is_told() -> None:
    store = msgspec.to_builtins(three_processes().store) | {"replayed": 12, "lost": 1}
    told = short(three_processes(), store=store)
    assert told[-2] == "Fail-overs had lost 12 commits of it; they were sent again."
    assert told[-1].startswith("Fail-overs lost 1 commit that it no longer had.")


def test_what_makes_the_engine_less_durable_is_told() -> None:
    store = msgspec.to_builtins(one_lost().store) | {"warnings": ["appendfsync is everysec"]}
    told = short(one_lost(), store=store)
    assert told[-1] == "Not as durable as it may seem: appendfsync is everysec"


def test_a_row_says_which_process_hands_out_downlinks_and_which_one_answers() -> None:
    told = text(cluster.members(plain(one_lost()), NOW)).splitlines()
    first = next(line for line in told if line.startswith("north"))
    assert "north, which answers" in first
    assert "18 + fleet" in first
    lost = next(line for line in told if line.startswith("west"))
    assert "✗ silent" in lost
    assert "10 s ago" in lost


def test_a_clock_that_is_off_is_named() -> None:
    shown = plain(three_processes())
    shown["members"][1]["clock_ahead_s"] = -2.5
    assert "(clock -2.5 s)" in text(cluster.members(shown, NOW))


def test_every_shard_has_a_row_with_its_owner() -> None:
    told = text(cluster.shards(plain(one_lost()), NOW)).splitlines()
    rows = [line for line in told if line[:2].isdigit() or line.startswith("fleet")]
    assert len(rows) == 65
    assert sum("expired" in line for line in rows) == 11


def test_a_whole_take_over_is_one_line() -> None:
    told = [line.plain for line in cluster.moves(plain(one_lost())["moves"])]
    taken = "south took 12 shards from west, which gave no sign of life, nobody's for 6.4 s: "
    assert taken in told[0]
    assert told[0].endswith(" and 4 more")
    assert "south gave 1 shard to west" in told[1]
    assert len(told) == 3


def test_a_take_over_by_two_processes_is_a_line_of_each() -> None:
    rows = [
        {"at": NOW - n / 10, "shard": f"{n:02}", "why": "expired", "before": "west"}
        | {"after": ("north", "south")[n % 2], "dark_s": 6.0}
        for n in range(20)
    ]
    old = {**rows[0], "at": NOW - 100.0}
    told = [line.plain for line in cluster.moves([*rows, old])]
    assert [line[10:].split(" from")[0] for line in told] == [
        "north took 10 shards",
        "south took 10 shards",
        "north took 1 shard",
    ]


def test_a_name_cannot_reach_the_terminal_as_control_characters() -> None:
    shown = plain(three_processes())
    shown["members"][0]["name"] = "north\x1b[2J"
    assert "\x1b" not in text(cluster.members(shown, NOW))
