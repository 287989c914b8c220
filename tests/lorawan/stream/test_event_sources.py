"""What is promised of a source, held by the one over a real server and by the one in memory."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import redis
import trio

from lorawan.events.errors import UnknownEventKind
from lorawan.stream.entries import BEGINNING, EntryId, decoded
from lorawan.stream.errors import StreamRefused, StreamUnavailable
from lorawan.stream.redis_source import (
    ALL_EVENTS,
    RedisSource,
    addresses_of,
    checked_url,
    key_of,
)
from lorawan.stream.source import EventSource
from tests.support.memory_streams import MemorySource, MemoryStreams
from tests.support.redis_server import RedisServer

EUI, OTHER = "2020203900000001", "2020203900000002"
Add = Callable[[str, bytes], EntryId]


@pytest.fixture(scope="module")
def server():
    with RedisServer() as running:
        yield running


@asynccontextmanager
async def over_redis(server: RedisServer) -> AsyncIterator[tuple[EventSource, Add]]:
    client = redis.Redis.from_url(server.url)
    client.flushall()

    def add(dev_eui: str, body: bytes) -> EntryId:
        for key in ("device:stream:event", f"device:{{{dev_eui}}}:stream:event"):
            added = client.xadd(key, {"up": body}, maxlen=5, approximate=False)
        return EntryId.parse(client.xrevrange("device:stream:event", count=1)[0][0] or added)

    source = RedisSource(server.url)
    try:
        yield source, add
    finally:
        await source.close()
        client.close()


@asynccontextmanager
async def over_memory(server: RedisServer) -> AsyncIterator[tuple[EventSource, Add]]:
    streams = MemoryStreams(time.time, history=5, device_history=5)
    yield MemorySource(streams), lambda dev_eui, body: streams.add(dev_eui, "up", body)


KINDS = pytest.mark.parametrize("over", [over_redis, over_memory])


@KINDS
async def test_entries_are_read_behind_an_id_oldest_first(server, over):
    async with over(server) as (source, add):
        ids = [add(EUI, b"%d" % n) for n in range(4)]
        page = await source.read(ids[0], ids[0], most=2, wait_s=0.1)
        assert [entry.body for entry in page.entries] == [b"1", b"2"]
        assert [entry.id for entry in page.entries] == ids[1:3]
        assert {entry.kind for entry in page.entries} == {"up"}
        assert page.kept
        assert abs(page.now_ms / 1000 - time.time()) < 5


@KINDS
async def test_an_entry_that_was_pushed_out_is_not_kept_any_more(server, over):
    async with over(server) as (source, add):
        first = add(EUI, b"first")
        assert (await source.read(BEGINNING, first, most=10, wait_s=0.1)).kept
        for _ in range(5):
            add(EUI, b"more")
        page = await source.read(first, first, most=10, wait_s=0.1)
        assert not page.kept
        assert len(page.entries) == 5


@KINDS
async def test_it_waits_for_the_next_entry_and_no_longer_than_asked(server, over):
    async with over(server) as (source, add):
        newest = add(EUI, b"old")
        began = trio.current_time()
        assert not (await source.read(newest, newest, most=5, wait_s=0.2)).entries
        assert 0.1 < trio.current_time() - began < 2.0
        found = []

        async def read() -> None:
            page = await source.read(newest, newest, most=5, wait_s=1.0)
            found.extend(entry.body for entry in page.entries)

        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(read)
                await trio.sleep(0.1)
                add(EUI, b"new")
        assert found == [b"new"]


@KINDS
async def test_the_streams_of_single_devices_are_read_between_two_ids(server, over):
    async with over(server) as (source, add):
        ids = []
        for n in range(4):
            ids.append(add(EUI, b"%d" % n))
            await trio.sleep(0.003)  # so that they differ in their milliseconds
            add(OTHER, b"x")
        first = (await source.of_devices([EUI], BEGINNING, None, most=10))[EUI][1].id
        found = await source.of_devices([EUI, OTHER, "ffffffffffffffff"], first, None, most=2)
        assert [entry.body for entry in found[EUI]] == [b"2", b"3"]
        assert [entry.body for entry in found[OTHER]] == [b"x", b"x"]
        assert list(found["ffffffffffffffff"]) == []
        until = await source.of_devices([EUI], BEGINNING, first, most=10)
        assert [entry.body for entry in until[EUI]] == [b"0", b"1"]


@KINDS
async def test_a_look_tells_the_clock_and_the_newest_entry(server, over):
    async with over(server) as (source, add):
        assert (await source.look()).newest is None
        newest = add(EUI, b"1")
        look = await source.look()
        assert look.newest == newest
        assert abs(look.now_ms / 1000 - time.time()) < 5


@KINDS
async def test_a_reading_can_be_cancelled(server, over):
    async with over(server) as (source, add):
        newest = add(EUI, b"1")
        with trio.move_on_after(0.05) as scope:
            await source.read(newest, newest, most=1, wait_s=1.0)
        assert scope.cancelled_caught
        assert (await source.read(BEGINNING, None, most=1, wait_s=0.1)).entries


async def test_a_server_that_is_gone_is_unavailable_and_read_again_when_it_is_back(server):
    async with over_redis(server) as (source, add):
        add(EUI, b"1")
        await source.look()
        await trio.to_thread.run_sync(server.kill)
        with pytest.raises(StreamUnavailable):
            await source.look()
        await trio.to_thread.run_sync(server.start)
        assert (await source.read(BEGINNING, None, most=1, wait_s=0.1)).entries


async def test_wrong_credentials_are_refused_in_words_without_the_password(server):
    source = RedisSource(server.url.replace("redis://", "redis://nobody:pass-word@"))
    with pytest.raises(StreamRefused) as caught:
        await source.look()
    assert "pass-word" not in str(caught.value)
    await source.close()


@pytest.mark.parametrize("option", ["timeout=5", "protocol=3", "decode_responses=yes"])
async def test_whatever_the_client_cannot_do_is_an_error_of_the_stream(server, option):
    async with over_redis(server) as (_, add):
        add(EUI, b"\xff")
        source = RedisSource(f"{server.url}?{option}")
        with pytest.raises(StreamUnavailable, match=r"it cannot be read: \w+$"):
            await source.read(BEGINNING, None, most=1, wait_s=0.1)
        await source.close()


async def test_a_cluster_that_cannot_be_asked_is_told_with_the_rights_that_it_takes():
    source = RedisSource("redis+cluster://127.0.0.1:1")
    with pytest.raises(StreamUnavailable, match=r"needs \+cluster\|slots"):
        await source.look()


async def test_a_user_without_the_right_to_read_is_refused(server):
    client = redis.Redis.from_url(server.url)
    client.acl_setuser("blind", enabled=True, nopass=True, keys=["other:*"], categories=["+@all"])
    source = RedisSource(server.url.replace("redis://", "redis://blind:x@"))
    with contextlib.closing(client), pytest.raises(StreamRefused):
        await source.look()
    await source.close()


async def test_a_key_of_another_type_is_refused(server):
    async with over_redis(server) as (source, _):
        client = redis.Redis.from_url(server.url)
        client.set("device:stream:event", "no stream")
        with pytest.raises(StreamRefused):
            await source.look()
        client.close()


async def test_an_entry_whose_field_is_no_text_hides_none_of_the_others(server):
    async with over_redis(server) as (source, add):
        client = redis.Redis.from_url(server.url)
        for key in (ALL_EVENTS, key_of("", EUI)):
            client.xadd(key, {b"\xff\xfe": b"poison"})
        client.close()
        add(EUI, b"well")
        entries = (await source.read(BEGINNING, None, most=10, wait_s=0.1)).entries
        assert [entry.body for entry in entries] == [b"poison", b"well"]
        assert (await source.of_devices([EUI], BEGINNING, None, most=10))[EUI] != []
        with pytest.raises(UnknownEventKind):
            decoded(entries[0])


async def test_the_prefix_of_chirpstack_is_put_before_every_key(server):
    client = redis.Redis.from_url(server.url)
    client.flushall()
    client.xadd("cs:device:stream:event", {"up": b"1"})
    client.xadd(f"cs:device:{{{EUI}}}:stream:event", {"up": b"1"})
    source = RedisSource(server.url, "cs:")
    assert (await source.read(BEGINNING, None, most=1, wait_s=0.1)).entries
    assert (await source.of_devices([EUI], BEGINNING, None, most=1))[EUI]
    await source.close()
    client.close()


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379/0",
        "redis://h\u00f6st/",
        "redis://[::1]/",
        "rediss://user:pw@redis.example:6380/1?ssl_cert_reqs=none",
        "unix:///run/redis/redis.sock?db=0",
        "redis+cluster://10.0.0.1:7000,10.0.0.2:7000",
        "rediss+cluster://u:p@node-1",
        "rediss+cluster://node-1/0?ssl_ca_certs=/a.pem&ssl_certfile=/b.pem&ssl_keyfile=/c.pem",
        "redis+cluster://[::1]:6379,[fe80::1]",
    ],
)
def test_addresses_that_can_be_used(url):
    assert checked_url(url) == url


def test_the_servers_that_a_url_names():
    assert addresses_of("redis+cluster://u:p@[::1]:6380,[fe80::1],a:7000,b") == [
        ("::1", 6380),
        ("fe80::1", 6379),
        ("a", 7000),
        ("b", 6379),
    ]
    assert addresses_of("rediss://u:p@[::1]:6380/0") == [("::1", 6380)]
    assert addresses_of("unix:///run/redis.sock") == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://127.0.0.1",
        "redis://",
        "redis://secret@:99999999/0",
        "redis://host:port/0",
        "redis+cluster://",
        "redis+cluster://a:b:c",
        "redis+cluster://a:1,,b:1",
        "redis+cluster://a:99999",
        "redis+cluster://::1:6379",
        "redis+cluster://host/1",
        "redis+cluster://host/secret",
        "redis+cluster://host?ssl_ca_certs=/secret.pem",
        "rediss+cluster://host?socket_timeout=5",
        "rediss+cluster://host?ssl_cert_reqs=none",
        "rediss+cluster://host?secret",
        "rediss+cluster://host?ssl_ca_certs=/a&ssl_ca_certs=/b",
        "rediss+cluster://host?ssl_certfile=/secret.pem",
        "redis://u:sec#ret@host/0",
        "redis://host/0?socket_timeout=secret",
        "redis://host/0?secret=5",
        "redis+cluster://host,secret..local",
        "redis://secret..local",
        f"redis://{'a' * 64}.secret",
        "unix:///redis.sock?timeout=5",
        "redis://host/secret",
        "redis://host/0?protocol=3",
        "redis://host/0?decode_responses=yes",
    ],
)
def test_addresses_that_cannot_are_refused_without_being_repeated(url):
    with pytest.raises(ValueError, match=r"\w") as caught:
        checked_url(url)
    assert "sec" not in str(caught.value)
