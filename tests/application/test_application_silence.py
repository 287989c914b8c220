"""Which lights are silent, whatever the clocks of the gateways say."""

import pytest
import trio
from trio.testing import MockClock

from actors.board.reachability import Reach
from simulation.world.world import World
from tests.support.running_application import RunningApplication, make_world, running_application

HOUR = 3_600.0


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world(lights=3)
    await nursery.start(world.run)
    return world


def told(home: RunningApplication) -> set[tuple[str, str]]:
    """Kind and subject of every alert that is open."""
    return {(one.kind, one.subject) for one in home.board.alerts() if one.closed_at is None}


@pytest.mark.parametrize("gps", [False, True])
@pytest.mark.parametrize("off_s", [-HOUR, HOUR])
async def test_a_gateway_with_a_wrong_clock_makes_nobody_silent_and_hides_nobody(
    world: World, autojump_clock: MockClock, off_s: float, gps: bool
) -> None:
    """From the field: an hour behind (GPS) it raised `light_silent` for all its talking lights,
    an hour ahead it hid a real silence for that long, and its own uplinks were no sign of life."""
    for gateway in world.gateways.values():
        if gps:
            gateway.gps_off_s = off_s
        else:
            gateway.clock_off_s = off_s
    async with running_application(world) as home:
        await home.settled()
        await trio.sleep(2 * HOUR)
        assert told(home) == set()
        lights = home.devices
        assert {home.board.reachability(one).reach for one in lights.values()} == {Reach.REACHABLE}
        now = home.now()
        for one in lights.values():
            assert one.heard_at is not None
            assert now - 1_000 <= one.heard_at <= now
        for gateway in home.board.gateways.values():
            assert gateway.heard_at is not None
            assert now - 1_000 <= gateway.heard_at <= now
        mute = next(iter(world.stations))
        world.unplug(mute)
        heard_at = home.devices[mute].heard_at
        assert heard_at is not None
        silent_at = heard_at + home.parts.policies.device.silent_after_s
        await trio.sleep(silent_at - home.now() - 30)
        assert told(home) == set()
        await trio.sleep(30 + 90)
        assert told(home) == {("light_silent", mute)}
        assert home.board.reachability(home.devices[mute]).reach is Reach.SILENT
