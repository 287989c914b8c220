"""The keepers of three processes on a real Valkey, with leases of seconds."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import trio

from actors.cluster.keeper.times import KeeperTimes
from store.engine.redis.engine import RedisEngine
from store.engine.redis.url import target_of
from store.engine.shards import ALL_SHARDS, FLEET
from tests.support.keeper_kit import House, Town
from tests.support.redis_server import RedisServer

TIMES = KeeperTimes(
    ttl_s=1.5, renew_s=0.5, look_s=0.25, late_s=0.5, patience_s=1.0, give_each_s=0.05, leave_s=5.0
)
PATIENT = KeeperTimes(
    ttl_s=4.0, renew_s=1.0, look_s=0.5, late_s=1.0, patience_s=1.0, give_each_s=0.05, leave_s=5.0
)
"""A lease lasts longer than a call that is not answered, 2 s, as it does where it is in use."""
NAMES = ("a", "b", "c")


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@asynccontextmanager
async def three(
    server: RedisServer, prefix: str, times: KeeperTimes = TIMES
) -> AsyncIterator[tuple[Town, list[House]]]:
    """Three houses in balance, each with connections of its own."""
    engines = [RedisEngine(target_of(f"{server.url}?prefix={prefix}")) for _ in NAMES]
    for engine in engines:
        await engine.open()
    async with trio.open_nursery() as nursery:
        town = Town(nursery, times=times)
        houses = [
            await town.house_on(engine, name) for engine, name in zip(engines, NAMES, strict=True)
        ]
        await town.until(lambda: town.complete() and balanced(houses))
        yield town, houses
        nursery.cancel_scope.cancel()
    for engine in engines:
        await engine.close()


def balanced(houses: list[House]) -> bool:
    loads = [sum(8 if shard == FLEET else 1 for shard in house.running) for house in houses]
    return max(loads) <= 25


async def test_what_a_killed_one_had_runs_with_the_others(server: RedisServer) -> None:
    async with three(server, "kill") as (town, houses):
        victim = next(house for house in houses if FLEET in house.running)
        victim.kill()
        await town.until(town.complete)
        assert victim.boot not in town.loads()


async def test_whoever_leaves_is_missed_by_nobody(server: RedisServer) -> None:
    async with three(server, "leave") as (town, houses):
        await houses[0].keeper.leave()
        await town.until(town.complete)
        assert set(town.loads()) == {"b", "c"}
        assert [entry for house in houses for entry in house.log if entry[0] == "fenced"] == []


async def test_a_server_that_hangs_longer_than_a_lease_moves_nothing(server: RedisServer) -> None:
    async with three(server, "hang", PATIENT) as (town, houses):
        before = {shard: town.owners(shard) for shard in ALL_SHARDS}
        server.freeze()
        try:
            await trio.sleep(4.5)
            assert [house.keeper.valid_for_s(FLEET) for house in houses] == [0.0, 0.0, 0.0]
        finally:
            server.thaw()
        await trio.sleep(4.5)
        assert {shard: town.owners(shard) for shard in ALL_SHARDS} == before
        owner = next(house for house in houses if FLEET in house.running)
        await town.until(lambda: owner.keeper.valid_for_s(FLEET) > 0.5, 10.0)
