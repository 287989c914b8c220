"""What only the store in memory offers: crashes and faults on demand, in virtual time."""

from collections.abc import Sequence

import pytest
import trio
import trio.testing

from store.errors import StoreRefused, StoreUnavailable
from store.memory import MemoryDisk, MemoryStore
from store.port import Append, Put, Record, Table, Write

A = Put(Table.DEVICE, "a", b"value", 1.0)
B = Put(Table.DEVICE, "b", b"value", 1.0)


async def fail(writes: Sequence[Write]) -> None:
    raise StoreUnavailable("injected")


async def test_a_failure_before_a_commit_leaves_nothing() -> None:
    store = MemoryStore(before_commit=fail)
    await store.open()
    with pytest.raises(StoreUnavailable, match="injected"):
        await store.commit([A, B])
    assert list(await store.scan(Table.DEVICE)) == []

    store.before_commit = None
    await store.commit([A, B])
    assert len(await store.scan(Table.DEVICE)) == 2


async def test_a_lost_answer_leaves_everything_and_may_be_repeated() -> None:
    store = MemoryStore(after_commit=fail)
    await store.open()
    writes: list[Write] = [A, Append("s", "e", 1.0, b"once")]
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="injected"):
            await store.commit(writes)
    assert await store.get(Table.DEVICE, "a") == Record("a", b"value", 1.0)
    assert len(await store.entries("s", since=0, until=9, most=9)) == 1


async def test_the_hook_sees_the_writes_and_may_take_virtual_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    seen: list[Sequence[Write]] = []

    async def slow(writes: Sequence[Write]) -> None:
        seen.append(writes)
        await trio.sleep(3_600)

    store = MemoryStore(before_commit=slow)
    await store.open()
    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.commit, [A])
        await trio.testing.wait_all_tasks_blocked()
        assert await store.get(Table.DEVICE, "a") is None  # readers do not wait
        nursery.start_soon(store.commit, [B])
    assert trio.current_time() - begun == 7_200  # one commit at a time
    assert seen == [[A], [B]]


async def test_a_commit_cancelled_in_the_hook_leaves_nothing_and_the_next_one_goes_on() -> None:
    async def hang(writes: Sequence[Write]) -> None:
        await trio.sleep_forever()

    store = MemoryStore(before_commit=hang)
    await store.open()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.commit, [A])
        nursery.start_soon(store.commit, [B])
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert list(await store.scan(Table.DEVICE)) == []

    store.before_commit = None
    await store.commit([A])
    assert len(await store.scan(Table.DEVICE)) == 1


async def test_a_crash_keeps_the_disk_and_stops_the_crashed() -> None:
    disk = MemoryDisk()
    crashed = MemoryStore(disk)
    await crashed.open()
    await crashed.commit([A])

    reborn = MemoryStore(disk)
    await reborn.open()
    with pytest.raises(StoreRefused):
        await crashed.commit([B])
    assert list(await reborn.scan(Table.DEVICE)) == [Record("a", b"value", 1.0)]


async def test_a_crash_while_a_commit_waits_loses_that_commit_whole() -> None:
    release = trio.Event()

    async def wait(writes: Sequence[Write]) -> None:
        await release.wait()

    disk = MemoryDisk()
    crashed = MemoryStore(disk, before_commit=wait)
    await crashed.open()
    reborn = MemoryStore(disk)

    async def doomed() -> None:
        with pytest.raises(StoreRefused):
            await crashed.commit([A, B])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(doomed)
        await trio.testing.wait_all_tasks_blocked()
        await reborn.open()
        release.set()
    assert list(await reborn.scan(Table.DEVICE)) == []


def test_it_says_that_it_is_not_durable() -> None:
    assert MemoryStore().durability_warnings
