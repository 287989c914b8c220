"""The open SQLite file: its lock, its two connections and its owner.

It is opened completely or not at all, and nothing is written into a file that is not known to be
ours. Everything here blocks and belongs in worker threads.
"""

import os
import sqlite3
import stat
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from store.errors import StoreCorrupt, StoreRefused, StoreTaken, StoreUnavailable
from store.holder import decode_holder, encode_holder, this_process
from store.sqlite_connection import closing_connection, reading_uri, transaction, translated
from store.sqlite_lock import Identity, Lock
from store.sqlite_schema import check_kind, migrate

# The log is cut back to this after a checkpoint: 1 000 pages of 4 KiB are the usual checkpoint, the
# rest is room for one large commit.
WAL_BYTES_KEPT = 32 * 1024 * 1024
COMPANIONS = ("-wal", "-shm")
TOKENS_MOST = 50
"""After so many openings in a row that were killed half-way the oldest is forgotten."""
READING_S = 5.0
"""How long the replacement of a removed log waits for a read to end."""

_OWNER = "SELECT value FROM about WHERE key = 'owner'"


class Files:
    """The lock and both connections. `reading` is held by whoever uses the reader."""

    writer: sqlite3.Connection
    reader: sqlite3.Connection

    def __init__(self, path: Path, busy_timeout_s: float) -> None:
        check_place(path)
        self.path = path.resolve()
        self.reading = threading.Lock()
        self._busy_timeout_s = busy_timeout_s
        self._me = this_process()
        self._companions: dict[str, Identity] = {}
        self._connections: list[sqlite3.Connection] = []
        self._lock = Lock(path)
        try:
            with translated(path):
                check_log(self.path, self._lock.tokens())
                self._connect()
        except BaseException:
            self._disconnect()
            self._discard_empty()
            self._lock.release()
            raise

    def close(self) -> None:
        """Fold the log into the file and release all."""
        self._disconnect()
        self._lock.release()

    def check_file(self) -> None:
        """Raise unless the file is at its path; write the log anew where it was removed."""
        self._lock.check_path()
        if self._companions != self._companions_now():
            self._rewrite_log()

    def check_content(self) -> None:
        """The same, and whether the content on disk (read past our own cache) is still ours."""
        self._lock.check_content()
        self.check_file()
        with closing_connection(f"{self.path.as_uri()}?mode=ro", 1.0) as fresh:
            self.check_owner(fresh)

    def check_owner(self, connection: sqlite3.Connection) -> None:
        """Raise StoreTaken when somebody else has opened this file since we did."""
        row = connection.execute(_OWNER).fetchone()
        holder = None if row is None else decode_holder(row[0])
        if holder is None or holder.token != self._me.token:
            who = "by something else" if holder is None else f"by {holder.description}"
            raise StoreTaken(
                f"{self.path}: the file was taken over, or its content replaced, {who}"
            )

    def _connect(self) -> None:
        # Killed from here on, the file may hold either token.
        self._lock.write_tokens(self._me.token, *self._lock.tokens()[:TOKENS_MOST])
        self.writer = self._connection()
        migrate(self.writer, self.path)
        with transaction(self.writer):
            self.writer.execute(
                "INSERT INTO about VALUES ('owner', ?) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (encode_holder(self._me),),
            )
        # From now on the owner is in the file itself, where also the reader of a copy sees it.
        self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._lock.write_tokens(self._me.token)
        self.reader = self._connection()
        self.reader.execute("PRAGMA query_only = ON")
        self.reader.execute(_OWNER).fetchone()
        self._companions = self._companions_now()

    def _connection(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=self._busy_timeout_s,
            isolation_level=None,  # transactions are begun and ended here, not guessed
            check_same_thread=False,  # one thread at a time, though not always the same one
        )
        self._connections.append(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_KEPT}")
        return connection

    def _disconnect(self) -> None:
        # The writer goes last: the last connection to leave folds the log into the file. Should
        # that fail, the log stays and the next opening reads it; nothing is lost.
        while self._connections:
            with suppress(sqlite3.Error):
                self._connections.pop().close()

    def _companions_now(self) -> dict[str, Identity]:
        found = {}
        for end in COMPANIONS:
            with suppress(OSError):
                companion = os.stat(f"{self.path}{end}")
                found[end] = (companion.st_dev, companion.st_ino)
        return found

    def _rewrite_log(self) -> None:
        """Our log was removed or replaced: only our open connections still have its content."""
        if not self.reading.acquire(timeout=READING_S):
            raise StoreUnavailable(f"{self.path}: its log was removed, and a read does not end")
        try:
            busy, _, _ = self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise StoreUnavailable(f"{self.path}: its log was removed; another program reads")
            self._disconnect()
            for end in COMPANIONS:  # all is in the file: a log found now is not of it
                with suppress(FileNotFoundError):
                    os.unlink(f"{self.path}{end}")
            self._connect()
        finally:
            self.reading.release()

    def _discard_empty(self) -> None:
        if self._lock.created and self.path.exists() and not self.path.stat().st_size:
            self.path.unlink()


def check_place(path: Path) -> None:
    """Raise StoreRefused for a missing folder and for links that lead in a circle, StoreUnavailable
    for a path that is a folder, a device or a pipe. Changes nothing, opens nothing."""
    if not path.parent.is_dir():  # a missing mount must not turn into an empty store
        raise StoreRefused(f"{path}: the directory {path.parent} does not exist")
    try:
        kind = path.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreRefused(f"{path}: cannot be looked at: {error.strerror}") from error
    if not stat.S_ISREG(kind):
        raise StoreUnavailable(f"{path}: unable to open: it is no file that can be a database")


def check_log(path: Path, tokens: Sequence[str]) -> None:
    """Raise StoreCorrupt when the log beside a file is not known to be of it. Changes nothing.

    SQLite itself would apply a log of another copy page by page, and ruin the file. `tokens` are of
    whoever held the lock when the log was written; empty where that is not known.
    """
    log = Path(f"{path}-wal")
    if not log.exists() or not log.stat().st_size:
        return
    with closing_connection(f"{path.as_uri()}?mode=ro&immutable=1", 1.0) as alone:
        holder = None
        with suppress(sqlite3.OperationalError):  # of before `about`, or the log holds all of it
            row = alone.execute(_OWNER).fetchone()
            holder = None if row is None else decode_holder(row[0])
            if tokens and (holder is None or holder.token not in tokens):
                raise StoreCorrupt(
                    f"{path}: the log {log.name} beside it is of another copy; "
                    "move the log away, or restore the copy with `lamplighter restore`"
                )
    # As the file will be with its log; a connection that cannot write leaves both alone.
    with closing_connection(f"{path.as_uri()}?mode=ro", 1.0) as both:
        verdict = both.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise StoreCorrupt(f"{path}: damaged, or beside a log of another copy: {verdict}")


def examine(path: Path) -> None:
    """Raise what `open` would refuse an existing file for; changes nothing, asks no owner."""
    with translated(path):
        resolved = path.resolve()
        tokens: list[str] = []
        with suppress(OSError):
            tokens = resolved.with_name(f"{resolved.name}.lock").read_text("ascii").split()[1:]
        check_log(resolved, tokens)
        with closing_connection(reading_uri(resolved), 2.0) as found:
            application, version = (
                found.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("application_id", "user_version")
            )
            tables = found.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
            check_kind(path, application, version, tables)
