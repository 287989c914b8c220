"""Commits of many shards to one server are carried out, and synced, together."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from store.engine.port import Applied, Commit, Engine, Lease, Result
from store.engine.redis.engine import RedisEngine
from store.engine.redis.url import target_of
from store.engine.shards import LIGHT_SHARDS
from store.errors import StoreUnavailable
from tests.store.engine.conftest import opened_engine
from tests.store.engine.engine_samples import commit, taken
from tests.support.redis_server import RedisServer


@pytest.fixture
async def engine(server: RedisServer) -> AsyncGenerator[Engine, None]:
    async with opened_engine(RedisEngine(target_of(server.url))) as engine:
        yield engine


async def leases(engine: Engine) -> dict[str, Lease]:
    return {shard: await taken(engine, shard=shard) for shard in LIGHT_SHARDS}


def commits(of: dict[str, Lease], seq: int) -> list[Commit]:
    return [commit(lease, seq, shard=shard) for shard, lease in of.items()]


def transactions(admin: Any) -> int:
    return int(admin.info("commandstats").get("cmdstat_exec", {"calls": 0})["calls"])


async def test_a_batch_for_every_shard_is_one_transaction(engine: Engine, admin: Any) -> None:
    ours = await leases(engine)
    before = transactions(admin)
    results = await engine.commit(commits(ours, 1))
    assert [one.applied for one in results if isinstance(one, Result)] == [Applied.DONE] * 64
    assert transactions(admin) - before == 1


async def test_a_large_batch_goes_in_parts_of_some_milliseconds(engine: Engine, admin: Any) -> None:
    ours = await leases(engine)
    before = transactions(admin)
    large = [commit(lease, 1, shard=shard, feed=b"x" * 30_000) for shard, lease in ours.items()]
    results = await engine.commit(large)
    assert [one.applied for one in results if isinstance(one, Result)] == [Applied.DONE] * 64
    assert transactions(admin) - before == 11  # six of 30 kB in each


async def test_scripts_that_the_server_forgot_are_sent_whole(engine: Engine, admin: Any) -> None:
    ours = await leases(engine)
    admin.script_flush()
    results = await engine.commit(commits(ours, 1))
    assert [one.applied for one in results if isinstance(one, Result)] == [Applied.DONE] * 64


async def test_what_a_full_server_refuses_is_refused_whole_and_can_be_repeated(
    engine: Engine, admin: Any
) -> None:
    ours = await leases(engine)
    admin.config_set("maxmemory", 1)
    refused = await engine.commit(commits(ours, 1))
    assert all(isinstance(one, StoreUnavailable) for one in refused), refused
    admin.config_set("maxmemory", 0)
    assert {lease.seq for lease in (await engine.look(LIGHT_SHARDS)).values()} == {0}
    results = await engine.commit(commits(ours, 1))
    assert [one.applied for one in results if isinstance(one, Result)] == [Applied.DONE] * 64
