"""An engine in memory, and stores of several processes on it."""

from collections.abc import Callable

import pytest

from store.engine.memory import MemoryEngine, MemoryServers
from store.shards import ShardStore
from tests.store.shards.house import House


@pytest.fixture
def servers() -> MemoryServers:
    return MemoryServers()


@pytest.fixture
def house(servers: MemoryServers) -> Callable[..., House]:
    """Make one process's part; each of one test is on the same servers."""

    def make(boot: str = "a", *, need: int = 0, on: MemoryServers | None = None) -> House:
        engine = MemoryEngine(on or servers, need=need)
        return House(engine, ShardStore(engine, boot))

    return make
