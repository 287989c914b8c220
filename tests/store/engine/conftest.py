"""Engines of each kind for the tests of this folder; each test has an empty one of its own."""

import itertools
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import redis

from store.engine.memory import MemoryEngine, MemoryServers
from store.engine.port import Engine
from store.engine.redis.engine import RedisEngine
from store.engine.redis.url import target_of
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import ClusterServers, ReplicatedServers, client_of

_prefixes = (f"engine-{number}" for number in itertools.count())

MakeEngine = Callable[[], Engine]


@pytest.fixture(scope="session")
def replicated_servers() -> Iterator[ReplicatedServers]:
    with ReplicatedServers() as servers:
        yield servers


@pytest.fixture(scope="session")
def cluster_servers() -> Iterator[ClusterServers]:
    with ClusterServers() as servers:
        yield servers


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """One server, of this test alone."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def admin(server: RedisServer) -> Iterator[Any]:
    """A connection of our own to it."""
    with redis.Redis.from_url(server.url, protocol=2) as client:
        yield client


@pytest.fixture
def client(server: RedisServer) -> redis.Redis:
    """A client of it, of which what it answers is text."""
    client: redis.Redis = client_of(server)
    return client


@pytest.fixture(params=["memory", "redis", "sentinel", "cluster"])
def make_engine(request: pytest.FixtureRequest) -> MakeEngine:
    """Make an unopened engine; each call of one test makes one on the same data."""
    if request.param == "memory":
        servers = MemoryServers()
        return lambda: MemoryEngine(servers)
    servers = {
        "redis": "redis_server",
        "sentinel": "replicated_servers",
        "cluster": "cluster_servers",
    }
    server = request.getfixturevalue(servers[request.param])
    url = f"{server.url}?prefix={next(_prefixes)}"
    return lambda: RedisEngine(target_of(url))


@pytest.fixture
async def engine(make_engine: MakeEngine) -> AsyncGenerator[Engine, None]:
    async with opened_engine(make_engine()) as engine:
        yield engine


@asynccontextmanager
async def opened_engine(engine: Engine) -> AsyncGenerator[Engine, None]:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.close)
        await engine.open()
        yield engine
