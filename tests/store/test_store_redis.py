"""What only the Redis store promises: crashes of the server, ownership, and clear refusals."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import redis
import trio
import trio.testing

from store.errors import StoreCorrupt, StoreRefused, StoreRewound, StoreTaken, StoreUnavailable
from store.port import Append, Outcome, Put, Record, Table, Write
from store.redis import RedisStore
from tests.store.conftest import opened
from tests.support.killed_store import commit_under_kills
from tests.support.redis_server import RedisServer

A = Put(Table.DEVICE, "a", b"value", 1.0)


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A server that the test may kill, freeze and misconfigure."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def admin(own_server: RedisServer) -> Iterator[Any]:
    """A client past the store; untyped, as redis-py types each command for asyncio as well."""
    with redis.Redis.from_url(own_server.url, protocol=2) as client:
        yield client


# --- crashes of the server -----------------------------------------------------------------------


async def test_killed_under_load_it_keeps_every_answered_commit(own_server: RedisServer) -> None:
    assert await commit_under_kills(own_server, kills=5) > 5 * 20


async def test_no_server_is_unavailable_at_once(own_server: RedisServer) -> None:
    async with opened(RedisStore(own_server.url)) as store:
        await store.commit([A])
        own_server.kill()
        with trio.fail_after(2):
            with pytest.raises(StoreUnavailable) as caught:
                await store.commit([A])
            assert isinstance(caught.value.__cause__, redis.RedisError)
            with pytest.raises(StoreUnavailable):
                await store.scan(Table.DEVICE)
            with pytest.raises(StoreUnavailable):
                await store.entries("s", since=0, until=1, most=1)
            with pytest.raises(StoreUnavailable):
                await store.prune(tables=[Table.DEVICE], before=0, most=1)
            with pytest.raises(StoreUnavailable):
                await RedisStore(own_server.url).open()


async def test_a_restarted_server_is_found_again_without_a_failure(
    own_server: RedisServer,
) -> None:
    async with opened(RedisStore(own_server.url)) as store:
        await store.commit([A])
        await store.get(Table.DEVICE, "a")
        own_server.kill()
        await trio.to_thread.run_sync(own_server.start)

        await store.commit([Put(Table.DEVICE, "b", b"value", 1.0)])
        assert await store.get(Table.DEVICE, "a") == Record("a", b"value", 1.0)


async def test_a_hanging_server_is_unavailable_in_time_and_answers_stay_in_step(
    own_server: RedisServer,
) -> None:
    async with opened(RedisStore(own_server.url, timeout_s=0.1)) as store:
        await store.commit([A, Put(Table.DEVICE, "b", b"other", 1.0)])
        own_server.freeze()
        with trio.fail_after(5):
            for _ in range(2):
                with pytest.raises(StoreUnavailable):
                    await store.commit([Put(Table.DEVICE, "c", b"late", 1.0)])
                with pytest.raises(StoreUnavailable):
                    await store.get(Table.DEVICE, "a")
        own_server.thaw()
        await store.commit([Put(Table.DEVICE, "c", b"late", 1.0)])
        assert await store.get(Table.DEVICE, "b") == Record("b", b"other", 1.0)
        assert len(await store.scan(Table.DEVICE)) == 3


@pytest.mark.parametrize("call", ["open", "commit", "get", "scan", "entries", "prune"])
async def test_a_call_cancelled_while_the_server_hangs_leaves_within_the_time_out(
    own_server: RedisServer, call: str
) -> None:
    store = RedisStore(own_server.url, timeout_s=0.2)
    if call != "open":
        await store.open()
    own_server.freeze()
    calls: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
        "open": store.open,
        "commit": lambda: store.commit([A]),
        "get": lambda: store.get(Table.DEVICE, "a"),
        "scan": lambda: store.scan(Table.DEVICE),
        "entries": lambda: store.entries("s", since=0, until=1, most=1),
        "prune": lambda: store.prune(tables=[Table.DEVICE], before=0, most=1),
    }

    async def ask() -> None:
        with pytest.raises(StoreUnavailable):
            await calls[call]()

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    own_server.thaw()
    await store.open()
    await store.commit([A])
    assert await store.get(Table.DEVICE, "a") == Record("a", b"value", 1.0)
    await store.close()


# --- ownership -----------------------------------------------------------------------------------


async def test_who_opened_last_owns_the_prefix(redis_server: RedisServer, prefix: str) -> None:
    async with opened(RedisStore(redis_server.url, prefix=prefix)) as first:
        await first.commit([A])
        async with opened(RedisStore(redis_server.url, prefix=prefix, patience_s=0.1)) as second:
            with pytest.raises(StoreTaken, match="another process"):
                await first.commit([Put(Table.DEVICE, "a", b"stale", 1.0)])
            with pytest.raises(StoreTaken, match="another process"):
                await first.prune(tables=[Table.DEVICE], before=9.0, most=9)
            assert await second.get(Table.DEVICE, "a") == Record("a", b"value", 1.0)
            await second.commit([Put(Table.DEVICE, "a", b"new", 1.0)])


async def test_an_owner_who_changes_in_the_middle_of_a_commit_undoes_it(
    own_server: RedisServer, admin: Any
) -> None:
    async with opened(RedisStore(own_server.url)) as store:
        await store.commit([A])
        stage = store._stage_commit

        def overtaken(pipe: Any, result: Outcome) -> None:
            admin.incr("{lamplighter}:owner")
            admin.set("{lamplighter}:holder", "somebody else")
            stage(pipe, result)

        store._stage_commit = overtaken  # type: ignore[method-assign]
        with pytest.raises(StoreUnavailable):
            await store.commit([Put(Table.DEVICE, "a", b"stale", 1.0)])
        with pytest.raises(StoreRefused, match="another process"):
            await store.commit([Put(Table.DEVICE, "a", b"stale", 1.0)])
        assert await store.get(Table.DEVICE, "a") == Record("a", b"value", 1.0)


async def test_prefixes_are_apart(redis_server: RedisServer, prefix: str) -> None:
    async with (
        opened(RedisStore(redis_server.url, prefix=prefix)) as one,
        opened(RedisStore(redis_server.url, prefix=f"{prefix}-other")) as other,
    ):
        await one.commit([A, Append("s", "e", 1.0, b"")])
        assert list(await other.scan(Table.DEVICE)) == []
        assert list(await other.entries("s", since=0, until=9, most=9)) == []
        assert await other.prune(tables=[Table.DEVICE], before=9.0, most=9) == 0


async def test_every_key_carries_the_hash_tag(own_server: RedisServer, admin: Any) -> None:
    async with opened(RedisStore(own_server.url, prefix="lamps")) as store:
        await store.commit([A, Append("{odd}", "e", 1.0, b"")])
        keys = list(admin.scan_iter())
    assert len(keys) == 9
    assert all(key.startswith(b"{lamps}:") for key in keys)


async def test_a_server_that_lost_its_data_is_refused(own_server: RedisServer, admin: Any) -> None:
    async with opened(RedisStore(own_server.url)) as store:
        await store.commit([A])
        admin.flushall()
        with pytest.raises(StoreRewound, match="lost all its data"):
            await store.commit([A])


# --- refusals ------------------------------------------------------------------------------------


async def test_a_newer_layout_is_refused(own_server: RedisServer, admin: Any) -> None:
    admin.set("{lamplighter}:schema", "3")
    store = RedisStore(own_server.url)
    with pytest.raises(StoreRefused, match="layout 3 was written by a newer version"):
        await store.open()
    await store.close()
    assert admin.keys() == [b"{lamplighter}:schema"]


@pytest.mark.parametrize("nonsense", ["", "one"])
async def test_a_layout_that_is_no_number_is_corrupt(
    own_server: RedisServer, admin: Any, nonsense: str
) -> None:
    admin.set("{lamplighter}:schema", nonsense)
    store = RedisStore(own_server.url)
    with pytest.raises(StoreCorrupt):
        await store.open()
    await store.close()


async def test_strange_keys_and_values_are_corrupt(own_server: RedisServer, admin: Any) -> None:
    admin.set("{lamplighter}:device", "a string, not a hash")
    admin.hset("{lamplighter}:alert", "short", "x")
    async with opened(RedisStore(own_server.url)) as store:
        with pytest.raises(StoreCorrupt, match="foreign type"):
            await store.scan(Table.DEVICE)
        with pytest.raises(StoreCorrupt, match="foreign type"):
            await store.commit([A])
        with pytest.raises(StoreCorrupt, match="not ours"):
            await store.scan(Table.ALERT)


async def test_wrong_credentials_are_refused_and_not_repeated_in_the_message(
    own_server: RedisServer,
) -> None:
    store = RedisStore(f"redis://keeper:s3cret@127.0.0.1:{own_server.port}/0")
    with pytest.raises(StoreRefused) as caught:
        await store.open()
    assert "s3cret" not in str(caught.value)
    await store.close()


async def test_missing_permissions_are_refused(own_server: RedisServer, admin: Any) -> None:
    admin.execute_command("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "+@connection")
    store = RedisStore(f"redis://reader:pw@127.0.0.1:{own_server.port}/0")
    with pytest.raises(StoreRefused):
        await store.open()
    await store.close()


@pytest.mark.parametrize("prefix", ["", "{a}", "a}b"])
def test_a_prefix_that_would_break_the_hash_tag_is_refused(prefix: str) -> None:
    with pytest.raises(StoreRefused, match="prefix"):
        RedisStore("redis://127.0.0.1/0", prefix=prefix)


async def test_a_server_out_of_memory_is_unavailable_and_leaves_nothing_half(
    own_server: RedisServer, admin: Any
) -> None:
    writes: list[Write] = [A, Put(Table.COMMAND, "a", b"value", 1.0), Append("s", "e", 1.0, b"")]
    async with opened(RedisStore(own_server.url)) as store:
        admin.config_set("maxmemory", "1")
        with pytest.raises(StoreUnavailable, match="memory"):
            await store.commit(writes)
        assert await store.get(Table.DEVICE, "a") is None
        assert await store.get(Table.COMMAND, "a") is None

        admin.config_set("maxmemory", "0")
        await store.commit(writes)
        assert await store.get(Table.DEVICE, "a") == Record("a", b"value", 1.0)


async def test_a_read_only_replica_is_unavailable(own_server: RedisServer, admin: Any) -> None:
    async with opened(RedisStore(own_server.url)) as store:
        admin.replicaof("127.0.0.1", str(own_server.port))  # of itself: it stays a replica
        with pytest.raises(StoreUnavailable, match="read only"):
            await store.commit([A])
        admin.replicaof("NO", "ONE")
        await store.commit([A])


# --- durability ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, []),
        ({"appendfsync": "everysec"}, ["appendfsync is everysec"]),
        ({"appendonly": "no"}, ["appendonly is off"]),
        (
            {"appendfsync": "no", "maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"},
            ["appendfsync is no", "maxmemory-policy is allkeys-lru"],
        ),
        ({"maxmemory-policy": "allkeys-lru"}, []),  # without a maximum nothing is evicted
    ],
)
async def test_what_weakens_durability_is_told(
    own_server: RedisServer, admin: Any, settings: dict[str, str], words: list[str]
) -> None:
    for name, value in settings.items():
        admin.config_set(name, value)
    async with opened(RedisStore(own_server.url)) as store:
        warnings = store.durability_warnings
        assert len(warnings) == len(words)
        assert all(word in warning for word, warning in zip(words, warnings, strict=True))


async def test_a_forbidden_config_is_a_warning_not_a_failure(
    own_server: RedisServer, admin: Any
) -> None:
    admin.execute_command("ACL", "SETUSER", "app", "on", ">pw", "~*", "&*", "+@all", "-config")
    async with opened(RedisStore(f"redis://app:pw@127.0.0.1:{own_server.port}/0")) as store:
        assert "CONFIG is not permitted" in store.durability_warnings[0]
        await store.commit([A])


async def test_a_unix_socket_serves_as_well(redis_server: RedisServer, prefix: str) -> None:
    async with opened(RedisStore(redis_server.unix_url, prefix=prefix)) as store:
        await store.commit([A])
    async with opened(RedisStore(redis_server.url, prefix=prefix)) as store:
        assert await store.get(Table.DEVICE, "a") == Record("a", b"value", 1.0)
