"""Stores of each kind for the tests of this folder.

Every test has an empty store of its own; only the Redis process is shared.
"""

import itertools
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from store.engine.memory import MemoryEngine, MemoryServers
from store.memory import MemoryDisk, MemoryStore
from store.port import Store
from store.sqlite import SqliteStore
from tests.store.split_store import SplitStore, split_store
from tests.support.redis_server import RedisServer

_prefixes = (f"test-{number}" for number in itertools.count())

MakeStore = Callable[[], Store]
AnyStore = TypeVar("AnyStore", bound=Store)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def prefix() -> str:
    return next(_prefixes)


@pytest.fixture(params=["memory", "sqlite", "shards", "shards in redis"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    """Make an unopened store; each call of one test makes one on the same data."""
    if request.param == "memory":
        disk = MemoryDisk()
        return lambda: MemoryStore(disk)
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "store.db")
    if request.param == "shards":
        servers = MemoryServers()
        return lambda: SplitStore(MemoryEngine(servers, latency_s=0.0), "boot")
    server: RedisServer = request.getfixturevalue("redis_server")
    return split_store(f"{server.url}?prefix={next(_prefixes)}")


@pytest.fixture
async def store(make_store: MakeStore) -> AsyncGenerator[Store, None]:
    async with opened(make_store()) as store:
        yield store


@asynccontextmanager
async def opened(store: AnyStore) -> AsyncGenerator[AnyStore, None]:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        await store.open()
        yield store
