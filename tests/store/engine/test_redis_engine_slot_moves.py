"""Slots of a real Cluster are moved to another master while their shards are committed to: in one
go where the server can (Valkey 9), else key by key. What was acknowledged is there afterwards."""

import pytest
import trio

from store.engine.open import engine_from_url
from store.engine.port import Applied, Lease, Post
from store.engine.redis.engine import RedisEngine
from store.engine.shards import LIGHT_SHARDS
from store.errors import StoreUnavailable
from store.port import Table
from tests.store.engine.conftest import opened_engine
from tests.store.engine.engine_samples import commit, put, taken
from tests.store.engine.test_redis_engine_failovers import node_of, pressed
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import ClusterServers, client_of, wait_until

MOVED, STAYING = 6, 3
"""Shards that are committed to without a pause."""
BODY = b"x" * 20_000
WHOLE_S = 60.0


class Busy:
    """Commits to a shard, and puts messages into its inbox; what was acknowledged is remembered."""

    def __init__(self, engine: RedisEngine, shard: str, lease: Lease) -> None:
        self._engine = engine
        self.shard = shard
        self._lease = lease
        self.seq = 0
        self.posted = 0
        self.slowest_s = 0.0
        self.may_stop = False

    async def work(self) -> None:
        while not self.may_stop:
            began = trio.current_time()
            write = put(BODY, f"{self.seq + 1:06d}", table=Table.COMMAND)
            result = await pressed(
                self._engine, commit(self._lease, self.seq + 1, write, shard=self.shard)
            )
            assert result.applied in {Applied.DONE, Applied.REPEATED}, result
            self.seq += 1
            self.slowest_s = max(self.slowest_s, trio.current_time() - began)
            if self.seq % 5 == 0:
                try:
                    [put_in] = await self._engine.post([Post(self.shard, b"%d" % self.seq)])
                except StoreUnavailable:
                    continue
                self.posted += put_in is True

    async def check(self, engine: RedisEngine) -> None:
        seen = await engine.snapshot(self.shard, [Table.COMMAND])
        assert (seen.lease.token, seen.lease.seq) == (self._lease.token, self.seq)
        kept = {record.key for record in seen.tables[Table.COMMAND]}
        assert kept == {f"{seq:06d}" for seq in range(1, self.seq + 1)}
        inbox = await engine.read_inboxes({self.shard: "0-0"}, 1_000)
        assert len(inbox.get(self.shard, [])) >= self.posted


@pytest.mark.timeout(180)
async def test_slots_are_moved_under_load_and_nothing_acknowledged_is_lost() -> None:
    with ClusterServers() as site:
        url = f"{site.url}?prefix=busy"
        async with opened_engine(engine_from_url(url)) as engine:
            source, target = site.masters[:2]
            here = [one for one in LIGHT_SHARDS if node_of(engine, one) == str(source.port)]
            there = [one for one in LIGHT_SHARDS if node_of(engine, one) != str(source.port)]
            shards = (*here[:MOVED], *there[:STAYING])
            busy = [Busy(engine, one, await taken(engine, "a", one)) for one in shards]
            async with trio.open_nursery() as nursery:
                for each in busy:
                    nursery.start_soon(each.work)
                with trio.fail_after(WHOLE_S):
                    await grown(busy, 20)
                    tags = [f"{{busy:{one}}}" for one in here]
                    await trio.to_thread.run_sync(move, site, source, target, tags)
                    await grown(busy, 20)
                for each in busy:
                    each.may_stop = True
            assert {node_of(engine, one) for one in here[:MOVED]} == {str(target.port)}
            for each in busy:
                await each.check(engine)
            assert max(each.slowest_s for each in busy) < 10.0
        async with opened_engine(engine_from_url(url)) as engine:  # by a map of its own
            for each in busy:
                await each.check(engine)


async def grown(busy: list[Busy], by: int) -> None:
    wanted = {each.shard: each.seq + by for each in busy}
    while any(each.seq < wanted[each.shard] for each in busy):  # noqa: ASYNC110 as others work
        await trio.sleep(0.05)


def move(site: ClusterServers, source: RedisServer, target: RedisServer, tags: list[str]) -> None:
    """The slots of these hash tags; blocks until the source has none of them."""
    giving, taking = client_of(source), client_of(target)
    slots = [giving.cluster("KEYSLOT", tag) for tag in tags]
    target_id = taking.execute_command("CLUSTER", "MYID")
    if "MIGRATESLOTS" in " ".join(giving.execute_command("CLUSTER", "HELP")):
        ranges = [word for slot in slots for word in (slot, slot)]
        giving.execute_command("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", *ranges, "NODE", target_id)
    else:
        source_id = giving.execute_command("CLUSTER", "MYID")
        for slot in slots:
            taking.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
            giving.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
            while keys := giving.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 10):
                giving.execute_command(
                    *("MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, "KEYS", *keys)
                )
            for each in (target, *site.masters):
                client_of(each).execute_command("CLUSTER", "SETSLOT", slot, "NODE", target_id)
    wait_until(lambda: not set(slots) & slots_of(source))


def slots_of(server: RedisServer) -> set[int]:
    """What a master has, by its own word."""
    client = client_of(server)
    me = client.execute_command("CLUSTER", "MYID")
    return {
        slot
        for first, last, (_, _, node_id, *_), *_ in client.execute_command("CLUSTER", "SLOTS")
        if node_id == me
        for slot in range(first, last + 1)
    }
