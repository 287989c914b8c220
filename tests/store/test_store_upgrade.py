"""A store of version 0.1.0 (made by it: three lights, an ended and an open command) is read on."""

import base64
import gzip
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import trio

from actors.device.command import CommandStatus
from actors.device.records import read_command, read_device
from actors.storage.idempotency import read_key
from store.errors import StoreRefused
from store.open import backup, move, restore
from store.port import Store, Table
from store.sqlite import SqliteStore
from store.sqlite_schema import MIGRATIONS
from tests.store.conftest import opened
from tests.store.samples import ALWAYS
from tests.store.split_store import split_store
from tests.support.redis_server import RedisServer

DATA = Path(__file__).parent / "data"


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def play(server: RedisServer) -> None:
    """Put what 0.1.0 had stored into a server, command by command."""
    with (
        redis.Redis.from_url(server.url, protocol=2) as client,
        gzip.open(DATA / "redis-0.1.0.jsonl.gz", "rt") as lines,
    ):
        untyped: Any = client
        for line in lines:
            match json.loads(line):
                case ["SET", key, value]:
                    untyped.set(key, base64.b64decode(value))
                case ["HSET", key, field, value]:
                    untyped.hset(key, field, base64.b64decode(value))
                case ["ZADD", key, score, member]:
                    untyped.zadd(key, {member: float(score)})


async def check(store: Store) -> None:
    devices = [read_device(record) for record in await store.scan(Table.DEVICE)]
    assert len(devices) == 3
    commands = [read_command(record) for record in await store.scan(Table.COMMAND)]
    assert {one.status for one in commands} == {CommandStatus.VERIFIED, CommandStatus.HELD}
    assert [read_key(record).fingerprint for record in await store.scan(Table.IDEMPOTENCY)] == ["f"]
    assert len(await store.entries(devices[0].dev_eui, **ALWAYS, most=99)) > 5
    await store.check()


async def test_a_file_of_0_1_0_is_read_and_then_belongs_to_us(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    shutil.copy(DATA / "store-0.1.0.db", path)
    for _ in range(2):
        async with opened(SqliteStore(path)) as store:
            await check(store)
            assert store._files is not None
            version = store._files.reader.execute("PRAGMA user_version").fetchone()
            assert version == (len(MIGRATIONS),) == (2,)  # 0.1.0 knows 1, and refuses it in words


async def test_a_prefix_of_0_1_0_is_moved_and_then_belongs_to_us(own_server: RedisServer) -> None:
    await trio.to_thread.run_sync(play, own_server)
    new = split_store(own_server.url)
    refused = new()
    with pytest.raises(StoreRefused, match="lamplighter move"):
        await refused.open()
    await refused.close()
    done = await trio.to_thread.run_sync(move, own_server.url, own_server.url, 6.0)
    assert done.records == 8
    assert done.entries > 15
    for _ in range(2):
        async with opened(new()) as store:
            await check(store)
    with redis.Redis.from_url(own_server.url, protocol=2) as client:
        assert client.get("{lamplighter}:schema") == b"moved"  # 0.1.0 wants a number, and refuses


async def test_a_file_of_0_1_0_is_backed_up_and_restored(tmp_path: Path) -> None:
    path, copy = tmp_path / "store.db", tmp_path / "copy.db"
    shutil.copy(DATA / "store-0.1.0.db", path)
    await trio.to_thread.run_sync(backup, f"sqlite:///{path}", copy, 5.0)
    await trio.to_thread.run_sync(restore, f"sqlite:///{path}", DATA / "store-0.1.0.db", 6.0)
    assert not [name for name in os.listdir(DATA) if name.endswith(("-wal", "-shm"))]
    for one in (path, copy):
        async with opened(SqliteStore(one)) as store:
            await check(store)
