"""Backup and restore of a prefix in Redis, from and to the same kind of file as SQLite's.

All records are read in one MULTI, hence of one instant. The server serves nobody else meanwhile:
20,000 lights are some 50 MB, 0.1 s. History is read after that, stream by stream: entries are only
ever added, and one too many contradicts no record.

A restore replaces the layout's number by a word until it is done, so that no service starts on half
of it; and it does nothing while the prefix has a living owner.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from store.copies import (
    READ_S,
    BackupResult,
    RestoreResult,
    check_copy,
    copy_time,
    counts,
    finish_copy,
    mark_of,
    new_file,
    source_uri,
)
from store.errors import StoreRefused, StoreTaken
from store.mark import mark_put
from store.port import Put, Table
from store.redis_guard import (
    RESTORING,
    SCHEMA,
    Guard,
    check_schema,
    holder_text,
    stage_put,
    translated,
)
from store.redis_keys import Keys, pack, unpack
from store.sqlite_connection import closing_connection, transaction
from store.sqlite_connection import translated as sqlite_translated
from store.sqlite_schema import migrate

STREAMS_AT_ONCE = 50
ROWS_AT_ONCE = 500
POLL_S = 0.5

Row = tuple[str, str, float, bytes]


def backup_redis(client: Any, prefix: str, target: Path, now: float) -> BackupResult:
    """Copy all that stands under the prefix into the new file `target`."""
    keys = Keys(prefix)
    with new_file(target) as part:
        with translated():
            found = client.get(keys.schema)
            check_schema(found)
            if found is None:
                raise StoreRefused(f"redis: there is no store under prefix {prefix!r}")
            with client.pipeline(transaction=True) as pipe:
                for table in Table:
                    pipe.hgetall(keys.table(table))
                pipe.zrange(keys.streams, 0, -1)
                *tables, streams = pipe.execute()
        with sqlite_translated(part), closing_connection(str(part), READ_S) as copy:
            migrate(copy, part)
            for table, records in zip(Table, tables, strict=True):
                _insert(copy, "record", _rows(table, records))
            for some in _chunks(streams):
                _insert(copy, "entry", _history(client, keys, some))
        return finish_copy(part, target, now)


def restore_redis(
    client: Any, prefix: str, source: Path, now: float, *, patience_s: float
) -> RestoreResult:
    """Put a copy in the place of all that stands under the prefix; that is kept in a file first."""
    keys = Keys(prefix)
    with (
        sqlite_translated(source),
        closing_connection(source_uri(source), READ_S) as copy,
    ):
        check_copy(source, copy)
        copied_at = copy_time(copy)
        guard = Guard(client, keys)
        kept = _taken(client, keys, guard, source, now, patience_s)
        _empty(client, keys, guard)
        _fill(copy, keys, guard)
        records, entries = counts(copy)

        def last(pipe: Any) -> None:
            pipe.multi()
            stage_put(pipe, keys, mark_put(mark_of(copied_at, now)))
            pipe.set(keys.schema, SCHEMA)

        guard.transaction(last)
        guard.release()
    return RestoreResult(copied_at, records, entries, kept)


def _taken(
    client: Any, keys: Keys, guard: Guard, source: Path, now: float, patience_s: float
) -> Path | None:
    """Take the prefix unless its owner is alive; back up what is there unless half restored."""
    kept = None
    with translated():
        schema = client.get(keys.schema)
        occupied = any(client.exists(keys.table(table)) for table in Table)
    if schema != RESTORING:
        check_schema(schema)
    state = guard.holder_state()
    began = time.monotonic()
    while state is not None and time.monotonic() - began < patience_s:
        time.sleep(min(POLL_S, patience_s))
        again = guard.holder_state()
        if again is not None and again != state:
            raise StoreTaken(
                f"redis: prefix {keys.prefix!r} is in use by {holder_text(again)}: "
                "stop the service first"
            )
        state = again
    if occupied and schema != RESTORING:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
        kept = source.with_name(f"{source.name}.before-{stamp}")
        backup_redis(client, keys.prefix, kept, now)
    if guard.take(state, schema=RESTORING) is not None:
        raise StoreTaken(f"redis: prefix {keys.prefix!r} is in use: stop the service first")
    return kept


def _empty(client: Any, keys: Keys, guard: Guard) -> None:
    ours = {keys.schema, keys.owner, keys.holder, keys.commits}
    with translated():
        found = list(client.scan_iter(f"{glob_free(keys.tag)}:*", count=1_000))
    gone = [name for name in found if name.decode() not in ours]
    for some in _chunks(gone):

        def prepare(pipe: Any, some: Sequence[bytes] = some) -> None:
            pipe.multi()
            pipe.unlink(*some)

        guard.transaction(prepare)


def glob_free(word: str) -> str:
    """A word for MATCH that matches only itself."""
    return "".join(f"\\{sign}" if sign in "*?[]^-\\" else sign for sign in word)


def _fill(copy: sqlite3.Connection, keys: Keys, guard: Guard) -> None:
    known = {table.value for table in Table}
    rows = copy.execute("SELECT tbl, key, at, value FROM record")
    while some := rows.fetchmany(ROWS_AT_ONCE):

        def records(pipe: Any, some: list[Row] = some) -> None:
            pipe.multi()
            for table, key, at, value in some:
                if table in known:
                    stage_put(pipe, keys, Put(Table(table), key, value, at))

        guard.transaction(records)
    rows = copy.execute("SELECT stream, entry, at, value FROM entry")
    while some := rows.fetchmany(ROWS_AT_ONCE):

        def entries(pipe: Any, some: list[Row] = some) -> None:
            pipe.multi()
            for stream, entry, at, value in some:
                pipe.hset(keys.stream(stream), entry, pack(at, value))
                pipe.zadd(keys.stream_at(stream), {entry: at})
                pipe.zadd(keys.streams, {stream: at}, lt=True)

        guard.transaction(entries)


def _history(client: Any, keys: Keys, streams: Sequence[bytes]) -> Iterator[Row]:
    with translated(), client.pipeline(transaction=False) as pipe:
        for name in streams:
            pipe.hgetall(keys.stream(name.decode()))
        found = pipe.execute()
    for name, entries in zip(streams, found, strict=True):
        yield from _rows(name.decode(), entries)


def _rows(first: str, packed: dict[bytes, bytes]) -> Iterator[Row]:
    for key, value in packed.items():
        yield (str(first), key.decode(), *unpack(value))


def _insert(copy: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    with transaction(copy):
        copy.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", rows)  # noqa: S608 ours


def _chunks(names: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(names), STREAMS_AT_ONCE):
        yield names[start : start + STREAMS_AT_ONCE]
