"""Backup and restore: one file of one kind, whichever store it came from or goes to.

A copy is of one instant, complete, private (0600), checked before its name appears, and replaces no
existing file. A restore begins only when nobody holds the store, keeps what it replaces, and leaves
a mark, so that the service asks before it commands again what was wanted when the copy was made.
All functions block: none is for Trio's thread.

The file is a SQLite database of our own schema without a log: `VACUUM INTO`, which reads one
snapshot while the service goes on writing, and does not start over as `.backup` does at each write.
"""

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from store.errors import StoreCorrupt, StoreRefused
from store.mark import SetBackMark, mark_put
from store.sqlite_connection import closing_connection, transaction, translated
from store.sqlite_files import check_log
from store.sqlite_lock import Lock, hand_over
from store.sqlite_schema import MIGRATIONS, check_kind, migrate

COMPANIONS = ("-wal", "-shm", "-journal")
READ_S = 30.0
"""For the few moments in which a writer has the file for itself."""


class BackupResult(msgspec.Struct, frozen=True):
    """A copy that is there now. `at` (Unix seconds) is of when its content was the store's."""

    path: Path
    at: float
    records: int
    entries: int
    size_bytes: int


class RestoreResult(msgspec.Struct, frozen=True):
    """What was restored, and where what it replaced was kept (None: there was nothing)."""

    copied_at: float | None
    records: int
    entries: int
    kept: Path | None


def backup_sqlite(path: Path, target: Path, now: float) -> BackupResult:
    """Copy the store at `path` into the new file `target`, whoever uses the store meanwhile."""
    if not path.is_file():
        raise StoreRefused(f"{path}: there is no store here")
    with new_file(target) as part:
        with (
            translated(path),
            closing_connection(f"{path.resolve().as_uri()}?mode=ro", READ_S) as store,
        ):
            check_database(path, store)
            store.execute("VACUUM INTO ?", (str(part),))
        return finish_copy(part, target, now)


def restore_sqlite(source: Path, path: Path, now: float, *, marked: bool = True) -> RestoreResult:
    """Replace the store at `path` by a copy; what it replaces is kept beside it.

    With `marked` the service asks before it commands anything that was wanted when it was made.
    """
    if not path.parent.is_dir():
        raise StoreRefused(f"{path}: the directory {path.parent} does not exist")
    path = path.resolve()
    lock = Lock(path)
    try:
        with translated(source), private_part(path) as part:
            with closing_connection(source_uri(source), READ_S) as copy:
                check_copy(source, copy)
                copied_at = copy_time(copy)
                copy.execute("VACUUM INTO ?", (str(part),))
            with closing_connection(str(part), READ_S) as new:
                migrate(new, part)
                records, entries = counts(new)
                with transaction(new):
                    new.execute("DELETE FROM about WHERE key = 'owner'")
                    if marked:
                        put = mark_put(mark_of(copied_at, now))
                        new.execute(
                            "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)",
                            (put.table, put.key, put.at, put.value),
                        )
            _sync(part, like=path)
            kept = _set_aside(path, lock, now)
            part.rename(path)
            _sync(path.parent)
            lock.write_tokens()  # the file holds no token of anybody
        return RestoreResult(copied_at, records, entries, kept)
    except BaseException:
        if lock.created and not path.stat().st_size:
            path.unlink()
        raise
    finally:
        lock.release()


def source_uri(source: Path) -> str:
    """How a copy is read so that nothing appears beside it; with its log, where it has one."""
    log = source.with_name(f"{source.name}-wal")
    alone = not log.exists() or not log.stat().st_size
    return f"{source.resolve().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"


def finish_copy(part: Path, target: Path, now: float) -> BackupResult:
    """Date, check and sync a copy, and give it its name."""
    with translated(part), closing_connection(str(part), READ_S) as copy:
        migrate(copy, part)
        with transaction(copy):
            copy.execute("DELETE FROM about WHERE key = 'owner'")
            copy.execute("INSERT OR REPLACE INTO about VALUES ('copied_at', ?)", (repr(now),))
        check_copy(part, copy)
        records, entries = counts(copy)
    _sync(part)
    try:
        os.link(part, target)  # unlike a rename it replaces nothing
    except FileExistsError as error:
        raise StoreRefused(f"{target}: exists already; a backup replaces nothing") from error
    _sync(target.parent)
    return BackupResult(target, now, records, entries, target.stat().st_size)


def mark_of(copied_at: float | None, now: float) -> SetBackMark:
    """What a restore leaves in the store."""
    when = "of unknown age"
    if copied_at is not None:
        when = f"of {time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(copied_at))}"
    return SetBackMark(at=now, cause=f"was restored from a copy {when}", copied_at=copied_at)


def check_copy(path: Path, copy: sqlite3.Connection) -> None:
    """Raise StoreRefused for a foreign or newer file, StoreCorrupt for a damaged one."""
    check_database(path, copy)
    verdict = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if verdict != "ok":
        raise StoreCorrupt(f"{path}: damaged: {verdict}")


def check_database(path: Path, found: sqlite3.Connection) -> None:
    """Raise StoreRefused unless it is a database of ours, of a version that we know."""
    application, version = (
        found.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    check_kind(path, application, version, 1)
    if not 0 < version <= len(MIGRATIONS):
        raise StoreRefused(f"{path}: not a store")


def copy_time(copy: sqlite3.Connection) -> float | None:
    """When a copy was made; for one that we did not make, the time of its newest record."""
    with suppress(sqlite3.OperationalError, ValueError):
        row = copy.execute("SELECT value FROM about WHERE key = 'copied_at'").fetchone()
        if row is not None:
            return float(row[0])
    newest: float | None = copy.execute("SELECT max(at) FROM record").fetchone()[0]
    return newest


def counts(found: sqlite3.Connection) -> tuple[int, int]:
    """How many records and entries."""
    records, entries = (
        int(found.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 ours
        for table in ("record", "entry")
    )
    return records, entries


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """A private file beside `target`, which must not exist; removed at the end."""
    if target.exists() or target.is_symlink():
        raise StoreRefused(f"{target}: exists already; a backup replaces nothing")
    if not target.parent.is_dir():
        raise StoreRefused(f"{target}: the directory {target.parent} does not exist")
    with private_part(target) as part:
        yield part


@contextmanager
def private_part(target: Path) -> Iterator[Path]:
    """An empty file (0600) beside `target`, to be renamed to it; removed at the end, logs too."""
    try:
        descriptor, name = tempfile.mkstemp(".part", f"{target.name}.", target.parent)
    except OSError as error:
        raise StoreRefused(f"{target.parent}: cannot be written: {error.strerror}") from error
    os.fchmod(descriptor, 0o600)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        for end in ("", *COMPANIONS):
            with suppress(FileNotFoundError):
                os.unlink(f"{name}{end}")


def _set_aside(path: Path, lock: Lock, now: float) -> Path | None:
    """Keep the replaced store, if there is one, with its log, which must not stay beside the new
    file; nor may one whose store is gone."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    kept = _free(lambda n: path.with_name(f"{path.name}.before-{stamp}{f'-{n}' if n else ''}"))
    if not lock.created:
        with suppress(StoreCorrupt, sqlite3.Error):  # damaged: as it is, with its log
            check_log(path, lock.tokens())
            with closing_connection(str(path), READ_S) as old:
                old.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        os.link(path, kept)
    for end in COMPANIONS:
        with suppress(FileNotFoundError):
            os.rename(f"{path}{end}", f"{kept}{end}")
    return None if lock.created else kept


def _free(name: Callable[[int], Path]) -> Path:
    number = 0
    while name(number).exists():
        number += 1
    return name(number)


def _sync(path: Path, *, like: Path | None = None) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if like is not None:
            hand_over(descriptor, like)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
