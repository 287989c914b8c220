"""SIGKILL at any moment loses no accepted command: a few kills of what `make crash` does at length.

Callers behave as the documentation asks: one Idempotency-Key for each command, repeated with the
same key until there is an answer.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from tests.crash.killed_server import serve_under_kills
from tests.crash.killed_service import Tally, kill_service
from tests.support.redis_server import RedisServer


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A server that the test may kill."""
    with RedisServer() as server:
        yield server


@pytest.mark.timeout(300)
async def test_what_was_accepted_outlives_kills_of_the_service(
    tmp_path: Path, redis: RedisServer
) -> None:
    """SQLite and Redis beside each other, for they mostly wait; on a busy machine 100 s."""
    tallies: dict[str, Tally] = {}

    async def trial(name: str, store_url: str, kills: int) -> None:
        folder, set_up = tmp_path / name, not store_url
        tallies[name] = await kill_service(folder, store_url, seed=2, kills=kills, set_up=set_up)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trial, "sqlite", "", 5)
        nursery.start_soon(trial, "redis", redis.url, 2)
    for tally, kills in ((tallies["sqlite"], 5), (tallies["redis"], 2)):
        assert tally.kills == kills
        assert 0 < tally.young < kills, "killed while it started, and under load"


@pytest.mark.timeout(300)
async def test_what_was_accepted_outlives_kills_of_the_redis_server(
    tmp_path: Path, redis: RedisServer
) -> None:
    tally = await serve_under_kills(tmp_path, redis, seed=6, kills=2)
    assert tally.kills == 2
