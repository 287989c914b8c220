"""What a failover loses in the engine comes back from the memory of whoever owns it."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec
import pytest
import trio

from store.engine.memory import Fate, MemoryServers, Request
from store.engine.places import place_of
from store.engine.port import INBOX_MOST, Accept, Accepted, InboxEntry, Lease, Post
from store.engine.shards import FLEET, LIGHT_SHARDS, shard_of
from store.errors import StoreTaken, StoreUnavailable
from store.port import Put, Table, Write
from tests.store.shards.house import IN_A, IN_B, A, B, House, again, light, step

MakeHouse = Callable[..., House]
OLDER = "older than what was acknowledged"


def lagging() -> MemoryServers:
    """A master with a replica that can be held back."""
    return MemoryServers(replicas=1)


def hold(servers: MemoryServers, held: bool = True) -> None:
    for master in servers.masters:
        for replica in master.replicas if master else ():
            replica.held = held


async def write(house: House, dev_eui: str, numbers: range) -> None:
    for number in numbers:
        await house.store.commit(step(dev_eui, number))


async def test_acknowledged_commits_that_a_failover_lost_are_sent_again(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = lagging()
    one = house(on=servers)
    await one.take(IN_A)
    await write(one, A, range(1, 11))
    await trio.sleep(1)
    hold(servers)
    await write(one, A, range(11, 41))
    servers.fail_over()
    assert await one.lines(A) == [f"e{number}" for number in range(1, 11)]

    await one.until_written(step(A, 41))
    assert await one.lines(A) == [f"e{number}" for number in range(1, 42)]
    assert await one.value(A) == b"41"
    assert (await one.lease(IN_A)).seq == 41
    assert one.store.statistics().shards[IN_A].replayed == 30
    assert sum(one.replayed) == 30, "whoever alerts is told"
    assert one.retaken == one.fenced == one.lost == []


async def test_an_owner_never_reads_what_was_before_its_own_commits(
    house: MakeHouse, autojump_clock: object
) -> None:
    """Who crashed just now would go on from it, and overwrite what was acknowledged."""
    servers = lagging()
    one, other = house(on=servers), house("b", on=servers)
    await one.take(IN_A)
    await other.store.open()
    await write(one, A, range(1, 4))
    await trio.sleep(1)
    hold(servers)
    await write(one, A, range(4, 9))
    servers.fail_over()
    assert (await one.lease(IN_A)).seq == 3
    assert await other.value(A) == b"3", "others see what is there"
    with pytest.raises(StoreUnavailable, match=OLDER):
        await one.store.get(Table.DEVICE, A)
    with pytest.raises(StoreUnavailable, match=OLDER):
        await one.store.scan(Table.DEVICE)
    await one.store.check()
    assert await one.value(A) == b"8"
    assert [record.value for record in await one.store.scan(Table.DEVICE)] == [b"8"]


async def test_an_owner_does_not_read_under_a_lease_that_a_failover_brought_back(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = lagging()
    before, one = house("before", on=servers), house("a", on=servers)
    await before.take(IN_A)
    await write(before, A, range(1, 3))
    await trio.sleep(1)
    hold(servers)
    await one.take(IN_A)
    await write(one, A, range(3, 5))
    servers.fail_over()
    assert (await one.lease(IN_A)).owner == "before"
    with pytest.raises(StoreUnavailable, match=OLDER):
        await one.store.get(Table.DEVICE, A)
    await one.until_written(step(A, 5))
    assert await one.value(A) == b"5"


async def test_a_failover_is_noticed_where_nothing_is_written(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = lagging()
    one = house(on=servers)
    await one.take(IN_A, IN_B)
    await trio.sleep(1)
    hold(servers)
    await write(one, A, range(1, 4))
    servers.fail_over()
    await trio.sleep(3)
    await one.until_written(step(B, 1))  # of another shard
    assert await one.lines(A) == ["e1", "e2", "e3"]


async def test_a_replay_that_fails_half_way_goes_on(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = lagging()
    one = house(on=servers)
    await one.take(IN_A)
    await trio.sleep(1)
    hold(servers)
    await write(one, A, range(1, 101))
    servers.fail_over()
    count = iter(range(1_000))
    one.engine.fate = lambda request: Fate(
        cut=10 if request.name == "commit" and next(count) < 5 else None
    )
    await one.until_written(step(A, 101))
    assert await one.lines(A) == sorted(
        (f"e{number}" for number in range(1, 102)), key=lambda name: int(name[1:])
    )


async def test_a_lease_that_a_failover_lost_is_taken_again_and_all_follows(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = lagging()
    before, one = house("before", on=servers), house("a", on=servers)
    await before.take(IN_A)
    await write(before, A, range(1, 3))
    await trio.sleep(1)
    hold(servers)
    await write(before, A, range(3, 5))
    await one.take(IN_A)
    read = {record.key: record for record in await one.store.scan(Table.DEVICE)}
    one.store.listen(
        records=lambda _: [Put(Table.DEVICE, r.key, r.value, r.at) for r in read.values()]
    )
    other = "0018b2000000" + next(f"{n:04x}" for n in range(9999) if _same_shard(n))
    await write(one, other, range(1, 3))
    epoch = (await one.lease(IN_A)).epoch
    servers.fail_over()
    assert (await one.lease(IN_A)).owner == "before"

    await one.until_written(step(other, 3))
    assert one.retaken == [IN_A]
    assert one.fenced == []
    assert await one.value(A) == b"4"  # of the owner before, as it was read at the take
    assert await one.value(other) == b"3"
    assert await one.lines(other) == ["e1", "e2", "e3"]
    lease = await one.lease(IN_A)
    assert lease.owner == "a"
    assert lease.epoch > epoch
    assert one.store.owned[IN_A].token == lease.token


def _same_shard(number: int) -> bool:
    return shard_of(f"0018b2000000{number:04x}") == IN_A


async def with_a_lost_take(house: MakeHouse) -> House:
    """A house that took a shard from another one, just before a failover took that back."""
    servers = lagging()
    before, one = house("before", on=servers), house("a", on=servers)
    await before.take(IN_A)
    await trio.sleep(1)
    hold(servers)
    await one.take(IN_A)
    servers.fail_over()
    return one


@pytest.mark.parametrize("known_elsewhere", [False, True])
async def test_an_engine_that_lost_its_data_is_not_filled_on(
    house: MakeHouse, autojump_clock: object, known_elsewhere: bool
) -> None:
    """Whoever goes on writing hides that all is gone which is in nobody's memory."""
    servers = MemoryServers()
    one = house(on=servers)
    await one.take(IN_A)
    await write(one, A, range(1, 111))
    if known_elsewhere:  # taken just now from somebody who had it for months
        one.store.listen(known_s=lambda _shard: 1e7)
    else:
        for _ in range(31):  # it looks all the time, as the service does
            await trio.sleep(2.0)
            await one.store.check()
    servers.empty()

    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="the engine has lost its data"):
            await one.store.check()
        with pytest.raises(StoreUnavailable, match="the engine has lost its data"):
            await one.store.commit(step(A, 111))
        await trio.sleep(5.0)
    assert await one.in_engine(A) is None
    assert (await one.lease(IN_A)).epoch == 0
    assert one.retaken == one.fenced == one.lost == []


async def test_one_who_slept_does_not_take_a_lost_lease_again(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = await with_a_lost_take(house)
    await trio.sleep(60)  # stopped, and nobody asked the engine meanwhile
    await again(one.store.check)
    assert one.fenced == [IN_A]
    assert one.retaken == []
    assert (await one.lease(IN_A)).owner == "before"


async def test_one_who_slept_just_before_it_asked_does_not_take_a_lost_lease_again(
    house: MakeHouse, autojump_clock: object
) -> None:
    """Stopped in the middle of a call, it sends what it was about to ask when it wakes."""
    one = await with_a_lost_take(house)

    async def stopped(request: Request) -> None:
        one.engine.before = nothing
        await trio.sleep(60)

    async def nothing(request: Request) -> None:
        await trio.lowlevel.checkpoint()

    with pytest.raises(StoreUnavailable):  # the connection broke
        await one.store.check()
    one.engine.before = stopped
    await one.store.check()
    assert one.fenced == [IN_A]
    assert one.retaken == []
    assert (await one.lease(IN_A)).owner == "before"


async def test_who_has_many_shards_to_take_back_has_not_slept(
    house: MakeHouse, autojump_clock: object
) -> None:
    """Each waits for the calls of all others, while no replica confirms anything."""
    servers = MemoryServers(replicas=2)
    before, one = house("before", on=servers), house("a", need=1, on=servers)
    shards = LIGHT_SHARDS[:12]
    await before.take(*shards)
    await trio.sleep(1)
    [master] = servers.masters
    assert master is not None
    master.read()
    master.replicas[1].held = True  # it is promoted, and lacks all that follows
    await one.take(*shards)
    for shard in shards:
        await one.store.announce(shard)
    servers.fail_over(least=True)
    hold(servers)

    async def take_back(shard: str) -> None:
        with suppress(StoreTaken):
            await again(lambda: one.store.announce(shard))

    async with trio.open_nursery() as nursery:
        for shard in shards:
            nursery.start_soon(take_back, shard)
        await trio.sleep(15)
        hold(servers, False)
    await again(one.store.check)
    assert one.fenced == []
    assert sorted(one.retaken) == [*shards]


async def test_an_answer_that_is_waited_for_as_long_as_any_is_no_sleep(
    house: MakeHouse, autojump_clock: object
) -> None:
    """As where the sentinels are out of reach while a master is found anew."""
    one = await with_a_lost_take(house)
    with pytest.raises(StoreUnavailable):  # the connection broke
        await one.store.check()
    one.engine.fate = lambda request: Fate(back_s=7.9 if request.name == "look" else 0.0)
    await one.store.check()
    assert one.fenced == []
    assert one.retaken == [IN_A]


async def test_a_shard_that_another_took_since_is_left_though_the_new_server_s_clock_is_behind(
    house: MakeHouse, autojump_clock: object
) -> None:
    """Its epoch is the lower one; it acknowledged, and what we had is past."""
    off_s = 0.0
    servers = MemoryServers(replicas=1, wall=lambda: 1_750_000_000.0 + trio.current_time() - off_s)
    giver, one, other = (house(boot, on=servers) for boot in ("giver", "a", "b"))
    await giver.take(IN_A)
    await giver.store.commit([light(A, b"old")])
    assert await giver.engine.give(IN_A, giver.store.owned[IN_A].token)
    await one.store.open()
    await trio.sleep(20)
    one.store.observed(await one.engine.look([IN_A]))
    hold(servers)
    await one.take(IN_A)
    await one.store.commit([light(A, b"ours")])
    servers.fail_over()
    off_s = 10.0
    await other.take(IN_A)
    await other.store.commit([light(A, b"newer")])
    assert (await one.lease(IN_A)).epoch < one.store.owned[IN_A].epoch

    await again(one.store.check)
    assert one.fenced == [IN_A]
    assert one.retaken == []
    await trio.sleep(1)
    await other.store.check()
    assert other.fenced == []
    assert await one.value(A) == b"newer"


@pytest.mark.parametrize("goes_on", [True, False])
async def test_one_who_was_cut_off_leaves_a_lost_lease_to_whoever_has_gone_on(
    house: MakeHouse, autojump_clock: object, goes_on: bool
) -> None:
    """It was awake, and asked all the time; where nobody has gone on, it takes the shard again."""
    servers = lagging()
    before, one = house("before", on=servers), house("a", on=servers)
    await before.take(IN_A)
    await before.store.commit([light(A, b"old")])
    await one.store.open()
    one.store.observed(await one.engine.look([IN_A]))
    await trio.sleep(1)
    hold(servers)
    await one.take(IN_A)
    await one.store.commit([light(A, b"ours")])
    servers.fail_over()
    if goes_on:
        await before.until_written([light(A, b"newer")])
    one.engine.cut_off = True
    for _ in range(8):
        with suppress(StoreUnavailable):
            await one.store.check()
        await trio.sleep(1)
    one.engine.cut_off = False
    await again(one.store.check)
    assert bool(one.fenced) is goes_on
    assert await one.value(A) == (b"newer" if goes_on else b"ours")


async def test_what_is_in_no_memory_is_asked_for_before_the_lease_is_taken_again(
    house: MakeHouse, autojump_clock: object
) -> None:
    """Then the engine still has what is about to be written over."""
    servers = lagging()
    before, one = house("before", on=servers), house("a", on=servers)
    await before.take(IN_A)
    await write(before, A, range(1, 3))
    await trio.sleep(1)
    hold(servers)
    await write(before, A, range(3, 5))
    await one.take(IN_A)
    asked: list[tuple[Lease, bytes | None]] = []

    async def lost_ends(shard: str, found: Lease) -> Sequence[Write]:
        asked.append((found, await one.in_engine(A)))
        if len(asked) < 3:
            raise StoreUnavailable("its lease moves")
        return [Put(Table.COMMAND, "c1", b"superseded", 1.0)]

    one.store.listen(lost_ends=lost_ends, records=lambda _: [light(A, b"4")])
    servers.fail_over()
    await one.until_written(step(A, 5))
    assert len(asked) == 3, "again where it was not told"
    assert {found.owner for found, _ in asked} == {"before"}
    assert {value for _, value in asked} == {b"2"}
    ended = await one.store.get(Table.COMMAND, "c1")
    assert ended is not None
    assert ended.value == b"superseded"
    assert await one.value(A) == b"5"


async def test_what_is_kept_no_longer_is_put_again_from_memory_and_counted(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = lagging()
    one = house(on=servers)
    await one.take(IN_A)
    await trio.sleep(1)
    hold(servers)
    memory: dict[str, Put] = {}
    one.store.listen(records=lambda _: list(memory.values()))
    third = next(f"0018b2000000{n:04x}" for n in range(9999) if _same_shard(n))
    memory[third] = light(third, b"of long ago")
    await one.store.commit([memory[third]])
    for number in range(1, 201):
        await one.store.commit(step(A, number))
        memory[A] = light(A, b"%d" % number)
        await trio.sleep(0.5)
    servers.fail_over()
    assert await one.in_engine(third) is None

    await one.until_written(step(A, 201))
    assert await one.value(third) == b"of long ago"
    assert await one.value(A) == b"201"
    [lost] = one.lost
    assert 0 < lost <= 201 - 60
    assert await one.lines(A) == [f"e{number}" for number in range(lost, 202)]
    lease = await one.lease(IN_A)
    assert one.store.owned[IN_A].token == lease.token  # under a new lease: no follower is misled


async def test_with_a_confirming_replica_nothing_is_acknowledged_that_it_lacks(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = lagging()
    one = house(on=servers, need=1)
    await one.take(IN_A)
    await write(one, A, range(1, 4))
    hold(servers)
    writes = step(A, 4)
    for _ in range(10):
        (outcome,) = await again(lambda: one.store.commit_each([writes]))
        assert isinstance(outcome, StoreUnavailable)
        await trio.sleep(0.5)
    servers.fail_over()
    assert await one.lines(A) == ["e1", "e2", "e3"]
    await one.until_written(writes)
    assert await one.lines(A) == ["e1", "e2", "e3", "e4"]
    assert one.store.statistics().shards[IN_A].replayed == 0


# --- accepted commands ---------------------------------------------------------------------------


def accept(command_id: str) -> Accept:
    return Accept(IN_A, A, command_id, b"command", b"message", 1.0)


def keyed(command_id: str) -> Accept:
    """The same request, by one key."""
    record = f'{{"fingerprint":"f","command_id":"{command_id}"}}'.encode()
    return msgspec.structs.replace(accept(command_id), key="k", fingerprint="f", key_record=record)


async def stored(house: House, command_id: str) -> bool:
    (record,) = await again(lambda: house.engine.get([(IN_A, Table.COMMAND, command_id)]))
    return record is not None


async def unread(house: House) -> Sequence[InboxEntry]:
    return (await again(lambda: house.engine.read_inboxes({IN_A: "0-0"}, INBOX_MOST)))[IN_A]


async def test_commands_are_accepted_whoever_owns_the_shard(
    house: MakeHouse, autojump_clock: object
) -> None:
    one, other = house("a"), house("b")
    await one.take(IN_A)
    await one.store.commit([light(A)])
    await other.store.open()
    answers = []

    async def ask(number: int) -> None:
        answers.append(await other.store.accept(accept(f"c{number}")))

    calls = []

    async def count(request: object) -> None:
        calls.append(getattr(request, "name", ""))

    other.engine.before = count
    async with trio.open_nursery() as nursery:
        for number in range(200):
            nursery.start_soon(ask, number)
    assert {answer.accepted for answer in answers} == {Accepted.STORED}
    assert len(answers) == 200
    assert calls.count("accept") <= 3
    inbox = (await again(lambda: one.engine.read_inboxes({IN_A: "0-0"}, 999)))[IN_A]
    assert len(inbox) == 200


async def test_a_caller_who_leaves_takes_no_other_s_answer_along(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    await one.take(IN_A)
    await one.store.commit([light(A)])
    answers = []

    async def ask(command_id: str, patience_s: float) -> None:
        with trio.move_on_after(patience_s):
            answers.append((await one.store.accept(accept(command_id))).command_id)

    one.engine.latency_s = 0.5
    async with trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(ask, f"c{number}", 0.1 if number < 3 else 60.0)
    assert sorted(answers) == ["c3", "c4", "c5"]


async def test_an_accept_without_an_answer_is_told_as_unknown(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    await one.take(IN_A)
    await one.store.commit([light(A)])
    one.engine.fate = lambda request: Fate(unanswered=request.name == "accept")
    with pytest.raises(StoreUnavailable):
        await one.store.accept(accept("c1"))
    one.engine.fate = lambda _: Fate()
    again = await one.store.accept(accept("c1"))
    assert again.accepted is Accepted.KNOWN
    assert again.command_id == "c1"


async def test_accepted_commands_that_a_failover_lost_are_accepted_again(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = lagging()
    one, other = house("a", on=servers), house("b", on=servers)
    await one.take(IN_A, FLEET)
    await one.store.commit([light(A)])
    await other.take(IN_B)
    await other.store.accept(accept("c0"))
    await trio.sleep(1)
    hold(servers)
    for number in range(1, 4):
        await other.store.accept(accept(f"c{number}"))
    servers.fail_over()
    with pytest.raises(StoreUnavailable):  # the connection broke
        await other.store.check()
    await again(other.store.check)
    inbox = (await again(lambda: one.engine.read_inboxes({IN_A: "0-0"}, 99)))[IN_A]
    assert len(inbox) == 4
    assert other.store.statistics().accepts_repeated == 3


async def test_a_silent_server_does_not_keep_what_another_one_s_failover_lost_from_coming_back(
    house: MakeHouse, autojump_clock: object
) -> None:
    """Of a cluster, for longer than accepted commands are remembered; owners are served as well."""
    servers = MemoryServers(replicas=1, masters=3)
    one, other = house("a", on=servers), house("b", on=servers)
    await one.take(IN_A, IN_B)
    await one.store.commit([light(A)])
    await one.store.commit([light(B)])
    await other.store.open()
    away = servers.part_of(IN_B)
    assert servers.part_of(IN_A) != away
    await trio.sleep(1)
    hold(servers)
    await one.store.accept(msgspec.structs.replace(accept("elsewhere"), shard=IN_B, dev_eui=B))
    await one.store.accept(accept("lost"))
    await other.store.accept(msgspec.structs.replace(accept("there"), shard=IN_B, dev_eui=B))
    await other.store.accept(accept("gone"))
    servers.fail_over(servers.part_of(IN_A))
    servers.stop(away)
    for store in (one.store, other.store):
        with suppress(StoreUnavailable):  # the connections broke
            await store.check()
        await store.check()
    assert [await stored(one, each) for each in ("lost", "gone")] == [True, True]
    await one.store.commit(step(A, 1))

    servers.go_on(away)
    await one.store.check()
    [elsewhere] = await one.engine.get([(IN_B, Table.COMMAND, "elsewhere")])
    assert elsewhere is not None
    assert one.store.statistics().accepts_repeated == 1


async def test_who_leaves_while_lost_commands_are_looked_for_leaves_that_to_the_next(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = lagging()
    one = house(on=servers)
    await one.take(IN_A)
    await one.store.commit([light(A)])
    await trio.sleep(1)
    hold(servers)
    await one.store.accept(accept("c1"))
    servers.fail_over()
    with pytest.raises(StoreUnavailable):  # the connection broke
        await one.store.check()
    one.engine.fate = lambda request: Fate(delay_s=9.0 if request.name == "get" else 0.0)
    with trio.move_on_after(1.0) as scope:
        await one.store.check()
    assert scope.cancelled_caught
    one.engine.fate = lambda _: Fate()
    await one.store.check()
    assert await stored(one, "c1")


async def test_a_lost_command_whose_key_was_used_again_meanwhile_is_a_command_of_its_own(
    house: MakeHouse, autojump_clock: object
) -> None:
    """Two callers have an id each: both are to be found, and the key goes on leading to the one
    that the new master knows."""
    servers = lagging()
    one, other = house("a", on=servers), house("b", on=servers)
    await one.take(IN_A, FLEET)
    await one.store.commit([light(A)])
    await other.take(IN_B)
    await trio.sleep(1)
    hold(servers)
    await other.store.accept(keyed("c1"))
    servers.fail_over()
    taken = await again(lambda: one.store.accept(keyed("c2")))
    assert (taken.accepted, taken.command_id) == (Accepted.STORED, "c2")
    await again(other.store.check)
    assert [await stored(one, each) for each in ("c1", "c2")] == [True, True]
    assert len(await unread(one)) == 2
    repeated = await again(lambda: one.store.accept(keyed("c3")))
    assert (repeated.accepted, repeated.command_id) == (Accepted.KNOWN, "c2")


async def test_a_lost_command_waits_for_its_light_that_was_lost_as_well(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = lagging()
    one, other = house("a", on=servers), house("b", on=servers)
    await one.take(IN_A, FLEET)
    await other.take(IN_B)
    await trio.sleep(1)
    hold(servers)
    await one.store.commit([light(A)])
    await other.store.accept(accept("c1"))
    servers.fail_over()
    await again(other.store.check)
    assert not await stored(one, "c1"), "there is no light yet"
    await again(one.store.check)
    await other.store.check()
    assert await stored(one, "c1")


async def test_a_lost_command_waits_for_room_in_the_inbox(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = lagging()
    one, other = house("a", on=servers), house("b", on=servers)
    await one.take(IN_A, FLEET)
    await one.store.commit([light(A)])
    await other.take(IN_B)
    await trio.sleep(1)
    hold(servers)
    await other.store.accept(accept("c1"))
    servers.fail_over()
    await again(lambda: one.engine.post([Post(IN_A, b"full")] * INBOX_MOST))
    await again(other.store.check)
    assert not await stored(one, "c1")
    newest = (await unread(one))[-1]
    one.store.listen(marks=lambda _: (place_of(newest.line, newest.id), ""))
    await again(lambda: one.store.commit([light(A)]))
    await other.store.check()
    assert await stored(one, "c1")


async def test_who_commits_all_the_time_accepts_lost_commands_again_as_well(
    house: MakeHouse, autojump_clock: object
) -> None:
    """A check is for times in which nothing is written."""
    servers = lagging()
    one = house("a", on=servers)
    doubts: list[float] = []
    one.store.listen(doubted=lambda: doubts.append(trio.current_time()))
    await one.take(IN_A)
    await one.store.commit([light(A)])
    await trio.sleep(1)
    hold(servers)
    await one.store.accept(accept("c1"))
    servers.fail_over()
    for number in range(1, 100):
        await one.until_written(step(A, number))
        await trio.sleep(0.1)
    assert one.store.statistics().accepts_repeated == 1
    assert len((await one.engine.read_inboxes({IN_A: "0-0"}, 99))[IN_A]) == 1
    assert 1 <= len(doubts) <= 3, "whoever read from the old master looks again, now and then"


async def test_a_number_that_went_back_has_commands_accepted_again(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = lagging()
    one, other = house("a", on=servers), house("b", on=servers)
    await one.take(IN_A)
    await one.store.commit([light(A)])
    await other.store.open()
    await trio.sleep(1)
    hold(servers)
    await other.store.accept(accept("c1"))
    await one.store.commit([light(A, b"2")])
    other.store.observed(await other.engine.look([IN_A]))
    servers.fail_over()
    other.store.observed(await again(lambda: other.engine.look([IN_A])))
    await other.store.check()
    assert other.store.statistics().accepts_repeated == 1


@pytest.mark.parametrize(
    "noticed", ["a beat that went back", "a new connection", "somebody had no answer"]
)
async def test_commands_are_accepted_again_though_no_commit_was_lost_beside_them(
    house: MakeHouse, autojump_clock: object, noticed: str
) -> None:
    servers = lagging()
    one, other = house("a", on=servers), house("b", on=servers)
    await one.take(IN_A)
    await one.store.commit([light(A)])
    await other.store.open()
    token = {IN_A: one.store.owned[IN_A].token}
    await trio.sleep(1)
    hold(servers)
    other.store.observed(await other.engine.look([IN_A]))
    await other.store.accept(accept("c1"))
    await one.engine.renew(token)
    if noticed == "a beat that went back":
        other.store.observed(await other.engine.look([IN_A]))
    servers.fail_over()
    leases = await again(lambda: other.engine.look([IN_A]))
    if noticed == "somebody had no answer":
        other.store.doubt()
    if noticed == "a beat that went back":
        other.store.observed(leases)
    if noticed == "a new connection":  # as often as before: nothing went back
        await again(lambda: one.engine.renew(token))
        other.store.observed(await other.engine.look([IN_A]))
    await other.store.check()
    assert other.store.statistics().accepts_repeated == 1


async def test_commands_are_remembered_for_half_a_minute(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = lagging()
    one = house(on=servers)
    await one.take(IN_A)
    await one.store.commit([light(A)])
    await trio.sleep(1)
    hold(servers)
    await one.store.accept(accept("c1"))
    await trio.sleep(31)
    await one.store.accept(accept("c2"))
    servers.fail_over()
    await one.until_written(step(A, 1))
    await one.store.check()
    inbox = (await again(lambda: one.engine.read_inboxes({IN_A: "0-0"}, 99)))[IN_A]
    assert len(inbox) == 1


@pytest.mark.parametrize("lost", ["commits", "the lease as well"])
async def test_a_replay_drops_no_command_that_nobody_has_read_yet(
    house: MakeHouse, autojump_clock: object, lost: str
) -> None:
    """The clock of the server that is promoted is behind: what it accepts has ids up to which the
    owner had dealt with everything at the one before."""
    off_s = 0.0
    servers = MemoryServers(replicas=1, wall=lambda: 1_750_000_000.0 + trio.current_time() - off_s)
    one, other = house("a", on=servers), house("b", on=servers)
    await other.take(IN_A)
    await other.store.commit([light(A)])
    await trio.sleep(1)
    if lost == "commits":
        await one.take(IN_A)
        await one.store.commit([light(A)])
        await trio.sleep(1)
    hold(servers)
    if lost != "commits":
        await one.take(IN_A)
    marks: list[str] = ["0-0"]
    one.store.listen(marks=lambda _: (marks[-1], ""), records=lambda _: [light(A)])
    for number in range(1, 4):
        answer = await other.store.accept(accept(f"c{number}"))
        marks.append(place_of(answer.line, answer.entry))
        await one.store.commit(step(A, number))
    servers.fail_over()
    off_s = 3_600.0
    other.store.listen(accepted_again=lambda accept: accept)
    await again(lambda: other.store.accept(accept("fresh")))
    await one.until_written(step(A, 4))
    inbox = (await again(lambda: one.engine.read_inboxes({IN_A: "0-0"}, 99)))[IN_A]
    assert len(inbox) == 1, "the one that was accepted since"
    assert await one.value(A) == b"4"

    marks.append(place_of(inbox[0].line, inbox[0].id))
    await one.until_written(step(A, 5))
    assert (await one.lease(IN_A)).inbox_mark == inbox[0].id
