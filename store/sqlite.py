"""The store for a single box: one SQLite file, no server.

The rule it keeps: one process, one writer, and a commit is answered after its fsync (write-ahead
log, synchronous=FULL). A second connection reads, so that history queries never wait for writers.
Beside the file stand SQLite's own `-wal` and `-shm`, and `.lock`, which the owning process locks.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from store.errors import (
    StoreClosed,
    StoreCorrupt,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from store.port import Entry, Outcome, Record, Table, Write, outcome
from store.threaded import Worker

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# Marks the file as ours ("LAMP"): a wrong path must not add tables to a stranger's file.
APPLICATION_ID = 0x4C414D50

# Step n brings a file from user_version n to n + 1. Steps are only ever added.
#
# record: clustered by (tbl, key), so that a scan reads pages in order; `at` finds the old ones.
# entry: its identity is (stream, entry), because a repeated webhook arrives with the same entry
# but may carry a later `at`. History is read by (stream, at); a WITHOUT ROWID index ends in the
# primary key, so entry_by_stream is (stream, at, entry), the order of the contract. `at` alone
# only ever grows at its right edge, which is cheap, and finds what to prune.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE record (
            tbl TEXT NOT NULL, key TEXT NOT NULL, at REAL NOT NULL, value BLOB NOT NULL,
            PRIMARY KEY (tbl, key)) WITHOUT ROWID""",
        "CREATE INDEX record_by_at ON record (tbl, at)",
        """CREATE TABLE entry (
            stream TEXT NOT NULL, entry TEXT NOT NULL, at REAL NOT NULL, value BLOB NOT NULL,
            PRIMARY KEY (stream, entry)) WITHOUT ROWID""",
        "CREATE INDEX entry_by_stream ON entry (stream, at)",
        "CREATE INDEX entry_by_at ON entry (at)",
    ),
)

# Rows of one statement. Every statement is one hand-over of the interpreter lock between the worker
# thread and Trio's, so many rows a statement keep a commit short beside a busy event loop.
# 4 columns x 256 rows = 1 024 parameters; SQLite allows 32 766.
ROWS_PER_STATEMENT_MAX = 256

# The log is cut back to this after a checkpoint: 1 000 pages of 4 KiB are the usual checkpoint, the
# rest is room for one large commit.
WAL_BYTES_KEPT = 32 * 1024 * 1024


class SqliteStore:
    """A `Store` in one file, created when missing; its directory must exist.

    `busy_timeout_s` bounds the wait for a foreign program that locks the file (a backup).
    """

    def __init__(self, path: str | Path, *, busy_timeout_s: float = 5.0) -> None:
        self._path = Path(path)
        self._busy_timeout_s = busy_timeout_s
        self._writes = Worker("sqlite-writer")
        self._reads = Worker("sqlite-reader")
        self._files: _Files | None = None

    @property
    def durability_warnings(self) -> Sequence[str]:
        """None: a commit is in the log and synced before it is answered."""
        return ()

    async def open(self) -> None:
        """Lock, create or migrate the file; idempotent.

        Raises StoreRefused when another process holds the file, a newer version or another program
        wrote it, or its directory is missing; StoreCorrupt when it is not a database.
        """
        await self._writes.run(self._open_files)

    async def commit(self, writes: Sequence[Write]) -> None:
        """Make all writes durable in one transaction, or none of them."""
        result = outcome(writes)
        await self._write(_commit, result)

    async def get(self, table: Table, key: str) -> Record | None:
        """One record, or None."""
        return await self._read(_get, table, key)

    async def scan(self, table: Table) -> Sequence[Record]:
        """Every record of a table, by key, as of one moment."""
        return await self._read(_scan, table)

    async def entries(
        self, stream: str, *, since: float, until: float, most: int, newest_first: bool = True
    ) -> Sequence[Entry]:
        """At most `most` entries of a stream with since <= at < until (Unix seconds)."""
        return await self._read(_entries, stream, since, until, max(most, 0), newest_first)

    async def prune(self, *, tables: Sequence[Table], before: float, most: int) -> int:
        """Delete up to `most` entries and records of these tables with at < before."""
        return await self._write(_prune, tuple(tables), before, max(most, 0))

    async def close(self) -> None:
        """Fold the log into the file and release both connections and the lock; idempotent."""
        async with AsyncExitStack() as last:  # the writer's turn comes also when a reader hangs
            last.push_async_callback(self._writes.close, self._close_files)
            await self._reads.close(lambda: None)

    def _open_files(self) -> None:
        if self._files is None:
            self._files = _Files(self._path, self._busy_timeout_s)

    def _close_files(self) -> None:
        files, self._files = self._files, None
        if files is not None:
            files.close()

    async def _write(self, call: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> T:
        return await self._writes.run(self._in_transaction, call, *args)

    async def _read(self, call: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> T:
        return await self._reads.run(self._on_reader, call, *args)

    def _in_transaction(self, call: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> T:
        with _translated(self._path), _transaction(self._opened().writer) as writer:
            return call(writer, *args)

    def _on_reader(self, call: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> T:
        with _translated(self._path):
            return call(self._opened().reader, *args)

    def _opened(self) -> "_Files":
        if self._files is None:
            raise StoreClosed(f"{self._path}: the store is not open")
        return self._files


# --- in the worker thread ------------------------------------------------------------------------


class _Files:
    """The lock and both connections; made whole or not at all."""

    def __init__(self, path: Path, busy_timeout_s: float) -> None:
        if not path.parent.is_dir():  # a missing mount must not turn into an empty store
            raise StoreRefused(f"{path}: the directory {path.parent} does not exist")
        self._lock = _lock(path)
        self._connections: list[sqlite3.Connection] = []
        try:
            with _translated(path):
                self.writer = self._connect(path, busy_timeout_s)
                _migrate(self.writer, path)
                self.reader = self._connect(path, busy_timeout_s)
                self.reader.execute("PRAGMA query_only = ON")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        # The writer goes last: the last connection to leave folds the log into the file. Should
        # that fail, the log stays and the next opening reads it; nothing is lost.
        while self._connections:
            with suppress(sqlite3.Error):
                self._connections.pop().close()
        os.close(self._lock)

    def _connect(self, path: Path, busy_timeout_s: float) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path,
            timeout=busy_timeout_s,
            isolation_level=None,  # transactions are begun and ended here, not guessed
            check_same_thread=False,  # one thread at a time, though not always the same one
        )
        self._connections.append(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_KEPT}")
        return connection


def _lock(path: Path) -> int:
    """Hold `<file>.lock` for as long as the descriptor returned is open.

    The kernel releases it with the process, however it ends. A file of its own, because closing
    any descriptor of the database would drop SQLite's own locks on it. It is never removed: who
    waits for a removed file waits for nobody.
    """
    lock = path.resolve().with_name(f"{path.resolve().name}.lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreRefused(f"{lock}: cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise StoreRefused(
            f"{path}: in use by another process (pid {holder or 'unknown'}); one at a time"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    return descriptor


def _migrate(writer: sqlite3.Connection, path: Path) -> None:
    """Bring the file to the newest schema, one transaction a step."""
    application, version, tables = (
        writer.execute(query).fetchone()[0]
        for query in (
            "PRAGMA application_id",
            "PRAGMA user_version",
            "SELECT count(*) FROM sqlite_schema",
        )
    )
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreRefused(f"{path}: a database of another program")
    if version > len(MIGRATIONS):
        raise StoreRefused(
            f"{path}: schema {version} was written by a newer version; "
            f"this one knows schemas up to {len(MIGRATIONS)}"
        )
    for number, step in enumerate(MIGRATIONS[version:], start=version + 1):
        with _transaction(writer):
            for statement in step:
                writer.execute(statement)
            writer.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            writer.execute(f"PRAGMA user_version = {number}")


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
        length = min(ROWS_PER_STATEMENT_MAX, 1 << (left.bit_length() - 1))
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
_PRUNE_ENTRIES = """DELETE FROM entry WHERE (stream, entry) IN
    (SELECT stream, entry FROM entry WHERE at < :before ORDER BY at LIMIT :most)"""


def _prune(writer: sqlite3.Connection, tables: Sequence[Table], before: float, most: int) -> int:
    gone = 0
    for table in tables:
        bounds = {"tbl": table, "before": before, "most": most - gone}
        gone += writer.execute(_PRUNE_RECORDS, bounds).rowcount
    bounds = {"before": before, "most": most - gone}
    return gone + writer.execute(_PRUNE_ENTRIES, bounds).rowcount


@contextmanager
def _transaction(writer: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    writer.execute("BEGIN IMMEDIATE")
    try:
        yield writer
        writer.execute("COMMIT")
    except BaseException:
        if writer.in_transaction:  # some failures (disk full) have already rolled back
            writer.execute("ROLLBACK")
        raise


_TRANSIENT = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,  # a file system remounted after an error, say; an operator may mend it
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_INTERRUPT,
}
_DAMAGED = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_ERROR,  # a table or column that our own schema promises is missing
}


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn SQLite's exceptions into ours, once."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        text = f"{path}: {error} ({name})"
        primary = None if code is None else code & 0xFF  # the rest tells extended codes apart
        if primary in _TRANSIENT:
            raise StoreUnavailable(text) from error
        if primary in _DAMAGED:
            raise StoreCorrupt(text) from error
        raise StoreError(text) from error
