import time
import tracemalloc

import pytest
import trio

from actors.board.board import Board
from actors.board.changes import Change
from actors.board.subscription import Subscription
from actors.clocks.clock import RunClock
from actors.device.model import Device

START = 1_700_000_000.0


def board_now(**more: float) -> Board:
    return Board(RunClock(START), "boot-1", **more)  # type: ignore[arg-type]


def light(number: int) -> Device:
    return Device(dev_eui=f"{number:016x}")


async def collect(subscription: Subscription, into: list[list[Change]]) -> None:
    async for batch in subscription:
        into.append(batch)  # noqa: PERF401 the test looks while it goes on


async def test_a_snapshot_is_consistent_with_its_number() -> None:
    board = board_now()
    for number in range(3):
        board.publish(light(number))
    subscription = board.subscribe()
    board.publish(light(3))
    snapshot = subscription.snapshot
    assert snapshot is not None
    assert (snapshot.number, snapshot.boot, len(snapshot.devices)) == (3, "boot-1", 3)
    batch = await anext(aiter(subscription))
    assert [change.number for change in batch] == [4]
    assert batch[0].what is board.devices[light(3).dev_eui]


async def test_changes_come_in_batches_without_gaps(
    autojump_clock: trio.testing.MockClock,
) -> None:
    board = board_now()
    batches: list[list[Change]] = []
    async with trio.open_nursery() as nursery:
        await nursery.start(board.run)
        subscription = board.subscribe()
        others = [board.subscribe() for _ in range(99)]
        nursery.start_soon(collect, subscription, batches)
        for number in range(400):
            board.publish(light(number % 7))
            await trio.sleep(0.002)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    numbers = [change.number for batch in batches for change in batch]
    assert numbers == list(range(1, 401))
    assert len(batches) <= 20  # 0.8 s at one wake-up each 50 ms, and the first at once
    assert subscription.delivered == 400
    assert len(others) == 99


async def test_the_first_change_after_quiet_comes_at_once_and_the_next_is_paced(
    autojump_clock: trio.testing.MockClock,
) -> None:
    board = board_now()
    arrivals: list[float] = []

    async def read() -> None:
        async for _batch in board.subscribe():
            arrivals.append(trio.current_time())  # noqa: PERF401

    async with trio.open_nursery() as nursery:
        await nursery.start(board.run)
        others = [board.subscribe() for _ in range(99)]
        nursery.start_soon(read)
        for pause_s in (10.0, 0.01, 0.01, 10.0):
            await trio.sleep(pause_s)
            board.publish(light(1))
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert arrivals == [pytest.approx(at) for at in (10.0, 10.05, 20.02)]
    assert len(others) == 99


async def test_a_single_reader_hears_of_every_change_within_a_millisecond(
    autojump_clock: trio.testing.MockClock,
) -> None:
    board = board_now()
    late_s: list[float] = []

    async def read() -> None:
        async for batch in board.subscribe():
            late_s.extend(trio.current_time() - change.at + START for change in batch)

    async with trio.open_nursery() as nursery:
        await nursery.start(board.run)
        nursery.start_soon(read)
        for _ in range(100):
            await trio.sleep(0.002)
            board.publish(light(1))
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert len(late_s) == 100
    assert max(late_s) < 0.001


async def test_readers_are_served_while_the_board_task_is_down() -> None:
    board = board_now()
    batches: list[list[Change]] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(collect, board.subscribe(), batches)
        await trio.testing.wait_all_tasks_blocked()
        board.publish(light(1))
        await trio.testing.wait_all_tasks_blocked()
        assert len(batches) == 1
        nursery.cancel_scope.cancel()


async def test_a_slow_reader_is_closed_with_a_reason_and_can_resume() -> None:
    board = board_now()
    slow, quick = board.subscribe(capacity=3), board.subscribe(capacity=100)
    for number in range(3):
        board.publish(light(number))
    assert slow.lag == 3
    board.publish(light(3))
    assert slow.closed_reason is not None
    assert "too slow" in slow.closed_reason
    assert await slow.wait_closed() == slow.closed_reason
    with pytest.raises(StopAsyncIteration):
        await anext(aiter(slow))
    assert len(await anext(aiter(quick))) == 4
    again = board.subscribe(resume_from=slow.cursor)
    assert again.snapshot is None
    assert [change.number for change in again.missed] == [1, 2, 3, 4]
    assert board.statistics().subscribers == 2
    assert board.statistics().dropped == 1


async def test_resuming_works_as_far_back_as_changes_are_kept() -> None:
    board = board_now(changes_kept=10)
    for number in range(25):
        board.publish(light(number))
    assert [change.number for change in board.subscribe(resume_from=15).missed] == list(
        range(16, 26)
    )
    assert board.subscribe(resume_from=25).missed == []
    for stale in (14, 0, 26, -1):
        subscription = board.subscribe(resume_from=stale)
        assert subscription.snapshot is not None
        assert subscription.snapshot.number == 25
        assert not subscription.missed


async def test_capacity_is_held_within_what_is_kept() -> None:
    board = board_now(changes_kept=10)
    assert board.subscribe(capacity=1_000).capacity == 10
    assert board.subscribe(capacity=0).capacity == 1


async def test_closing_ends_the_reader_wherever_it_waits() -> None:
    board = board_now()
    subscription = board.subscribe()
    batches: list[list[Change]] = []
    with trio.fail_after(1):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(collect, subscription, batches)
            await trio.testing.wait_all_tasks_blocked()
            board.close_all("the service goes down")
    assert subscription.closed_reason == "the service goes down"
    assert board.statistics().subscribers == 0
    subscription.close("again")
    assert subscription.closed_reason == "the service goes down"


async def test_leaving_unsubscribes() -> None:
    board = board_now()
    with board.subscribe():
        assert board.statistics().subscribers == 1
    assert board.statistics().subscribers == 0


async def test_a_cancelled_reader_loses_nothing(autojump_clock: trio.testing.MockClock) -> None:
    board = board_now()
    reader = aiter(board.subscribe())
    with trio.move_on_after(1):
        await anext(reader)
    board.publish(light(1))
    assert len(await anext(reader)) == 1


async def test_publishing_stays_cheap_with_a_large_fleet_and_many_readers() -> None:
    board = board_now()
    fleet = [light(number) for number in range(20_000)]
    for device in fleet:
        board.publish(device)
    subscriptions = [board.subscribe(capacity=10_000) for _ in range(100)]
    began = time.perf_counter()
    for device in fleet[:5_000]:
        board.publish(device)
    each_us = (time.perf_counter() - began) / 5_000 * 1e6
    assert each_us < 500  # about 10 us: 500 changes a second are half a percent of a core
    assert all(one.lag == 5_000 for one in subscriptions)


async def test_a_board_costs_pointers_not_copies() -> None:
    board = board_now()
    fleet = [light(number) for number in range(10_000)]
    tracemalloc.start()
    try:
        for device in fleet:
            board.publish(device)
        used, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used / len(fleet) < 250  # dictionary slot, ring slot and change
