"""A store without a database, for tests and simulation; runs in virtual time.

It promises exactly what the real stores do. The disk outlives the store, so a simulated crash is a
new `MemoryStore` on the same `MemoryDisk`; it may come at any moment between two commits.
"""

from bisect import bisect_left, insort
from collections.abc import Awaitable, Callable, Collection, Sequence

import trio

from store.errors import StoreClosed, StoreError, StoreTaken
from store.port import ALL_STREAMS, Append, Delete, Entry, Put, Record, Streams, Table, Write

Hook = Callable[[Sequence[Write]], Awaitable[None]]


class MemoryDisk:
    """What survives a simulated crash: records, streams, and who may write."""

    def __init__(self) -> None:
        self._records: dict[Table, dict[str, Record]] = {table: {} for table in Table}
        self._streams: dict[str, _Stream] = {}
        self._owner: object = None

    def take(self, owner: object) -> None:
        """Make `owner` the only one who may use the disk from now on."""
        self._owner = owner

    def check(self, owner: object) -> None:
        """Raise StoreTaken unless `owner` was the last to take the disk."""
        if self._owner is not owner:
            raise StoreTaken("another store was opened on this disk")

    def apply(self, writes: Sequence[Write]) -> None:
        """Carry out all writes, in order."""
        for write in writes:
            match write:
                case Put(table, key, value, at):
                    self._records[table][key] = Record(key, bytes(value), float(at))
                case Delete(table, key):
                    self._records[table].pop(key, None)
                case Append(stream, entry, at, value):
                    self._streams.setdefault(stream, _Stream()).append(
                        Entry(entry, float(at), bytes(value))
                    )

    def record(self, table: Table, key: str) -> Record | None:
        """One record, or None."""
        return self._records[table].get(key)

    def records(self, table: Table) -> list[Record]:
        """Every record of a table, by key."""
        return [record for _, record in sorted(self._records[table].items())]

    def entries(self, stream: str, since: float, until: float) -> list[Entry]:
        """The entries of a stream with since <= at < until, oldest first."""
        found = self._streams.get(stream)
        return found.between(since, until) if found else []

    def streams(self) -> list[str]:
        """The names of the streams that hold entries."""
        return sorted(self._streams)

    def copy(self) -> "MemoryDisk":
        """The same records and streams, which nobody has taken."""
        copied = MemoryDisk()
        copied._records = {table: dict(records) for table, records in self._records.items()}
        copied._streams = {name: stream.copy() for name, stream in self._streams.items()}
        return copied

    def prune(
        self, tables: Sequence[Table], before: float, most: int, which: Streams = ALL_STREAMS
    ) -> int:
        """Drop up to `most` old records and entries; returns how many went."""
        gone = 0
        for table in tables:
            records = self._records[table]
            old = [record.key for record in records.values() if record.at < before]
            for key in old[: most - gone]:
                del records[key]
                gone += 1
        for name, stream in list(self._streams.items()):
            if not which.has(name):
                continue
            gone += stream.drop(before, most - gone)
            if not stream:
                del self._streams[name]
        return gone


class MemoryStore:
    """A `Store` on a `MemoryDisk`.

    `before_commit` is awaited with the writes before any of them is carried out, `after_commit`
    after all of them: to wait there is a slow disk, to raise there is a failed commit or one
    whose answer was lost.
    """

    def __init__(
        self,
        disk: MemoryDisk | None = None,
        *,
        before_commit: Hook | None = None,
        after_commit: Hook | None = None,
    ) -> None:
        self.disk = disk or MemoryDisk()
        self.before_commit = before_commit
        self.after_commit = after_commit
        self.check_every_s: float | None = None  # a test may want to be asked
        self._commits = trio.Lock()  # in order and one at a time, as a database's writer is
        self._open = False
        self._closed = False

    @property
    def durability_warnings(self) -> Sequence[str]:
        """Why a commit may not survive a crash here: always, and why."""
        return ("memory: nothing survives the end of the process",)

    @property
    def exposure_warnings(self) -> Sequence[str]:
        """None: there are no files here."""
        return ()

    async def open(self) -> None:
        """Take the disk; an earlier store on it is refused from now on. Idempotent."""
        await trio.lowlevel.checkpoint()
        if self._closed:
            raise StoreClosed("memory: the store is closed")
        if not self._open:
            self._open = True
            self.disk.take(self)

    async def check(self) -> None:
        """Raise StoreTaken when another store was opened on the disk."""
        await self._read()

    async def commit(self, writes: Sequence[Write]) -> None:
        """Carry out all writes at one instant, or none of them."""
        async with self._commits:
            self._check()
            if self.before_commit is not None:
                await self.before_commit(writes)
            self._check()
            self.disk.apply(writes)
            if self.after_commit is not None:
                await self.after_commit(writes)

    def handed_in(self, writes: Sequence[Write]) -> Sequence[Write]:
        """As it is: there is one owner, for ever."""
        return writes

    def part_of(self, handed_in: Sequence[Write]) -> str:
        """There is one."""
        return ""

    def parts_of(self, table: Table, key: str | None = None) -> Collection[str]:
        """There is one."""
        return ("",)

    async def commit_each(self, requests: Sequence[Sequence[Write]]) -> Sequence[StoreError | None]:
        """One transaction for all of them: all are durable, or an error is raised."""
        await self.commit([write for request in requests for write in request])
        return [None] * len(requests)

    async def get(self, table: Table, key: str) -> Record | None:
        """One record, or None."""
        await self._read()
        return self.disk.record(table, key)

    async def scan(self, table: Table) -> Sequence[Record]:
        """Every record of a table, by key."""
        await self._read()
        return self.disk.records(table)

    async def entries(
        self, stream: str, *, since: float, until: float, most: int, newest_first: bool = True
    ) -> Sequence[Entry]:
        """At most `most` entries of a stream with since <= at < until (Unix seconds)."""
        await self._read()
        found = self.disk.entries(stream, since, until)
        if newest_first:
            found.reverse()
        return found[: max(most, 0)]

    async def prune(
        self, *, tables: Sequence[Table], before: float, most: int, which: Streams = ALL_STREAMS
    ) -> int:
        """Delete up to `most` entries and records of these tables with at < before."""
        async with self._commits:
            self._check()
            return self.disk.prune(tables, before, max(most, 0), which)

    async def close(self) -> None:
        """Refuse everything from now on; idempotent."""
        self._closed = True
        await trio.lowlevel.cancel_shielded_checkpoint()

    async def _read(self) -> None:
        self._check()
        await trio.lowlevel.checkpoint()

    def _check(self) -> None:
        if self._closed or not self._open:
            raise StoreClosed("memory: the store is not open")
        self.disk.check(self)


class _Stream:
    """One stream: its entries by name, and their order by (at, entry)."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._order: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._order)

    def append(self, entry: Entry) -> None:
        if entry.entry not in self._entries:
            self._entries[entry.entry] = entry
            insort(self._order, (entry.at, entry.entry))

    def copy(self) -> "_Stream":
        copied = _Stream()
        copied._entries, copied._order = dict(self._entries), list(self._order)
        return copied

    def between(self, since: float, until: float) -> list[Entry]:
        first, end = bisect_left(self._order, (since, "")), bisect_left(self._order, (until, ""))
        return [self._entries[name] for _, name in self._order[first:end]]

    def drop(self, before: float, most: int) -> int:
        old = self._order[: min(bisect_left(self._order, (before, "")), most)]
        for _, name in old:
            del self._entries[name]
        del self._order[: len(old)]
        return len(old)
