"""A process starts while one server of a cluster is silent, and asks that one nothing before it was
examined as every server is at a start."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack

import pytest
import trio
from structlog.testing import capture_logs

from store.engine.open import engine_from_url
from store.engine.port import Engine
from store.engine.redis.engine import RedisEngine
from store.engine.redis.examination import try_all
from store.engine.redis.node import Connection
from store.engine.redis.places import OneServer
from store.engine.redis.url import target_of
from store.engine.redis.weights import Weight
from store.engine.shards import LIGHT_SHARDS
from store.errors import StoreError, StoreUnavailable
from tests.store.engine.conftest import opened_engine
from tests.store.engine.engine_samples import commit, committed, taken
from tests.store.engine.test_redis_engine_examined import SLOTS, cluster_url, is_well
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import client_of, wait_until

THIRD = SLOTS // 3 + 1


class Thirds:
    """A cluster of three servers, enough to go on without one: `first` has what is of the fleet as
    a whole, `other` does not."""

    def __init__(self, nodes: Sequence[RedisServer]) -> None:
        keyslot = client_of(nodes[0]).cluster

        def number_of(tag: str) -> int:
            return int(keyslot("KEYSLOT", f"{{lamplighter:{tag}}}")) // THIRD

        first = number_of("meta")
        other = (first + 1) % len(nodes)
        self.first, self.other = nodes[first], nodes[other]
        self.third = nodes[(first + 2) % len(nodes)]
        self.url = cluster_url(*nodes)
        self.here = next(shard for shard in LIGHT_SHARDS if number_of(shard) == first)
        self.there = next(shard for shard in LIGHT_SHARDS if number_of(shard) == other)


@pytest.fixture
def thirds() -> Iterator[Thirds]:
    with ExitStack() as stack:
        nodes = [stack.enter_context(RedisServer(cluster_timeout_ms=2_000)) for _ in range(3)]
        for number, node in enumerate(nodes):
            low, high = THIRD * number, min(THIRD * (number + 1), SLOTS) - 1
            client_of(node).execute_command("CLUSTER", "ADDSLOTSRANGE", low, high)
        for node in nodes[1:]:
            meet = ("CLUSTER", "MEET", "127.0.0.1", node.port, node.cluster_port)
            client_of(nodes[0]).execute_command(*meet)
        wait_until(lambda: all(is_well(each) for each in nodes))
        yield Thirds(nodes)


@pytest.fixture(params=["killed", "frozen"])
def silence(request: pytest.FixtureRequest) -> Callable[[RedisServer], None]:
    """Makes a server silent: one refuses connections then, or takes them and says nothing."""
    return RedisServer.kill if request.param == "killed" else RedisServer.freeze


def speak(server: RedisServer, silence: Callable[[RedisServer], None]) -> None:
    (server.start if silence is RedisServer.kill else server.thaw)()


async def opened_once(url: str) -> None:
    async with opened_engine(engine_from_url(url)):
        pass


async def until_served(engine: Engine, shard: str) -> None:
    with trio.fail_after(15.0):
        while True:
            try:
                await committed(engine, commit(await taken(engine, shard=shard), 1, shard=shard))
            except StoreError:
                await trio.sleep(0.1)
            else:
                return


async def test_a_server_that_is_silent_holds_up_its_own_parts_only(
    thirds: Thirds, silence: Callable[[RedisServer], None]
) -> None:
    await opened_once(thirds.url)
    silence(thirds.other)
    other = f"127.0.0.1:{thirds.other.port}"
    with capture_logs() as logs:
        engine = engine_from_url(thirds.url)
        async with opened_engine(engine), trio.open_nursery() as nursery:
            await nursery.start(engine.hear, lambda _: None)
            await until_served(engine, thirds.here)
            assert await engine.time() > 1e9
            assert list(await engine.look([thirds.here, thirds.there])) == [thirds.here]
            speak(thirds.other, silence)
            await until_served(engine, thirds.there)
            nursery.cancel_scope.cancel()
    told = [one["event"] for one in logs if one.get("server") == other]
    assert told[0] == "a server is not used before it was examined"
    assert told[-1] == "a server that was silent at the start is used"


async def test_a_server_is_asked_nothing_before_it_was_examined(thirds: Thirds) -> None:
    """Though it answers again: one that a start refuses is told, and used once that is mended."""
    await opened_once(thirds.url)
    other = client_of(thirds.other)
    other.config_set("maxmemory", 1)
    thirds.other.freeze()
    engine = engine_from_url(thirds.url)
    async with opened_engine(engine), trio.open_nursery() as nursery:
        before = engine.durability_warnings
        thirds.other.thaw()
        with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{thirds.other.port}: not used"):
            await engine.look([thirds.there])
        await nursery.start(engine.hear, lambda _: None)
        await trio.to_thread.run_sync(wait_until, lambda: engine.durability_warnings != before)
        [warning] = set(engine.durability_warnings) - set(before)
        assert "its memory is full" in warning
        with pytest.raises(StoreUnavailable, match="its memory is full"):
            await engine.look([thirds.there])
        await until_served(engine, thirds.here)
        other.config_set("maxmemory", 0)
        await until_served(engine, thirds.there)
        assert warning not in engine.durability_warnings
        nursery.cancel_scope.cancel()


async def test_without_the_server_that_says_which_layout_all_have_no_process_starts(
    thirds: Thirds, silence: Callable[[RedisServer], None]
) -> None:
    await opened_once(thirds.url)
    silence(thirds.first)
    try:
        with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{thirds.first.port}, which has"):
            await opened_once(thirds.url)
    finally:
        speak(thirds.first, silence)


@pytest.mark.parametrize("at_start", [True, False])
async def test_what_is_found_at_the_others_is_told_while_one_is_silent(
    thirds: Thirds, *, at_start: bool
) -> None:
    await opened_once(thirds.url)
    engine = engine_from_url(thirds.url)
    engine.look_around_every_s = 0.1
    client_of(thirds.first).config_set("appendfsync", "everysec")
    if at_start:
        thirds.other.kill()
    async with opened_engine(engine), trio.open_nursery() as nursery:
        await nursery.start(engine.hear, lambda _: None)
        if not at_start:
            thirds.first.kill()
        before = set(engine.durability_warnings)
        client = client_of(thirds.third)
        client.config_set("appendfsync", "no")
        await trio.to_thread.run_sync(wait_until, lambda: before < set(engine.durability_warnings))
        [warning] = set(engine.durability_warnings) - before
        assert f"127.0.0.1:{thirds.third.port}: appendfsync is no" in warning
        client.config_set("appendfsync", "always")
        await trio.to_thread.run_sync(wait_until, lambda: before == set(engine.durability_warnings))
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("has_layout", [True, False])
async def test_the_doctor_tells_of_a_silent_server_beside_what_it_finds_at_the_others(
    thirds: Thirds, *, has_layout: bool
) -> None:
    await opened_once(thirds.url)
    silent = thirds.first if has_layout else thirds.other
    client_of(thirds.third).config_set("appendfsync", "no")
    silent.kill()
    engine = engine_from_url(thirds.url)
    found = await engine.inspect()
    await engine.close()
    [worst] = [each for each in found if each.weight is Weight.REFUSED]
    assert f"127.0.0.1:{silent.port}" in worst.words
    assert any(f"127.0.0.1:{thirds.third.port}: appendfsync is no" in one.words for one in found)


class Promoted(OneServer):
    """In place of a master that was examined."""

    def node_of(self, tag: str) -> Hashable:
        return "new" if tag in LIGHT_SHARDS else "old"

    def dial(self, node: Hashable) -> Connection:
        raise ConnectionError(f"{node} does not answer")


def test_a_server_that_came_in_since_is_not_taken_for_an_examined_one() -> None:
    target = target_of("redis+cluster://a:1,b:2?need=0&unsafe=yes")
    each: dict[Hashable, StoreError | None] = {"old": StoreUnavailable("silent")}
    try_all(target, Promoted(target), each)
    assert "new" not in each
    each = {"new": None, "old": StoreUnavailable("silent")}
    try_all(target, Promoted(target), each)
    assert isinstance(each["new"], StoreUnavailable)


async def test_who_moves_a_store_needs_every_server(thirds: Thirds) -> None:
    thirds.other.kill()
    engine = RedisEngine(target_of(thirds.url), is_moving=True)
    with pytest.raises(StoreUnavailable):
        await engine.open()
    await engine.close()
