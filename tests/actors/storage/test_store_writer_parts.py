"""A store in several parts: what waits for one of them holds up no other, and loses no order."""

import random
from collections.abc import Collection, Sequence

import pytest
import trio

from actors.clocks.clock import RunClock
from actors.messaging.mailbox import Offer
from actors.storage.store_writer import SHARED_RETRY, StoreWriter
from store.errors import StoreError, StoreTaken, StoreUnavailable
from store.memory import MemoryStore
from store.port import Append, Record, Table, Write

START = 1_700_000_000.0
EVERYTHING = {"everything"}


class Parts(MemoryStore):
    """Each stream is a part; those that are `away` cannot be written, those `taken` never again."""

    def __init__(self) -> None:
        super().__init__()
        self.away: set[str] = set()
        self.taken: set[str] = set()
        self.calls = self.asked = 0
        self.answer_s = 0.0
        self.written: list[str] = []

    async def check(self) -> None:
        await trio.sleep(self.answer_s)
        await super().check()
        if self.away == EVERYTHING:
            raise StoreUnavailable("everything is away")

    def part_of(self, handed_in: Sequence[Write]) -> str:
        (stream,) = {one.stream for one in handed_in if isinstance(one, Append)} or {""}
        return stream

    def parts_of(self, table: Table, key: str | None = None) -> Collection[str]:
        return ("a", "b") if key is None else (key,)

    async def commit_each(self, requests: Sequence[Sequence[Write]]) -> Sequence[StoreError | None]:
        self.calls += 1
        self.asked += len(requests)
        await trio.sleep(self.answer_s)
        outcomes: list[StoreError | None] = []
        for writes in requests:
            stream = self.part_of(writes)
            if stream in self.away or self.away == EVERYTHING:
                outcomes.append(StoreUnavailable(f"{stream} is away"))
            elif stream in self.taken:
                outcomes.append(StoreTaken(f"{stream} was taken over"))
            else:
                await self.commit(writes)
                self.written += [one.entry for one in writes if isinstance(one, Append)]
                outcomes.append(None)
        return outcomes


def line(stream: str, entry: str) -> Append:
    return Append(stream, entry, START, b"")


class Bench:
    """A writer over such a store, and what its callers were told."""

    def __init__(self, store: Parts) -> None:
        self.store = store
        self.health: list[float | None] = []
        self.writer = StoreWriter(
            store, RunClock(START), random.Random(1), on_health=self.health.append
        )
        self.told: list[str] = []

    async def commit(self, stream: str, entry: str) -> None:
        try:
            await self.writer.commit([line(stream, entry)])
        except StoreTaken:
            self.told.append(f"{entry} taken")
        else:
            self.told.append(entry)

    async def commit_soon(self, stream: str, entry: str, within_s: float = 0.01) -> None:
        """It waits for no other part."""
        began = trio.current_time()
        await self.commit(stream, entry)
        assert trio.current_time() - began < within_s

    async def flush(self, part: str | None = None) -> None:
        await self.writer.flush(part)
        self.told.append("flushed")


@pytest.fixture
async def bench(nursery: trio.Nursery, autojump_clock: object) -> Bench:
    store = Parts()
    await store.open()
    bench = Bench(store)
    await nursery.start(bench.writer.run)
    return bench


async def test_others_go_on_while_one_part_is_away(
    bench: Bench, nursery: trio.Nursery, autojump_clock: object
) -> None:
    bench.store.away.add("a")
    nursery.start_soon(bench.commit, "a", "a1")
    await trio.sleep(0.1)
    for number in range(20):
        await bench.commit_soon("b", f"b{number}")
        await trio.sleep(0.2)
    assert bench.writer.statistics().waiting == 1
    assert bench.writer.stopped_since is None
    bench.store.away.clear()
    await trio.sleep(6)
    assert bench.told[-1] == "a1"
    assert bench.writer.statistics().waiting == 0


async def test_others_go_on_where_each_try_takes_longer_than_the_wait_until_the_next(
    bench: Bench, nursery: trio.Nursery, autojump_clock: object
) -> None:
    bench.writer.retry = SHARED_RETRY
    bench.store.away.add("a")
    bench.store.answer_s = 1.5
    nursery.start_soon(bench.commit, "a", "a1")
    await trio.sleep(20)
    for number in range(5):
        await bench.commit_soon("b", f"b{number}", within_s=5)


async def test_however_many_wait_for_one_part_the_others_go_on(
    bench: Bench, nursery: trio.Nursery, autojump_clock: object
) -> None:
    """A third of 20,000 lights had more requests than waited at most, and stopped all of them."""
    bench.store.away.add("a")
    for number in range(5_000):
        nursery.start_soon(bench.commit, "a", f"a{number}")
    await trio.sleep(5)
    for number in range(5_000, 6_000):
        nursery.start_soon(bench.commit, "a", f"a{number}")
    for number in range(50):
        await bench.commit_soon("b", f"b{number}")
        assert bench.writer.offer([line("b", f"line{number}")]) is Offer.ACCEPTED
    assert bench.writer.offer([line("a", "line")]) is Offer.FULL
    assert bench.writer.statistics().waiting == 5_000  # who comes later waits for room
    bench.store.away.clear()
    await trio.sleep(7)
    assert sorted(one for one in bench.told if one[0] == "a") == sorted(
        f"a{number}" for number in range(6_000)
    )
    assert bench.writer.offer([line("a", "line")]) is Offer.ACCEPTED


async def test_others_do_not_have_all_that_waits_tried_again_each_time(
    bench: Bench, nursery: trio.Nursery, autojump_clock: object
) -> None:
    bench.store.away.add("a")
    for number in range(400):
        nursery.start_soon(bench.commit, "a", f"a{number}")
    await trio.sleep(30)
    before = bench.store.asked
    for number in range(100):
        await bench.commit("b", f"b{number}")
        await trio.sleep(0.01)
    assert bench.store.asked - before <= 100 + 2 * 400


async def test_what_comes_while_its_part_waits_keeps_its_place(
    bench: Bench, nursery: trio.Nursery, autojump_clock: object
) -> None:
    """Also where the part is back before what waits is tried again."""
    bench.store.away.add("a")
    for number in range(3):
        nursery.start_soon(bench.commit, "a", f"a{number}")
        await trio.sleep(5)
    bench.store.away.clear()
    nursery.start_soon(bench.commit, "a", "a3")
    await trio.sleep(0.001)
    await bench.commit("b", "b0")
    await bench.writer.flush()
    assert bench.store.written == ["b0", "a0", "a1", "a2", "a3"]


async def test_what_waits_goes_before_what_came_later(
    bench: Bench, nursery: trio.Nursery, autojump_clock: object
) -> None:
    bench.store.away.add("a")
    for number in range(5):
        nursery.start_soon(bench.commit, "a", f"a{number}")
        await trio.sleep(1)
    await bench.commit("b", "b0")
    bench.store.away.clear()
    nursery.start_soon(bench.commit, "a", "a5")
    await trio.sleep(6)
    assert bench.store.written == ["b0", "a0", "a1", "a2", "a3", "a4", "a5"]


async def test_a_place_in_the_order_waits_for_all_before_it(
    bench: Bench, nursery: trio.Nursery, autojump_clock: object
) -> None:
    bench.store.away.add("a")
    nursery.start_soon(bench.commit, "a", "a1")
    await trio.sleep(0.1)
    nursery.start_soon(bench.flush)
    await trio.sleep(10)
    assert bench.told == []
    bench.store.away.clear()
    await trio.sleep(6)
    assert sorted(bench.told) == ["a1", "flushed"]


async def test_a_reading_sees_what_waited_before_it(
    bench: Bench, nursery: trio.Nursery, autojump_clock: object
) -> None:
    bench.store.away.add("a")
    read: list[Record | None] = []

    async def look() -> None:
        read.append(await bench.writer.read(Table.DEVICE, "a"))

    nursery.start_soon(bench.commit, "a", "a1")
    await trio.sleep(0.1)
    nursery.start_soon(look)
    await trio.sleep(10)
    assert read == []
    bench.store.away.clear()
    await trio.sleep(6)
    assert read == [None]


async def test_a_reading_of_another_part_waits_for_nobody(
    bench: Bench, nursery: trio.Nursery, autojump_clock: object
) -> None:
    bench.store.away.add("a")
    nursery.start_soon(bench.commit, "a", "a1")
    await trio.sleep(0.1)
    began = trio.current_time()
    assert await bench.writer.read(Table.DEVICE, "b") is None
    await bench.flush("b")
    assert trio.current_time() - began < 0.01
    nursery.start_soon(bench.flush)  # behind all of them
    with trio.move_on_after(10) as limit:
        await bench.writer.scan(Table.DEVICE)
    assert limit.cancelled_caught, "a table that lies in both is not read before that"
    assert bench.told == ["flushed"]
    assert await bench.writer.read(Table.DEVICE, "b") is None, "nor does what waits hold it up"


async def test_what_comes_in_one_go_with_a_part_that_falls_silent_waits_for_that_part_alone(
    bench: Bench, nursery: trio.Nursery, autojump_clock: object
) -> None:
    bench.store.away.add("a")
    bench.writer.offer([line("a", "a1")])
    nursery.start_soon(bench.flush, "a")
    nursery.start_soon(bench.flush, "b")
    await trio.sleep(10)
    assert bench.told == ["flushed"]
    bench.store.away.clear()
    await trio.sleep(6)
    assert bench.told == ["flushed", "flushed"]
    assert bench.store.written == ["a1"]


async def test_who_only_reads_does_not_make_a_store_well_that_cannot_be_written(
    bench: Bench, nursery: trio.Nursery, autojump_clock: object
) -> None:
    bench.store.away = EVERYTHING
    nursery.start_soon(bench.commit, "a", "a1")
    await trio.sleep(10)
    since = bench.writer.stopped_since
    assert since is not None
    for _ in range(20):
        await bench.writer.read(Table.DEVICE, "b")
        assert bench.writer.stopped_since == since
        await trio.sleep(0.1)


async def test_what_another_process_took_over_fails_alone(
    bench: Bench, nursery: trio.Nursery, autojump_clock: object
) -> None:
    bench.store.taken.add("a")
    async with trio.open_nursery() as callers:
        for entry in ("a1", "b1", "a2"):
            callers.start_soon(bench.commit, entry[0], entry)
    assert sorted(bench.told) == ["a1 taken", "a2 taken", "b1"]
    assert bench.writer.statistics().refused == 2
    assert bench.writer.healthy


async def test_a_part_that_stays_away_is_told_of_though_others_are_written(
    bench: Bench, nursery: trio.Nursery, autojump_clock: object
) -> None:
    bench.store.away.add("a")
    nursery.start_soon(bench.commit, "a", "a1")
    for number in range(60):
        await bench.commit("b", f"b{number}")
        await trio.sleep(0.2)
    assert not bench.writer.healthy
    assert bench.writer.problem == "a is away"
    assert bench.writer.stopped_since is None
    bench.store.away.clear()
    await trio.sleep(6)
    assert bench.writer.healthy
    assert bench.health[-1] is None


async def test_a_store_of_which_nothing_can_be_written_has_stopped(
    bench: Bench, nursery: trio.Nursery, autojump_clock: object
) -> None:
    bench.store.away |= EVERYTHING
    nursery.start_soon(bench.commit, "a", "a1")
    await trio.sleep(20)
    assert bench.writer.stopped_since is not None
    assert 4 <= bench.store.calls <= 20  # the waits grow
    bench.store.away.clear()
    await trio.sleep(6)
    assert bench.writer.stopped_since is None


async def test_at_the_end_what_waits_is_written_if_that_can_be_done(
    autojump_clock: object,
) -> None:
    store = Parts()
    await store.open()
    bench = Bench(store)
    store.away.add("a")
    async with trio.open_nursery() as nursery:
        await nursery.start(bench.writer.run)
        bench.writer.offer([line("a", "a1")])
        await trio.sleep(2)
        bench.writer.offer([line("b", "b1")])
        await trio.sleep(0.1)
        nursery.cancel_scope.cancel()
        store.away.clear()
    assert store.written == ["b1", "a1"]


async def test_what_never_can_be_written_does_not_hold_up_the_end(autojump_clock: object) -> None:
    store = Parts()
    await store.open()
    bench = Bench(store)
    store.away.add("a")
    async with trio.open_nursery() as nursery:
        await nursery.start(bench.writer.run)
        bench.writer.offer([line("a", "a1")])
        await trio.sleep(2)
        began = trio.current_time()
        nursery.cancel_scope.cancel()
    assert trio.current_time() - began == pytest.approx(8.0)
