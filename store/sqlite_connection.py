"""Connections to a SQLite file, their transactions, and their errors as ours."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from store.errors import StoreCorrupt, StoreError, StoreUnavailable


def reading_uri(path: Path) -> str:
    """How to read a file without leaving anything beside it: SQLite makes a log even to read,
    unless it is told that nobody changes the file, which is true of one without a log."""
    log = Path(f"{path}-wal")
    with suppress(OSError):
        if log.stat().st_size:
            return f"{path.absolute().as_uri()}?mode=ro"
    return f"{path.absolute().as_uri()}?mode=ro&immutable=1"


@contextmanager
def closing_connection(uri: str, timeout_s: float) -> Iterator[sqlite3.Connection]:
    """A connection by URI, closed at the end."""
    connection = sqlite3.connect(uri, uri=True, timeout=timeout_s, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def transaction(writer: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One transaction, whole or not at all."""
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
def translated(path: Path) -> Iterator[None]:
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
    except OSError as error:
        raise StoreUnavailable(f"{path}: {error.strerror or error}") from error
