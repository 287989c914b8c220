"""Commits that arrive late: a network that holds bytes back must not undo what came after."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
import trio

from store.errors import StoreRewound, StoreTaken, StoreUnavailable
from store.mark import MARK_KEY, read_mark
from store.port import Append, Put, Record, Table
from store.redis import RedisStore
from tests.store.conftest import opened
from tests.support.holding_proxy import HoldingProxy
from tests.support.redis_server import RedisServer

TIMEOUT_S = 0.3


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def admin(own_server: RedisServer) -> Iterator[Any]:
    with redis.Redis.from_url(own_server.url, protocol=2) as client:
        yield client


@pytest.fixture
def proxy(own_server: RedisServer) -> Iterator[HoldingProxy]:
    with HoldingProxy(own_server.port) as proxy:
        yield proxy


def put(value: bytes) -> Put:
    return Put(Table.DEVICE, "light", value, 1.0)


async def test_a_commit_held_on_the_way_changes_nothing_after_its_repetition_and_a_newer_one(
    own_server: RedisServer, proxy: HoldingProxy, admin: Any
) -> None:
    async with opened(RedisStore(proxy.url, timeout_s=TIMEOUT_S)) as store:
        await store.commit([put(b"first")])
        proxy.hold(lambda data: b"EXEC" in data)
        with pytest.raises(StoreUnavailable):
            await store.commit([put(b"held"), Append("s", "held", 1.0, b"")])
        proxy.wait_held()
        await store.commit([put(b"held"), Append("s", "held", 1.0, b"")])  # the repetition
        await store.commit([put(b"newer")])
        before = admin.get("{lamplighter}:commits")

        await trio.to_thread.run_sync(proxy.deliver)

        assert await store.get(Table.DEVICE, "light") == Record("light", b"newer", 1.0)
        assert admin.get("{lamplighter}:commits") == before
        await store.commit([put(b"newest")])  # and it goes on


async def test_a_held_commit_that_arrives_before_its_repetition_is_that_commit(
    own_server: RedisServer, proxy: HoldingProxy
) -> None:
    async with opened(RedisStore(proxy.url, timeout_s=TIMEOUT_S)) as store:
        proxy.hold(lambda data: b"EXEC" in data)
        with pytest.raises(StoreUnavailable):
            await store.commit([put(b"held")])
        proxy.wait_held()
        await trio.to_thread.run_sync(proxy.deliver)

        assert await store.get(Table.DEVICE, "light") == Record("light", b"held", 1.0)
        await store.commit([put(b"held")])
        await store.commit([put(b"newer")])
        assert await store.get(Table.DEVICE, "light") == Record("light", b"newer", 1.0)


async def test_a_held_pruning_does_not_drop_what_became_new(
    own_server: RedisServer, proxy: HoldingProxy
) -> None:
    async with opened(RedisStore(proxy.url, timeout_s=TIMEOUT_S)) as store:
        await store.commit([put(b"old")])
        proxy.hold(lambda data: b"EXEC" in data)
        with pytest.raises(StoreUnavailable):
            await store.prune(tables=[Table.DEVICE], before=2.0, most=9)
        proxy.wait_held()
        await store.commit([Put(Table.DEVICE, "light", b"new", 3.0)])

        await trio.to_thread.run_sync(proxy.deliver)

        assert await store.get(Table.DEVICE, "light") == Record("light", b"new", 3.0)


async def test_a_held_commit_is_not_counted_as_somebody_elses(
    own_server: RedisServer, proxy: HoldingProxy
) -> None:
    async with opened(RedisStore(proxy.url, timeout_s=TIMEOUT_S)) as store:
        for number in range(3):  # each is carried out, and its answer lost
            proxy.hold(lambda data: b"EXEC" in data)
            with pytest.raises(StoreUnavailable):
                await store.commit([put(b"%d" % number)])
            proxy.wait_held()
            await trio.to_thread.run_sync(proxy.deliver)
        await store.check()
        assert await store.get(Table.DEVICE, "light") == Record("light", b"2", 1.0)


async def test_a_take_over_held_on_the_way_does_not_take_the_prefix_from_its_next_owner(
    own_server: RedisServer, proxy: HoldingProxy
) -> None:
    slow = RedisStore(proxy.url, timeout_s=TIMEOUT_S)
    proxy.hold(lambda data: b"EXEC" in data)
    with pytest.raises(StoreUnavailable):
        await slow.open()
    proxy.wait_held()
    async with opened(RedisStore(own_server.url)) as owner:
        await owner.commit([put(b"mine")])
        await trio.to_thread.run_sync(proxy.deliver)
        await owner.commit([put(b"still mine")])
    await slow.close()


async def test_an_opening_whose_answer_was_lost_is_repeated_without_a_quarrel_with_itself(
    own_server: RedisServer, proxy: HoldingProxy, admin: Any
) -> None:
    store = RedisStore(proxy.url, timeout_s=TIMEOUT_S)
    proxy.hold(lambda data: b"EXEC" in data)
    with pytest.raises(StoreUnavailable):
        await store.open()
    proxy.wait_held()
    await trio.to_thread.run_sync(proxy.deliver)
    await store.open()
    assert admin.get("{lamplighter}:owner") == b"1"
    await store.commit([put(b"mine")])
    await store.close()


async def test_nothing_is_repeated_in_silence(
    own_server: RedisServer, proxy: HoldingProxy, admin: Any
) -> None:
    async with opened(RedisStore(proxy.url, timeout_s=TIMEOUT_S)) as store:
        before = int(admin.get("{lamplighter}:commits"))
        admin.execute_command("CLIENT", "PAUSE", "1000", "WRITE")
        with pytest.raises(StoreUnavailable):
            await store.commit([put(b"paused")])
        await trio.to_thread.run_sync(admin.ping)
        await trio.sleep(1.1)
        assert int(admin.get("{lamplighter}:commits")) - before <= 1


# --- two services, and fail-overs -----------------------------------------------------------------


async def test_a_second_service_does_not_take_the_prefix_from_one_that_lives(
    own_server: RedisServer,
) -> None:
    async with opened(RedisStore(own_server.url)) as first:

        async def pulse() -> None:
            while True:
                await first.check()
                await trio.sleep(0.2)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(pulse)
            second = RedisStore(own_server.url, patience_s=1.0)
            with pytest.raises(StoreTaken, match="in use by another process"):
                await second.open()
            await second.close()
            nursery.cancel_scope.cancel()
        await first.commit([put(b"undisturbed")])


async def test_one_that_stands_still_is_replaced_and_stops_for_good(
    own_server: RedisServer,
) -> None:
    first = RedisStore(own_server.url)
    await first.open()
    async with opened(RedisStore(own_server.url, patience_s=0.3)) as second:
        for _ in range(2):
            with pytest.raises(StoreTaken, match="took this prefix over"):
                await first.commit([put(b"stale")])
        with pytest.raises(StoreTaken):
            await first.check()
        await second.commit([put(b"new")])
        await first.close()
        await second.commit([put(b"newer")])  # what the loser released was not ours


async def test_after_an_orderly_end_nobody_waits(own_server: RedisServer) -> None:
    await_nobody = RedisStore(own_server.url, patience_s=60.0)
    async with opened(RedisStore(own_server.url)):
        pass
    with trio.fail_after(2):
        await await_nobody.open()
    await await_nobody.close()


async def test_a_fail_over_that_lost_commits_is_noticed_marked_and_ends_it(
    own_server: RedisServer, admin: Any
) -> None:
    """As on a replica that lacks the newest commits: what is stored is older than acknowledged."""
    store = RedisStore(own_server.url)
    await store.open()
    await store.commit([put(b"kept")])
    snapshot = {key: admin.dump(key) for key in admin.scan_iter()}
    for number in range(3):
        await store.commit([put(b"lost %d" % number)])
    admin.flushall()
    for key, dumped in snapshot.items():
        admin.restore(key, 0, dumped)

    with pytest.raises(StoreRewound, match="lost its 3 newest commits"):
        await store.check()
    with pytest.raises(StoreRewound):
        await store.commit([put(b"after")])
    await store.close()
    async with opened(RedisStore(own_server.url, patience_s=0.1)) as again:
        record = await again.get(Table.META, MARK_KEY)
        assert record is not None
        assert "3 newest commits" in read_mark(record).cause
        assert await again.get(Table.DEVICE, "light") == Record("light", b"kept", 1.0)
        await again.commit([put(b"goes on")])


async def test_a_real_fail_over_to_a_replica_that_lags_is_noticed(
    own_server: RedisServer, proxy: HoldingProxy
) -> None:
    with RedisServer() as replica, redis.Redis.from_url(replica.url, protocol=2) as other:
        other.replicaof("127.0.0.1", str(own_server.port))
        async with opened(RedisStore(proxy.url, timeout_s=1.0)) as store:
            await store.commit([put(b"kept")])
            with trio.fail_after(20):
                while other.get("{lamplighter}:commits") != b"2":  # noqa: ASYNC110 no event there
                    await trio.sleep(0.05)
            other.replicaof("NO", "ONE")  # the link is cut: it lacks what comes now
            await store.commit([put(b"lost")])
            await trio.to_thread.run_sync(proxy.lead_to, replica.port)
            with pytest.raises(StoreRewound, match="lost its newest commit in a fail-over"):
                await store.commit([put(b"newer")])
        stored = other.hget("{lamplighter}:meta", MARK_KEY)
        assert "fail-over" in read_mark(Record(MARK_KEY, stored[8:], 0.0)).cause
