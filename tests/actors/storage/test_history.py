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
    lines = await read(store, "d1", since=NOW, until=NOW + 3, most=10)
    assert [one.entry for one in lines] == ["boot-2", "boot-1", "boot-0"]
    assert lines[0].kind == "phase"
    assert lines[0].detail == {"before": "idle", "after": "failed", "n": 3, "x": None}
    assert len(await read(store, "d1", since=0, until=NOW * 2, most=10**9)) == ENTRIES_MOST
    assert await read(store, "d1", since=0, until=NOW * 2, most=-1) == []
    (ack,) = await read(store, "d2", since=0, until=NOW * 2, most=5)
    assert ack.detail == {"item": "i", "acknowledged": True}


async def test_a_line_that_cannot_be_read_hides_no_other(nursery: trio.Nursery) -> None:
    store = MemoryStore()
    await store.open()
    await store.commit([Append("d1", "a", NOW, b"{]"), line("d1", "b", NOW + 1, "join", {})])
    lines = await read(store, "d1", since=0, until=NOW * 2, most=5)
    assert [one.kind for one in lines] == ["join", "unreadable"]
