"""Reading records, streams, inboxes and feeds; always at the master, never at a replica."""

from collections.abc import Sequence
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any

import msgspec

from store.engine.port import FeedEntry, InboxEntry, Lease, Reading, Snapshot
from store.engine.redis.errors import error_of
from store.engine.redis.keys import LEASE_FIELDS, Keys
from store.engine.redis.lanes import Asked, Lanes, Work
from store.engine.redis.node import Answer, Command, only
from store.engine.redis.staging import lease_of
from store.port import Entry, Record, Table
from store.redis_values import entry_of, record_of

SNAPSHOT_S = 30.0
"""A shard of 1,000 lights is 2 MB; its commands of a day may be some 10 MB."""


class Span(msgspec.Struct, frozen=True):
    """Which entries of a stream: since <= at < until (Unix seconds), at most so many."""

    stream: str
    since: float
    until: float
    most: int
    newest_first: bool


def newer_than(key: str, after: str, most: int) -> tuple[str | int, ...]:
    """Asks for up to `most` entries of a stream after this id, oldest first."""
    return ("XRANGE", key, f"({after}", "+", "COUNT", most)


def inbox_entries(answer: Sequence[Any]) -> list[InboxEntry]:
    """The entries of an inbox or of replies."""
    return [
        InboxEntry(entry_id.decode(), fields[1], fields[3].decode() if len(fields) > 3 else "")
        for entry_id, fields in answer
    ]


def feed_entries(answer: Sequence[Any]) -> list[FeedEntry]:
    """The entries of a feed."""
    return [_feed_entry(entry_id, fields[1]) for entry_id, fields in answer]


async def snapshot(lanes: Lanes, keys: Keys, shard: str, tables: Sequence[Table]) -> Snapshot:
    """These tables of a shard and its lease, at one instant.

    Not in steps: a cursor of HSCAN means something only to the server that gave it, and the next
    step may be answered by another one, or by the same after a restart, without an error.
    """
    wanted: list[Command] = [("HGETALL", keys.table(shard, table)) for table in tables]
    lease, found = await _with_lease(lanes, keys, shard, wanted, answer_s=SNAPSHOT_S)
    return Snapshot(lease, dict(zip(tables, map(_records, found), strict=True)))


async def read(
    lanes: Lanes, keys: Keys, shard: str, table: Table, wanted: Sequence[str]
) -> Reading:
    """A record of this table for each key, and the shard's lease, at one instant."""
    asked: list[Command] = [("HMGET", keys.table(shard, table), *wanted)] if wanted else []
    lease, found = await _with_lease(lanes, keys, shard, asked)
    packed = found[0] if found else ()
    return Reading(lease, [_record(key, one) for key, one in zip(wanted, packed, strict=True)])


async def get(
    lanes: Lanes, keys: Keys, wanted: Sequence[tuple[str, Table, str]]
) -> list[Record | None]:
    """One record for each (shard, table, key)."""
    asked = [(shard, ("HGET", keys.table(shard, table), key)) for shard, table, key in wanted]
    answers = _whole(await lanes.ask(Work.READ, asked))
    return [_record(key, packed) for (_, _, key), packed in zip(wanted, answers, strict=True)]


async def entries(lanes: Lanes, keys: Keys, shards: Sequence[str], span: Span) -> list[Entry]:
    """Entries of a stream, merged over these shards."""
    if span.most < 1:
        return []
    low, high = repr(span.since), f"({span.until!r}"
    ends = (high, low, "BYSCORE", "REV") if span.newest_first else (low, high, "BYSCORE")
    asked = [
        (shard, ("ZRANGE", keys.stream_at(shard, span.stream), *ends, "LIMIT", 0, span.most))
        for shard in shards
    ]
    names = dict(zip(shards, _whole(await lanes.ask(Work.READ, asked)), strict=True))
    held = [shard for shard in shards if names[shard]]
    asked = [(shard, ("HMGET", keys.stream(shard, span.stream), *names[shard])) for shard in held]
    packed = _whole(await lanes.ask(Work.READ, asked))
    of_shards = [
        [
            entry_of(name, value)
            for name, value in zip(names[shard], values, strict=True)
            if value is not None  # pruned between the two commands
        ]
        for shard, values in zip(held, packed, strict=True)
    ]
    order = attrgetter("at", "entry")
    return list(islice(merge(*of_shards, key=order, reverse=span.newest_first), span.most))


async def _with_lease(
    lanes: Lanes,
    keys: Keys,
    shard: str,
    commands: Sequence[Command],
    *,
    answer_s: float | None = None,
) -> tuple[Lease, list[Any]]:
    """A shard's lease and the answers to these commands about it, at one instant."""
    asked: list[Asked] = [
        (shard, ("MULTI",)),
        (shard, ("HMGET", keys.lease(shard), *LEASE_FIELDS)),
        *((shard, command) for command in commands),
        (shard, ("EXEC",)),
    ]
    answers = await lanes.ask_whole(Work.READ, asked, answer_s=answer_s)
    for answer in answers[:-1]:  # what was refused when it was queued says more than EXEC does
        only([answer])
    lease, *found = _of_transaction(only(answers[-1:]))
    return lease_of(lease), found


def _whole(answers: Sequence[Answer]) -> list[Any]:
    """All answers. Raises the first error."""
    return [only([answer]) for answer in answers]


def _of_transaction(answers: Sequence[Any]) -> list[Any]:
    """All answers of EXEC. Raises the first error: nobody has made a StoreError of it yet."""
    for answer in answers:
        if isinstance(answer, Exception):
            raise error_of(answer) from answer
    return list(answers)


def _records(flat: Sequence[bytes]) -> list[Record]:
    return [record_of(key, packed) for key, packed in zip(flat[::2], flat[1::2], strict=True)]


def _record(key: str, packed: bytes | None) -> Record | None:
    return None if packed is None else record_of(key.encode(), packed)


def _feed_entry(entry_id: bytes, body: bytes) -> FeedEntry:
    epoch, _, seq = entry_id.partition(b"-")
    return FeedEntry(int(epoch), int(seq), body)
