"""A process of a cluster ends in order: what it gives, what it says, and by when it is gone."""

import itertools

import pytest
import trio
from trio.testing import MockClock

from actors.device.command import CommandStatus
from lorawan.kuando import LightState
from store.engine.memory import Fate
from store.engine.shards import FLEET, shard_of
from tests.support.cluster_house import two_houses

RED = LightState(red=255, blue=0, green=0, on=255, off=0)


async def test_whoever_leaves_gives_everything_and_nobody_waits_for_leases(
    autojump_clock: MockClock,
) -> None:
    async with two_houses(lights=6) as (street, _):
        await street.settled()
        leaver = street.fleet_house()
        [stays] = [one for one in street.houses if one is not leaver]
        began = trio.current_time()
        await leaver.application.leave()
        assert leaver.owned == set()
        assert leaver.lights == set()
        street.close(leaver)
        await street.owned_by_all(5)
        assert trio.current_time() - began < 10
        assert stays.parts.fleetwide_here is not None
        dev_eui = next(one for one in street.world.stations if shard_of(one) != FLEET)
        command = await stays.command(dev_eui, RED)
        assert (await stays.final(command.id)).status is CommandStatus.VERIFIED


async def test_whoever_leaves_says_so_and_one_look_that_fails_does_not_end_it(
    autojump_clock: MockClock,
) -> None:
    async with two_houses(lights=6) as (street, nursery):
        leaver = street.fleet_house()
        assert leaver.application.readiness.check().ready
        looks = itertools.count()
        leaver.engine.fate = lambda request: Fate(lost=request.name == "look" and next(looks) == 0)
        nursery.start_soon(leaver.application.leave)
        await trio.sleep(0.1)
        problems = leaver.application.readiness.check().problems
        assert "this process gives its lights to the others, and stops" in problems
        await trio.sleep(10)
        assert leaver.owned == set()


@pytest.mark.parametrize(("silent", "most_s"), [("everything", 4.0), ("forget_member", 11.5)])
async def test_to_leave_has_an_end_whatever_is_silent(
    autojump_clock: MockClock, silent: str, most_s: float
) -> None:
    async with two_houses(lights=2) as (street, _):
        north = street.houses[0]
        north.engine.fate = lambda request: Fate(lost=silent in ("everything", request.name))
        if silent == "everything":
            await trio.sleep(10)  # an outage that was there before
        began = trio.current_time()
        await north.application.leave()
        assert trio.current_time() - began < most_s
