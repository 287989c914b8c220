"""The engine on Redis or Valkey: what `store.engine.port` promises, by scripts.

Where the nodes are is found by `places`; here it makes no difference.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import trio

from store.engine.epochs import Leaps
from store.engine.port import (
    Accept,
    AcceptResult,
    Applied,
    Commit,
    FeedEntry,
    InboxEntry,
    Lease,
    Member,
    Post,
    Reading,
    Result,
    Snapshot,
)
from store.engine.redis import reads
from store.engine.redis.admission import LOOK_AROUND_EVERY_S, Admission
from store.engine.redis.cluster import InCluster
from store.engine.redis.ear import hear
from store.engine.redis.keys import LEASE_FIELDS, Keys
from store.engine.redis.lanes import Asked, Lanes, Work
from store.engine.redis.node import Answer, only
from store.engine.redis.opening import Content
from store.engine.redis.places import OneServer, Places
from store.engine.redis.pruning import prune
from store.engine.redis.replies import REPLY_KEPT_S, kept_with
from store.engine.redis.scripts import Call, script
from store.engine.redis.sentinel import BySentinel
from store.engine.redis.staging import (
    accept_call,
    accepted_of,
    commit_call,
    lease_of,
    post_call,
    result_of,
    take_call,
)
from store.engine.redis.target import Kind, Target
from store.engine.redis.weights import Finding
from store.errors import StoreClosed, StoreError, StoreUnavailable
from store.port import ALL_STREAMS, Entry, Record, Streams, Table

T = TypeVar("T")

MESSAGES_MOST = 128
"""Of one inbox in one script, as COMMIT_WRITES_MOST."""


class RedisEngine:
    """An `Engine` under one prefix.

    With `is_moving` it is opened for whoever moves or restores a store into it (`filling`): beside
    an older layout, and what others may not open. With `is_reading` for whoever copies what is in
    it, though it may have no room for more.
    """

    def __init__(
        self, target: Target, *, is_moving: bool = False, is_reading: bool = False
    ) -> None:
        self.target = target
        self.look_around_every_s = LOOK_AROUND_EVERY_S
        self._keys = Keys(target.prefix)
        self._places: Places = _places_of(target)
        self._lanes = Lanes(self._places, is_grouping=target.kind is not Kind.CLUSTER)
        self._admission = Admission(
            target,
            self._places,
            self._lanes,
            self._keys,
            is_moving=is_moving,
            is_reading=is_reading,
        )
        self._need = target.need
        self._leaps = Leaps()
        self._open = False

    @property
    def durability_warnings(self) -> Sequence[str]:
        """What may lose an acknowledged commit here; known after `open`, and kept up to date by
        `hear`: a setting may be changed, and a fail-over may promote a server that has others."""
        return self._admission.warnings

    @property
    def connections(self) -> int:
        """How many were made to servers until now."""
        return self._lanes.connections

    async def open(self) -> None:
        """Connect, check and create; idempotent.

        Raises StoreUnavailable, and StoreRefused in words where the engine cannot keep the promise,
        where the user may not do all that is to be done, or where the layout is another one.
        """
        if not self._open:
            await self._admission.open()
            self._open = True

    async def inspect(self) -> Sequence[Finding]:
        """Everything that an operator should know of the engine; the worst first.

        Creates nothing that stays. Raises StoreUnavailable and StoreRefused where its servers
        cannot be looked at; what `open` would raise after that is found.
        """
        return await self._admission.inspect()

    async def content(self) -> Content:
        """What is there, before it is opened; changes nothing. Raises StoreError."""
        return await self._admission.content()

    async def close(self) -> None:
        """Release everything; idempotent, shields itself."""
        self._open = False
        await self._lanes.close()

    async def time(self) -> float:
        """The engine's clock, Unix seconds."""
        self._check_open()
        seconds, micros = only(await self._lanes.ask(Work.READ, [("meta", ("TIME",))]))
        return int(seconds) + int(micros) / 1e6

    # ------------------------------------------------------------------------ leases and members

    async def look(self, shards: Sequence[str]) -> Mapping[str, Lease]:
        """The leases of these shards; one that is missing could not be looked at."""
        asked = [(each, ("HMGET", self._keys.lease(each), *LEASE_FIELDS)) for each in shards]
        return _answered(shards, await self._ask(Work.READ, asked), lease_of)

    async def confirm(self, shards: Sequence[str]) -> Mapping[str, Lease]:
        """The leases of these shards, once replicas have all that was stored of them until now."""
        asked = self._of_leases("confirm", dict.fromkeys(shards, ()))
        found = _answered(shards, await self._confirmed(Work.POST, asked), result_of)
        return {shard: result.lease for shard, result in found.items()}

    async def take(self, shard: str, seen: Lease, boot: str) -> Lease | None:
        """Become the owner, if the lease has not moved since it was `seen`; else None."""
        call = take_call(self._keys, shard, seen, boot, self._leaps.next(boot))
        result = result_of(only(await self._confirmed(Work.COMMIT, [(shard, call)])))
        return result.lease if result.applied is Applied.DONE else None

    async def renew(self, tokens: Mapping[str, str]) -> Mapping[str, Result]:
        """Raise the beat of these shards, by token: DONE, or FENCED."""
        asked = self._of_leases("renew", {shard: (token,) for shard, token in tokens.items()})
        return _answered(list(tokens), await self._confirmed(Work.COMMIT, asked), result_of)

    async def give(self, shard: str, token: str) -> bool:
        """Own it no more, and ring; False where the token is not the shard's any more."""
        arguments = (token, self._keys.bell(shard), shard)
        call = Call(script("give"), (self._keys.lease(shard),), arguments)
        return bool(only(await self._confirmed(Work.COMMIT, [(shard, call)])))

    async def tell_member(self, member: Member) -> None:
        """Show this process to the others."""
        told = ("HSET", self._keys.members, member.boot, _encoder.encode(member))
        # Like a reading it waits for no replica, nor behind a commit that does: who lives shows it.
        only(await self._ask(Work.READ, [("meta", told)]))

    async def members(self) -> Sequence[Member]:
        """Every process that was told of and did not leave, dead ones too."""
        asked = ("HGETALL", self._keys.members)
        found: list[bytes] = only(await self._ask(Work.READ, [("meta", asked)]))
        return [_decoder.decode(value) for value in found[1::2]]

    async def forget_member(self, boot: str) -> None:
        """It left, or is long dead."""
        only(await self._ask(Work.READ, [("meta", ("HDEL", self._keys.members, boot))]))

    # -------------------------------------------------------------------------------- commits

    async def commit(self, commits: Sequence[Commit]) -> Sequence[Result | StoreError]:
        """Carry out commits, of one shard in the order of their numbers; one answer for each."""
        asked = [(each.shard, commit_call(self._keys, each)) for each in commits]
        answers = await self._confirmed(Work.COMMIT, asked)
        return [_outcome(each, result_of) for each in answers]

    async def accept(self, accepts: Sequence[Accept]) -> Sequence[AcceptResult | StoreError]:
        """Store commands and put them into inboxes; one answer for each."""
        asked = [(each.shard, accept_call(self._keys, each)) for each in accepts]
        answers = await self._confirmed(Work.POST, asked)
        return [_outcome(each, accepted_of) for each in answers]

    async def prune(
        self,
        shard: str,
        token: str,
        *,
        tables: Sequence[Table],
        before: float,
        most: int,
        which: Streams = ALL_STREAMS,
    ) -> int:
        """As `Store.prune`, of one shard."""
        self._check_open()
        return await prune(self._lanes, self._keys, shard, token, tables, before, most, which)

    # ----------------------------------------------------------------------- inboxes and feeds

    async def post(self, posts: Sequence[Post]) -> Sequence[bool | None]:
        """Put messages into inboxes: True, False where there is no room, None if unknown."""
        by_shard: dict[str, list[int]] = {}
        for number, each in enumerate(posts):
            by_shard.setdefault(each.shard, []).append(number)
        groups = [
            (shard, numbers[first : first + MESSAGES_MOST])
            for shard, numbers in by_shard.items()
            for first in range(0, len(numbers), MESSAGES_MOST)
        ]
        asked = [
            (shard, post_call(self._keys, shard, [posts[number].message for number in numbers]))
            for shard, numbers in groups
        ]
        put: list[bool | None] = [None] * len(posts)
        for (_, numbers), count in zip(groups, await self._ask(Work.POST, asked), strict=True):
            if not isinstance(count, StoreError):
                for place, number in enumerate(numbers):
                    put[number] = place < count
        return put

    async def read_inboxes(
        self, after: Mapping[str, str], most: int
    ) -> Mapping[str, Sequence[InboxEntry]]:
        """Of each of these shards up to `most` entries after this id, oldest first."""
        asked = [
            (shard, reads.newer_than(self._keys.inbox(shard), entry_id, most))
            for shard, entry_id in after.items()
        ]
        answers = await self._ask(Work.READ, asked)
        return _answered(list(after), answers, reads.inbox_entries)

    async def read_feeds(
        self, after: Mapping[str, tuple[int, int]], most: int
    ) -> Mapping[str, Sequence[FeedEntry]]:
        """Of each of these shards up to `most` entries after this (epoch, seq), oldest first."""
        asked = [
            (shard, reads.newer_than(self._keys.feed(shard), f"{epoch}-{seq}", most))
            for shard, (epoch, seq) in after.items()
        ]
        answers = await self._ask(Work.READ, asked)
        return _answered(list(after), answers, reads.feed_entries)

    async def reply(self, boot: str, message: bytes) -> None:
        """A message to one process; lost where it is dead. Kept for 60 s."""
        key, tag = self._keys.replies(boot), f"to:{boot}"
        asked: list[Asked] = [
            (tag, ("XADD", key, "MAXLEN", "~", kept_with(message), "*", "m", message)),
            (tag, ("EXPIRE", key, REPLY_KEPT_S)),
            (tag, ("PUBLISH", self._keys.bell(boot), boot)),
        ]
        for answer in await self._ask(Work.POST, asked):
            only([answer])

    async def replies(self, boot: str, after: str, most: int) -> Sequence[InboxEntry]:
        """The messages to this process after this id, oldest first."""
        asked = reads.newer_than(self._keys.replies(boot), after, most)
        return reads.inbox_entries(only(await self._ask(Work.READ, [(f"to:{boot}", asked)])))

    async def hear(
        self,
        ring: Callable[[str], None],
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Call `ring(shard)` or `ring(boot)` until cancelled; bells may be lost."""
        self._check_open()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._admission.stay_informed, self.look_around_every_s)
            await hear(self._places, self._keys, ring, task_status)

    # -------------------------------------------------------------------------------- reading

    async def snapshot(self, shard: str, tables: Sequence[Table]) -> Snapshot:
        """These tables of a shard and its lease, at one instant."""
        self._check_open()
        return await reads.snapshot(self._lanes, self._keys, shard, tables)

    async def read(self, shard: str, table: Table, keys: Sequence[str]) -> Reading:
        """A record of this table for each key, and the shard's lease, at one instant."""
        self._check_open()
        return await reads.read(self._lanes, self._keys, shard, table, keys)

    async def get(self, keys: Sequence[tuple[str, Table, str]]) -> Sequence[Record | None]:
        """One record for each (shard, table, key)."""
        self._check_open()
        return await reads.get(self._lanes, self._keys, keys)

    async def streams(self, shard: str) -> Sequence[str]:
        """The names of a shard's streams that hold entries, in any order."""
        asked = ("ZRANGE", self._keys.streams(shard), 0, -1)
        names = only(await self._ask(Work.READ, [(shard, asked)]))
        return [name.decode() for name in names]

    async def entries(
        self,
        shards: Sequence[str],
        stream: str,
        *,
        since: float,
        until: float,
        most: int,
        newest_first: bool = True,
    ) -> Sequence[Entry]:
        """As `Store.entries`, merged over these shards."""
        self._check_open()
        span = reads.Span(stream, since, until, most, newest_first)
        return await reads.entries(self._lanes, self._keys, shards, span)

    def _of_leases(self, name: str, each: Mapping[str, tuple[str, ...]]) -> list[Asked]:
        keys, run = self._keys, script(name)
        return [(shard, Call(run, (keys.lease(shard),), more)) for shard, more in each.items()]

    async def _ask(self, work: Work, asked: Sequence[Asked]) -> list[Answer]:
        self._check_open()
        return await self._lanes.ask(work, asked)

    async def _confirmed(self, work: Work, asked: Sequence[Asked]) -> list[Answer]:
        self._check_open()
        return await self._lanes.ask(work, asked, confirm=self._need)

    def _check_open(self) -> None:
        if not self._open:
            raise StoreClosed("redis: the engine is not open")


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Member)


def _places_of(target: Target) -> Places:
    match target.kind:
        case Kind.SERVER:
            return OneServer(target)
        case Kind.SENTINEL:
            return BySentinel(target)
        case Kind.CLUSTER:
            return InCluster(target)


def _answered(
    names: Sequence[str], answers: Sequence[Answer], read: Callable[[Any], T]
) -> dict[str, T]:
    """What was answered, by name. Raises an error that is all there is, or does not pass."""
    found: dict[str, T] = {}
    for name, answer in zip(names, answers, strict=True):
        if not isinstance(answer, StoreUnavailable):
            found[name] = read(only([answer]))
    if answers and not found:
        raise answers[0]
    return found


def _outcome(answer: Answer, read: Callable[[Any], T]) -> T | StoreError:
    return answer if isinstance(answer, StoreError) else read(answer)
