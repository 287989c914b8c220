"""A process of a cluster ends in order: what it gives, what it says, and by when it is gone."""

import itertools

import pytest
import trio
from trio.testing import MockClock

from actors.device.command import CommandStatus
from lorawan.kuando import LightState
from store.engine.memory import Fate, MemoryServers
from store.engine.shards import FLEET, shard_of
from tests.support.cluster_house import Street, two_houses
from tests.support.running_application import make_world

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


async def test_whoever_leaves_has_commands_accepted_again_that_a_fail_over_took_meanwhile(
    autojump_clock: MockClock,
) -> None:
    """Without a replica that must confirm, only its memory knows of them."""
    world = make_world(lights=4)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world, MemoryServers(replicas=1))
        await street.spread(nursery, "north", "south")
        owner = next(one for one in street.houses if one.lights)
        [leaver] = [one for one in street.houses if one is not owner]
        await trio.sleep(5)
        street.hold_replicas()
        left = trio.Event()

        async def leave() -> None:
            await leaver.application.leave()
            left.set()

        nursery.start_soon(leave)
        while len(leaver.owned) > 1:  # noqa: ASYNC110 - it looks every two seconds while it commits
            await trio.sleep(0.01)
        leaver.store.doubt()
        await leaver.store.check()
        command = await leaver.command(next(iter(owner.lights)), RED)
        street.servers.fail_over()
        await left.wait()
        street.close(leaver)
        assert (await owner.final(command.id, 60.0)).status is CommandStatus.VERIFIED
        nursery.cancel_scope.cancel(reason="the test ends")


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
