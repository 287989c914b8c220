"""What a campaign says of its rounds, and that it does not overlook a loss."""

import random
from types import SimpleNamespace
from typing import Any

import pytest
import trio

from tests.cluster.campaign import Tally
from tests.cluster.rounds import Pattern
from tests.cluster.worn_site import BACK_MOST_S, Seen, WornSite
from tests.drill.load import Figures


class Known:
    """A load whose commands are known to processes as they are told here."""

    def __init__(self, **known: str) -> None:
        self.known = known
        self.now = dict(known)
        self.halted = False

    async def look(self) -> None:
        await trio.lowlevel.checkpoint()
        self.known.update(self.now)

    async def status(self, command_id: str) -> str:
        await trio.lowlevel.checkpoint()
        return self.now[command_id]


def worn(load: Any) -> WornSite:
    here: Any = SimpleNamespace(processes={}, servers={})
    site = WornSite(here, load, 1, lambda line: None)
    site.chance = random.Random(1)

    async def all_well() -> dict[str, int]:
        await trio.lowlevel.checkpoint()
        return {"verified": 1}

    site.trial = SimpleNamespace(judged=all_well)  # type: ignore[assignment]
    return site


async def test_a_command_that_nobody_knows_any_more_is_lost(
    autojump_clock: trio.testing.MockClock,
) -> None:
    load = Known(one="verified", other="missing")
    began = trio.current_time()
    with pytest.raises(AssertionError, match=r"lost after the master killed: other$"):
        await worn(load)._until_nothing_missing(Pattern.MASTER)
    assert trio.current_time() - began >= BACK_MOST_S


async def test_one_that_is_given_again_in_time_is_not(
    autojump_clock: trio.testing.MockClock,
) -> None:
    load = Known(other="missing")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worn(load)._until_nothing_missing, Pattern.LOSSY)
        await trio.sleep(BACK_MOST_S / 2)
        load.now["other"] = "accepted"
    assert load.known == {"other": "accepted"}


async def test_a_verdict_that_changed_is_told(autojump_clock: trio.testing.MockClock) -> None:
    load = Known(one="verified")
    load.now["one"] = "accepted"
    with pytest.raises(AssertionError, match="one was verified, and is accepted"):
        await worn(load).judged()


async def test_commands_go_on_after_a_judgement(autojump_clock: trio.testing.MockClock) -> None:
    load = Known(one="verified")
    load.halted = True
    assert await worn(load).judged() == {"verified": 1}
    assert not load.halted


def test_the_table_has_a_line_for_each_kind_of_round() -> None:
    seen = Figures(accepted=3, refused=2, unknown=1, took_s=[0.01, 0.02, 2.0])
    tally = Tally(took_s=600.0, broken=["site 3: lost"])
    tally.rounds += [
        Seen(Pattern.KILL_EACH, seen, well_s=9.0, silent_s=0.5, moves=4, dark_s=7.0, load=3.0),
        Seen(Pattern.KILL_EACH, seen, well_s=7.0, silent_s=0.7, moves=2, dark_s=6.0, load=5.0),
        Seen(Pattern.LOSSY, seen, well_s=5.0, silent_s=4.0, held=8, lost_bytes=9_000),
        Seen(Pattern.MASTER, seen, well_s=4.0, silent_s=3.0),
    ]
    tally.judged = {"site 1": {"verified": 1, "superseded": 2}, "site 2": {"verified": 1}}
    told = str(tally)
    assert "6 kills of processes, 1 failovers with need 1, 1 with need 0" in told
    assert "had not, in 1 of them: 9 kB, 8 commands accepted meanwhile" in told
    assert "2 superseded, 2 verified; broken: 1" in told
    assert "10 min" in told
    assert (
        f"| {Pattern.KILL_EACH} | 2 | 6 | 4 | 2 | 9.0 s / 9.0 s | 0.7 s / 0.7 s "
        "| 20 ms / 2000 ms | 4 / 4 | 7.0 s | 3.0 to 5.0 |"
    ) in told
    assert told.endswith("site 3: lost")
