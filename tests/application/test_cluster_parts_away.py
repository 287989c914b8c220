"""One master of a Redis Cluster is away: its lights wait, and nobody else does."""

import itertools

import trio
from trio.testing import MockClock

from actors.device.command import CommandStatus
from lorawan.kuando import LightState
from store.engine.memory import MemoryServers
from store.engine.shards import ALL_SHARDS, FLEET, shard_of
from tests.support.cluster_house import Street
from tests.support.running_application import make_world

RED = LightState(red=255, blue=0, green=0, on=255, off=0)
BLUE = LightState(red=0, blue=255, green=0, on=255, off=0)


def other_than_the_fleets(servers: MemoryServers) -> int:
    """Without the fleet's own shard nothing is sent at all."""
    return next(part for part in range(3) if part != servers.part_of(FLEET))


async def test_a_process_that_starts_while_a_part_of_the_engine_is_away_serves_the_rest(
    autojump_clock: MockClock,
) -> None:
    world = make_world(lights=12)
    servers = MemoryServers(masters=3)
    away = other_than_the_fleets(servers)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world, servers)
        [first] = await street.open(nursery, "north")
        await street.owned_by_all()
        await street.settled()
        street.close(first)
        servers.stop(away)
        [house] = await street.open(nursery, "south")
        whole = {shard for shard in ALL_SHARDS if servers.part_of(shard) != away}
        await trio.sleep(60)
        assert whole <= house.owned
        assert house.parts.fleetwide_here is not None
        assert not house.application.readiness.check().ready, "some lights are not known here"
        dev_eui = next(one for one in world.stations if shard_of(one) in whole)
        command = await house.command(dev_eui, RED)
        assert (await house.final(command.id)).status is CommandStatus.VERIFIED
        servers.go_on(away)
        await street.owned_by_all(60)
        await trio.sleep(10)
        assert house.application.readiness.check().ready
        nursery.cancel_scope.cancel(reason="the test ends")


async def test_a_part_of_the_engine_that_is_away_sends_no_caller_elsewhere(
    autojump_clock: MockClock,
) -> None:
    """It is away for all: a balancer would find no process to ask."""
    world = make_world(lights=12)
    servers = MemoryServers(masters=3)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world, servers)
        houses = await street.open(nursery, "north", "south")
        await trio.sleep(40)
        await street.owned_by_all()
        await street.settled()
        away = other_than_the_fleets(servers)
        servers.stop(away)
        await trio.sleep(60)
        for house in houses:
            found = house.application.readiness.check()
            assert found.ready, found.problems
            assert any("parts of the fleet changes are shown too late" in w for w in found.warnings)
        whole = [one for one in world.stations if servers.part_of(shard_of(one)) != away]
        for house, dev_eui in itertools.product(houses, whole):
            command = await house.command(dev_eui, BLUE if house is houses[0] else RED)
            assert (await house.final(command.id)).status is CommandStatus.VERIFIED
        nursery.cancel_scope.cancel(reason="the test ends")
