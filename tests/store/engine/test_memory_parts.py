"""Several servers of the simulated engine are as a Redis Cluster is, of which one may be silent."""

import pytest
import trio
from redis.crc import key_slot

from store.engine.memory import MemoryEngine, MemoryServers
from store.engine.port import FEED_BELL, Member, Post
from store.engine.redis.keys import Keys
from store.engine.shards import ALL_SHARDS
from store.errors import StoreUnavailable
from store.port import Table
from tests.store.engine.engine_samples import commit, taken, value

HERE, THERE = "00", "01"


async def opened(servers: MemoryServers) -> MemoryEngine:
    engine = MemoryEngine(servers)
    await engine.open()
    return engine


def two() -> MemoryServers:
    servers = MemoryServers(masters=2, replicas=1)
    assert (servers.part_of(HERE), servers.part_of(THERE)) == (0, 1)
    return servers


def test_all_keys_lie_where_redis_cluster_has_them() -> None:
    keys, servers = Keys("fleet9"), MemoryServers(masters=3, prefix="fleet9")
    assert {servers.part_of(shard) for shard in ALL_SHARDS} == {0, 1, 2}
    for shard in ALL_SHARDS:
        assert servers.part_of(shard) == key_slot(keys.lease(shard).encode()) * 3 // 16_384
        assert servers.part_of_bell(FEED_BELL + shard) == servers.part_of(shard)
    assert servers.part_of("meta") == key_slot(keys.members.encode()) * 3 // 16_384
    for boot in ("a1", "b7", "c3"):
        part = key_slot(keys.replies(boot).encode()) * 3 // 16_384
        assert servers.part_of_bell(boot) == part
        assert servers.part_of(f"to:{boot}") == part


async def test_a_server_that_hangs_has_whoever_asks_wait_and_the_next_one_less(
    autojump_clock: object,
) -> None:
    servers = two()
    engine = await opened(servers)
    await engine.look([HERE, THERE])
    servers.stop(1, hangs=True)
    took_s = []
    for _ in range(2):
        asked_s = trio.current_time()
        assert list(await engine.look([HERE, THERE])) == [HERE]
        took_s.append(trio.current_time() - asked_s)
        with pytest.raises(StoreUnavailable):
            await engine.get([(HERE, Table.DEVICE, "1"), (THERE, Table.DEVICE, "1")])

    assert took_s == [pytest.approx(2.0, abs=0.01), pytest.approx(0.5, abs=0.01)]
    servers.go_on(1)
    assert list(await engine.look([HERE, THERE])) == [HERE, THERE]


async def test_who_hangs_holds_up_the_answer_and_not_what_others_carry_out(
    autojump_clock: object,
) -> None:
    servers = two()
    engine, other = await opened(servers), await opened(servers)
    await engine.look([HERE, THERE])
    servers.stop(1, hangs=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(engine.post, [Post(THERE, b"1"), Post(HERE, b"1")])
        await trio.sleep(0.01)
        [entry] = (await other.read_inboxes({HERE: "0-0"}, 9))[HERE]
        assert entry.message == b"1"


@pytest.mark.parametrize("is_replaced", [False, True])
async def test_what_was_sent_to_a_server_that_hangs_is_carried_out_when_it_goes_on(
    autojump_clock: object, is_replaced: bool
) -> None:
    servers = two()
    engine = await opened(servers)
    lease = await taken(engine, shard=THERE)
    servers.stop(1, hangs=True)
    with pytest.raises(StoreUnavailable):
        await engine.commit([commit(lease, 1, shard=THERE)])
    if is_replaced:
        servers.fail_over(1)
    else:
        servers.go_on(1)

    assert await value(engine, THERE) == (None if is_replaced else b"1")


async def test_without_replicas_a_server_answers_reads_and_refuses_writes(
    autojump_clock: object,
) -> None:
    servers = two()
    engine = await opened(servers)
    master = servers.masters[1]
    assert master is not None
    master.lacks_replicas = True

    assert await engine.post([Post(HERE, b"1"), Post(THERE, b"1")]) == [True, None]
    assert await engine.read_inboxes({THERE: "0-0"}, 9) == {THERE: []}
    servers.go_on(1)
    assert await engine.post([Post(THERE, b"1")]) == [True]


async def test_bells_of_all_parts_are_heard_and_members_and_replies_found(
    autojump_clock: object,
) -> None:
    engine = await opened(MemoryServers(masters=3, prefix="fleet9"))
    await engine.look(ALL_SHARDS)
    rung: list[str] = []
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.hear, rung.append)
        for shard in ALL_SHARDS:
            lease = await taken(engine, shard=shard)
            await engine.commit([commit(lease, 1, shard=shard)])
        for boot in ("a1", "b7", "c3"):
            await engine.reply(boot, b"told")
            assert [one.message for one in await engine.replies(boot, "0-0", 9)] == [b"told"]
            await engine.tell_member(Member(boot, boot, "1", 0))
        nursery.cancel_scope.cancel(reason="all was told")

    assert rung == [*(FEED_BELL + shard for shard in ALL_SHARDS), "a1", "b7", "c3"]
    assert [one.boot for one in await engine.members()] == ["a1", "b7", "c3"]
