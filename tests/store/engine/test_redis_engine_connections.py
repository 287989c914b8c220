"""What a lost connection, a restart and a network that holds back do to calls of the engine."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest
import trio

from store.engine.open import engine_from_url
from store.engine.port import Applied, Engine, Lease, Member, Post
from store.engine.redis.lanes import Asked, Lanes, Work
from store.engine.redis.node import Answer
from store.errors import StoreUnavailable
from store.port import Table
from tests.store.engine.conftest import opened_engine
from tests.store.engine.engine_samples import (
    LIGHT,
    SHARD,
    accept,
    commit,
    committed,
    line,
    put,
    taken,
    value,
)
from tests.support.holding_proxy import HoldingProxy
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import client_of, replicas_of, wait_until


@pytest.fixture
def pair() -> Iterator[tuple[RedisServer, RedisServer]]:
    """A server and its replica."""
    with RedisServer() as master, RedisServer() as replica:
        client_of(replica).replicaof("127.0.0.1", master.port)
        wait_until(lambda: replicas_of(master) == 1)
        yield master, replica


async def test_a_commit_that_was_held_on_the_way_changes_nothing_when_it_arrives(
    server: RedisServer,
) -> None:
    with HoldingProxy(server.port) as proxy:
        async with opened_engine(engine_from_url(proxy.url)) as engine:
            lease = await taken(engine)
            await committed(engine, commit(lease, 1))
            proxy.hold(lambda data: b"held" in data)
            with pytest.raises(StoreUnavailable):
                await engine.commit([commit(lease, 2, feed=b"held")])
            await committed(engine, commit(lease, 2), commit(lease, 3))
            await trio.to_thread.run_sync(proxy.deliver)
            assert await value(engine) == b"3"
            assert (await engine.look([SHARD]))[SHARD].seq == 3
            feed = (await engine.read_feeds({SHARD: (0, 0)}, 10))[SHARD]
            assert [(entry.seq, entry.body) for entry in feed] == [
                (1, b"feed"),
                (2, b"feed"),
                (3, b"feed"),
            ]


async def test_a_command_that_was_held_on_the_way_is_not_taken_twice(server: RedisServer) -> None:
    with HoldingProxy(server.port) as proxy:
        async with opened_engine(engine_from_url(proxy.url)) as engine:
            lease = await taken(engine)
            await committed(engine, commit(lease, 1))
            await engine.accept([accept("c0")])
            proxy.hold(lambda data: b"held" in data)
            with pytest.raises(StoreUnavailable):
                await engine.accept([accept("held", key="k")])
            await engine.accept([accept("held", key="k")])
            await trio.to_thread.run_sync(proxy.deliver)
            found = (await engine.read_inboxes({SHARD: "0-0"}, 10))[SHARD]
            assert [entry.message for entry in found] == [b"c0", b"held"]


async def test_a_repetition_counts_only_when_a_replica_has_what_it_repeats(
    pair: tuple[RedisServer, RedisServer],
) -> None:
    """On a new connection nothing was written yet: WAIT by itself would count every replica."""
    master, replica = pair
    async with opened_engine(engine_from_url(f"{master.url}?need=1")) as engine:
        lease = await taken(engine)
        await committed(engine, commit(lease, 1))
        seen = (await engine.look(["08"]))["08"]
        wish = accept("c", key="k")
        replica.freeze()
        try:
            for _ in range(2):
                for call in (
                    lambda: engine.commit([commit(lease, 2)]),
                    lambda: engine.accept([wish]),
                    lambda: engine.take("08", seen, "a"),
                ):
                    with pytest.raises(StoreUnavailable, match="0 of 1 replicas confirmed"):
                        await call()
        finally:
            replica.thaw()
        [result] = await committed(engine, commit(lease, 2))
        assert result.applied is Applied.REPEATED
        assert (await engine.look([SHARD]))[SHARD].seq == 2
        assert await engine.take("08", seen, "a") is not None


async def test_what_another_process_stored_is_confirmed_by_whoever_asks(
    pair: tuple[RedisServer, RedisServer],
) -> None:
    """Its own connection has written nothing: WAIT by itself would count every replica."""
    master, replica = pair
    async with (
        opened_engine(engine_from_url(f"{master.url}?need=1")) as owner,
        opened_engine(engine_from_url(f"{master.url}?need=1")) as reader,
    ):
        lease = await taken(owner)
        assert (await reader.confirm([SHARD]))[SHARD] == lease
        replica.freeze()
        try:
            with pytest.raises(StoreUnavailable):
                await owner.commit([commit(lease, 1)])
            assert len((await reader.read_feeds({SHARD: (0, 0)}, 9))[SHARD]) == 1
            with pytest.raises(StoreUnavailable, match="0 of 1 replicas confirmed"):
                await reader.confirm([SHARD])
        finally:
            replica.thaw()
        assert (await reader.confirm([SHARD]))[SHARD].seq == 1


async def test_an_unconfirmed_renewal_does_not_count(
    pair: tuple[RedisServer, RedisServer],
) -> None:
    master, replica = pair
    async with opened_engine(engine_from_url(f"{master.url}?need=1")) as engine:
        lease = await taken(engine)
        replica.freeze()
        try:
            with pytest.raises(StoreUnavailable):
                await engine.renew({SHARD: lease.token})
        finally:
            replica.thaw()
        assert (await engine.renew({SHARD: lease.token}))[SHARD].applied is Applied.DONE


async def test_who_lives_shows_himself_while_no_replica_confirms_anything(
    pair: tuple[RedisServer, RedisServer],
) -> None:
    """Leases cannot be renewed then, which is tried all the time; nobody is dead for that."""
    master, replica = pair
    async with opened_engine(engine_from_url(f"{master.url}?need=1")) as engine:
        lease = await taken(engine)
        await engine.tell_member(Member("gone", "west", "1", 1))

        async def renew() -> None:
            while True:
                with suppress(StoreUnavailable):
                    await engine.renew({SHARD: lease.token})
                await trio.sleep(0.05)

        replica.freeze()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(renew)
                for beat in range(1, 6):
                    await trio.sleep(0.6)
                    with trio.fail_after(0.5):
                        await engine.tell_member(Member("a", "north", "1", beat))
                with trio.fail_after(0.5):
                    await engine.forget_member("gone")
                nursery.cancel_scope.cancel(reason="it was shown")
        finally:
            replica.thaw()
        assert [(one.boot, one.beat) for one in await engine.members()] == [("a", 5)]


async def test_a_server_that_forgot_the_scripts_is_sent_them(server: RedisServer) -> None:
    async with opened_engine(engine_from_url(server.url)) as engine:
        lease = await taken(engine)
        await committed(engine, commit(lease, 1))
        client_of(server).script_flush()
        results = await committed(engine, commit(lease, 2), commit(lease, 3))
        assert [result.applied for result in results] == [Applied.DONE] * 2


async def test_a_restart_of_the_server_loses_nothing_and_is_found_out_by_itself(
    server: RedisServer,
) -> None:
    async with opened_engine(engine_from_url(server.url)) as engine:
        lease = await taken(engine)
        await committed(engine, commit(lease, 1))
        server.kill()
        with pytest.raises(StoreUnavailable):
            await engine.commit([commit(lease, 2)])
        server.start()
        [result] = await committed(engine, commit(lease, 2))
        assert result.applied is Applied.DONE
        assert await value(engine) == b"2"


async def test_a_reading_without_an_error_is_whole_however_often_the_server_is_replaced(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of its calls to the server goes to another process with the same data, as after a
    planned fail-over or the move of a slot."""
    in_parts, whole = Lanes.ask, Lanes.ask_whole

    async def asked_of_another(
        self: Lanes,
        work: Work,
        asked: Sequence[Asked],
        *,
        confirm: int = 0,
        answer_s: float | None = None,
    ) -> list[Answer]:
        server.stop()
        server.start()
        return await in_parts(self, work, asked, confirm=confirm, answer_s=answer_s)

    async def asked_whole_of_another(
        self: Lanes, work: Work, asked: Sequence[Asked], *, answer_s: float | None = None
    ) -> list[Answer]:
        server.stop()
        server.start()
        return await whole(self, work, asked, answer_s=answer_s)

    many = [put(b"x", f"{number:016x}", table=Table.ROLLOUT) for number in range(5_000)]
    lines = [line(f"{number:04d}", float(number)) for number in range(3_000)]
    async with opened_engine(engine_from_url(server.url)) as engine:
        await committed(engine, commit(await taken(engine), 1, *many, *lines))
        monkeypatch.setattr(Lanes, "ask", asked_of_another)
        monkeypatch.setattr(Lanes, "ask_whole", asked_whole_of_another)
        entries = await engine.entries([SHARD], LIGHT, since=0, until=9e9, most=9_999)
        seen = await engine.snapshot(SHARD, [Table.ROLLOUT])
        some = await engine.read(SHARD, Table.ROLLOUT, [one.key for one in many[:3]])
        assert {one.entry for one in entries} == {one.entry for one in lines}
        assert {one.key for one in seen.tables[Table.ROLLOUT]} == {one.key for one in many}
        assert [one and one.key for one in some.records] == [one.key for one in many[:3]]


async def test_bells_are_heard_again_after_a_restart(server: RedisServer) -> None:
    heard = trio.Event()
    async with (
        opened_engine(engine_from_url(server.url)) as engine,
        trio.open_nursery() as nursery,
    ):
        lease = await taken(engine)
        await nursery.start(engine.hear, lambda _name: heard.set())
        server.kill()
        server.start()
        seq = 0
        with trio.fail_after(10):
            while not heard.is_set():
                seq += 1
                await committed(engine, commit(lease, seq))
                with trio.move_on_after(0.1):
                    await heard.wait()
        nursery.cancel_scope.cancel()


async def test_a_server_that_hangs_is_given_up_and_who_waits_behind_hears_it_at_once(
    server: RedisServer,
) -> None:
    async with opened_engine(engine_from_url(server.url)) as engine:
        lease = await taken(engine)
        server.freeze()
        began = trio.current_time()
        failed: list[float] = []

        async def try_commit() -> None:
            with pytest.raises(StoreUnavailable):
                await engine.commit([commit(lease, 1)])
            failed.append(trio.current_time() - began)

        try:
            async with trio.open_nursery() as nursery:
                for _ in range(8):
                    nursery.start_soon(try_commit)
        finally:
            server.thaw()
        assert max(failed) < 4.0  # one after the other would be 16 s
        [result] = await committed(engine, commit(lease, 1))
        assert result.applied in {Applied.DONE, Applied.REPEATED}


CALLS = ("look", "take", "renew", "commit", "accept", "post", "read", "snapshot", "entries")


@pytest.mark.parametrize("name", CALLS)
async def test_a_caller_may_leave_at_any_call(server: RedisServer, name: str) -> None:
    async with opened_engine(engine_from_url(server.url)) as engine:
        lease = await taken(engine)
        await committed(engine, commit(lease, 1))
        server.freeze()
        try:
            with trio.move_on_after(0.1) as scope:
                await called(engine, name)
            assert scope.cancelled_caught
        finally:
            server.thaw()
        with trio.fail_after(8):
            while True:
                try:
                    [result] = await committed(engine, commit(lease, 2))
                    break
                except StoreUnavailable:
                    await trio.sleep(0.05)
        assert result.applied in {Applied.DONE, Applied.REPEATED}
        assert await value(engine) == b"2"


async def called(engine: Engine, name: str) -> None:
    match name:
        case "look":
            await engine.look([SHARD])
        case "take":
            await engine.take("09", Lease(), "b")
        case "renew":
            await engine.renew({"09": "x"})
        case "commit":
            await engine.commit([commit(Lease(token="x"), 9)])
        case "accept":
            await engine.accept([accept("c")])
        case "post":
            await engine.post([Post(SHARD, b"x")])
        case "read":
            await engine.read(SHARD, Table.DEVICE, [LIGHT])
        case "snapshot":
            await engine.snapshot(SHARD, [Table.DEVICE])
        case "entries":
            await engine.entries([SHARD], "x", since=0, until=1, most=1)
