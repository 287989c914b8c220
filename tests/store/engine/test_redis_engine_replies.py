"""Answers to a process that does not read them take a bounded part of the engine's memory."""

import random
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from actors.cluster.carried import ANSWER_BYTES_MOST
from store.engine.port import Engine
from store.engine.redis import replies
from store.engine.redis.engine import RedisEngine
from store.engine.redis.replies import LARGE_BYTES, LARGE_KEPT
from store.engine.redis.url import target_of
from tests.store.engine.conftest import opened_engine
from tests.support.redis_server import RedisServer


@pytest.fixture
async def engine(server: RedisServer) -> AsyncGenerator[Engine, None]:
    async with opened_engine(RedisEngine(target_of(server.url))) as engine:
        yield engine


def held(admin: Any) -> tuple[int, int]:
    """Answers, and the memory that they take."""
    [key] = admin.keys("*{*to:a}*")
    return admin.xlen(key), admin.memory_usage(key, samples=0)


async def test_of_long_answers_few_are_kept_and_of_short_ones_many(
    engine: Engine, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "REPLIES_KEPT", 128)
    large = random.Random(1).randbytes(ANSWER_BYTES_MOST)
    for _ in range(LARGE_KEPT + 8):
        await engine.reply("a", large)
    count, _ = held(admin)
    assert LARGE_KEPT <= count <= LARGE_KEPT + 1
    for _ in range(128 - LARGE_KEPT):
        await engine.reply("a", large[:LARGE_BYTES])
    count, size = held(admin)
    assert 128 <= count <= 129
    assert size < 1.1 * (LARGE_KEPT * ANSWER_BYTES_MOST + 128 * LARGE_BYTES)
    for _ in range(LARGE_KEPT):
        await engine.reply("a", large[:LARGE_BYTES])
    await engine.reply("a", b"the newest")
    count, size = held(admin)
    assert count >= 128
    assert size < 1.1 * 129 * LARGE_BYTES
    assert (await engine.replies("a", "0-0", 2_000))[-1].message == b"the newest"
