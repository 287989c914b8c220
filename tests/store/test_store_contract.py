"""What every store promises, held against each of them; retention has a file of its own."""

import math
import random
from collections.abc import Callable, Sequence

import pytest
import trio
import trio.testing

from store.errors import StoreClosed
from store.memory import MemoryStore
from store.port import Delete, Entry, Record, Store, Table, Write
from tests.store.samples import ALWAYS, NOW, add, names, put
from tests.store.split_store import SplitStore

MakeStore = Callable[[], Store]


async def everything(store: Store, streams: Sequence[str]) -> object:
    return (
        [list(await store.scan(table)) for table in Table],
        [list(await store.entries(name, **ALWAYS, most=10_000)) for name in streams],
    )


# --- records -------------------------------------------------------------------------------------


async def test_a_record_is_read_back_as_written(store: Store) -> None:
    await store.commit([put("a", b"\x00\xff bytes", NOW)])

    assert await store.get(Table.DEVICE, "a") == Record("a", b"\x00\xff bytes", NOW)
    assert await store.get(Table.DEVICE, "b") is None
    assert await store.get(Table.COMMAND, "a") is None


async def test_a_later_put_replaces(store: Store) -> None:
    await store.commit([put("a", b"one", 5.0)])
    await store.commit([put("a", b"two", 4.0)])

    assert list(await store.scan(Table.DEVICE)) == [Record("a", b"two", 4.0)]


async def test_delete_removes_and_tolerates_absence(store: Store) -> None:
    await store.commit([put("a"), put("b")])
    await store.commit([Delete(Table.DEVICE, "a"), Delete(Table.DEVICE, "never")])

    assert [record.key for record in await store.scan(Table.DEVICE)] == ["b"]


async def test_writes_of_one_commit_happen_in_order(store: Store) -> None:
    await store.commit(
        [
            put("a", b"1"),
            Delete(Table.DEVICE, "a"),
            put("a", b"2"),
            put("b", b"1"),
            Delete(Table.DEVICE, "b"),
            put("a", b"3"),
        ]
    )

    assert [(r.key, r.value) for r in await store.scan(Table.DEVICE)] == [("a", b"3")]


async def test_tables_do_not_mix(store: Store) -> None:
    await store.commit([put("k", table.encode(), table=table) for table in Table])
    await store.commit([Delete(Table.ALERT, "k")])

    for table in Table:
        expected = [] if table is Table.ALERT else [table.encode()]
        assert [record.value for record in await store.scan(table)] == expected


async def test_scan_is_ordered_by_key_in_code_points(store: Store) -> None:
    keys = ["z", "a", "A", "é", "", "日本", "😀", "�", "aa", "a b", "{a}", "a\x00b", "Straße"]
    await store.commit([put(key) for key in keys])

    assert [record.key for record in await store.scan(Table.DEVICE)] == sorted(keys)
    for key in keys:
        assert await store.get(Table.DEVICE, key) == Record(key, b"v", NOW)


async def test_values_may_be_empty_or_large(store: Store) -> None:
    large = random.Random(1).randbytes(1_000_000)
    await store.commit([put("large", large), put("empty", b""), add("large", NOW, value=large)])

    assert await store.get(Table.DEVICE, "large") == Record("large", large, NOW)
    assert await store.get(Table.DEVICE, "empty") == Record("empty", b"", NOW)
    assert list(await store.entries("s", **ALWAYS, most=1)) == [Entry("large", NOW, large)]


async def test_a_thousand_writes_in_one_commit(store: Store) -> None:
    writes: list[Write] = []
    for number in range(500):
        writes += [put(f"{number:04}", b"x" * number), add(f"{number:04}", float(number))]
    await store.commit(writes)
    await store.commit([Delete(Table.DEVICE, f"{number:04}") for number in range(1, 500)])

    assert [record.key for record in await store.scan(Table.DEVICE)] == ["0000"]
    assert await names(store) == [f"{number:04}" for number in range(500)]


async def test_an_empty_commit_is_fine(store: Store) -> None:
    await store.commit([])

    assert list(await store.scan(Table.DEVICE)) == []


# --- streams -------------------------------------------------------------------------------------


async def test_appending_again_changes_nothing(store: Store) -> None:
    await store.commit([add("e", 1.0, value=b"first"), add("e", 1.0, value=b"first")])
    await store.commit([add("e", 1.0, value=b"first")])
    await store.commit([add("e", 2.0, value=b"later, as a repeated webhook would be")])

    assert list(await store.entries("s", **ALWAYS, most=9)) == [Entry("e", 1.0, b"first")]


async def test_the_same_entry_in_two_streams_is_two(store: Store) -> None:
    await store.commit([add("e", 1.0, "one"), add("e", 2.0, "two")])

    assert [e.at for e in await store.entries("one", **ALWAYS, most=9)] == [1.0]
    assert [e.at for e in await store.entries("two", **ALWAYS, most=9)] == [2.0]
    assert list(await store.entries("three", **ALWAYS, most=9)) == []


async def test_entries_are_ordered_by_time_then_name(store: Store) -> None:
    await store.commit([add("b", 2.0), add("é", 2.0), add("a", 2.0), add("z", 1.0), add("y", 3.5)])

    newest = await store.entries("s", **ALWAYS, most=9)
    oldest = await store.entries("s", **ALWAYS, most=9, newest_first=False)
    assert [entry.entry for entry in oldest] == ["z", "a", "b", "é", "y"]
    assert list(reversed(newest)) == list(oldest)


@pytest.mark.parametrize(
    ("since", "until", "most", "newest_first", "expected"),
    [
        (2.0, 5.0, 9, True, "432"),  # since is included, until is not
        (2.0, 5.0, 9, False, "234"),
        (2.0, 5.0, 2, True, "43"),  # `most` keeps the end it starts from
        (2.0, 5.0, 2, False, "23"),
        (-math.inf, math.inf, 3, True, "987"),
        (-math.inf, math.inf, 3, False, "012"),
        (4.5, 4.75, 9, True, ""),
        (5.0, 5.0, 9, True, ""),
        (6.0, 2.0, 9, True, ""),
        (0.0, 9.0, 0, True, ""),
        (0.0, 9.0, -1, False, ""),
    ],
)
async def test_ranges_of_entries(
    store: Store, since: float, until: float, most: int, newest_first: bool, expected: str
) -> None:
    await store.commit([add(str(number), float(number)) for number in range(10)])

    found = await store.entries("s", since=since, until=until, most=most, newest_first=newest_first)
    assert "".join(entry.entry for entry in found) == expected


# --- life ----------------------------------------------------------------------------------------


async def test_reopening_sees_everything(make_store: MakeStore) -> None:
    first = make_store()
    await first.open()
    await first.commit([put("é", b"\x00", NOW), add("e", NOW, "日本", b"\xff")])
    await first.close()

    second = make_store()
    await second.open()
    assert list(await second.scan(Table.DEVICE)) == [Record("é", b"\x00", NOW)]
    assert list(await second.entries("日本", **ALWAYS, most=1)) == [Entry("e", NOW, b"\xff")]
    await second.close()


async def test_open_and_close_are_idempotent(make_store: MakeStore) -> None:
    store = make_store()
    await store.open()
    await store.open()
    await store.commit([put("a")])
    await store.close()
    await store.close()


async def test_closing_what_was_never_opened(make_store: MakeStore) -> None:
    await make_store().close()


async def use_each_way(store: Store) -> None:
    with pytest.raises(StoreClosed):
        await store.commit([put("a")])
    with pytest.raises(StoreClosed):
        await store.get(Table.DEVICE, "a")
    with pytest.raises(StoreClosed):
        await store.scan(Table.DEVICE)
    with pytest.raises(StoreClosed):
        await store.entries("s", **ALWAYS, most=1)
    with pytest.raises(StoreClosed):
        await store.prune(tables=[Table.DEVICE], before=1.0, most=1)


async def test_use_before_open_is_told(make_store: MakeStore) -> None:
    store = make_store()
    await use_each_way(store)
    await store.close()


async def test_use_after_close_is_told(make_store: MakeStore) -> None:
    store = make_store()
    await store.open()
    await store.close()
    await use_each_way(store)
    with pytest.raises(StoreClosed):
        await store.open()


async def test_close_happens_also_while_being_cancelled(make_store: MakeStore) -> None:
    store = make_store()
    await store.open()
    with trio.CancelScope() as scope:
        scope.cancel()
        await store.close()
    await use_each_way(store)


# --- together ------------------------------------------------------------------------------------


async def test_a_hundred_committers(store: Store) -> None:
    async def committer(number: int) -> None:
        for step in range(3):
            await store.commit(
                [put(f"{number}", f"{step}".encode()), add(f"{number}.{step}", step)]
            )
            found = await store.get(Table.DEVICE, f"{number}")
            assert found is not None
            assert found.value == f"{step}".encode()

    async with trio.open_nursery() as nursery:
        for number in range(100):
            nursery.start_soon(committer, number)

    assert {record.value for record in await store.scan(Table.DEVICE)} == {b"2"}
    assert len(await names(store)) == 300


async def test_commits_of_one_key_keep_the_order_they_were_asked_in(store: Store) -> None:
    async with trio.open_nursery() as nursery:
        for number in range(50):
            both: list[Write] = [put("k", f"{number}".encode()), put(f"{number}")]
            nursery.start_soon(store.commit, both)
            await trio.testing.wait_all_tasks_blocked()

    found = await store.get(Table.DEVICE, "k")
    assert found is not None
    assert found.value == b"49"


@pytest.mark.parametrize("waiting", [False, True], ids=["under way", "waiting for its turn"])
async def test_cancelled_commits_leave_the_store_usable(store: Store, waiting: bool) -> None:
    both: list[Write] = [put("a", b"x" * 100_000), put("b", b"x" * 100_000), add("e", NOW)]
    for _ in range(10):
        async with trio.open_nursery() as nursery:
            if waiting:
                nursery.start_soon(store.commit, [put("other", b"x" * 1_000_000)])
                await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(store.commit, both)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()

        await store.check()  # waits for its turn behind whatever is still on its way
        found = [await store.get(Table.DEVICE, key) for key in ("a", "b")]
        assert (found[0] is None) == (found[1] is None)
        assert (await names(store) == ["e"]) == (found[0] is not None)
        await store.commit([Delete(Table.DEVICE, "a"), Delete(Table.DEVICE, "b")])
        assert await store.prune(tables=[], before=math.inf, most=9) <= 1


@pytest.mark.parametrize("call", ["open", "get", "scan", "entries", "prune", "check"])
async def test_cancelled_calls_leave_the_store_usable(make_store: MakeStore, call: str) -> None:
    store = make_store()
    calls = {
        "open": store.open,
        "get": lambda: store.get(Table.DEVICE, "k"),
        "scan": lambda: store.scan(Table.DEVICE),
        "entries": lambda: store.entries("s", **ALWAYS, most=1),
        "prune": lambda: store.prune(tables=list(Table), before=0.0, most=1),
        "check": store.check,
    }
    if call != "open":
        await store.open()
    for blocked in (False, True):  # cancelled before it begins, and on its way
        async with trio.open_nursery() as nursery:
            nursery.start_soon(calls[call])
            if blocked:
                await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    await store.open()

    await store.commit([put("k"), add("e", NOW)])
    assert await store.get(Table.DEVICE, "k") == Record("k", b"v", NOW)
    assert await names(store) == ["e"]
    await store.close()


@pytest.mark.parametrize("seed", range(5))
async def test_any_history_of_writes_ends_as_in_the_model(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    model = MemoryStore()
    await model.open()
    keys, streams = ["a", "b", "é", "{x}"], ["s", "t", "device"]

    def any_write() -> Write:
        match chance.randrange(3):
            case 0:
                table = chance.choice(list(Table))
                return put(chance.choice(keys), chance.randbytes(9), chance.uniform(0, 9), table)
            case 1:
                return Delete(chance.choice(list(Table)), chance.choice(keys))
            case _:
                entry, at = f"{chance.randrange(40)}", chance.uniform(0, 9)
                return add(entry, at, chance.choice(streams), chance.randbytes(9))

    # Each of the 65 shards is asked for every table: a round takes half a second.
    for _ in range(6 if isinstance(store, SplitStore) else 30):
        writes = [any_write() for _ in range(chance.randrange(12))]
        before, tables = chance.uniform(0, 4), chance.sample(list(Table), 2)
        for each in (store, model):
            await each.commit(writes)
        gone = [await each.prune(tables=tables, before=before, most=500) for each in (store, model)]
        assert gone[0] == gone[1]
        assert await everything(store, streams) == await everything(model, streams)
