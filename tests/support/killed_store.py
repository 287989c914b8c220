"""A store whose server is killed while many commit: what was acknowledged is there, and whole."""

import math

import trio

from store.engine.redis.engine import RedisEngine
from store.engine.redis.url import target_of
from store.errors import StoreUnavailable
from store.port import Append, Put, Table
from store.shards import ShardStore
from store.shards.taking import take_all
from tests.support.redis_server import RedisServer

COMMITTERS = 20
EACH_LEAST = 15
"""Commits of the quickest committer before a kill."""


async def commit_under_kills(server: RedisServer, *, kills: int) -> int:
    """Many committers, no service; the number of acknowledged commits, all of which were kept."""
    asked: set[int] = set()
    acknowledged: set[int] = set()
    store = ShardStore(RedisEngine(target_of(server.url)), "killed")
    await store.open()
    await take_all(store)

    async def committer(number: int, busy: trio.Event) -> None:
        while True:
            number += 1_000_000
            asked.add(number)
            value = b"%d" % number * 200
            try:
                await store.commit(
                    [
                        Put(Table.DEVICE, f"{number}", value, 1.0),
                        Put(Table.COMMAND, f"{number}", value, 1.0),
                        Append("s", f"{number}", 1.0, value),
                    ]
                )
            except StoreUnavailable:
                return
            acknowledged.add(number)
            if number > EACH_LEAST * 1_000_000:
                busy.set()

    for kill in range(kills):
        busy = trio.Event()
        async with trio.open_nursery() as nursery:
            for first in range(COMMITTERS):
                nursery.start_soon(committer, kill * COMMITTERS + first, busy)
            await busy.wait()
            await trio.to_thread.run_sync(server.kill)
        await trio.to_thread.run_sync(server.start)
        await _answers(store)
        found = await store.scan(Table.DEVICE)
        records = {int(record.key) for record in found}
        others = {int(record.key) for record in await store.scan(Table.COMMAND)}
        entries = await store.entries("s", since=-math.inf, until=math.inf, most=10_000_000)
        assert acknowledged <= records <= asked
        assert records == others == {int(entry.entry) for entry in entries}, "a commit is torn"
        assert all(record.value == record.key.encode() * 200 for record in found)
        assert len(acknowledged) >= (kill + 1) * EACH_LEAST
    await store.close()
    return len(acknowledged)


async def _answers(store: ShardStore) -> None:
    """Until the connections are made anew, and what was on its way is there or not."""
    with trio.fail_after(20.0):
        while True:
            try:
                return await store.check()
            except StoreUnavailable:
                await trio.sleep(0.1)
