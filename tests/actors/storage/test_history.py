import trio

from actors.device.effects import Note, NoteKind
from actors.device.records import note_line
from actors.storage.history import ENTRIES_MOST, line, read
from store.memory import MemoryStore
from store.port import Append

NOW = 1_700_000_000.0


async def test_lines_are_read_back_newest_first_and_bounded(nursery: trio.Nursery) -> None:
    store = MemoryStore()
    await store.open()
    note = Note(NoteKind.PHASE, {"before": "idle", "after": "failed", "n": 3, "x": None})
    writes = [note_line("d1", f"boot-{n}", NOW + n, note) for n in range(ENTRIES_MOST + 5)]
    await store.commit([*writes, line("d2", "e", NOW, "ack", {"item": "i", "acknowledged": True})])
    lines = (await read(store, "d1", since=NOW, until=NOW + 3, most=10)).lines
    assert [one.entry for one in lines] == ["boot-2", "boot-1", "boot-0"]
    assert lines[0].kind == "phase"
    assert lines[0].detail == {"before": "idle", "after": "failed", "n": 3, "x": None}
    every = await read(store, "d1", since=0, until=NOW * 2, most=10**9)
    assert (len(every.lines), every.next_until) == (ENTRIES_MOST + 5, None)
    assert (await read(store, "d1", since=0, until=NOW * 2, most=-1)).lines == []
    (ack,) = (await read(store, "d2", since=0, until=NOW * 2, most=5)).lines
    assert ack.detail == {"item": "i", "acknowledged": True}


async def test_a_line_that_cannot_be_read_hides_no_other(nursery: trio.Nursery) -> None:
    store = MemoryStore()
    await store.open()
    await store.commit([Append("d1", "a", NOW, b"{]"), line("d1", "b", NOW + 1, "join", {})])
    lines = (await read(store, "d1", since=0, until=NOW * 2, most=5)).lines
    assert [one.kind for one in lines] == ["join", "unreadable"]


async def test_pages_part_no_lines_of_one_time_and_lose_none(nursery: trio.Nursery) -> None:
    store = MemoryStore()
    await store.open()
    await store.commit([line("d", f"e{n:02}", NOW + n // 3, "phase", {"n": n}) for n in range(30)])
    until: float | None = NOW * 2
    seen: list[int] = []
    sizes: list[int] = []
    while until is not None:
        page = await read(store, "d", since=0, until=until, most=4)
        until = page.next_until
        sizes.append(len(page.lines))
        seen += [one.detail["n"] for one in page.lines]
    assert seen == sorted(range(30), key=lambda n: (n // 3, n), reverse=True)
    assert sizes == [6, 6, 6, 6, 6]


async def test_lines_of_some_kinds_are_found_among_many_others(nursery: trio.Nursery) -> None:
    store = MemoryStore()
    await store.open()
    kinds = ["join" if n % 1_500 == 0 else "phase" for n in range(4_000)]
    await store.commit([line("d", f"e{n}", NOW + n, kind, {}) for n, kind in enumerate(kinds)])
    found = await read(store, "d", since=0, until=NOW * 2, most=2, kinds={"join"})
    assert [one.at - NOW for one in found.lines] == [3_000, 1_500]
    assert found.next_until == NOW + 1_500
    found = await read(store, "d", since=0, until=NOW + 1_500, most=2, kinds={"join"})
    assert ([one.at - NOW for one in found.lines], found.next_until) == ([0], None)
