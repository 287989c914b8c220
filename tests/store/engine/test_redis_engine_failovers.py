"""Fail-overs of real servers: what was acknowledged is there afterwards, or its owner knows that it
is not; and an old master that still answers acknowledges nothing."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import pytest
import trio

from store.engine.open import engine_from_url
from store.engine.port import AcceptResult, Applied, Commit, Engine, Lease, Result
from store.engine.redis.cluster import InCluster
from store.engine.redis.engine import RedisEngine
from store.engine.shards import LIGHT_SHARDS
from store.errors import StoreError, StoreUnavailable
from store.port import Table
from tests.store.engine.conftest import opened_engine
from tests.store.engine.engine_samples import SHARD, accept, commit, put, taken, value
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import (
    ClusterServers,
    ReplicatedServers,
    client_of,
    role_of,
    wait_until,
)

AGAIN_S = 0.05
FAILOVER_S = 20.0
"""About 3.3 s on an idle machine; these tests say nothing of speed."""
T = TypeVar("T")

pytestmark = pytest.mark.timeout(120)


async def repeated(call: Callable[[], Awaitable[T]]) -> T:
    """The very same call, until the engine answers it."""
    with trio.fail_after(FAILOVER_S):
        while True:
            try:
                return await call()
            except StoreUnavailable:
                await trio.sleep(AGAIN_S)


async def pressed(engine: Engine, one: Commit) -> Result:
    """The answer to one commit, repeated until there is one."""

    async def attempt() -> Result:
        [result] = await engine.commit([one])
        if isinstance(result, StoreError):
            raise result
        return result

    return await repeated(attempt)


async def committed_again(engine: Engine, log: Sequence[Commit], stored: int) -> None:
    """What is stored no more, as its owner does it, whatever a fail-over takes meanwhile."""
    while stored < len(log):
        result = await pressed(engine, log[stored])
        assert result.applied in {Applied.DONE, Applied.REPEATED, Applied.GAP}
        stored = result.lease.seq if result.applied is Applied.GAP else stored + 1


class Owner:
    """Commits to one shard, one after the other, and remembers what was acknowledged."""

    def __init__(self, engine: Engine, lease: Lease) -> None:
        self.engine = engine
        self.lease = lease
        self.seq = 0
        self.slowest_s = 0.0
        self.may_stop = False
        self._grown = trio.Event()

    async def work(self) -> None:
        while not self.may_stop:
            began = trio.current_time()
            result = await pressed(self.engine, self._commit(self.seq + 1))
            assert result.applied in {Applied.DONE, Applied.REPEATED}, result
            self.seq += 1
            self._grown.set()
            self.slowest_s = max(self.slowest_s, trio.current_time() - began)

    async def grows(self, by: int) -> None:
        wanted = self.seq + by
        with trio.fail_after(FAILOVER_S):
            while self.seq < wanted:
                self._grown = trio.Event()
                await self._grown.wait()

    async def assert_all_there(self) -> None:
        seen = await self.engine.snapshot(SHARD, [Table.COMMAND])
        assert seen.lease.seq == self.seq
        kept = {record.key for record in seen.tables[Table.COMMAND]}
        assert kept == {f"{seq:06d}" for seq in range(1, self.seq + 1)}

    def _commit(self, seq: int) -> Commit:
        return commit(self.lease, seq, put(b"x", f"{seq:06d}", table=Table.COMMAND))


@pytest.mark.parametrize("fate", ["killed", "frozen"])
async def test_nothing_acknowledged_is_lost_when_the_master_dies(fate: str) -> None:
    with ReplicatedServers(down_after_s=1.0) as site:
        async with (
            opened_engine(engine_from_url(site.url)) as engine,
            trio.open_nursery() as nursery,
        ):
            owner = Owner(engine, await taken(engine))
            nursery.start_soon(owner.work)
            await owner.grows(50)
            (site.master.kill if fate == "killed" else site.master.freeze)()
            await owner.grows(50)
            owner.may_stop = True
        async with opened_engine(engine_from_url(site.url)) as engine:
            owner.engine = engine
            await owner.assert_all_there()
        assert owner.slowest_s > 0.5  # it went through a fail-over
        if fate == "frozen":
            site.master.thaw()


async def test_a_fail_over_that_lost_commits_is_told_and_its_owner_commits_them_again() -> None:
    """No replica has to confirm, and both lag behind."""
    with ReplicatedServers(down_after_s=1.0) as site:
        async with opened_engine(engine_from_url(f"{site.url}?need=0&unsafe=yes")) as engine:
            lease = await taken(engine)
            body = b"x" * 200_000  # beyond what the buffers of two sockets take
            log = [commit(lease, seq, put(b"%d" % seq + body)) for seq in range(1, 201)]
            await pressed(engine, log[0])
            [before] = await engine.accept([accept("c1")])
            for replica in site.replicas:
                replica.freeze()
            for one in log[1:-1]:
                assert (await pressed(engine, one)).applied is Applied.DONE
            site.master.kill()
            for replica in site.replicas:
                replica.thaw()
            gap = await pressed(engine, log[-1])
            assert gap.applied is Applied.GAP
            assert 1 <= gap.lease.seq < 199
            assert gap.lease.token == lease.token
            await committed_again(engine, log, gap.lease.seq)
            with trio.fail_after(FAILOVER_S):  # a busy machine may see another fail-over
                while await value(engine) != b"200" + body:
                    [lease] = (await repeated(lambda: engine.look([SHARD]))).values()
                    await committed_again(engine, log, lease.seq)
            feed = (await engine.read_feeds({SHARD: (0, 0)}, 1_000))[SHARD]
            assert [entry.seq for entry in feed] == list(range(1, 201))
            [after] = await repeated(lambda: engine.accept([accept("c2")]))
            assert isinstance(before, AcceptResult)
            assert isinstance(after, AcceptResult)
            number, names = after.line.split(":")
            assert int(number) >= 2, "the server that was promoted writes a line of its own"
            assert names.startswith(before.line.removeprefix("1:") + ".")


async def test_an_old_master_that_wakes_acknowledges_nothing() -> None:
    """It takes writes until the sentinels have made it a replica: some 8 s, measured."""
    with ReplicatedServers(down_after_s=1.0) as site:
        old = engine_from_url(f"{site.master.url}?need=1")
        async with opened_engine(engine_from_url(site.url)) as engine, opened_engine(old):
            lease = await taken(engine)
            await pressed(engine, commit(lease, 1))
            site.master.freeze()
            with trio.fail_after(FAILOVER_S):
                await trio.to_thread.run_sync(site.new_master)
            new = await repeated(lambda: taken(engine, "b"))
            assert (await pressed(engine, commit(new, 1, put(b"new")))).applied is Applied.DONE
            site.master.thaw()
            acknowledged = tried = 0
            with trio.fail_after(60):
                while role_of(site.master) != "slave":
                    tried += 1
                    try:
                        [result] = await old.commit([commit(lease, 2, put(b"zombie"))])
                    except StoreUnavailable:
                        continue
                    acknowledged += isinstance(result, Result) and result.applied is Applied.DONE
            assert tried
            assert acknowledged == 0
            assert await value(engine) == b"new"
            assert (await engine.look([SHARD]))[SHARD].token == new.token


async def test_what_is_read_after_a_commit_comes_from_where_that_was_committed() -> None:
    """The connection of whoever reads leads to the old master, which wakes and still answers."""
    with ReplicatedServers(down_after_s=1.0) as site:
        async with opened_engine(engine_from_url(site.url)) as engine:
            lease = await taken(engine)
            await pressed(engine, commit(lease, 1))
            assert await value(engine) == b"1"
            site.master.freeze()
            for seq in (2, 3):  # the old master finds the first one waiting when it wakes
                await pressed(engine, commit(lease, seq))
            site.master.thaw()
            assert role_of(site.master) == "master", "nobody has told it yet"
            assert await value(engine) == b"3"
            assert (await engine.snapshot(SHARD, [Table.DEVICE])).lease.seq == 3


async def test_a_cluster_goes_on_when_one_of_its_masters_dies() -> None:
    """Its only replica takes over, and commits count again when it has one itself."""
    with ClusterServers(node_timeout_s=1.0) as site:
        engine = engine_from_url(site.url)
        async with opened_engine(engine), trio.open_nursery() as nursery:
            dying = f"{site.masters[0].port}"
            by_master = {shard: node_of(engine, shard) for shard in LIGHT_SHARDS}
            assert len(set(by_master.values())) == 3
            here = next(shard for shard in LIGHT_SHARDS if by_master[shard] == dying)
            there = next(shard for shard in LIGHT_SHARDS if by_master[shard] != dying)
            leases = {shard: await taken(engine, "a", shard) for shard in (here, there)}
            await pressed(engine, commit(leases[here], 1, shard=here))
            site.masters[0].kill()
            nursery.start_soon(trio.to_thread.run_sync, comes_back, site, 0)
            seq = 0
            with trio.fail_after(FAILOVER_S):
                while True:  # both in one call, as a journal of many shards does
                    seq += 1
                    lost, well = await engine.commit(
                        [
                            commit(leases[here], 2, shard=here),
                            commit(leases[there], seq, shard=there),
                        ]
                    )
                    if isinstance(well, StoreError):
                        seq -= 1
                    else:
                        assert well.applied is Applied.DONE
                    if isinstance(lost, Result):
                        break
            assert lost.applied in {Applied.DONE, Applied.REPEATED}
            assert seq > 1, "the other shards were served meanwhile"
            assert await value(engine, here) == b"2"
            assert (await engine.look(LIGHT_SHARDS)).keys() == set(LIGHT_SHARDS)


async def test_an_old_master_of_a_cluster_that_wakes_acknowledges_nothing() -> None:
    with ClusterServers(node_timeout_s=1.0) as site:
        url = f"{site.url}?need=0&unsafe=yes"  # so that nothing but the cluster itself refuses
        async with opened_engine(engine_from_url(url)) as engine:
            lease = await taken(engine)
            server = next(each for each in site.masters if str(each.port) == node_of(engine, SHARD))
            old = engine_from_url(url)
            async with opened_engine(old):
                await pressed(old, commit(lease, 1))
                server.freeze()
                new = await repeated(lambda: taken(engine, "b"))
                assert (await pressed(engine, commit(new, 1, put(b"new")))).applied is Applied.DONE
                server.thaw()
                # What reached it before its first look at the others it may still carry out: for
                # some milliseconds, and only where no replica has to confirm it, as here.
                wait_until(lambda: role_of(server) != "master")
                result = await pressed(old, commit(lease, 2, put(b"zombie")))
                assert result.applied is Applied.FENCED
                assert await value(engine) == b"new"


async def test_a_commit_into_a_slot_that_is_being_moved_is_whole_or_not_at_all(
    cluster_servers: ClusterServers,
) -> None:
    site = cluster_servers
    engine = engine_from_url(f"{site.url}?prefix=moved")
    async with opened_engine(engine):
        lease = await taken(engine)
        await pressed(engine, commit(lease, 1))
        move = SlotMove(site, engine, "moved")
        move.begin()
        move.carry_over(":device")  # of the commit's keys some are here and some are there
        [result] = await engine.commit([commit(lease, 2)])
        assert isinstance(result, StoreUnavailable)
        assert "being moved" in str(result)
        move.carry_over("")
        with pytest.raises(StoreUnavailable, match="being moved"):  # and not: there is nothing
            await engine.look([SHARD])
        with pytest.raises(StoreUnavailable, match="being moved"):
            await engine.read_inboxes({SHARD: "0-0"}, 9)
        there = next(s for s in LIGHT_SHARDS if node_of(engine, s) != node_of(engine, SHARD))
        assert (await engine.look([SHARD, there])).keys() == {there}
        move.end()
        assert await value(engine) == b"1"
        [seen] = (await engine.look([SHARD])).values()
        assert seen.seq == 1
        done = await pressed(engine, commit(lease, 2))
        assert done.applied is Applied.DONE
        assert await value(engine) == b"2"
        assert node_of(engine, SHARD) == str(move.target.port)


def comes_back(site: ClusterServers, number: int) -> None:
    """A master that died is started again when its replica has taken over."""
    wait_until(lambda: role_of(site.replicas[number]) == "master")
    site.masters[number].start()


class SlotMove:
    """Moves the slot of one shard to another master, in the classic way, step by step."""

    def __init__(self, site: ClusterServers, engine: RedisEngine, prefix: str) -> None:
        port = node_of(engine, SHARD)
        masters = [each for each in site.servers if role_of(each) == "master"]
        self._masters = masters
        self.source = next(each for each in masters if str(each.port) == port)
        self.target = next(each for each in masters if str(each.port) != port)
        self._tag = f"{{{prefix}:{SHARD}}}"
        self._slot = client_of(self.source).cluster("KEYSLOT", self._tag)

    def begin(self) -> None:
        self._set(self.target, "IMPORTING", self.source)
        self._set(self.source, "MIGRATING", self.target)

    def carry_over(self, end: str) -> None:
        keys = [
            key
            for key in client_of(self.source).execute_command(
                "CLUSTER", "GETKEYSINSLOT", self._slot, 1_000
            )
            if key.endswith(end)
        ]
        assert keys
        client_of(self.source).execute_command(
            "MIGRATE", "127.0.0.1", self.target.port, "", 0, 5_000, "KEYS", *keys
        )

    def end(self) -> None:
        for each in (self.target, self.source, *self._masters):
            self._set(each, "NODE", self.target)

    def _set(self, server: RedisServer, what: str, other: RedisServer) -> None:
        node_id = client_of(other).execute_command("CLUSTER", "MYID")
        client_of(server).execute_command("CLUSTER", "SETSLOT", self._slot, what, node_id)


def node_of(engine: RedisEngine, shard: str) -> str:
    """The port of the master that the engine asks for a shard."""
    places = engine._places
    assert isinstance(places, InCluster)
    node = places.node_of(shard)
    assert isinstance(node, tuple)
    return str(node[1])
