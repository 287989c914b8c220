"""No take has the epoch of another one, whatever the clocks of servers say and a failover loses."""

from collections.abc import Mapping
from contextlib import suppress

import pytest
import redis
import trio

from store.engine.epochs import LEAPS, Leaps
from store.engine.memory import MemoryEngine, MemoryServers
from store.engine.redis.engine import RedisEngine
from store.engine.redis.url import target_of
from store.errors import StoreUnavailable
from tests.store.engine.conftest import opened_engine
from tests.store.engine.engine_samples import SHARD, commit, taken
from tests.support.redis_server import RedisServer

AHEAD = 9_000_000_000_000
"""In the year 2255, by a server whose clock was wrong."""


def test_a_process_leaps_by_another_number_each_time_and_so_does_another_process() -> None:
    one, other = Leaps(), Leaps()
    leaps = [one.next("a") for _ in range(100)]
    assert len(set(leaps)) == 100
    assert all(0 <= leap < LEAPS for leap in leaps)
    assert not set(leaps) & {other.next("b") for _ in range(100)}


@pytest.mark.parametrize("boot", ["a", "b"])
async def test_the_epoch_of_a_take_that_a_failover_lost_does_not_come_again(
    autojump_clock: object, boot: str
) -> None:
    servers = MemoryServers(replicas=1)
    first, second = MemoryEngine(servers), MemoryEngine(servers)
    for engine in (first, second):
        await engine.open()
    before = await taken(first)
    [master] = servers.masters
    assert master is not None
    await trio.sleep(1.0)
    [replica] = master.replicas
    replica.held = True
    servers.wall = lambda: before.epoch / 1e3 - 60.0  # and the clock goes back
    lost = await taken(first)
    await first.commit([commit(lost, 1)])
    servers.fail_over()
    again = first if boot == "a" else second
    with suppress(StoreUnavailable):  # whoever had spoken to the master before
        await again.look([SHARD])
    found = (await again.look([SHARD]))[SHARD]
    assert found == before
    new = await taken(again, boot)
    assert before.epoch < new.epoch <= before.epoch + 1 + LEAPS
    assert new.epoch != lost.epoch


async def test_redis_takes_beyond_what_is_stored_where_its_clock_is_behind(
    redis_server: RedisServer,
) -> None:
    target = target_of(f"{redis_server.url}?prefix=epochs")
    client = redis.Redis.from_url(redis_server.url)
    async with opened_engine(RedisEngine(target)) as one, opened_engine(RedisEngine(target)) as two:
        await taken(one)
        [key] = client.keys("{epochs:07}:lease")
        stored: Mapping[str, str | int] = {"epoch": AHEAD, "token": f"{AHEAD}.z", "owner": "z"}
        epochs = []
        for engine, boot in ((one, "a"), (one, "a"), (two, "b")):
            client.hset(key, mapping=dict(stored))  # as if a failover had lost the take before
            lease = await taken(engine, boot)
            assert lease.token == f"{lease.epoch}.{boot}"
            epochs.append(lease.epoch)
    client.close()
    assert len(set(epochs)) == 3
    assert all(AHEAD < epoch <= AHEAD + 1 + LEAPS for epoch in epochs)
