"""The store for an installation that already runs Redis or Valkey (7.2 or older commands only).

The rule it keeps: a commit is one MULTI/EXEC, guarded by an owner number, so that of two processes
on one prefix only the one that opened last can write. What the server does with a commit (append
only file, fsync) is its own configuration; `durability_warnings` says where it breaks the promise.

Keys, all under one hash tag, hence on one node: a cluster adds nothing here and is not supported.

    {prefix}:owner            number of the last opening; guards every commit
    {prefix}:schema           layout of these keys, 1
    {prefix}:device           hash key -> at and value, one such hash per table
    {prefix}:device:at        zset key by at, for retention
    {prefix}:stream:NAME      hash entry -> at and value
    {prefix}:at:NAME          zset entry by at, for ranges; ties in order of the entry
    {prefix}:streams          zset stream by a lower bound of its oldest at, for retention

Redis does not roll back a command that fails inside EXEC. Ours can fail there only on a key of
another type, which nobody but a stranger under our prefix can make.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Any, TypeVar, TypeVarTuple

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from store.errors import StoreClosed, StoreCorrupt, StoreError, StoreRefused, StoreUnavailable
from store.port import Entry, Outcome, Record, Table, Write, outcome
from store.threaded import Worker

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

SCHEMA = 1
# Idle connections are proved alive after this long, before a command is trusted to them.
HEALTH_CHECK_S = 15
# A scan step of 1 000 records of 1 kB is 1 MB: some ms in which the server serves nobody else.
SCAN_STEP = 1_000
# One pass of pruning looks at 100 streams x 100 entries, 10 000 names of some 30 bytes at most.
PRUNE_STREAMS = 100
PRUNE_ENTRIES = 100

_AT = struct.Struct(">d")


class RedisStore:
    """A `Store` under one prefix of a Redis database.

    `url` is one of redis://, rediss://, unix://; `timeout_s` bounds connecting and each answer.
    """

    def __init__(self, url: str, *, prefix: str = "lamplighter", timeout_s: float = 5.0) -> None:
        self._keys = _Keys(prefix)
        self._writer = _client(url, timeout_s)
        self._reader = _client(url, timeout_s)
        self._writes = Worker("redis-writer")
        self._reads = Worker("redis-reader")
        self._owner: bytes | None = None
        self._warnings: tuple[str, ...] = ()

    @property
    def durability_warnings(self) -> Sequence[str]:
        """What in the server's configuration may lose a commit; known after `open`."""
        return self._warnings

    async def open(self) -> None:
        """Connect, check the layout and become the owner; idempotent.

        Raises StoreUnavailable when no server answers, StoreRefused on wrong credentials or a newer
        layout. An earlier owner of the prefix is refused from its next commit on.
        """
        await self._writes.run(self._take)

    async def look(self) -> Sequence[str]:
        """What `open` would warn of, without becoming the owner and without a write.

        Raises as `open` does.
        """
        return await self._reads.run(self._look)

    async def commit(self, writes: Sequence[Write]) -> None:
        """Make all writes durable in one transaction, or none of them."""
        result = outcome(writes)
        await self._writes.run(self._commit, result)

    async def get(self, table: Table, key: str) -> Record | None:
        """One record, or None."""
        return await self._reads.run(self._get, table, key)

    async def scan(self, table: Table) -> Sequence[Record]:
        """Every record of a table, by key."""
        return await self._reads.run(self._scan, table)

    async def entries(
        self, stream: str, *, since: float, until: float, most: int, newest_first: bool = True
    ) -> Sequence[Entry]:
        """At most `most` entries of a stream with since <= at < until (Unix seconds)."""
        return await self._reads.run(self._entries, stream, since, until, most, newest_first)

    async def prune(self, *, tables: Sequence[Table], before: float, most: int) -> int:
        """Delete up to `most` entries and records of these tables with at < before."""
        return await self._writes.run(self._prune, tuple(tables), before, most)

    async def close(self) -> None:
        """Close both connections; idempotent."""
        async with AsyncExitStack() as last:  # the writer's turn comes also when a reader hangs
            last.push_async_callback(self._writes.close, self._writer.close)
            await self._reads.close(self._reader.close)

    # --- in the worker threads -------------------------------------------------------------------

    def _take(self) -> None:
        if self._owner is not None:
            return
        with _translated():
            self._writer.set(self._keys.schema, SCHEMA, nx=True)
            _check_schema(self._writer.get(self._keys.schema))
            self._warnings = tuple(_durability_warnings(self._writer))
            self._owner = str(self._writer.incr(self._keys.owner)).encode()

    def _look(self) -> Sequence[str]:
        with _translated():
            if self._reader.info("replication").get("role") == "slave":
                raise StoreRefused("redis: the server is a read-only replica")
            return tuple(_durability_warnings(self._reader))

    def _commit(self, result: Outcome) -> None:
        self._transaction(self._stage_commit, result)

    def _transaction(self, stage: Callable[[Any, *Ts], None], *args: *Ts) -> None:
        """Stage commands and execute them if we are still the owner, all or none."""
        self._check_open()
        with _translated(), self._writer.pipeline(transaction=True) as pipe:
            pipe.watch(self._keys.owner)
            if pipe.get(self._keys.owner) != self._owner:
                raise StoreRefused(
                    "redis: another process has opened this prefix, or the server lost its data"
                )
            pipe.multi()
            stage(pipe, *args)
            pipe.execute()

    def _stage_commit(self, pipe: Any, result: Outcome) -> None:
        keys = self._keys
        for table in Table:
            puts = [put for put in result.puts if put.table is table]
            if puts:
                pipe.hset(keys.table(table), mapping={p.key: _pack(p.at, p.value) for p in puts})
                pipe.zadd(keys.table_at(table), {put.key: put.at for put in puts})
            gone = [delete.key for delete in result.deletes if delete.table is table]
            if gone:
                pipe.hdel(keys.table(table), *gone)
                pipe.zrem(keys.table_at(table), *gone)
        oldest: dict[str, float] = {}
        for append in result.appends:
            name = append.stream
            pipe.hsetnx(keys.stream(name), append.entry, _pack(append.at, append.value))
            pipe.zadd(keys.stream_at(name), {append.entry: append.at}, nx=True)
            oldest[name] = min(append.at, oldest.get(name, append.at))
        if oldest:
            pipe.zadd(keys.streams, oldest, lt=True)

    def _get(self, table: Table, key: str) -> Record | None:
        self._check_open()
        with _translated():
            packed = self._reader.hget(self._keys.table(table), key)
        return None if packed is None else _record(key.encode(), packed)

    def _scan(self, table: Table) -> list[Record]:
        self._check_open()
        with _translated():  # a step may repeat a key that an earlier one has shown
            steps = self._reader.hscan_iter(self._keys.table(table), count=SCAN_STEP)
            found: dict[bytes, bytes] = dict(steps)
        return [_record(key, found[key]) for key in sorted(found)]

    def _entries(
        self, stream: str, since: float, until: float, most: int, newest_first: bool
    ) -> list[Entry]:
        self._check_open()
        if most < 1:
            return []
        low, high = since, f"({until!r}"
        with _translated():
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
            _entry(name, value)
            for name, value in zip(names, packed, strict=True)
            if value is not None  # pruned between the two commands
        ]

    def _prune(self, tables: Sequence[Table], before: float, most: int) -> int:
        self._check_open()
        gone = 0
        for table in tables:
            with _translated():
                old = self._older(self._keys.table_at(table), before, most - gone)
            if old:
                self._transaction(self._stage_drop, table, old)
                gone += len(old)
        while gone < most:
            with _translated():
                due = self._older(self._keys.streams, before, PRUNE_STREAMS)
                ages = self._ages(due)
            if not due:
                break
            gone += self._drop_entries(dict(zip(due, ages, strict=True)), before, most - gone)
        return gone

    def _older(self, zset: str, before: float, most: int) -> list[bytes]:
        if most < 1:
            return []
        found: list[bytes] = self._writer.zrange(
            zset, "-inf", f"({before!r}", byscore=True, offset=0, num=most
        )
        return found

    def _ages(self, streams: Sequence[bytes]) -> list[list[tuple[bytes, float]]]:
        """The oldest entries of each stream with their `at`, one more than a pass may drop."""
        pipe = self._writer.pipeline(transaction=False)
        for stream in streams:
            pipe.zrange(self._keys.stream_at(stream.decode()), 0, PRUNE_ENTRIES, withscores=True)
        return list(pipe.execute())

    def _drop_entries(
        self, ages: dict[bytes, list[tuple[bytes, float]]], before: float, most: int
    ) -> int:
        gone: dict[bytes, list[bytes]] = {}
        oldest: dict[bytes, float] = {}
        left = most
        for stream, entries in ages.items():
            old = [name for name, at in entries if at < before][: min(left, PRUNE_ENTRIES)]
            gone[stream] = old
            left -= len(old)
            if len(old) < len(entries):
                oldest[stream] = entries[len(old)][1]
        self._transaction(self._stage_drop_entries, gone, oldest)
        return most - left

    def _stage_drop(self, pipe: Any, table: Table, old: list[bytes]) -> None:
        pipe.hdel(self._keys.table(table), *old)
        pipe.zrem(self._keys.table_at(table), *old)

    def _stage_drop_entries(
        self, pipe: Any, gone: dict[bytes, list[bytes]], oldest: dict[bytes, float]
    ) -> None:
        for stream, old in gone.items():
            name = stream.decode()
            if old:
                pipe.hdel(self._keys.stream(name), *old)
                pipe.zrem(self._keys.stream_at(name), *old)
            if stream in oldest:
                pipe.zadd(self._keys.streams, {stream: oldest[stream]})
            else:
                pipe.zrem(self._keys.streams, stream)

    def _check_open(self) -> None:
        if self._owner is None:
            raise StoreClosed("redis: the store is not open")


class _Keys:
    """The names of the keys."""

    def __init__(self, prefix: str) -> None:
        if not prefix or set(prefix) & set("{}"):
            raise StoreRefused(f"redis: the prefix must be a word without braces, not {prefix!r}")
        self._tag = "{" + prefix + "}"
        self.owner = f"{self._tag}:owner"
        self.schema = f"{self._tag}:schema"
        self.streams = f"{self._tag}:streams"

    def table(self, table: Table) -> str:
        return f"{self._tag}:{table}"

    def table_at(self, table: Table) -> str:
        return f"{self._tag}:{table}:at"

    def stream(self, name: str) -> str:
        return f"{self._tag}:stream:{name}"

    def stream_at(self, name: str) -> str:
        return f"{self._tag}:at:{name}"


def _client(url: str, timeout_s: float) -> Any:
    """A client; untyped, because redis-py types each command for its asyncio client as well."""
    tcp_only = {} if url.startswith("unix:") else {"socket_keepalive": True}
    return redis.Redis.from_url(
        url,
        **tcp_only,
        protocol=2,  # no handshake that an older server would refuse
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        health_check_interval=HEALTH_CHECK_S,
        # The pool replaces a connection that the server has closed (a restart) before it is used.
        # Beyond that whoever called repeats, with a delay that does not hold up this thread.
        retry=Retry(NoBackoff(), 0),
    )


def _durability_warnings(client: Any) -> Iterator[str]:
    try:
        settings: dict[str, str] = client.config_get("*")
    except redis.ResponseError as error:
        yield f"redis: CONFIG is not permitted, so its durability is unknown: {error}"
        return
    if settings.get("appendonly") != "yes":
        yield "redis: appendonly is off: a crash of the server loses what its snapshot lacks"
    elif settings.get("appendfsync") != "always":
        yield (
            f"redis: appendfsync is {settings.get('appendfsync')}: a crash of the server's machine "
            "loses the newest commits; `always` keeps them"
        )
    if settings.get("maxmemory", "0") != "0" and settings.get("maxmemory-policy") != "noeviction":
        yield f"redis: maxmemory-policy is {settings.get('maxmemory-policy')}: records may vanish"


def _check_schema(found: bytes) -> None:
    if not found.isdigit():
        raise StoreCorrupt("redis: the layout number under our prefix is not a number")
    if int(found) > SCHEMA:
        raise StoreRefused(
            f"redis: layout {int(found)} was written by a newer version; "
            f"this one knows layouts up to {SCHEMA}"
        )


def _pack(at: float, value: bytes) -> bytes:
    return _AT.pack(at) + value


def _unpack(packed: bytes) -> tuple[float, bytes]:
    if len(packed) < _AT.size:
        raise StoreCorrupt(f"redis: a value of {len(packed)} bytes is not ours")
    return _AT.unpack_from(packed)[0], packed[_AT.size :]


def _record(key: bytes, packed: bytes) -> Record:
    at, value = _unpack(packed)
    return Record(key.decode(), value, at)


def _entry(name: bytes, packed: bytes) -> Entry:
    at, value = _unpack(packed)
    return Entry(name.decode(), at, value)


_REFUSED = (
    redis.AuthenticationError,
    redis.exceptions.AuthorizationError,
    redis.exceptions.NoPermissionError,
)
_REFUSALS = ("NOAUTH", "WRONGPASS", "NOPERM", "MOVED", "CROSSSLOT", "CLUSTERDOWN")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn redis-py's exceptions into ours, once."""
    try:
        yield
    except _REFUSED as error:
        raise StoreRefused(f"redis: {error}") from error
    except (redis.ConnectionError, redis.TimeoutError, redis.WatchError) as error:
        # A WatchError is a connection lost after WATCH, or an owner that changed just now; the
        # repeated commit finds out which.
        raise StoreUnavailable(f"redis: {error}") from error
    except redis.ResponseError as error:
        # redis-py puts the command before the words of the server when it was part of a pipeline.
        words = str(error).rpartition("caused error: ")[2]
        if words.startswith("WRONGTYPE"):
            raise StoreCorrupt(f"redis: a key of ours has a foreign type: {words}") from error
        if words.startswith(_REFUSALS):
            raise StoreRefused(f"redis: {words}") from error
        # OOM, MISCONF (its disk failed), READONLY (failing over), MASTERDOWN, NOREPLICAS, ...
        raise StoreUnavailable(f"redis: {words}") from error
    except redis.RedisError as error:
        raise StoreError(f"redis: {error}") from error
