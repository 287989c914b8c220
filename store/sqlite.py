"""The store for a single box: one SQLite file, no server.

One process, one writer; a commit is answered after its fsync (write-ahead log, synchronous=FULL),
and only if the file is still at its path. A second connection reads, so that history queries never
wait for writers. Beside the file lie SQLite's own `-wal` and `-shm`, and `.lock`. All are made
readable by their owner only.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from store.errors import StoreClosed, StoreError
from store.port import ALL_STREAMS, Entry, Outcome, Record, Streams, Table, Write, outcome
from store.sqlite_connection import transaction, translated
from store.sqlite_files import Files
from store.sqlite_lock import exposed
from store.threaded import Worker

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

CHECK_EVERY_S = 2.0
"""A check reads some pages from the kernel's cache, half a millisecond; it writes nothing."""
SLOW_S = 120.0
"""For what a start may take (a log to read, a file to check), and for a commit on a disk that is
slow, not hung: it must not get the same commit again and again. The store writer reports it long
before; all other callers wait less."""

# Rows of one statement. Every statement is one hand-over of the interpreter lock between the worker
# thread and Trio's, so many rows a statement keep a commit short beside a busy event loop.
# 4 columns x 256 rows = 1 024 parameters; SQLite allows 32 766.
ROWS_PER_STATEMENT_MOST = 256


class SqliteStore:
    """A `Store` in one file, created when missing; its directory must exist.

    `busy_timeout_s` bounds the wait for a foreign program that locks the file (a backup).
    """

    def __init__(self, path: str | Path, *, busy_timeout_s: float = 5.0) -> None:
        self.path = Path(path)
        self._busy_timeout_s = busy_timeout_s
        self._writes = Worker("sqlite-writer")
        self._reads = Worker("sqlite-reader")
        self._files: Files | None = None
        self._exposed: tuple[str, ...] = ()

    @property
    def durability_warnings(self) -> Sequence[str]:
        """None: a commit is in the log and synced before it is answered."""
        return ()

    @property
    def exposure_warnings(self) -> Sequence[str]:
        """Files of the store that others on this machine may read; known after `open`."""
        return self._exposed

    @property
    def check_every_s(self) -> float | None:
        """Somebody may remove the file at any time."""
        return CHECK_EVERY_S

    async def open(self) -> None:
        """Lock, create or migrate the file; idempotent.

        Raises StoreTaken when another process holds the file; StoreRefused when a newer version or
        another program wrote it, or its directory is missing; StoreCorrupt when it is not a
        database, or the log beside it is of another copy.
        """
        await self._writes.run(self._open_files, answer_s=SLOW_S)

    async def check(self) -> None:
        """Raise unless the file is at its path, begins as a database does, and is still ours."""
        await self._writes.run(self._check)

    async def commit(self, writes: Sequence[Write]) -> None:
        """Make all writes durable in one transaction, or none of them."""
        result = outcome(writes)
        await self._write(_commit, result)

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
        return await self._read(_get, table, key)

    async def scan(self, table: Table) -> Sequence[Record]:
        """Every record of a table, by key, as of one moment."""
        return await self._reads.run(self._on_reader, _scan, table, answer_s=SLOW_S)

    async def entries(
        self, stream: str, *, since: float, until: float, most: int, newest_first: bool = True
    ) -> Sequence[Entry]:
        """At most `most` entries of a stream with since <= at < until (Unix seconds)."""
        return await self._read(_entries, stream, since, until, max(most, 0), newest_first)

    async def prune(
        self, *, tables: Sequence[Table], before: float, most: int, which: Streams = ALL_STREAMS
    ) -> int:
        """Delete up to `most` entries and records of these tables with at < before."""
        return await self._write(_prune, tuple(tables), before, max(most, 0), which)

    async def close(self) -> None:
        """Fold the log into the file and release both connections and the lock; idempotent."""
        async with AsyncExitStack() as last:  # the writer is closed also when a reader hangs
            last.push_async_callback(self._writes.close, self._close_files)
            await self._reads.close(lambda: None)

    def _open_files(self) -> None:
        if self._files is None:
            self._files = Files(self.path, self._busy_timeout_s)
            self._exposed = tuple(exposed(self._files.path))

    def _check(self) -> None:
        with translated(self.path):
            self._opened().check_content()

    def _close_files(self) -> None:
        files, self._files = self._files, None
        if files is not None:
            files.close()

    async def _write(self, call: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> T:
        return await self._writes.run(self._in_transaction, call, *args, answer_s=SLOW_S)

    async def _read(self, call: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> T:
        return await self._reads.run(self._on_reader, call, *args)

    def _in_transaction(self, call: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> T:
        files = self._opened()
        with translated(self.path):
            files.check_file()
            with transaction(files.writer) as writer:
                files.check_owner(writer)
                result = call(writer, *args)
            files.check_file()  # what went into a file that was removed meanwhile is not stored
            return result

    def _on_reader(self, call: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> T:
        files = self._opened()
        with translated(self.path), files.reading:
            return call(files.reader, *args)

    def _opened(self) -> Files:
        if self._files is None:
            raise StoreClosed(f"{self.path}: the store is not open")
        return self._files


# --- in the worker thread ------------------------------------------------------------------------


_PUT = """INSERT INTO record (tbl, key, at, value) VALUES {rows}
    ON CONFLICT (tbl, key) DO UPDATE SET at = excluded.at, value = excluded.value"""
# Through a WITH, because SQLite looks into bare VALUES for every row of the whole table.
_DELETE = """WITH gone (tbl, key) AS (VALUES {rows})
    DELETE FROM record WHERE (tbl, key) IN gone"""
_APPEND = """INSERT INTO entry (stream, entry, at, value) VALUES {rows}
    ON CONFLICT (stream, entry) DO NOTHING"""


def _commit(writer: sqlite3.Connection, result: Outcome) -> None:
    _execute_rows(writer, _PUT, [(put.table, put.key, put.at, put.value) for put in result.puts])
    _execute_rows(writer, _DELETE, [(delete.table, delete.key) for delete in result.deletes])
    _execute_rows(
        writer, _APPEND, [(add.stream, add.entry, add.at, add.value) for add in result.appends]
    )


def _execute_rows(
    writer: sqlite3.Connection, template: str, rows: Sequence[tuple[object, ...]]
) -> None:
    for chunk in _chunks(rows):
        row = f"({','.join('?' * len(chunk[0]))})"
        statement = template.format(rows=",".join([row] * len(chunk)))
        writer.execute(statement, [value for values in chunk for value in values])


def _chunks(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut into pieces whose lengths are powers of two: nine statements to prepare and cache."""
    start = 0
    while left := len(rows) - start:
        length = min(ROWS_PER_STATEMENT_MOST, 1 << (left.bit_length() - 1))
        yield rows[start : start + length]
        start += length


def _get(reader: sqlite3.Connection, table: Table, key: str) -> Record | None:
    row = reader.execute(
        "SELECT key, value, at FROM record WHERE tbl = ? AND key = ?", (table, key)
    ).fetchone()
    return None if row is None else Record(*row)


def _scan(reader: sqlite3.Connection, table: Table) -> list[Record]:
    rows = reader.execute("SELECT key, value, at FROM record WHERE tbl = ? ORDER BY key", (table,))
    return [Record(*row) for row in rows]


_OLDEST = """SELECT entry, at, value FROM entry
    WHERE stream = :stream AND at >= :since AND at < :until
    ORDER BY at, entry LIMIT :most"""
_NEWEST = _OLDEST.replace("at, entry LIMIT", "at DESC, entry DESC LIMIT")


def _entries(
    reader: sqlite3.Connection,
    stream: str,
    since: float,
    until: float,
    most: int,
    newest_first: bool,
) -> list[Entry]:
    rows = reader.execute(
        _NEWEST if newest_first else _OLDEST,
        {"stream": stream, "since": since, "until": until, "most": most},
    )
    return [Entry(*row) for row in rows]


_PRUNE_RECORDS = """DELETE FROM record WHERE tbl = :tbl AND key IN
    (SELECT key FROM record WHERE tbl = :tbl AND at < :before ORDER BY at LIMIT :most)"""
# By their index by time; those that are spared are passed over in it, some 0.1 us each.
_PRUNE_ENTRIES = """DELETE FROM entry WHERE (stream, entry) IN
    (SELECT stream, entry FROM entry WHERE at < :before
     AND stream NOT IN (SELECT value FROM json_each(:but)) ORDER BY at LIMIT :most)"""
_PRUNE_STREAM = """DELETE FROM entry WHERE (stream, entry) IN
    (SELECT stream, entry FROM entry WHERE stream = :stream AND at < :before
     ORDER BY at LIMIT :most)"""


def _prune(
    writer: sqlite3.Connection, tables: Sequence[Table], before: float, most: int, which: Streams
) -> int:
    gone = 0
    for table in tables:
        bounds = {"tbl": table, "before": before, "most": most - gone}
        gone += writer.execute(_PRUNE_RECORDS, bounds).rowcount
    for stream in filter(which.has, which.only):
        bounds = {"stream": stream, "before": before, "most": most - gone}
        gone += writer.execute(_PRUNE_STREAM, bounds).rowcount
    if which.only:
        return gone
    but = json.dumps(which.but)
    bounds = {"before": before, "most": most - gone, "but": but}
    return gone + writer.execute(_PRUNE_ENTRIES, bounds).rowcount
