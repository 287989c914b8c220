"""What the scripts are called with, and what their answers mean."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, TypeVar

from store.engine.feeds import feed_kept
from store.engine.port import (
    FEED_BELL,
    INBOX_MOST,
    Accept,
    Accepted,
    AcceptResult,
    Applied,
    Commit,
    Lease,
    Result,
)
from store.engine.redis.keys import Keys
from store.engine.redis.scripts import Argument, Call, script
from store.errors import StoreCorrupt
from store.port import Outcome, Table
from store.redis_values import pack

T = TypeVar("T")

COMMAND_MOST = 1_000
"""Records of one command: Lua's stack takes some 8,000 arguments, and a record is two of them."""


def commit_call(keys: Keys, commit: Commit) -> Call:
    """One commit."""
    shard, outcome = commit.shard, commit.outcome
    staged = _Staged([keys.lease(shard), keys.inbox(shard), keys.feed(shard)])
    _stage_records(staged, keys, shard, outcome)
    _stage_appends(staged, keys, shard, outcome)
    head: tuple[Argument, ...] = (
        commit.token,
        commit.seq,
        commit.inbox_mark,
        commit.source_mark,
        commit.feed,
        feed_kept(commit.feed),
        keys.bell(shard) if commit.rings else "",
        FEED_BELL + shard,
        len(outcome.appends),
    )
    arguments = (*head, *staged.lines, *staged.commands)
    return Call(script("commit"), list(staged.keys), arguments)


class _Staged:
    """Commands of a script, each with the number of its key, and lines, which are half of all that
    is written: two commands for each, spelled out, would be three times as many arguments."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = {key: number for number, key in enumerate(keys, start=1)}
        self.commands: list[Argument] = []
        self.lines: list[Argument] = []

    def add_line(self, stream: str, ages: str, *line: Argument) -> None:
        """A line of the history `stream`: its id, itself, its age."""
        number = self.keys.setdefault(stream, len(self.keys) + 1)
        self.keys.setdefault(ages, number + 1)
        self.lines += (number, *line)

    def add(self, command: str, key: str, *arguments: Argument) -> None:
        number = self.keys.setdefault(key, len(self.keys) + 1)
        self.commands += (command, number, len(arguments), *arguments)


def _stage_records(staged: _Staged, keys: Keys, shard: str, outcome: Outcome) -> None:
    table_of = attrgetter("table")
    for table, puts in groupby(sorted(outcome.puts, key=table_of), table_of):
        for some in _batched(puts):
            values: list[Argument] = []
            ages: list[Argument] = []
            for put in some:
                values += (put.key, pack(put.at, put.value))
                ages += (repr(float(put.at)), put.key)
            staged.add("HSET", keys.table(shard, table), *values)
            staged.add("ZADD", keys.table_at(shard, table), *ages)
    for table, deletes in groupby(sorted(outcome.deletes, key=table_of), table_of):
        for gone in _batched(delete.key for delete in deletes):
            staged.add("HDEL", keys.table(shard, table), *gone)
            staged.add("ZREM", keys.table_at(shard, table), *gone)


def _stage_appends(staged: _Staged, keys: Keys, shard: str, outcome: Outcome) -> None:
    oldest: dict[str, float] = {}
    for append in outcome.appends:
        name, at = append.stream, float(append.at)
        staged.add_line(
            keys.stream(shard, name),
            keys.stream_at(shard, name),
            append.entry,
            pack(at, append.value),
            repr(at),
        )
        oldest[name] = min(at, oldest.get(name, at))
    for some in _batched(oldest.items()):
        ages = [part for name, at in some for part in (repr(at), name)]
        staged.add("ZADD", keys.streams(shard), "LT", *ages)


def _batched(items: Iterable[T]) -> Iterator[list[T]]:
    """So many at a time as a script can hand to one command."""
    rest = iter(items)
    while some := list(islice(rest, COMMAND_MOST)):
        yield some


def accept_call(keys: Keys, accept: Accept) -> Call:
    """A command for a light."""
    shard, at = accept.shard, float(accept.at)
    names = (
        keys.lease(shard),
        keys.inbox(shard),
        keys.table(shard, Table.DEVICE),
        keys.table(shard, Table.COMMAND),
        keys.table_at(shard, Table.COMMAND),
        keys.table(shard, Table.IDEMPOTENCY),
        keys.table_at(shard, Table.IDEMPOTENCY),
    )
    arguments = (
        INBOX_MOST,
        keys.bell(shard),
        shard,
        accept.dev_eui,
        accept.command_id,
        pack(at, accept.record),
        repr(at),
        accept.message,
        accept.key or "",
        accept.fingerprint,
        pack(at, accept.key_record),
        accept.by,
    )
    return Call(script("accept"), names, arguments)


def take_call(keys: Keys, shard: str, seen: Lease, boot: str, leap: int) -> Call:
    """A take by `boot` of a lease that was `seen`."""
    return Call(script("take"), (keys.lease(shard),), (*seen.moved_by, boot, leap))


def post_call(keys: Keys, shard: str, messages: Sequence[bytes]) -> Call:
    """Messages for one inbox."""
    names = (keys.lease(shard), keys.inbox(shard))
    return Call(script("post"), names, (INBOX_MOST, keys.bell(shard), shard, *messages))


def lease_of(fields: Sequence[bytes | None]) -> Lease:
    """A lease from its fields in the order of LEASE_FIELDS; a shard nobody ever owned has none.

    Raises StoreCorrupt for what is no lease.
    """
    token, epoch, owner, beat, seq, inbox_mark, source_mark = fields
    try:
        return Lease(
            token=(token or b"").decode(),
            epoch=int(epoch or 0),
            owner=(owner or b"").decode(),
            beat=int(beat or 0),
            seq=int(seq or 0),
            inbox_mark=(inbox_mark or b"0-0").decode(),
            source_mark=(source_mark or b"").decode(),
        )
    except ValueError as error:
        raise StoreCorrupt(f"redis: a lease under our prefix is not ours: {fields!r}") from error


def result_of(answer: Sequence[Any]) -> Result:
    """The answer of the scripts `commit`, `renew` and `take`."""
    applied, *fields = answer
    fields = [b"%d" % field if isinstance(field, int) else field for field in fields]
    return Result(Applied(applied.decode()), lease_of(fields))


def accepted_of(answer: Sequence[bytes]) -> AcceptResult:
    """The answer of the script `accept`."""
    accepted, *ids = answer
    return AcceptResult(Accepted(accepted.decode()), *(each.decode() for each in ids))
