"""The two stores that 0.1.0 left, given to the stores of today.

How they were made is in `data/make_stores.py.txt`.
"""

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog

from store.open import move
from store.port import Store
from store.sqlite import SqliteStore
from tests.store.split_store import split_store
from tests.support.redis_server import RedisServer

DATA = Path(__file__).parent / "data"

OpenStore = Callable[[], Store]


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[None]:
    """Catch what is logged."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture(params=["sqlite", "redis"])
def old_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Makes an unopened store of today on what 0.1.0 stored; each call on the same data."""
    if request.param == "sqlite":
        path = tmp_path / "store.db"
        path.write_bytes(gzip.decompress((DATA / "store-0.1.0.db.gz").read_bytes()))
        yield lambda: SqliteStore(path)
        return
    with RedisServer() as server:
        replay(server.url, DATA / "redis-0.1.0.jsonl.gz")
        move(server.url, server.url, 1.0)
        yield split_store(server.url)


def replay(url: str, commands: Path) -> None:
    """Give a server the keys that were written down."""
    with (
        redis.Redis.from_url(url, protocol=2) as client,
        gzip.open(commands, "rt") as lines,
        client.pipeline(transaction=False) as pipeline,
    ):
        untyped: Any = pipeline
        for line in lines:
            match json.loads(line):
                case ["SET", key, value]:
                    untyped.set(key, base64.b64decode(value))
                case ["HSET", key, field, value]:
                    untyped.hset(key, field, base64.b64decode(value))
                case ["ZADD", key, score, member]:
                    untyped.zadd(key, {member: float(score)})
        pipeline.execute()
