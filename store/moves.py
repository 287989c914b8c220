"""Moves a fleet from one store to another of any kind, once, while no service runs.

By way of a copy of all of it, as a backup makes it; then everything in the new store is counted and
must be as many. The old store is kept. One that an older version left in Redis is marked, so that
the older version does not start on it beside the new one. All of this blocks.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import trio

from store.copies import BackupResult, backup_sqlite, restore_sqlite
from store.engine.redis.filling import FilledEngine, Filling
from store.engine.redis.target import Target
from store.errors import StoreCorrupt, StoreRefused
from store.older_redis import OlderStore, older_store
from store.shards.copies import backup_engine, count_engine, holds_records, restore_engine
from store.shards.shard_store import ShardStore
from store.shards.taking import give_all, take_all
from store.shared_copies import engine_on, filled
from store.sqlite_lock import Lock

Place = Path | Target
"""A SQLite file, or an engine."""


class MoveResult(msgspec.Struct, frozen=True):
    """What is in the new store now: all that was in the old one."""

    records: int
    entries: int


def move(source: Place, target: Place, now: float) -> MoveResult:
    """Move everything; `now` is Unix seconds.

    Raises StoreTaken where a service uses the old store, StoreRefused where the new one is not
    empty, and whatever else a backup and a restore raise. Until all is there, the new store lets
    nobody open it; cut off, the move is simply done again.
    """
    with tempfile.TemporaryDirectory(prefix="lamplighter-move-") as folder, _older(source) as older:
        if source == target and older is None:
            raise StoreRefused("the old and the new store are the same")
        copy = Path(folder) / "copy"
        copied = _copied(source, older, copy, now)
        if isinstance(target, Path):
            _into_file(copy, copied, target, now)
        else:
            trio.run(_into_engine, copy, copied, target, now)
        if older is not None:
            older.set_moved()
    return MoveResult(copied.records, copied.entries)


def _copied(source: Place, older: OlderStore | None, copy: Path, now: float) -> BackupResult:
    if isinstance(source, Path):
        if not source.is_file():
            raise StoreRefused(f"{source}: there is no store here")
        lock = Lock(source)
        try:
            return backup_sqlite(source, copy, now)
        finally:
            lock.release()
    if older is not None:
        older.check_idle()
        return older.backup(copy, now)
    return trio.run(_from_engine, source, copy, now)


async def _from_engine(source: Target, copy: Path, now: float) -> BackupResult:
    async with engine_on(source) as engine:
        store = ShardStore(engine, f"move-{now:.0f}")
        await take_all(store)
        done = await backup_engine(engine, copy, now)
        await give_all(store)
        return done


def _into_file(copy: Path, copied: BackupResult, target: Path, now: float) -> None:
    if target.exists() and target.stat().st_size:
        raise StoreRefused(f"{target}: the new store is not empty")
    done = restore_sqlite(copy, target, now, marked=False)
    _check_whole(copied, done.records, done.entries)


async def _into_engine(copy: Path, copied: BackupResult, target: Target, now: float) -> None:
    async with filled(target, Filling.MOVE) as engine:
        if not engine.found_mark.startswith(Filling.MOVE):  # half a move is of what is moved again
            await _check_empty(engine)
        await restore_engine(engine, copy, now, marked=False, keep=False)
        _check_whole(copied, *await count_engine(engine))


async def _check_empty(engine: FilledEngine) -> None:
    if await holds_records(engine):
        what = "half of a restore (do that again)" if engine.found_mark else "a fleet"
        raise StoreRefused(f"redis: there is {what} under {engine.target.prefix!r} already")


def _check_whole(copied: BackupResult, records: int, entries: int) -> None:
    if (records, entries) != (copied.records, copied.entries):
        raise StoreCorrupt(
            f"moved {records} of {copied.records} records and {entries} of "
            f"{copied.entries} lines of history; the old store is as it was"
        )


@contextmanager
def _older(source: Place) -> Iterator[OlderStore | None]:
    if isinstance(source, Path):
        yield None
        return
    with older_store(source) as found:
        yield found
