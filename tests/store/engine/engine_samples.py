"""Commits, commands and leases as the tests of engines use them."""

import msgspec

from store.engine.port import Accept, Commit, Engine, Lease, Result
from store.errors import StoreError
from store.port import Append, Put, Record, Table, Write, outcome

SHARD = "07"
LIGHT = "00aa"


def put(value: bytes, key: str = LIGHT, *, table: Table = Table.DEVICE, at: float = 1.0) -> Put:
    return Put(table, key, value, at)


def line(entry: str, at: float, stream: str = LIGHT) -> Append:
    return Append(stream, entry, at, entry.encode())


def commit(
    lease: Lease,
    seq: int,
    *writes: Write,
    shard: str = SHARD,
    feed: bytes = b"feed",
    inbox_mark: str = "0-0",
    source_mark: str = "",
) -> Commit:
    made = outcome(writes or (put(b"%d" % seq),))
    return Commit(shard, lease.token, seq, made, feed, inbox_mark, source_mark)


def accept(
    command_id: str, *, key: str | None = None, fingerprint: str = "", dev_eui: str = LIGHT
) -> Accept:
    stored = {"v": 1, "fingerprint": fingerprint, "command_id": command_id}
    wish, record = command_id.encode(), msgspec.json.encode(stored)
    return Accept(SHARD, dev_eui, command_id, b"{}", wish, 1.5, key, fingerprint, record)


async def taken(engine: Engine, boot: str = "a", shard: str = SHARD) -> Lease:
    lease = await engine.take(shard, (await engine.look([shard]))[shard], boot)
    assert lease is not None
    return lease


async def committed(engine: Engine, *commits: Commit) -> list[Result]:
    results = await engine.commit(commits)
    assert not any(isinstance(result, StoreError) for result in results), results
    return [result for result in results if isinstance(result, Result)]


async def value(engine: Engine, shard: str = SHARD) -> bytes | None:
    [record] = await engine.get([(shard, Table.DEVICE, LIGHT)])
    return None if record is None else record.value


async def all_of(engine: Engine, table: Table, shard: str = SHARD) -> list[Record]:
    """Every record of a table of a shard, by key."""
    found = (await engine.snapshot(shard, [table])).tables[table]
    return sorted(found, key=lambda record: record.key)
