"""The store for an installation that already runs Redis or Valkey (7.2 or older commands only).

A commit is one MULTI/EXEC, all or none; `redis_guard.py` makes sure that the prefix is still ours
and that commits stay in order. What the server does with a commit (append only file, fsync) is its
own configuration; `durability_warnings` says where that breaks the promise. Keys: `redis_keys.py`.

Redis does not roll back a command that fails inside EXEC. Ours can fail there only on a key of
another type, which only another program under our prefix can make.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import trio

from store.errors import StoreClosed, StoreError, StoreRefused, StoreTaken
from store.port import Entry, Outcome, Record, Table, Write, outcome
from store.redis_guard import Guard, HolderState, check_schema, holder_text, translated
from store.redis_keys import Keys, entry_of, pack, record_of
from store.redis_prune import prune
from store.redis_server import client_of, durability_warnings
from store.threaded import Worker

CHECK_EVERY_S = 2.0
"""Each check is an empty commit: it also shows others that we are alive."""
PATIENCE_S = 7.0
"""A holder without a commit during three checks, and the time of a slow one, is dead or hangs."""
POLL_S = 0.5
SCAN_S = 120.0
"""At a start: 50,000 lights are 100 MB."""
COMMIT_S = 30.0
"""A server that is slow, not hung, must not get the same commit again and again; the store writer
reports it long before. All other callers wait less."""
# A scan step of 1 000 records of 1 kB is 1 MB: some ms in which the server serves nobody else.
SCAN_STEP = 1_000


class RedisStore:
    """A `Store` under one prefix of a Redis database.

    `url` is one of redis://, rediss://, unix://; `timeout_s` bounds connecting and each answer.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "lamplighter",
        timeout_s: float = 5.0,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._keys = Keys(prefix)
        self._writer = client_of(url, timeout_s)
        self._reader = client_of(url, timeout_s)
        self._guard = Guard(self._writer, self._keys)
        self._writes = Worker("redis-writer")
        self._reads = Worker("redis-reader")
        self.prefix = prefix
        self.patience_s = patience_s
        self._warnings: tuple[str, ...] = ()

    @property
    def client(self) -> Any:
        """The writer's client, for backup and restore; never beside an opened store."""
        return self._writer

    @property
    def durability_warnings(self) -> Sequence[str]:
        """What in the server's configuration may lose a commit; known after `open`."""
        return self._warnings

    @property
    def exposure_warnings(self) -> Sequence[str]:
        """None: there are no files here."""
        return ()

    @property
    def check_every_s(self) -> float | None:
        """The counter that a check raises shows other processes that this owner is alive."""
        return CHECK_EVERY_S

    async def open(self) -> None:
        """Connect, check the layout and become the owner; idempotent.

        Raises StoreUnavailable when no server answers, StoreRefused on wrong credentials or a newer
        layout, StoreTaken when another process has the prefix and is alive. One that may be dead is
        watched for `patience_s` first.
        """
        first = await self._writes.run(self._take, None)
        if first is None:
            return
        began = trio.current_time()
        while True:
            await trio.sleep(min(POLL_S, self.patience_s))
            patient = trio.current_time() - began >= self.patience_s
            state = await self._writes.run(self._take, first if patient else None)
            if state is None:
                return
            if state != first:
                raise StoreTaken(
                    f"redis: prefix {self._keys.prefix!r} is in use by {holder_text(state)}"
                )

    async def inspect(self) -> Sequence[str]:
        """What `open` would warn of, without becoming the owner and without a write.

        Raises as `open` does, except that an owner who is alive is no reason.
        """
        return await self._reads.run(self._inspect)

    async def check(self) -> None:
        """An empty commit: ours, in order, and written."""
        await self._writes.run(self._commit, outcome(()), answer_s=COMMIT_S)

    async def commit(self, writes: Sequence[Write]) -> None:
        """Make all writes durable in one transaction, or none of them."""
        result = outcome(writes)
        await self._writes.run(self._commit, result, answer_s=COMMIT_S)

    async def commit_each(self, requests: Sequence[Sequence[Write]]) -> Sequence[StoreError | None]:
        """One transaction for all of them: all are durable, or an error is raised."""
        await self.commit([write for request in requests for write in request])
        return [None] * len(requests)

    async def get(self, table: Table, key: str) -> Record | None:
        """One record, or None."""
        return await self._reads.run(self._get, table, key)

    async def scan(self, table: Table) -> Sequence[Record]:
        """Every record of a table, by key."""
        return await self._reads.run(self._scan, table, answer_s=SCAN_S)

    async def entries(
        self, stream: str, *, since: float, until: float, most: int, newest_first: bool = True
    ) -> Sequence[Entry]:
        """At most `most` entries of a stream with since <= at < until (Unix seconds)."""
        return await self._reads.run(self._entries, stream, since, until, most, newest_first)

    async def prune(self, *, tables: Sequence[Table], before: float, most: int) -> int:
        """Delete up to `most` entries and records of these tables with at < before."""
        return await self._writes.run(self._prune, tuple(tables), before, most, answer_s=COMMIT_S)

    async def close(self) -> None:
        """Release the prefix and close both connections; idempotent."""
        async with AsyncExitStack() as last:  # the writer is closed also when a reader hangs
            last.push_async_callback(self._writes.close, self._leave)
            await self._reads.close(self._reader.close)

    # --- in the worker threads -------------------------------------------------------------------

    def _take(self, seen: HolderState | None) -> HolderState | None:
        if self._guard.taken:
            return None
        state = self._guard.take(seen)
        if state is None:
            with translated():
                self._warnings = tuple(durability_warnings(self._writer))
        return state

    def _leave(self) -> None:
        self._guard.release()
        self._writer.close()

    def _inspect(self) -> Sequence[str]:
        with translated():
            if self._reader.info("replication").get("role") == "slave":
                raise StoreRefused("redis: the server is a read-only replica")
            check_schema(self._reader.get(self._keys.schema))
            return tuple(durability_warnings(self._reader))

    def _commit(self, result: Outcome) -> None:
        def prepare(pipe: Any) -> None:
            pipe.multi()
            self._stage_commit(pipe, result)

        self._guard.transaction(prepare)

    def _stage_commit(self, pipe: Any, result: Outcome) -> None:
        keys = self._keys
        for table in Table:
            puts = [put for put in result.puts if put.table is table]
            if puts:
                pipe.hset(keys.table(table), mapping={p.key: pack(p.at, p.value) for p in puts})
                pipe.zadd(keys.table_at(table), {put.key: put.at for put in puts})
            gone = [delete.key for delete in result.deletes if delete.table is table]
            if gone:
                pipe.hdel(keys.table(table), *gone)
                pipe.zrem(keys.table_at(table), *gone)
        oldest: dict[str, float] = {}
        for append in result.appends:
            name = append.stream
            pipe.hsetnx(keys.stream(name), append.entry, pack(append.at, append.value))
            pipe.zadd(keys.stream_at(name), {append.entry: append.at}, nx=True)
            oldest[name] = min(append.at, oldest.get(name, append.at))
        if oldest:
            pipe.zadd(keys.streams, oldest, lt=True)

    def _get(self, table: Table, key: str) -> Record | None:
        self._check_open()
        with translated():
            packed = self._reader.hget(self._keys.table(table), key)
        return None if packed is None else record_of(key.encode(), packed)

    def _scan(self, table: Table) -> list[Record]:
        self._check_open()
        with translated():  # a step may repeat a key that an earlier one has shown
            steps = self._reader.hscan_iter(self._keys.table(table), count=SCAN_STEP)
            found: dict[bytes, bytes] = dict(steps)
        return [record_of(key, found[key]) for key in sorted(found)]

    def _entries(
        self, stream: str, since: float, until: float, most: int, newest_first: bool
    ) -> list[Entry]:
        self._check_open()
        if most < 1:
            return []
        low, high = since, f"({until!r}"
        with translated():
            names: list[bytes] = self._reader.zrange(
                self._keys.stream_at(stream),
                *((high, low) if newest_first else (low, high)),
                desc=newest_first,
                byscore=True,
                offset=0,
                num=most,
            )
            if not names:
                return []
            packed = self._reader.hmget(self._keys.stream(stream), names)
        return [
            entry_of(name, value)
            for name, value in zip(names, packed, strict=True)
            if value is not None  # pruned between the two commands
        ]

    def _prune(self, tables: Sequence[Table], before: float, most: int) -> int:
        self._check_open()
        return prune(self._keys, self._guard, tables, before, most)

    def _check_open(self) -> None:
        if not self._guard.taken:
            raise StoreClosed("redis: the store is not open")
