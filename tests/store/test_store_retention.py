"""What every store promises about dropping what is old."""

import pytest

from store.port import Store, Streams, Table
from tests.store.samples import add, names, put


async def test_prune_drops_what_is_older(store: Store) -> None:
    await store.commit([put("old", at=1.0), put("edge", at=2.0), put("new", at=3.0)])
    await store.commit([put("old", at=1.0, table=Table.COMMAND)])
    await store.commit([add("old", 1.0), add("edge", 2.0), add("old", 1.5, "other")])

    assert await store.prune(tables=[Table.DEVICE], before=2.0, most=100) == 3

    assert [record.key for record in await store.scan(Table.DEVICE)] == ["edge", "new"]
    assert [record.key for record in await store.scan(Table.COMMAND)] == ["old"]
    assert await names(store) == ["edge"]
    assert await names(store, "other") == []
    assert await store.prune(tables=[Table.DEVICE], before=2.0, most=100) == 0


async def test_prune_goes_in_bounded_steps(store: Store) -> None:
    await store.commit([put(f"{number}", at=float(number)) for number in range(10)])
    await store.commit(
        [add(f"{n:03}", float(n), f"s{stream}") for n in range(150) for stream in range(3)]
    )

    gone = []
    while True:
        gone.append(await store.prune(tables=[Table.DEVICE, Table.ALERT], before=140.0, most=64))
        if gone[-1] < 64:
            break
    assert all(count == 64 for count in gone[:-1])
    assert sum(gone) == 10 + 3 * 140
    for stream in range(3):
        assert await names(store, f"s{stream}") == [f"{number:03}" for number in range(140, 150)]


async def test_prune_visits_every_stream(store: Store) -> None:
    streams = [f"s{number:03}" for number in range(250)]
    await store.commit([add("e", 1.0, stream) for stream in streams])
    await store.commit([add("f", 9.0, stream) for stream in streams])

    assert await store.prune(tables=[], before=5.0, most=1_000) == 250
    assert all([await names(store, stream) == ["f"] for stream in streams])


async def test_what_is_pruned_may_come_again(store: Store) -> None:
    await store.commit([add("e", 1.0), put("k", at=1.0)])
    assert await store.prune(tables=list(Table), before=2.0, most=9) == 2

    await store.commit([add("e", 3.0), put("k", at=3.0)])
    assert await store.prune(tables=list(Table), before=2.0, most=9) == 0
    assert await names(store) == ["e"]


@pytest.mark.parametrize("most", [0, -1])
async def test_prune_of_nothing(store: Store, most: int) -> None:
    await store.commit([add("e", 1.0), put("k", at=1.0)])

    assert await store.prune(tables=list(Table), before=2.0, most=most) == 0
    assert await names(store) == ["e"]


async def test_a_replaced_record_counts_by_its_newest_time(store: Store) -> None:
    await store.commit([put("k", at=1.0)])
    await store.commit([put("k", at=3.0)])

    assert await store.prune(tables=[Table.DEVICE], before=2.0, most=9) == 0


async def test_every_table_keeps_its_own_records(store: Store) -> None:
    await store.commit([put("k", table.value.encode(), at=1.0, table=table) for table in Table])

    for table in Table:
        (record,) = await store.scan(table)
        assert (record.key, record.value) == ("k", table.value.encode())
    assert await store.prune(tables=[t for t in Table if t is not Table.ROLLOUT], before=9, most=99)
    assert [len(await store.scan(table)) for table in Table] == [t is Table.ROLLOUT for t in Table]


async def test_a_stream_may_be_spared_and_dropped_by_itself(store: Store) -> None:
    await store.commit([put("old", at=1.0)])
    await store.commit([add("1", 1.0, "fleet:kept"), add("5", 5.0, "fleet:kept")])
    await store.commit([add(f"{n}", 1.0, f"s{n:03}") for n in range(120)])

    spared = Streams(but=("fleet:kept",))
    assert await store.prune(tables=[Table.DEVICE], before=9.0, most=999, which=spared) == 121
    assert await names(store, "fleet:kept") == ["1", "5"]

    alone = Streams(only=("fleet:kept",))
    await store.commit([add("1", 1.0, "s000")])
    assert await store.prune(tables=[], before=3.0, most=9, which=alone) == 1
    assert await names(store, "fleet:kept") == ["5"]
    assert await names(store, "s000") == ["1"]
