"""The one interface that durable storage must satisfy, whatever the database behind it.

When `commit` returns, all of its writes survive a crash, and a commit is all or nothing. Values are
opaque bytes; only the actors that write them know what they mean.
"""

import math
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from store.errors import StoreError

# The largest record known is a command with its timeline, some 4 KiB. This is a thousand times
# that, and far below what SQLite (1 GB) and Redis (512 MB) would take.
VALUE_BYTES_MOST = 4 * 1024 * 1024
# A DevEUI has 16 characters and a ULID 26; an Idempotency-Key of a caller may be long.
KEY_BYTES_MOST = 1024


class Table(StrEnum):
    """Keyed records; the newest value under a key wins."""

    DEVICE = "device"
    COMMAND = "command"
    IDEMPOTENCY = "idempotency"
    ALERT = "alert"
    ROLLOUT = "rollout"
    PLAN = "plan"
    PICTURE = "picture"
    META = "meta"


class Put(msgspec.Struct, frozen=True, gc=False):
    """Insert or replace one keyed record; `at` (Unix seconds) decides when retention drops it.

    Raises ValueError for an `at` that is not finite, and for a key or value beyond its bound.
    """

    table: Table
    key: str
    value: bytes
    at: float

    def __post_init__(self) -> None:
        _check(self.key, self.at, self.value)


class Delete(msgspec.Struct, frozen=True, gc=False):
    """Remove one keyed record; removing what is not there is no error."""

    table: Table
    key: str

    def __post_init__(self) -> None:
        _check(self.key)


class Append(msgspec.Struct, frozen=True, gc=False):
    """Add one entry to a stream: a device's history under its DevEUI, or a fleet-wide stream.

    `entry` is the writer's own identifier: appending the same (stream, entry) again changes
    nothing, so a commit may be repeated after an ambiguous failure.
    Raises ValueError for an `at` that is not finite, and for a name or value beyond its bound.
    """

    stream: str
    entry: str
    at: float
    value: bytes

    def __post_init__(self) -> None:
        _check(self.stream)
        _check(self.entry, self.at, self.value)


Write = Put | Delete | Append


class Record(msgspec.Struct, frozen=True, gc=False):
    """One keyed record as read back."""

    key: str
    value: bytes
    at: float


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One stream entry as read back."""

    entry: str
    at: float
    value: bytes


class Streams(msgspec.Struct, frozen=True):
    """Streams by name: those of `only`, if any are named, and none of `but`."""

    only: tuple[str, ...] = ()
    but: tuple[str, ...] = ()

    def has(self, stream: str) -> bool:
        """Whether this is one of them."""
        return (not self.only or stream in self.only) and stream not in self.but


ALL_STREAMS = Streams()


class Store(Protocol):
    """Durable records and streams. Every method raises only `store.errors.StoreError`s.

    One process owns a store at a time. Cancelling a call leaves at once and undoes nothing: what is
    on its way may still be carried out, though never after a later call of the same store.
    """

    @property
    def exposure_warnings(self) -> Sequence[str]:
        """Files of the store that others on this machine may read, in words; known after `open`."""
        ...

    @property
    def check_every_s(self) -> float | None:
        """How often `check` is to be called; None where nobody else can change the store."""
        ...

    @property
    def durability_warnings(self) -> Sequence[str]:
        """Why a commit may not survive a crash here, in words for the operator; known after `open`.

        Empty when the promise of `commit` holds.
        """
        ...

    async def open(self) -> None:
        """Connect or create, and migrate; idempotent. A closed store stays closed."""
        ...

    async def check(self) -> None:
        """Find out whether this is still the store that was opened, and still ours.

        Raises what a `commit` now would raise: StoreUnavailable for what may pass (removed,
        unmounted, read-only), StoreTaken, StoreRewound, StoreCorrupt.
        """
        ...

    async def commit(self, writes: Sequence[Write]) -> None:
        """Make all writes durable in one transaction, in order, or none of them.

        A commit that is carried out late, after its own repetition and a newer one, changes
        nothing: each commit is conditioned on the one before it.
        """
        ...

    def handed_in(self, writes: Sequence[Write]) -> Sequence[Write]:
        """The same request, marked with who may carry it out: whoever owns the store (the part of
        it) at this moment. To be called when it is made, where it may wait before `commit_each`."""
        ...

    def part_of(self, handed_in: Sequence[Write]) -> str:
        """Where these writes lie, by a name: what lies elsewhere may be written though this part is
        away. Empty where the store has no parts, or nothing of these is written."""
        ...

    def parts_of(self, table: Table, key: str | None = None) -> Collection[str]:
        """Where a record may lie, or without `key` all of a table; by the names of `part_of`."""
        ...

    async def commit_each(self, requests: Sequence[Sequence[Write]]) -> Sequence[StoreError | None]:
        """Like `commit` for each request, with few transactions for all of them.

        One outcome for each: None where it is durable. Requests are carried out in order, each one
        whole or not at all. Raises what `commit` raises where all of them failed of one cause;
        whoever repeats them passes the very same requests, before any newer ones.
        """
        ...

    async def get(self, table: Table, key: str) -> Record | None:
        """One record, or None."""
        ...

    async def scan(self, table: Table) -> Sequence[Record]:
        """Every record of a table, by key.

        Records committed while the scan runs may show either value, or be missing.
        """
        ...

    async def entries(
        self, stream: str, *, since: float, until: float, most: int, newest_first: bool = True
    ) -> Sequence[Entry]:
        """At most `most` entries of a stream with since <= at < until (Unix seconds).

        Ordered by (at, entry); with `newest_first` the newest `most` are taken, newest first.
        """
        ...

    async def prune(
        self, *, tables: Sequence[Table], before: float, most: int, which: Streams = ALL_STREAMS
    ) -> int:
        """Delete stream entries, and records of these tables, with at < before (Unix seconds).

        At most `most` go in one call, so that no commit waits long for it; fewer than `most` gone
        means that nothing is left to drop. Returns how many went.
        """
        ...

    async def close(self) -> None:
        """Wait for what is on its way, then release everything; idempotent, shields itself."""
        ...


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What a commit leaves behind: the last write per key and the first append per entry.

    Nobody sees the inside of a transaction, so an adapter may carry out this instead of the
    writes one by one. No key occurs twice.
    """

    puts: Sequence[Put]
    deletes: Sequence[Delete]
    appends: Sequence[Append]


def outcome(writes: Sequence[Write]) -> Outcome:
    """Reduce an ordered commit to its outcome."""
    records: dict[tuple[Table, str], Put | Delete] = {}
    appends: dict[tuple[str, str], Append] = {}
    for write in writes:
        if isinstance(write, Append):
            appends.setdefault((write.stream, write.entry), write)
        else:
            records[write.table, write.key] = write
    return Outcome(
        puts=[write for write in records.values() if isinstance(write, Put)],
        deletes=[write for write in records.values() if isinstance(write, Delete)],
        appends=list(appends.values()),
    )


def _check(name: str, at: float = 0.0, value: bytes = b"") -> None:
    """Refuse a write that some database would reject when it is made, not when it is committed.

    In the store writer's batch it would make all writes beside it fail, again and again.
    """
    if len(name.encode()) > KEY_BYTES_MOST:  # also stops lone surrogates: UnicodeEncodeError
        raise ValueError(f"a key has at most {KEY_BYTES_MOST} bytes of UTF-8: {name[:40]!r}…")
    if not math.isfinite(at):
        raise ValueError(f"`at` of {name!r} is not a finite number: {at!r}")
    if len(value) > VALUE_BYTES_MOST:
        raise ValueError(
            f"the value of {name!r} has {len(value)} bytes, {VALUE_BYTES_MOST} at most"
        )
