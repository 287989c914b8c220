"""What of the store can be seen without opening it for the service.

Nothing is created, a running service's store is not taken from it, and what `serve` would refuse
is never called right.
"""

import os
import sqlite3
import time
from pathlib import Path

import trio

from api.cli.doctor.engine import engine
from api.cli.doctor.finding import Diagnosis, ok, problem, unknown, warning
from api.settings.model import ApiSettings
from store.engine.open import is_shared
from store.errors import StoreCorrupt, StoreError, StoreRefused, StoreUnavailable
from store.open import store_from_url
from store.sqlite import SqliteStore
from store.sqlite_connection import closing_connection, reading_uri
from store.sqlite_files import check_place
from store.sqlite_files import examine as examine_file

FREE_BYTES = 500_000_000
CHECK_S = 12.0
"""For reading the whole file: a gigabyte on a small board."""
_STEPS = 10_000
"""Of SQLite's machine between two looks at the clock, about a millisecond."""
_TABLES = ("record", "entry")


async def store(settings: ApiSettings) -> list[Diagnosis]:
    """Whether the store can be opened and written, and keeps what it was given."""
    url = settings.store.url.get_secret_value()
    if is_shared(url):
        mine = settings.cluster
        return await engine(url, need=mine.need, unsafe=mine.unsafe or None)
    try:
        found = store_from_url(url)
    except StoreError as error:
        return [problem("store", str(error), "correct store.url")]
    await found.close()
    if isinstance(found, SqliteStore):
        return [await trio.to_thread.run_sync(_sqlite, found.path, abandon_on_cancel=True)]
    return [
        warning("store", "memory: nothing survives a restart", "set store.url to sqlite:///...")
    ]


def _sqlite(path: Path) -> Diagnosis:
    try:
        return _seen(path)
    except StoreError as error:
        return problem("store", str(error), _remedy(error, "check the file and its folder"))
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or error
        return problem("store", f"{path} cannot be looked at: {told}", "correct store.url")


def _seen(path: Path) -> Diagnosis:
    folder = path.absolute().parent
    if not folder.is_dir():
        return problem("store", f"the folder {folder} does not exist", "create it")
    check_place(path)
    if not os.access(folder, os.W_OK):
        return problem("store", f"the folder {folder} cannot be written", "give it to our user")
    if path.exists():
        for file in (path, *(Path(f"{path}{end}") for end in ("-wal", "-shm", ".lock"))):
            if file.exists() and not os.access(file, os.R_OK | os.W_OK):
                return problem("store", f"{file} cannot be written", "give it to our user")
        examine_file(path)
        whole = _whole(path)
        if isinstance(whole, Diagnosis):
            return whole
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < FREE_BYTES:
        free = disk.f_bavail * disk.f_frsize // 1_000_000
        return warning("store", f"only {free} MB are free at {folder}", "make room")
    if not path.exists():
        return ok("store", f"{path} will be created; its folder can be written")
    return ok("store", f"{path} is whole, can be read and written, and keeps every commit")


def _whole(path: Path) -> Diagnosis | None:
    """A finding where the pages of the file do not fit together; None where they do."""
    deadline = time.monotonic() + CHECK_S
    with closing_connection(reading_uri(path), 2.0) as database:
        database.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        try:
            if not database.execute("PRAGMA application_id").fetchone()[0]:
                return None  # empty: `serve` makes the tables
            for table in _TABLES:
                database.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()  # noqa: S608 ours
            verdict = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
                return unknown(
                    "store",
                    f"{path} is too large to be read whole in {CHECK_S:g} s; it can be used",
                )
            verdict = str(error)
    if verdict == "ok":
        return None
    return problem("store", f"{path} is damaged: {verdict}", _RESTORE)


_RESTORE = "stop the service and restore a backup: `lamplighter restore FILE` (docs/operations.md)"


def _remedy(error: StoreError, otherwise: str) -> str:
    if isinstance(error, StoreCorrupt):
        return _RESTORE
    if isinstance(error, StoreRefused) and "newer" in str(error):
        return "run the newer version of Lamplighter, or restore a backup of before the update"
    if isinstance(error, StoreRefused):
        return "correct store.url"
    if isinstance(error, StoreUnavailable):
        return otherwise
    return otherwise
