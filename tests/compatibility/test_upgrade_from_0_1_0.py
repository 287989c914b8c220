"""The way from 0.1.0 and back, as docs/upgrading.md tells it, on the stores that 0.1.0 left."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
import trio

import lamplighter
from actors.cluster.release import installed_version
from actors.device.command import CommandStatus
from actors.device.records import read_command
from actors.storage import record_version
from store.open import move
from store.port import Table
from store.sqlite import SqliteStore
from tests.compatibility.conftest import DATA, OpenStore, replay
from tests.compatibility.test_stores_of_0_1_0 import CUT_OFF_AT, building, light, served
from tests.store.conftest import opened
from tests.store.split_store import split_store
from tests.support.redis_server import RedisServer

KNOWN_SCHEMA, KNOWN_LAYOUT = 1, b"1"
"""All that 0.1.0 takes: it refuses a higher `user_version`, and a layout that is no number."""
LAYOUT_KEY = b"{lamplighter}:schema"


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as one:
        yield one


def keys_of(url: str, prefix: bytes) -> dict[bytes, Any]:
    """All keys below a prefix with what they hold, byte for byte."""
    with redis.Redis.from_url(url, protocol=2) as client:
        untyped: Any = client
        return {key: untyped.dump(key) for key in untyped.scan_iter(prefix + b"*", count=1_000)}


async def test_a_withdrawn_command_is_read_again_and_lies_where_0_1_0_does_not_look(
    old_store: OpenStore,
) -> None:
    async with served(building(), old_store()) as (home, client):
        shown = await (await client.get(f"/api/v1/devices/{light(8)}")).get_json()
        command_id = shown["command"]["id"]
        taken = await client.delete(f"/api/v1/commands/{command_id}")
        assert taken.status_code == 200, await taken.get_data()
        at = home.now()
    async with served(building(), old_store(), at) as (_, client):
        again = await (await client.get(f"/api/v1/commands/{command_id}")).get_json()
        assert again["status"] == CommandStatus.WITHDRAWN
    async with opened(old_store()) as store:
        [record] = [one for one in await store.scan(Table.COMMAND) if one.key == command_id]
        assert read_command(record).status is CommandStatus.WITHDRAWN
        assert record.value.startswith(b'{"v":%d,' % record_version.VERSION)
        if isinstance(store, SqliteStore):
            assert store._files is not None
            [schema] = store._files.reader.execute("PRAGMA user_version").fetchone()
            assert schema > KNOWN_SCHEMA


async def test_what_0_1_0_had_in_redis_stays_beside_its_mark_and_can_be_moved_again(
    server: RedisServer,
) -> None:
    replay(server.url, DATA / "redis-0.1.0.jsonl.gz")
    before = keys_of(server.url, b"{lamplighter}:")
    assert len(before) > 20
    first = await trio.to_thread.run_sync(move, server.url, server.url, CUT_OFF_AT)
    after = keys_of(server.url, b"{lamplighter}:")
    with redis.Redis.from_url(server.url, protocol=2) as client:
        untyped: Any = client
        assert not untyped.get(LAYOUT_KEY).isdigit()  # 0.1.0 refuses
        assert {key for key in before if after.get(key) != before[key]} == {LAYOUT_KEY}
        # The way back, and forward again.
        untyped.set(LAYOUT_KEY, KNOWN_LAYOUT)
        assert keys_of(server.url, b"{lamplighter}:") == before
        untyped.delete(*keys_of(server.url, b"{lamplighter:"))
    again = await trio.to_thread.run_sync(move, server.url, server.url, CUT_OFF_AT)
    assert (again.records, again.entries) == (first.records, first.entries)
    async with opened(split_store(server.url)()) as store:
        assert len(await store.scan(Table.DEVICE)) == 20


def test_the_release_is_told_by_the_code_that_runs() -> None:
    assert installed_version() == lamplighter.__version__ == "0.2.0"
