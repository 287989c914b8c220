"""Reads what versions up to 0.1 left in Redis for one process: layouts 1 and 2.

It is only read, to be moved into the layout that many processes share; then the old layout's number
is replaced by a word, so that no older version starts on what is out of date. The keys, all with
one hash tag:

    {prefix}:schema           the layout
    {prefix}:holder           which process opened it last (JSON); deleted by an orderly end
    {prefix}:commits          raised by every transaction (layout 2)
    {prefix}:device           hash key -> at and value, one such hash per table
    {prefix}:stream:NAME      hash entry -> at and value
    {prefix}:streams          zset of the names of streams
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from store.copies import READ_S, BackupResult, finish_copy, new_file
from store.engine.redis.errors import error_of
from store.engine.redis.target import Kind, Target
from store.errors import StoreRefused, StoreTaken
from store.port import Table
from store.redis_values import unpack
from store.sqlite_connection import closing_connection, transaction
from store.sqlite_connection import translated as sqlite_translated
from store.sqlite_schema import migrate

LAYOUTS = (b"1", b"2")
MOVED = b"moved"
PATIENCE_S = 7.0
"""A holder that makes no commit in so long is dead: each made one every 2 s."""
STREAMS_AT_ONCE = 50
ANSWER_S = 10.0

Row = tuple[str, str, float, bytes]


class OlderStore:
    """The store of one process under a prefix. All methods block. They raise StoreErrors."""

    def __init__(self, target: Target) -> None:
        self._tag = "{" + target.prefix + "}"
        self._name = f"redis: the store under {target.prefix!r}"
        self._client = _client(target)

    def close(self) -> None:
        """Release the connection."""
        self._client.close()

    def is_there(self) -> bool:
        """Whether there is one that was not moved yet."""
        with translated():
            found = self._client.get(self._key("schema"))
        if found == b"restoring":
            raise StoreRefused(f"{self._name} is half of a restore: run that again first")
        return found in LAYOUTS

    def check_idle(self, patience_s: float = PATIENCE_S) -> None:
        """Raise StoreTaken while a process uses it; one that may be dead is watched first."""
        with translated():
            before = self._client.mget(self._key("holder"), self._key("commits"))
            if before[0] is None:
                return
            time.sleep(patience_s)
            after = self._client.mget(self._key("holder"), self._key("commits"))
        if after != before:
            raise StoreTaken(f"{self._name} is in use: stop the service first")

    def backup(self, path: Path, now: float) -> BackupResult:
        """Copy all of it into the new file `path`: all records of one instant, then the history."""
        with new_file(path) as part:
            with translated(), self._client.pipeline(transaction=True) as pipe:
                for table in Table:
                    pipe.hgetall(self._key(table))
                pipe.zrange(self._key("streams"), 0, -1)
                *tables, streams = pipe.execute()
            with sqlite_translated(part), closing_connection(str(part), READ_S) as copy:
                migrate(copy, part)
                for table, records in zip(Table, tables, strict=True):
                    _insert(copy, "record", _rows(table, records))
                for start in range(0, len(streams), STREAMS_AT_ONCE):
                    some = streams[start : start + STREAMS_AT_ONCE]
                    _insert(copy, "entry", self._history(some))
            return finish_copy(part, path, now)

    def set_moved(self) -> None:
        """Keep it, but so that no older version starts on it."""
        with translated():
            self._client.set(self._key("schema"), MOVED)

    def _history(self, streams: Sequence[bytes]) -> Iterator[Row]:
        with translated(), self._client.pipeline(transaction=False) as pipe:
            for name in streams:
                pipe.hgetall(self._key(f"stream:{name.decode()}"))
            found = pipe.execute()
        for name, entries in zip(streams, found, strict=True):
            yield from _rows(name.decode(), entries)

    def _key(self, name: str) -> str:
        return f"{self._tag}:{name}"


@contextmanager
def older_store(target: Target) -> Iterator[OlderStore | None]:
    """The older store that `target` names; None where there is none (any more)."""
    if target.kind is not Kind.SERVER:  # no older version knew anything else
        yield None
        return
    with closing(OlderStore(target)) as found:
        yield found if found.is_there() else None


@contextmanager
def translated() -> Iterator[None]:
    """Turn redis-py's exceptions into ours."""
    try:
        yield
    except redis.RedisError as error:
        raise error_of(error) from error


def _client(target: Target) -> Any:
    common: dict[str, Any] = {
        "db": target.database,
        "username": target.username,
        "password": target.password,
        "protocol": 2,
        "socket_timeout": ANSWER_S,
        "socket_connect_timeout": ANSWER_S,
        "retry": Retry(NoBackoff(), 0),
    }
    if target.socket_path:
        return redis.Redis(unix_socket_path=target.socket_path, **common)
    common["host"], common["port"] = target.addresses[0]
    return redis.Redis(ssl=target.tls, **common, **dict[str, Any](target.tls_files))


def _rows(first: str, packed: dict[bytes, bytes]) -> Iterator[Row]:
    for key, value in packed.items():
        yield (str(first), key.decode(), *unpack(value))


def _insert(copy: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    with transaction(copy):
        copy.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", rows)  # noqa: S608 ours
