"""The engine of the simulation is as treacherous as a real one, and no more."""

import msgspec
import pytest
import trio

from store.engine.memory import Fate, MemoryEngine, MemoryServers, Request
from store.engine.port import (
    FEED_BELL,
    INBOX_MOST,
    Accept,
    Accepted,
    Applied,
    Commit,
    Lease,
    Post,
)
from store.errors import StoreTaken, StoreUnavailable
from store.port import Put, Table, outcome

SHARD = "07"
LIGHT = "00aa"


def commit(lease: Lease, seq: int, value: bytes = b"1", *, mark: str = "0-0") -> Commit:
    writes = [Put(Table.DEVICE, LIGHT, value, 1.0)]
    return Commit(SHARD, lease.token, seq, outcome(writes), b"feed", mark)


def accept(command_id: str, *, key: str | None = None, fingerprint: str = "") -> Accept:
    stored = msgspec.json.encode({"fingerprint": fingerprint, "command_id": command_id})
    return Accept(SHARD, LIGHT, command_id, b"{}", b"wish", 1.0, key, fingerprint, stored)


async def opened(servers: MemoryServers, *, need: int = 0) -> MemoryEngine:
    engine = MemoryEngine(servers, need=need)
    await engine.open()
    return engine


async def taken(engine: MemoryEngine, boot: str = "a") -> Lease:
    lease = await engine.take(SHARD, (await engine.look([SHARD]))[SHARD], boot)
    assert lease is not None
    return lease


async def value(engine: MemoryEngine) -> bytes | None:
    [record] = await engine.get([(SHARD, Table.DEVICE, LIGHT)])
    return None if record is None else record.value


async def test_a_commit_needs_its_token_and_its_number(autojump_clock: object) -> None:
    engine = await opened(MemoryServers())
    old = await taken(engine)
    [first, gap] = await engine.commit([commit(old, 1), commit(old, 3)])
    [again] = await engine.commit([commit(old, 1)])
    new = await taken(engine, "b")
    [late] = await engine.commit([commit(old, 2)])

    assert (first.applied, gap.applied, again.applied, late.applied) == (
        Applied.DONE,
        Applied.GAP,
        Applied.REPEATED,
        Applied.FENCED,
    )
    assert late.lease == new
    assert new.epoch > old.epoch
    assert new.seq == 0


async def test_a_lease_that_moved_is_not_taken(autojump_clock: object) -> None:
    engine = await opened(MemoryServers())
    seen = (await engine.look([SHARD]))[SHARD]
    lease = await taken(engine)

    assert await engine.take(SHARD, seen, "a") == lease  # the answer was lost, say
    assert await engine.take(SHARD, seen, "b") is None
    await engine.renew({SHARD: lease.token})
    assert await engine.take(SHARD, lease, "b") is None
    assert await engine.give(SHARD, lease.token)
    assert not await engine.give(SHARD, lease.token)
    assert (await engine.look([SHARD]))[SHARD].owner == ""


async def test_a_held_commit_arrives_after_its_repetition_and_changes_nothing(
    autojump_clock: object,
) -> None:
    engine = await opened(MemoryServers())
    lease = await taken(engine)
    fates = iter([Fate(late_s=1.0)])
    engine.fate = lambda request: next(fates, Fate()) if request.name == "commit" else Fate()

    with pytest.raises(StoreUnavailable):
        await engine.commit([commit(lease, 1, b"held")])
    await engine.commit([commit(lease, 1, b"repeated"), commit(lease, 2, b"newer")])
    await trio.sleep(5.0)

    assert await value(engine) == b"newer"
    assert (await engine.look([SHARD]))[SHARD].seq == 2


async def test_a_failover_loses_what_no_promoted_replica_has(autojump_clock: object) -> None:
    servers = MemoryServers(replicas=2)
    engine = await opened(servers)
    lease = await taken(engine)
    await engine.commit([commit(lease, 1, b"kept")])
    [master] = servers.masters
    assert master is not None
    for replica in master.replicas:
        replica.held = True
    await trio.sleep(1.0)
    at_s = trio.current_time()
    await engine.commit([commit(lease, 2, b"lost")])
    servers.fail_over()

    assert master.lost_since_s == pytest.approx(at_s, abs=0.01)
    with pytest.raises(StoreUnavailable):
        await engine.look([SHARD])
    assert await value(engine) == b"kept"
    [result] = await engine.commit([commit(lease, 3)])
    assert (result.applied, result.lease.seq) == (Applied.GAP, 1)


async def test_what_a_replica_confirmed_survives_unless_the_other_is_promoted(
    autojump_clock: object,
) -> None:
    for least, left in ((False, b"confirmed"), (True, None)):
        servers = MemoryServers(replicas=2)
        engine = await opened(servers, need=1)
        lease = await taken(engine)
        [master] = servers.masters
        assert master is not None
        master.replicas[0].held = True
        await engine.commit([commit(lease, 1, b"confirmed")])
        servers.fail_over(least=least)
        with pytest.raises(StoreUnavailable):
            await engine.look([SHARD])

        assert await value(engine) == left


async def test_what_was_read_is_confirmed_before_a_failover_or_not_at_all(
    autojump_clock: object,
) -> None:
    servers = MemoryServers(replicas=2)
    owner, reader = await opened(servers, need=1), await opened(servers, need=1)
    lease = await taken(owner)
    [master] = servers.masters
    assert master is not None
    for replica in master.replicas:
        replica.held = True
    with pytest.raises(StoreUnavailable):
        await owner.commit([commit(lease, 1)])
    [entry] = (await reader.read_feeds({SHARD: (0, 0)}, 9))[SHARD]
    assert (entry.epoch, entry.seq) == (lease.epoch, 1), "shown, though nobody has it"
    with pytest.raises(StoreUnavailable):
        await reader.confirm([SHARD])
    servers.fail_over()
    assert (await reader.confirm([SHARD]))[SHARD].seq == 0, "it is not there any more"


async def test_an_old_master_acknowledges_only_those_who_need_no_replica(
    autojump_clock: object,
) -> None:
    servers = MemoryServers(replicas=2)
    careless, careful = await opened(servers), await opened(servers, need=1)
    lease = await taken(careless)
    await careful.look([SHARD])
    old = servers.fail_over(old_lives=True)

    [result] = await careless.commit([commit(lease, 1)])
    with pytest.raises(StoreUnavailable):
        await careful.commit([commit(lease, 2)])
    assert result.applied is Applied.DONE
    assert await value(careful) is None  # it found the new one
    old.read_only = True
    with pytest.raises(StoreUnavailable):
        await careless.look([SHARD])
    assert await value(careless) is None


async def test_a_request_may_be_carried_out_without_an_answer_twice_or_in_part(
    autojump_clock: object,
) -> None:
    engine = await opened(MemoryServers())
    lease = await taken(engine)
    fates = iter([Fate(unanswered=True), Fate(again_s=1.0), Fate(cut=1)])
    engine.fate = lambda request: (
        next(fates, Fate()) if request.name in {"commit", "post"} else Fate()
    )

    with pytest.raises(StoreUnavailable):
        await engine.commit([commit(lease, 1)])
    [repeated] = await engine.commit([commit(lease, 1)])
    with pytest.raises(StoreUnavailable):
        await engine.post([Post(SHARD, b"1"), Post(SHARD, b"2")])
    assert repeated.applied is Applied.REPEATED
    inbox = (await engine.read_inboxes({SHARD: "0-0"}, 10))[SHARD]
    assert [entry.message for entry in inbox] == [b"1"]


async def test_a_command_is_accepted_once_by_id_and_by_key(autojump_clock: object) -> None:
    engine = await opened(MemoryServers())
    [unknown] = await engine.accept([accept("c0")])
    lease = await taken(engine)
    await engine.commit([commit(lease, 1)])
    results = await engine.accept(
        [
            accept("c1", key="k", fingerprint="red"),
            accept("c1"),
            accept("c2", key="k", fingerprint="red"),
            accept("c3", key="k", fingerprint="blue"),
        ]
    )

    assert unknown.accepted is Accepted.UNKNOWN
    assert [(one.accepted, one.command_id) for one in results] == [
        (Accepted.STORED, "c1"),
        (Accepted.KNOWN, "c1"),
        (Accepted.KNOWN, "c1"),
        (Accepted.REUSED, "c1"),
    ]
    [entry] = (await engine.read_inboxes({SHARD: "0-0"}, 10))[SHARD]
    await engine.commit([commit(lease, 2, mark=entry.id)])
    assert (await engine.read_inboxes({SHARD: "0-0"}, 10))[SHARD] == []


async def test_a_full_inbox_says_so(autojump_clock: object) -> None:
    engine = await opened(MemoryServers())
    lease = await taken(engine)
    await engine.commit([commit(lease, 1)])
    room = await engine.post([Post(SHARD, b"")] * (INBOX_MOST + 1))

    assert room == [True] * INBOX_MOST + [False]
    assert (await engine.accept([accept("c1")]))[0].accepted is Accepted.FULL


async def test_bells_ring_after_commit_entry_give_and_reply(autojump_clock: object) -> None:
    engine = await opened(MemoryServers())
    rung: list[str] = []
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.hear, rung.append)
        lease = await taken(engine)
        await engine.commit([commit(lease, 1)])
        await engine.post([Post("fleet", b"1")])
        await engine.reply("boot", b"2")
        await engine.give(SHARD, lease.token)
        nursery.cancel_scope.cancel()

    assert rung == [FEED_BELL + SHARD, "fleet", "boot", SHARD]
    assert [one.message for one in await engine.replies("boot", "0-0", 10)] == [b"2"]


async def test_retention_belongs_to_the_owner(autojump_clock: object) -> None:
    engine = await opened(MemoryServers())
    lease = await taken(engine)
    await engine.commit([commit(lease, 1)])

    gone = await engine.prune(SHARD, lease.token, tables=[Table.DEVICE], before=2.0, most=10)
    assert gone == 1
    with pytest.raises(StoreTaken):
        await engine.prune(SHARD, "other", tables=[Table.DEVICE], before=2.0, most=10)


async def test_a_silent_server_fails_only_its_own_shards(autojump_clock: object) -> None:
    servers = MemoryServers(masters=2)
    engine = await opened(servers)
    here, there = "00", "01"
    assert servers.part_of(here) != servers.part_of(there)
    servers.stop(servers.part_of(there))

    assert list(await engine.look([here, there])) == [here]
    assert await engine.post([Post(here, b""), Post(there, b"")]) == [True, None]
    with pytest.raises(StoreUnavailable):
        await engine.look([there])
    servers.go_on(servers.part_of(there))
    assert list(await engine.look([here, there])) == [here, there]


async def test_the_process_may_stand_still_before_a_request_and_after_its_answer(
    autojump_clock: object,
) -> None:
    engine = await opened(MemoryServers())
    stood: list[str] = []

    async def still(request: Request) -> None:
        stood.append(request.name)
        await trio.sleep(90.0)

    engine.before = engine.after = still
    began_s = trio.current_time()
    await engine.look([SHARD])

    assert stood == ["look", "look"]
    assert trio.current_time() - began_s > 180.0
