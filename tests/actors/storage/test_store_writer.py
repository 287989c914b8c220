import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import trio

from actors.clocks.clock import RunClock
from actors.messaging.dead_letters import DeadLetters
from actors.messaging.mailbox import MailboxClosed, Offer
from actors.messaging.reply import ActorCrashed
from actors.storage.store_writer import BATCH_REQUESTS, StoreWriter
from actors.supervision import Budget, ChildSpec, ChildState, Exhausted, Supervisor
from store.errors import StoreCorrupt, StoreTaken, StoreUnavailable
from store.memory import MemoryDisk, MemoryStore
from store.port import Append, Put, Table, Write

START = 1_700_000_000.0


class Disk:
    """A store whose commits can be slow, fail for a while, or be found corrupt."""

    def __init__(self) -> None:
        self.memory = MemoryDisk()
        self.commits: list[int] = []
        self.slow_s = 0.0
        self.down = False
        self.corrupt = False
        self.tries = 0

    async def store(self) -> MemoryStore:
        store = MemoryStore(self.memory, before_commit=self._before, after_commit=self._after)
        await store.open()
        return store

    async def _before(self, _writes: Sequence[Write]) -> None:
        self.tries += 1
        await trio.sleep(self.slow_s)
        if self.down:
            raise StoreUnavailable("the disk is full")
        if self.corrupt:
            raise StoreCorrupt("the file is damaged")

    async def _after(self, writes: Sequence[Write]) -> None:
        self.commits.append(len(writes))


def put(key: str, value: bytes = b"v") -> Put:
    return Put(Table.META, key, value, START)


def journal_on(store: MemoryStore, **more: object) -> StoreWriter:
    return StoreWriter(store, RunClock(START), random.Random(1), **more)  # type: ignore[arg-type]


async def test_commit_returns_only_when_durable(autojump_clock: trio.testing.MockClock) -> None:
    disk = Disk()
    disk.slow_s = 2.0
    store_writer = journal_on(await disk.store())
    async with trio.open_nursery() as nursery:
        await nursery.start(store_writer.run)
        began = trio.current_time()
        await store_writer.commit([put("a")])
        assert trio.current_time() - began == pytest.approx(2.0)
        assert disk.memory.record(Table.META, "a") is not None
        nursery.cancel_scope.cancel()


async def test_nothing_to_write_is_written_at_once(nursery: trio.Nursery) -> None:
    disk = Disk()
    store_writer = journal_on(await disk.store())
    await store_writer.commit([])
    assert disk.tries == 0
    assert store_writer.offer([]) is Offer.ACCEPTED
    assert store_writer.mailbox.statistics().depth == 0


async def test_many_callers_share_few_transactions(
    autojump_clock: trio.testing.MockClock,
) -> None:
    disk = Disk()
    disk.slow_s = 0.02
    seen: list[tuple[int, float]] = []
    store_writer = journal_on(await disk.store(), observe=lambda n, s: seen.append((n, s)))
    callers = 2 * BATCH_REQUESTS + 100
    async with trio.open_nursery() as nursery:
        await nursery.start(store_writer.run)
        async with trio.open_nursery() as callers_nursery:
            for number in range(callers):
                callers_nursery.start_soon(store_writer.commit, [put(f"k{number}")])
        nursery.cancel_scope.cancel()
    assert len(disk.memory.records(Table.META)) == callers
    assert len(disk.commits) <= 4
    assert max(disk.commits) == BATCH_REQUESTS
    assert sum(n for n, _ in seen) == callers
    assert all(s == pytest.approx(0.02) for _, s in seen)
    statistics = store_writer.statistics()
    assert statistics.requests == callers
    assert statistics.batch_most == BATCH_REQUESTS


async def test_an_outage_loses_nothing_and_is_seen(
    autojump_clock: trio.testing.MockClock,
) -> None:
    disk = Disk()
    disk.down = True
    health: list[float | None] = []
    store_writer = journal_on(await disk.store(), on_health=health.append)
    done: list[str] = []

    async def caller(key: str) -> None:
        await store_writer.commit([put(key)])
        done.append(key)

    async with trio.open_nursery() as nursery:
        await nursery.start(store_writer.run)
        for key in "abc":
            nursery.start_soon(caller, key)
        await trio.sleep(300)
        assert done == []
        assert store_writer.healthy is False
        assert store_writer.failing_since == pytest.approx(START)
        assert 60 <= disk.tries <= 90  # every five seconds at the latest, four with jitter
        disk.down = False
        await trio.sleep(6)
        assert sorted(done) == ["a", "b", "c"]
        assert store_writer.statistics().failing_since is None
        nursery.cancel_scope.cancel()
    assert health == [pytest.approx(START), None]


async def test_a_lost_answer_is_repeated_without_a_second_effect(
    autojump_clock: trio.testing.MockClock,
) -> None:
    memory = MemoryDisk()
    answers = [StoreUnavailable("the connection broke"), None]

    async def after(_writes: Sequence[Write]) -> None:
        failure = answers.pop(0)
        if failure is not None:
            raise failure

    store = MemoryStore(memory, after_commit=after)
    await store.open()
    store_writer = journal_on(store)
    async with trio.open_nursery() as nursery:
        await nursery.start(store_writer.run)
        await store_writer.commit([Append("stream", "e1", START, b"line")])
        nursery.cancel_scope.cancel()
    assert len(memory.entries("stream", 0, START + 1)) == 1
    assert store_writer.statistics().failures == 1


async def test_a_caller_that_leaves_is_written_all_the_same_and_in_order(
    autojump_clock: trio.testing.MockClock,
) -> None:
    disk = Disk()
    disk.slow_s = 1.0
    store_writer = journal_on(await disk.store())
    async with trio.open_nursery() as nursery:
        await nursery.start(store_writer.run)
        nursery.start_soon(store_writer.commit, [put("other")])
        await trio.sleep(0.5)
        with trio.move_on_after(0.1) as left:
            await store_writer.commit([put("a", b"first")])
        assert left.cancelled_caught
        await store_writer.commit([put("a", b"second"), put("b")])
        record = disk.memory.record(Table.META, "a")
        assert record is not None
        assert record.value == b"second"
        assert disk.commits == [1, 3]
        nursery.cancel_scope.cancel()


async def test_shutdown_writes_what_waits(autojump_clock: trio.testing.MockClock) -> None:
    disk = Disk()
    disk.slow_s = 0.5
    store_writer = journal_on(await disk.store())
    async with trio.open_nursery() as nursery:
        await nursery.start(store_writer.run)
        assert store_writer.offer([put("a")]) is Offer.ACCEPTED
        await trio.sleep(0.1)
        for number in range(600):
            store_writer.offer([put(f"k{number}")])
        nursery.cancel_scope.cancel()
    assert len(disk.memory.records(Table.META)) == 601


async def test_shutdown_does_not_wait_for_ever(autojump_clock: trio.testing.MockClock) -> None:
    disk = Disk()
    disk.down = True
    store_writer = journal_on(await disk.store(), drain_s=3.0)
    async with trio.open_nursery() as nursery:
        await nursery.start(store_writer.run)
        store_writer.offer([put("a")])
        await trio.sleep(1)
        began = trio.current_time()
        nursery.cancel_scope.cancel()
    assert trio.current_time() - began == pytest.approx(3.0)


async def test_a_corrupt_store_is_not_repeated_but_escalates(
    autojump_clock: trio.testing.MockClock,
) -> None:
    disk = Disk()
    disk.corrupt = True
    store_writer = journal_on(await disk.store())
    letters = DeadLetters()
    spec = ChildSpec(
        "journal",
        store_writer.run,
        budget=Budget(restarts=0),
        exhausted=Exhausted.PARK,
        mailbox=store_writer.mailbox,
    )
    supervisor = Supervisor(
        "root", [spec], clock=RunClock(START), rng=random.Random(1), dead_letters=letters
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        with pytest.raises(ActorCrashed):
            await store_writer.commit([put("a")])
        assert disk.tries == 1
        report = supervisor.child("journal")
        assert report is not None
        assert report.state is ChildState.PARKED
        assert "StoreCorrupt" in (report.last_error or "")
        with pytest.raises(MailboxClosed):
            await store_writer.commit([put("b")])
        nursery.cancel_scope.cancel()


async def test_a_full_journal_makes_callers_wait_but_never_those_who_only_offer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    disk = Disk()
    disk.down = True
    store_writer = journal_on(await disk.store(), capacity=2)
    done: list[int] = []

    async def caller(number: int) -> None:
        await store_writer.commit([put(f"k{number}")])
        done.append(number)

    async with trio.open_nursery() as nursery:
        await nursery.start(store_writer.run)
        for number in range(10):
            nursery.start_soon(caller, number)
        await trio.sleep(200)  # longer than the patience of a caller
        assert store_writer.offer([put("x")]) is Offer.FULL
        assert done == []
        disk.down = False
        await trio.sleep(60)
        assert sorted(done) == list(range(10))
        nursery.cancel_scope.cancel()


class Watched(MemoryStore):
    """A store that wants to be looked after every 2 s, and says what the test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.check_every_s = 2.0
        self.checks = 0
        self.trouble: Exception | None = None
        self.hangs = False

    async def check(self) -> None:
        self.checks += 1
        if self.hangs:
            await trio.sleep(60)
        if self.trouble is not None:
            raise self.trouble
        await super().check()


@asynccontextmanager
async def looked_after() -> AsyncIterator[tuple[Watched, StoreWriter]]:
    """A watched store, and its writer at work."""
    store = Watched()
    await store.open()
    store_writer = journal_on(store)
    async with trio.open_nursery() as nursery:
        await nursery.start(store_writer.run)
        yield store, store_writer
        nursery.cancel_scope.cancel()


async def test_an_idle_store_that_is_removed_is_noticed_within_seconds_and_found_again(
    autojump_clock: trio.testing.MockClock,
) -> None:
    store, health = Watched(), []
    await store.open()
    store_writer = journal_on(store, on_health=health.append)
    async with trio.open_nursery() as nursery:
        await nursery.start(store_writer.run)
        await trio.sleep(9)
        assert (store.checks, store_writer.healthy, health) == (4, True, [])
        store.trouble = StoreUnavailable("the file was removed")
        await trio.sleep(3)
        assert not store_writer.healthy
        assert store_writer.problem == "the file was removed"
        store.trouble = None
        await trio.sleep(6)
        assert store_writer.healthy
        assert store_writer.problem is None
        assert [since is None for since in health] == [False, True]
        nursery.cancel_scope.cancel()


async def test_those_who_only_wait_for_others_do_not_keep_the_store_from_being_looked_after(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with looked_after() as (store, store_writer):
        for _ in range(30):
            await trio.sleep(0.3)
            await store_writer.flush()
        assert store.checks == 4


async def test_a_check_that_takes_longer_than_the_time_between_two_lets_writes_through(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with looked_after() as (store, store_writer):
        store.hangs = True
        for _ in range(3):
            with trio.fail_after(70.0):
                await store_writer.commit([put("a")])
            await trio.sleep(5.0)


async def test_a_store_that_does_not_answer_is_told_of_before_its_own_time_is_out(
    autojump_clock: trio.testing.MockClock,
) -> None:
    disk = Disk()
    disk.slow_s = 60.0
    store_writer = journal_on(await disk.store())
    async with trio.open_nursery() as nursery:
        await nursery.start(store_writer.run)
        nursery.start_soon(store_writer.commit, [put("a")])
        await trio.sleep(4)
        assert store_writer.healthy
        await trio.sleep(2)
        assert store_writer.problem == "it has not answered for 5 s"
        await trio.sleep(60)
        assert store_writer.healthy
        nursery.cancel_scope.cancel()


async def test_an_idle_store_that_hangs_is_told_of_within_ten_seconds(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with looked_after() as (store, store_writer):
        await trio.sleep(5)
        store.hangs = True
        await trio.sleep(10)
        assert not store_writer.healthy


async def test_an_idle_store_that_was_taken_ends_the_journal(
    autojump_clock: trio.testing.MockClock,
) -> None:
    store = Watched()
    await store.open()
    store.trouble = StoreTaken("another process took it over")
    with trio.fail_after(5), pytest.raises(StoreTaken, match="took it over"):
        await journal_on(store).run()
