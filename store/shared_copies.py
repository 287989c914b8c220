"""Backup and restore of what a Redis or Valkey holds for many processes. Each function blocks."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import trio

from store.copies import READ_S, BackupResult, RestoreResult, check_copy, source_uri
from store.engine.redis.engine import RedisEngine
from store.engine.redis.filling import FilledEngine, Filling
from store.engine.redis.opening import KEPT, Content
from store.engine.redis.target import Target
from store.errors import StoreError, StoreRefused
from store.older_redis import older_store
from store.shards.copies import backup_engine, restore_engine
from store.sqlite_connection import closing_connection, translated


def backup_shared(source: Target, copy: Path, now: float) -> BackupResult:
    """Copy the fleet in an engine, in use or not; what an older version left there likewise."""
    with older_store(source) as older:
        if older is not None:
            return older.backup(copy, now)
    return trio.run(_backup, source, copy, now)


def restore_shared(target: Target, source: Path, now: float) -> RestoreResult:
    """Put a copy in the place of all that an engine holds for us; what was there is kept in a file.

    What an older version left there is kept so, too, and marked as moved.
    """
    with translated(source), closing_connection(source_uri(source), READ_S) as copy:
        check_copy(source, copy)
    with older_store(target) as older:
        kept = None
        if older is not None:
            older.check_idle()
            kept = source.with_name(f"{source.name}.before-{now:.0f}-older")
            older.backup(kept, now)
        done = trio.run(_restore, target, source, now)
        if older is not None:
            older.set_moved()
    return msgspec.structs.replace(done, kept=done.kept or kept)


@asynccontextmanager
async def engine_on(source: Target) -> AsyncGenerator[RedisEngine, None]:
    """The engine with a fleet, to be read, also where nothing can be stored any more: its memory or
    disk is full, or replicas are missing. Raises StoreRefused where there is none."""
    as_it_is = msgspec.structs.replace(source, need=0, unsafe=True)
    engine = RedisEngine(as_it_is, is_reading=True)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.close)  # shields itself, for some seconds
        if await engine.content() is Content.NOTHING:
            raise StoreRefused(f"redis: there is no store under prefix {source.prefix!r}")
        await engine.open()
        yield engine


@asynccontextmanager
async def filled(target: Target, filling: Filling) -> AsyncGenerator[FilledEngine, None]:
    """An engine to be filled, open, and in the end opened to all others. What ends it early is told
    with what follows from it."""
    engine = FilledEngine(target, filling)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.close)
        await engine.open()
        try:
            yield engine
            await engine.end_move()
        except StoreError as error:
            if not engine.has_begun:
                raise
            words = f"{error}; no service starts on this store until the {filling} is done again"
            raise type(error)(words + (KEPT if filling is Filling.RESTORE else "")) from error


async def _backup(source: Target, copy: Path, now: float) -> BackupResult:
    async with engine_on(source) as engine:
        return await backup_engine(engine, copy, now)


async def _restore(target: Target, source: Path, now: float) -> RestoreResult:
    async with filled(target, Filling.RESTORE) as engine:
        return await restore_engine(engine, source, now)
