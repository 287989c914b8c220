"""The store over a shared engine, as its writer and its readers use it."""

import gc
import weakref
from collections.abc import Callable
from contextlib import suppress

import pytest
import trio

from store.engine.memory import Fate, MemoryServers, Request
from store.engine.port import COMMIT_WRITES_MOST
from store.engine.shards import ALL_SHARDS, FLEET, shard_of
from store.errors import StoreRefused, StoreTaken, StoreUnavailable
from store.port import Append, Put, Table, Write
from store.shards import Misrouted, decode_feed
from store.shards.taking import give_all, take_all
from tests.store.shards.house import EVER, IN_A, IN_B, A, B, House, light, step

MakeHouse = Callable[..., House]


async def test_requests_of_several_shards_are_written_in_one_call(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    await one.take(IN_A, IN_B, FLEET)
    mark = Put(Table.META, "air/1", b"air", 1.0)

    assert (
        await one.store.commit_each([step(A, 1), step(B, 1), [mark], [], step(A, 2)]) == [None] * 5
    )
    assert await one.value(A) == b"2"
    assert await one.lines(A) == ["e1", "e2"]
    assert await one.store.get(Table.META, "air/1") is not None
    leases = await one.engine.look([IN_A, IN_B, FLEET])
    assert [leases[shard].seq for shard in (IN_A, IN_B, FLEET)] == [1, 1, 1]


async def test_a_request_for_a_shard_of_somebody_else_fails_alone(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    await one.take(IN_A)

    mine, foreign, odd = await one.store.commit_each([step(A, 1), step(B, 1), [light(A), light(B)]])
    assert mine is None
    assert isinstance(foreign, StoreTaken)
    assert isinstance(odd, Misrouted)
    assert await one.value(B) is None
    with pytest.raises(StoreTaken):
        await one.store.commit(step(B, 1))


async def test_a_shard_taken_by_another_fails_its_own_requests_only(
    house: MakeHouse, autojump_clock: object
) -> None:
    one, other = house("a"), house("b")
    await one.take(IN_A, IN_B)
    await other.take(IN_A)

    fenced, mine = await one.store.commit_each([step(A, 1), step(B, 1)])
    assert isinstance(fenced, StoreTaken)
    assert mine is None
    assert one.fenced == [IN_A]
    assert set(one.store.owned) == {IN_B}
    assert await other.value(A) is None


async def test_a_shard_taken_by_another_is_noticed_without_a_write(
    house: MakeHouse, autojump_clock: object
) -> None:
    one, other = house("a"), house("b")
    await one.take(IN_A)
    await other.take(IN_A)
    await one.store.check()
    assert one.fenced == [IN_A]


async def test_a_batch_is_cut_into_commits_but_no_request_is(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    await one.take(IN_A)
    requests = [step(A, number) for number in range(100)]
    assert await one.store.commit_each(requests) == [None] * 100
    assert (await one.lease(IN_A)).seq == 3  # twice 48 requests of two writes, and 4
    lines = [Append(A, f"x{n}", 1.0, b"") for n in range(COMMIT_WRITES_MOST + 1)]
    await one.store.commit(lines)
    assert (await one.lease(IN_A)).seq == 4


async def test_an_unknown_outcome_is_repeated_under_the_same_number(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    await one.take(IN_A)
    fates = [Fate(unanswered=True)]
    one.engine.fate = lambda request: fates.pop() if fates and request.name == "commit" else Fate()
    writes = step(A, 1)
    (unknown,) = await one.store.commit_each([writes])
    assert isinstance(unknown, StoreUnavailable)
    await one.until_written(writes)
    assert (await one.lease(IN_A)).seq == 1


async def test_what_was_held_on_the_way_overwrites_nothing_newer(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    await one.take(IN_A)
    fates = [Fate(late_s=5.0)]
    one.engine.fate = lambda request: fates.pop() if fates and request.name == "commit" else Fate()
    await one.until_written(step(A, 1))
    await one.store.commit(step(A, 2))
    await trio.sleep(20)
    assert await one.value(A) == b"2"


async def test_a_commit_whose_caller_left_is_carried_out_before_a_newer_one(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    await one.take(IN_A)
    one.engine.fate = lambda request: Fate(
        lost=request.name == "commit" and trio.current_time() < 3.0
    )
    with trio.move_on_after(0.1) as left:
        await one.store.commit(step(A, 1))
    assert left.cancelled_caught
    await trio.sleep(5)
    await one.until_written(step(A, 2))
    assert await one.value(A) == b"2"
    assert await one.lines(A) == ["e1", "e2"]


async def test_a_server_that_is_away_holds_up_its_own_shards_only(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = MemoryServers(masters=2)
    one = house(on=servers)
    assert servers.part_of(IN_A) != servers.part_of(IN_B)
    await one.take(IN_A, IN_B)
    servers.stop(servers.part_of(IN_A))
    away, fine = step(A, 1), step(B, 1)
    first, second = await one.store.commit_each([away, fine])
    assert isinstance(first, StoreUnavailable)
    assert second is None
    servers.go_on(servers.part_of(IN_A))
    await one.until_written(away)
    assert await one.value(A) == b"1"


async def test_every_commit_tells_what_it_changed_and_bears_the_marks(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    one.store.listen(marks=lambda shard: (f"{len(shard)}-7", "9-1"))
    await one.take(IN_A)
    await one.store.announce(IN_A)
    await one.store.commit(step(A, 1))

    lease = await one.lease(IN_A)
    assert (lease.inbox_mark, lease.source_mark) == ("2-7", "9-1")
    feed = (await one.engine.read_feeds({IN_A: (0, 0)}, 9))[IN_A]
    assert [(entry.epoch, entry.seq) for entry in feed] == [(lease.epoch, 1), (lease.epoch, 2)]
    assert [list(decode_feed(entry.body)) for entry in feed] == [[], [light(A, b"1")]]


async def test_a_mark_that_moves_is_stored_though_nothing_is_written(
    house: MakeHouse, autojump_clock: object
) -> None:
    marks = {"inbox": "1-0", "source": "1-0"}
    one = house()
    one.store.listen(marks=lambda _: (marks["inbox"], marks["source"]))
    await one.take(IN_A)
    await one.store.announce(IN_A)
    await one.store.check()
    assert (await one.lease(IN_A)).seq == 1
    marks["inbox"] = "2-0"
    await one.store.check()
    assert (await one.lease(IN_A)).inbox_mark == "2-0"
    marks["source"] = "2-0"
    await one.store.check()
    assert (await one.lease(IN_A)).source_mark == "1-0"  # it moves all the time
    await trio.sleep(11)
    await one.store.check()
    assert (await one.lease(IN_A)).source_mark == "2-0"


async def test_verdicts_of_all_lights_are_read_as_one_stream(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    await one.take(IN_A, IN_B)
    for number, dev_eui in enumerate([A, B, A, B]):
        verdict = Append("verdicts", f"c{number}", float(number), b"v")
        await one.store.commit([verdict, light(dev_eui)])
    assert await one.lines("verdicts") == ["c0", "c1", "c2", "c3"]
    newest = await one.store.entries("verdicts", **EVER, most=2)
    assert [entry.entry for entry in newest] == ["c3", "c2"]


async def test_anybody_reads_a_command_and_the_lights_of_all(
    house: MakeHouse, autojump_clock: object
) -> None:
    one, other = house("a"), house("b")
    await one.take(IN_A, IN_B)
    await other.store.open()
    command = Put(Table.COMMAND, "c1", b"command", 1.0)
    await one.store.commit([light(A), command])
    await one.store.commit([light(B)])
    found = await other.store.get(Table.COMMAND, "c1")
    assert found is not None
    assert found.value == b"command"
    assert [record.key for record in await other.store.scan(Table.DEVICE)] == sorted([A, B])
    assert await other.store.get(Table.COMMAND, "c2") is None


async def test_retention_concerns_the_shards_that_are_owned(
    house: MakeHouse, autojump_clock: object
) -> None:
    one, other = house("a"), house("b")
    await one.take(IN_A)
    await other.take(IN_B)
    await one.store.commit([Append(A, "old", 1.0, b""), Append(A, "new", 9.0, b"")])
    await other.store.commit([Append(B, "old", 1.0, b"")])
    assert await one.store.prune(tables=(), before=5.0, most=10) == 1
    assert await one.lines(A) == ["new"]
    assert await one.lines(B) == ["old"]


async def test_a_disowned_shard_is_not_written_any_more(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    await one.take(IN_A)
    one.store.disown(IN_A)
    (outcome,) = await one.store.commit_each([step(A, 1)])
    assert isinstance(outcome, StoreTaken)
    assert one.fenced == []


async def test_an_engine_that_is_away_is_told_by_a_check(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    await one.take(IN_A)
    one.engine.cut_off = True
    with pytest.raises(StoreUnavailable):
        await one.store.check()
    one.engine.cut_off = False
    await one.store.check()
    await one.store.commit(step(A, 1))


async def test_a_shard_is_settled_when_nothing_waits(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    await one.take(IN_A)
    await one.store.check()
    assert one.store.settled(IN_A)
    one.engine.cut_off = True
    writes = step(A, 1)
    await one.store.commit_each([writes])
    assert not one.store.settled(IN_A)
    one.engine.cut_off = False
    await one.until_written(writes)
    assert one.store.settled(IN_A)


async def test_somebody_who_wants_all_shards_waits_for_the_dead_and_not_for_the_living(
    house: MakeHouse, autojump_clock: object
) -> None:
    one, other, third = house("a"), house("b"), house("c")
    for each in (one, other, third):
        await each.store.open()
    await take_all(one.store)
    await take_all(other.store)  # nobody has renewed for 6.5 s
    assert len(other.store.owned) == 65

    async def lives() -> None:
        while True:
            await trio.sleep(2)
            await other.store.commit(step(A, int(trio.current_time())))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(lives)
        with pytest.raises(StoreTaken, match="stop the service first"):
            await take_all(third.store)
        nursery.cancel_scope.cancel()
    await give_all(other.store)
    began = trio.current_time()
    await take_all(third.store)
    assert trio.current_time() - began < 1.0


async def test_who_wants_all_shards_takes_none_while_a_server_is_away(
    house: Callable[..., House], autojump_clock: object
) -> None:
    servers = MemoryServers(masters=3)
    one = house(on=servers)
    await one.store.open()
    servers.stop(1)
    with pytest.raises(StoreUnavailable, match="could not be looked at"):
        await take_all(one.store)
    servers.go_on(1)
    assert {lease.token for lease in (await one.engine.look(ALL_SHARDS)).values()} == {""}
    await take_all(one.store)
    assert len(one.store.owned) == 65


async def test_what_a_caller_asks_wrongly_stops_nobody(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    await one.take(IN_A)
    assert await one.store.entries(A, **EVER, most=0) == []
    writes = step(A, 1)
    assert await one.store.commit_each([writes, writes]) == [None, None]


def test_it_promises_what_the_engine_promises(house: MakeHouse) -> None:
    one = house()
    assert one.store.durability_warnings == one.engine.durability_warnings
    assert one.store.exposure_warnings == ()


async def test_what_was_handed_in_before_a_shard_was_lost_is_never_carried_out(
    house: MakeHouse, autojump_clock: object
) -> None:
    one, other = house("a"), house("b")
    await one.take(IN_A, IN_B)
    stale = one.store.handed_in(step(A, 1))
    kept = one.store.handed_in(step(B, 1))
    one.engine.cut_off = True
    with pytest.raises(StoreUnavailable):
        await one.store.check()
    await other.take(IN_A)
    await other.store.commit(step(A, 2))
    one.engine.cut_off = False
    one.store.disown(IN_A)
    await one.take(IN_A)  # given by the other in the meantime

    lost, written = await one.store.commit_each([stale, kept])
    assert isinstance(lost, StoreTaken)
    assert written is None
    assert await one.value(A) == b"2"
    await one.store.commit(one.store.handed_in(step(A, 3)))
    assert await one.value(A) == b"3"


async def test_what_was_on_its_way_when_a_shard_was_lost_is_not_sent_again_under_a_new_lease(
    house: MakeHouse, autojump_clock: object
) -> None:
    one, other = house("a"), house("b")
    await one.take(IN_A)
    await one.store.check()
    stale = one.store.handed_in(step(A, 1))
    one.engine.fate = lambda request: Fate(lost=request.name == "commit")
    (unknown,) = await one.store.commit_each([stale])
    assert isinstance(unknown, StoreUnavailable)
    await other.take(IN_A)
    await other.store.commit(step(A, 2))
    one.engine.fate = lambda _: Fate()
    one.store.disown(IN_A)
    await one.take(IN_A)
    (lost,) = await one.store.commit_each([stale])
    assert isinstance(lost, StoreTaken)
    assert await one.value(A) == b"2"


async def test_numbers_go_on_where_a_shard_is_owned_again_under_the_same_lease(
    house: MakeHouse, autojump_clock: object
) -> None:
    """As where the actors of a shard could not be started at the first try."""
    one = house()
    await one.take(IN_A)
    lease = one.store.owned[IN_A]
    await one.store.commit(step(A, 1))
    await one.store.commit(step(A, 2))
    one.store.disown(IN_A)
    one.store.own(IN_A, lease)
    await one.store.announce(IN_A)
    await one.store.commit(step(A, 3))
    assert await one.value(A) == b"3"
    assert await one.lines(A) == ["e1", "e2", "e3"]


async def test_what_was_on_its_way_is_settled_where_a_shard_is_owned_again_under_the_same_lease(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    await one.take(IN_A)
    lease = one.store.owned[IN_A]
    await one.store.commit(step(A, 1))
    one.engine.fate = lambda request: Fate(lost=request.name == "commit")
    (unknown,) = await one.store.commit_each([step(A, 2)])
    assert isinstance(unknown, StoreUnavailable)
    one.engine.fate = lambda _: Fate()
    one.store.disown(IN_A)
    one.store.own(IN_A, lease)
    await one.store.announce(IN_A)
    assert await one.value(A) == b"2"  # before anybody reads it to go on from it
    await one.store.commit(step(A, 3))
    assert await one.lines(A) == ["e1", "e2", "e3"]


async def test_a_lease_that_is_taken_again_after_a_failover_is_the_same_ownership(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = MemoryServers(replicas=1)
    one = house(on=servers)
    await house("before", on=servers).take(IN_A)
    await trio.sleep(1)
    for replica in servers.masters[0].replicas if servers.masters[0] else ():
        replica.held = True
    await one.take(IN_A)
    handed_in = one.store.handed_in(step(A, 1))
    servers.fail_over()
    await one.until_written(handed_in)
    assert one.retaken == [IN_A]
    assert await one.value(A) == b"1"


async def test_what_is_needed_no_longer_is_dropped_also_where_nothing_happens(
    house: MakeHouse, autojump_clock: object
) -> None:
    one = house()
    await one.take(IN_A)
    await one.store.commit_each([[light(A, b"x" * 10_000)] for _ in range(20_000)])
    assert one.store.statistics().shards[IN_A].kept == 209  # 96 writes each
    await trio.sleep(40)
    await one.store.check()
    found = one.store.statistics().shards[IN_A]
    assert found.kept == 25  # 256 KiB of them


class Asked(list[Write]):
    """A request of which somebody may want to know whether it is still remembered."""


@pytest.mark.parametrize("ends", ["in a crash", "cancelled"])
async def test_a_request_is_remembered_for_who_repeats_it_and_not_after_a_crash(
    house: Callable[..., House], autojump_clock: object, ends: str
) -> None:
    """A journal that crashed passes it never again, one that is ending writes the rest first."""
    one = house()
    await one.take(IN_A)

    async def trouble(request: Request) -> None:
        if request.name == "commit" and ends == "in a crash":
            raise StoreRefused("the user lacks a right")
        await trio.sleep(3.0 if request.name == "commit" else 0.0)

    nothing, one.engine.before = one.engine.before, trouble
    asked = Asked(step(A, 1))
    with trio.move_on_after(1.0), suppress(StoreRefused):
        await one.store.commit_each([asked])
    one.engine.before = nothing
    remembered = weakref.ref(asked)
    if ends == "cancelled":
        await one.store.commit_each([asked])
    await one.store.commit(step(A, 2))
    assert await one.lines(A) == ["e1", "e2"]
    assert (await one.lease(IN_A)).seq == 2, "each was carried out once"
    del asked
    gc.collect()
    assert remembered() is None


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_command_is_found_while_another_part_is_silent_and_never_said_to_be_missing(
    house: MakeHouse, autojump_clock: object, hangs: bool
) -> None:
    servers = MemoryServers(masters=2)
    one = house(on=servers)
    await one.take(*ALL_SHARDS)
    lights = (f"{number:016x}" for number in range(1_000))
    light_of = {servers.part_of(shard_of(dev_eui)): dev_eui for dev_eui in lights}
    for part, dev_eui in light_of.items():
        await one.store.commit([light(dev_eui), Put(Table.COMMAND, f"c{part}", b"", 1.0)])
    servers.stop(1, hangs=hangs)
    for _ in range(2):
        found = await one.store.get(Table.COMMAND, "c0")
        assert found is not None
        assert found.key == "c0"
        for command in ("c1", "unheard of"):
            with pytest.raises(StoreUnavailable, match="has this command, and others are silent"):
                await one.store.get(Table.COMMAND, command)
    servers.go_on(1)
    assert await one.store.get(Table.COMMAND, "unheard of") is None
    assert await one.store.get(Table.COMMAND, "c1") is not None
