"""A light that is disabled in ChirpStack and nobody commands: it is not merely silent."""

import pytest
import trio
from trio.testing import MockClock

from actors.board.reachability import Reach
from simulation.world.world import World
from tests.support.running_application import RunningApplication, make_world, running_application


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world(lights=2)
    await nursery.start(world.run)
    return world


def reach(home: RunningApplication, dev_eui: str) -> Reach:
    return home.parts.board.reachability(home.devices[dev_eui]).reach


def silent(home: RunningApplication) -> set[str]:
    opened = [one for one in home.board.alerts() if one.closed_at is None]
    return {one.subject for one in opened if one.kind == "light_silent"}


async def test_a_silent_light_is_found_disabled_within_minutes_until_it_is_heard_again(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        off, on = sorted(world.stations)
        world.network.disable(off)
        await trio.sleep(2_700 + 900 + 330)  # heard up to a status interval before that
        assert reach(home, off) is Reach.DISABLED
        assert reach(home, on) is Reach.REACHABLE
        await trio.sleep(60)
        assert silent(home) == set()
        assert home.parts.board.reachability_counts()[Reach.DISABLED] == 1
        world.network.disable(off, disabled=False)
        await trio.sleep(960)
        assert reach(home, off) is Reach.REACHABLE
        assert home.devices[off].disabled_at is None


async def test_one_that_is_enabled_and_still_silent_is_called_silent(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        off = min(world.stations)
        world.network.disable(off)
        await trio.sleep(3_930)
        assert reach(home, off) is Reach.DISABLED
        world.network.disable(off, disabled=False)
        world.unplug(off)
        await trio.sleep(3_300)
        assert reach(home, off) is Reach.SILENT
