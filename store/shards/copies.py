"""Backup and restore of a fleet in an engine, to and from the same kind of file as of every store.

A backup asks no owner and holds up nobody: each shard's records are of one instant (each light is
whole, with its command), and its history is read after them, stream by stream. Entries are only
ever added, and one too many contradicts no record.

A restore owns every shard and refuses where a process is alive that does; the engine lets nobody
open it until all is there (`RedisEngine.end_move`).
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import trio

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
from store.engine.port import COMMIT_WRITES_MOST, Applied, Commit, Engine, Result, Snapshot
from store.engine.shards import ALL_SHARDS, FLEET, LIGHT_SHARDS, shard_of
from store.errors import StoreCorrupt, StoreError, StoreUnavailable
from store.mark import mark_put
from store.port import Append, Outcome, Put, Table
from store.shards.feed import VIEW
from store.shards.routing import Misrouted, shard_of_request
from store.shards.shard_store import ShardStore
from store.shards.taking import PATIENCE_S, give_all, take_all
from store.sqlite_connection import closing_connection, transaction, translated
from store.sqlite_schema import migrate

STREAMS_AT_ONCE = 50
"""Their entries are some 20 kB each."""
ROWS_AT_ONCE = 2_000
ENTRIES_MOST = 10_000_000
FOREVER = 1e300
PATIENT_S = 60.0
"""How long a failing engine is asked again while a copy is filled in."""
RETRY_S = 0.5

Row = tuple[str, str, float, bytes]


async def backup_engine(engine: Engine, target: Path, now: float) -> BackupResult:
    """Copy the fleet in an open engine into the new file `target`, in use or not."""
    with new_file(target) as part:
        with translated(part), closing_connection(str(part), READ_S) as copy:
            migrate(copy, part)
            for shard in ALL_SHARDS:
                _insert(copy, "record", _records(await engine.snapshot(shard, tuple(Table))))
            for shard in ALL_SHARDS:
                names = sorted(await engine.streams(shard))
                for start in range(0, len(names), STREAMS_AT_ONCE):
                    some = names[start : start + STREAMS_AT_ONCE]
                    _insert(copy, "entry", await _history(engine, shard, some))
        return finish_copy(part, target, now)


async def restore_engine(
    engine: Engine,
    source: Path,
    now: float,
    *,
    marked: bool = True,
    keep: bool = True,
    patience_s: float = PATIENCE_S,
) -> RestoreResult:
    """Put a copy in the place of all that is in an open engine.

    What was there is kept in a file beside the source first, unless `keep` says that it is half of
    a restore. With `marked` the service asks before it commands anything that was wanted when the
    copy was made. Raises StoreTaken while a process owns a shard.
    """
    store = ShardStore(engine, f"restore-{now:.0f}")
    with translated(source), closing_connection(source_uri(source), READ_S) as copy:
        check_copy(source, copy)
        copied_at = copy_time(copy)
        records, entries = counts(copy)
        await take_all(store, patience_s=patience_s)
        kept = await _kept(engine, source, now) if keep else None
        filler = _Filler(store)
        await filler.empty()
        await filler.fill(copy)
        if marked:
            await filler.add(FLEET, mark_put(mark_of(copied_at, now)))
        await filler.flush()
        await give_all(store)
    return RestoreResult(copied_at, records, entries, kept)


async def count_engine(engine: Engine) -> tuple[int, int]:
    """How many records and entries are stored, views left out."""
    records = entries = 0
    for shard in ALL_SHARDS:
        records += sum(1 for _ in _records(await engine.snapshot(shard, tuple(Table))))
        names = sorted(await engine.streams(shard))
        for start in range(0, len(names), STREAMS_AT_ONCE):
            entries += len(await _history(engine, shard, names[start : start + STREAMS_AT_ONCE]))
    return records, entries


async def holds_records(engine: Engine) -> bool:
    """Whether there is anything that a service has stored, views left out."""
    for shard in ALL_SHARDS:
        if any(True for _ in _records(await engine.snapshot(shard, tuple(Table)))):
            return True
    return False


async def _kept(engine: Engine, source: Path, now: float) -> Path | None:
    if not await holds_records(engine):
        return None
    kept = source.with_name(f"{source.name}.before-{now:.0f}")
    await backup_engine(engine, kept, now)
    return kept


class _Filler:
    """Commits for a store that owns every shard, each repeated until it is confirmed."""

    def __init__(self, store: ShardStore) -> None:
        self._engine = store.engine
        self._tokens = {shard: lease.token for shard, lease in store.owned.items()}
        self._numbers = {shard: lease.seq for shard, lease in store.owned.items()}
        self._waiting: dict[str, list[Put | Append]] = {}
        self._marks: dict[str, str] = {}

    async def empty(self) -> None:
        """Drop everything that is there, what waits in the inboxes included."""
        for shard, token in self._tokens.items():
            step = COMMIT_WRITES_MOST * 8
            while (
                await self._engine.prune(
                    shard, token, tables=tuple(Table), before=FOREVER, most=step
                )
                == step
            ):
                pass
            mark = "0-0"
            while entries := (await self._engine.read_inboxes({shard: mark}, 500))[shard]:
                mark = entries[-1].id
            self._marks[shard] = mark

    async def fill(self, copy: sqlite3.Connection) -> None:
        """Everything that a copy holds, each row in the shard where it is looked for."""
        known = {table.value for table in Table}
        rows = copy.execute("SELECT tbl, key, at, value FROM record")
        while some := rows.fetchmany(ROWS_AT_ONCE):
            for table, key, at, value in some:
                if table in known:
                    put = Put(Table(table), key, value, at)
                    await self.add(_shard_of(put, value), put)
        rows = copy.execute("SELECT stream, entry, at, value FROM entry")
        while some := rows.fetchmany(ROWS_AT_ONCE):
            for stream, entry, at, value in some:
                append = Append(stream, entry, at, value)
                await self.add(_shard_of(append, value), append)

    async def add(self, shard: str, write: Put | Append) -> None:
        """One more; a full commit goes off."""
        waiting = self._waiting.setdefault(shard, [])
        waiting.append(write)
        if len(waiting) >= COMMIT_WRITES_MOST:
            await self._commit([shard])

    async def flush(self) -> None:
        """What is left, and in every shard a commit that empties its inbox."""
        await self._commit(list(self._tokens))

    async def _commit(self, shards: Sequence[str]) -> None:
        commits = []
        for shard in shards:
            waiting = self._waiting.pop(shard, [])
            self._numbers[shard] += 1
            written = Outcome(
                puts=[write for write in waiting if isinstance(write, Put)],
                deletes=(),
                appends=[write for write in waiting if isinstance(write, Append)],
            )
            token, mark = self._tokens[shard], self._marks.get(shard, "0-0")
            commits.append(Commit(shard, token, self._numbers[shard], written, b"", mark))
        deadline = trio.current_time() + PATIENT_S
        while commits:
            answers: Sequence[Result | StoreError]
            try:
                answers = await self._engine.commit(commits)
            except StoreUnavailable as error:
                answers = [error] * len(commits)
            left = [
                commit
                for commit, answer in zip(commits, answers, strict=True)
                if not _is_done(answer)
            ]
            if left:
                if trio.current_time() > deadline:
                    raise next(one for one in answers if isinstance(one, StoreError))
                await trio.sleep(RETRY_S)
            commits = left


def _is_done(answer: Result | StoreError) -> bool:
    """False where it is to be repeated."""
    if isinstance(answer, StoreUnavailable):
        return False
    if isinstance(answer, StoreError):
        raise answer
    if answer.applied in (Applied.GAP, Applied.FENCED):
        raise StoreCorrupt("the engine changed while it was filled: do it again")
    return True


class _OfLight(msgspec.Struct):
    """What tells the light of a command, and of a verdict."""

    dev_eui: str


_of_light = msgspec.json.Decoder(_OfLight)


def _shard_of(write: Put | Append, value: bytes) -> str:
    """Where a row belongs. A command and a verdict tell their light; one that cannot be read is
    kept as it is, where commands are looked for."""
    is_command = isinstance(write, Put) and write.table is Table.COMMAND
    if is_command or (isinstance(write, Append) and write.stream == "verdicts"):
        try:
            return shard_of(_of_light.decode(value).dev_eui)
        except msgspec.MsgspecError:
            return LIGHT_SHARDS[0] if is_command else FLEET
    try:
        return shard_of_request([write])
    except Misrouted:
        return LIGHT_SHARDS[0]


def _records(snapshot: Snapshot) -> Iterator[Row]:
    """What is shown and follows from other records (views) is left out: it is made anew."""
    for table, records in snapshot.tables.items():
        for record in records:
            if table is not Table.META or not record.key.startswith(VIEW):
                yield (table.value, record.key, record.at, record.value)


async def _history(engine: Engine, shard: str, streams: Sequence[str]) -> list[Row]:
    found: dict[str, list[Row]] = {}
    failures: list[StoreError] = []

    async def read(stream: str) -> None:
        try:
            entries = await engine.entries(
                [shard], stream, since=-FOREVER, until=FOREVER, most=ENTRIES_MOST
            )
        except StoreError as error:
            failures.append(error)
            nursery.cancel_scope.cancel()
            return
        found[stream] = [(stream, entry.entry, entry.at, entry.value) for entry in entries]

    async with trio.open_nursery() as nursery:
        for stream in streams:
            nursery.start_soon(read, stream)
    if failures:
        raise failures[0]
    return [row for stream in streams for row in found[stream]]


def _insert(copy: sqlite3.Connection, table: str, rows: Iterator[Row] | Sequence[Row]) -> None:
    with transaction(copy):
        copy.executemany(
            f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?, ?)",  # noqa: S608 ours
            rows,
        )
