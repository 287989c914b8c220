"""Deletes what is too old from a prefix in Redis, at most so much at a time.

What is old is read inside the guard's transaction: a commit that was held on the way could
otherwise make it new again between the reading and the deletion.
"""

from collections.abc import Sequence
from typing import Any

from store.port import Table
from store.redis_guard import Guard
from store.redis_keys import Keys

# One pass looks at 100 streams x 100 entries, 10 000 names of some 30 bytes at most.
PRUNE_STREAMS = 100
PRUNE_ENTRIES = 100


def prune(keys: Keys, guard: Guard, tables: Sequence[Table], before: float, most: int) -> int:
    """Delete up to `most` entries and records of these tables with at < before; how many went."""
    gone = 0
    for table in tables:
        gone += _prune_table(keys, guard, table, before, most - gone)
    while gone < most:
        passed = _prune_streams(keys, guard, before, most - gone)
        if passed is None:
            break
        gone += passed
    return gone


def _prune_table(keys: Keys, guard: Guard, table: Table, before: float, most: int) -> int:
    old: list[bytes] = []

    def prepare(pipe: Any) -> None:
        old.extend(_older(pipe, keys.table_at(table), before, most))
        pipe.multi()
        if old:
            pipe.hdel(keys.table(table), *old)
            pipe.zrem(keys.table_at(table), *old)

    if most > 0:
        guard.transaction(prepare)
    return len(old)


def _prune_streams(keys: Keys, guard: Guard, before: float, most: int) -> int | None:
    """One pass over the streams; how many entries went, None when no stream is due."""
    passed: list[int] = []

    def prepare(pipe: Any) -> None:
        due = _older(pipe, keys.streams, before, PRUNE_STREAMS)
        # In immediate mode each is a round trip: 100 of some 50 us.
        ages = [
            pipe.zrange(keys.stream_at(name.decode()), 0, PRUNE_ENTRIES, withscores=True)
            for name in due
        ]
        pipe.multi()
        if due:
            passed.append(
                _stage_deletion(pipe, keys, dict(zip(due, ages, strict=True)), before, most)
            )

    guard.transaction(prepare)
    return passed[0] if passed else None


def _stage_deletion(
    pipe: Any,
    keys: Keys,
    ages: dict[bytes, list[tuple[bytes, float]]],
    before: float,
    most: int,
) -> int:
    left = most
    for stream, entries in ages.items():
        name = stream.decode()
        old = [entry for entry, at in entries if at < before][: min(left, PRUNE_ENTRIES)]
        left -= len(old)
        if old:
            pipe.hdel(keys.stream(name), *old)
            pipe.zrem(keys.stream_at(name), *old)
        if len(old) < len(entries):
            pipe.zadd(keys.streams, {stream: entries[len(old)][1]})
        else:
            pipe.zrem(keys.streams, stream)
    return most - left


def _older(client: Any, zset: str, before: float, most: int) -> list[bytes]:
    found: list[bytes] = client.zrange(
        zset, "-inf", f"({before!r}", byscore=True, offset=0, num=most
    )
    return found
