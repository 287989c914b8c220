"""Carries the commits of this process's shards out, in order, until they are safe.

Every shard has a log (`shard_log.py`); the commits of all of them go to the engine together. What
was sent and not confirmed stays in its log and is sent again at the next call, whoever makes it: so
one whose caller left is carried out all the same, before anything newer of its shard.

Every two seconds the leases are looked at: a failover that lost what was confirmed is noticed and
made good also for a shard in which nothing happens.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import structlog
import trio

from store.engine.epochs import DATA_LOST, is_lost, was_overtaken
from store.engine.port import COMMIT_WRITES_MOST, Engine, Lease, Result
from store.engine.shards import FLEET
from store.errors import StoreError, StoreTaken, StoreUnavailable
from store.port import Put, Write, outcome
from store.shards.left_shards import LeftShards
from store.shards.owned import HandedIn, Owned, Pending, ShardStatistics, statistics_of
from store.shards.routing import Misrouted, shard_of_request
from store.shards.shard_log import Answer, Kept, ShardLog
from store.threaded import ANSWER_S

log = structlog.get_logger()

Marks = Callable[[str], tuple[str, str]]
"""Asked at each commit of a shard: up to where its inbox and ChirpStack's stream are dealt with."""

LostEnds = Callable[[str, Lease], Awaitable[Sequence[Write]]]

LOOK_EVERY_S = 2.0
SOURCE_EVERY_S = 10.0
"""How often a mark in ChirpStack's stream is stored of a shard in which nothing else happens."""
COMMITS_AT_ONCE = 32
"""Of one shard in one go: 4,096 writes are some 4 MB."""
STALLS_MOST = 3
"""Rounds without a confirmed commit before a call gives up for now."""
REST_S = ANSWER_S + 1.0
"""A process that was not awake for longer than any answer is waited for has slept for the length of
a lease (6 s) or more, and may have been replaced: a lease that was set back is taken again only by
one who was there all the time. This is told of the process, not of a shard, which may have to wait
for the calls of all others."""


class ShardWriter:
    """The writing half of a `ShardStore`. `steady` is seconds on a clock that only rises."""

    def __init__(self, engine: Engine, boot: str, steady: Callable[[], float]) -> None:
        self.marks: Marks = lambda _: ("0-0", "")
        self.on_fenced: Callable[[str], None] = _nothing
        self.on_retaken: Callable[[str, Lease], None] = _nothing
        self.on_lost: Callable[[str, int], None] = _nothing
        self.on_replayed: Callable[[str, int], None] = _nothing
        self.records: Callable[[str], Sequence[Put]] = lambda _: ()
        self.lost_ends: LostEnds = _none_lost
        self.alone: Callable[[], bool] = lambda: False
        self.known_s: Callable[[str], float] = lambda _: 0.0
        self.failed_over = False
        """The engine was away, or was set back, since somebody last reset this."""
        self._engine = engine
        self._boot = boot
        self._steady = steady
        self._owned: dict[str, Owned] = {}
        self._left = LeftShards(engine, steady)
        self._turn = trio.Lock()
        self._looked_at = float("-inf")
        self._awake_at = float("-inf")

    # ------------------------------------------------------------------------------- ownership

    def own(self, shard: str, lease: Lease, before: tuple[int, int] = (0, 0)) -> None:
        """Write this shard under this lease from now on; `before` are epoch and number to which the
        owner before had come.

        Under a lease that was disowned here, as where actors could not be started at once, its
        numbers go on, and what was not confirmed is sent first: a number that was used once would
        be taken for a repetition, and what it stands for now would be acknowledged and lost.
        """
        known, left = self._owned.get(shard), self._left.again(shard, lease)
        if known is not None and known.log.lease.token == lease.token:
            return
        self._owned[shard] = Owned(left or ShardLog(shard, lease), self._awake(), before)

    def disown(self, shard: str) -> None:
        """Write this shard no more, unless it is owned again under the same lease."""
        one = self._owned.pop(shard, None)
        if one is not None:
            self._left.add(one.log)

    @property
    def owned(self) -> Mapping[str, Lease]:
        """The shards that are written here, with the lease that they were taken by."""
        return {shard: one.log.lease for shard, one in self._owned.items()}

    def acknowledged(self, shard: str) -> tuple[str, int] | None:
        """Token and number of the newest commit of which somebody was told that it is durable; None
        for a shard that is not owned."""
        one = self._owned.get(shard)
        return None if one is None else (one.log.lease.token, one.log.acknowledged)

    def settled(self, shard: str) -> bool:
        """Whether everything that was handed in for this shard is confirmed."""
        return shard not in self._owned or not self._owned[shard].log.unsettled

    def statistics(self) -> Mapping[str, ShardStatistics]:
        """Of each shard that is owned."""
        return {shard: statistics_of(one.log) for shard, one in self._owned.items()}

    # --------------------------------------------------------------------------------- commits

    def handed_in(self, writes: Sequence[Write]) -> Sequence[Write]:
        """As `Store.handed_in`."""
        try:
            return HandedIn(writes, self._owned.get(shard_of_request(writes)))
        except Misrouted:
            return writes  # told when it is its turn

    async def commit_each(self, requests: Sequence[Sequence[Write]]) -> Sequence[StoreError | None]:
        """As `Store.commit_each`. A request of a shard that is not owned ends with StoreTaken."""
        async with self._turn:
            if self._steady() - self._looked_at >= LOOK_EVERY_S:
                await self._tend()
            places = [self._place(writes) for writes in requests]
            fresh = self._stage(requests, places)
            try:
                await self._send({place for place in places if isinstance(place, str)})
            except Exception:  # whoever handed these in is told that we crashed: they do not return
                for shard, some in fresh.items():
                    for writes in some if shard in self._owned else ():
                        self._owned[shard].pending.pop(id(writes), None)
                raise
            outcomes = [
                self._outcome(place, writes) if isinstance(place, str) else place
                for place, writes in zip(places, requests, strict=True)
            ]
            for place, writes, failure in zip(places, requests, outcomes, strict=True):
                if failure is None and isinstance(place, str):
                    self._owned[place].pending.pop(id(writes), None)
            return outcomes

    async def announce(self, shard: str) -> None:
        """An empty commit: everybody sees the new owner. Raises StoreUnavailable, StoreTaken."""
        async with self._turn:
            one = self._owned.get(shard)
            if one is None:
                raise _not_owned(shard)
            if not one.log.unsettled:
                self._append(shard, one, ())
            await self._send({shard})
            if self._owned.get(shard) is not one:
                raise _not_owned(shard)
            if one.log.unsettled:
                raise one.trouble or StoreUnavailable(f"shard {shard}: not confirmed yet")

    async def check(self) -> None:
        """Look at the leases, and send what is left. Raises where no shard can be written."""
        async with self._turn:
            await self._tend()
            troubles = [one.trouble for one in self._owned.values()]
            if troubles and all(troubles):
                raise next(trouble for trouble in troubles if trouble is not None)

    def _place(self, writes: Sequence[Write]) -> str | StoreError | None:
        """The shard of a request; None where there is nothing to write."""
        if not writes:
            return None
        if isinstance(writes, HandedIn) and writes.owned is not None:
            shard = writes.owned.log.shard
            return shard if self._owned.get(shard) is writes.owned else _not_owned(shard)
        try:
            shard = shard_of_request(writes)
        except Misrouted as error:
            return error
        if isinstance(writes, HandedIn) or shard not in self._owned:  # it was not ours when made
            return _not_owned(shard)
        return shard

    def _stage(
        self, requests: Sequence[Sequence[Write]], places: Sequence[str | StoreError | None]
    ) -> Mapping[str, Sequence[Sequence[Write]]]:
        """Put new requests into commits; one is never split, and few share one. By shard the new
        ones."""
        fresh: dict[str, list[Sequence[Write]]] = {}
        for writes, place in zip(requests, places, strict=True):
            if isinstance(place, str) and id(writes) not in self._owned[place].pending:
                fresh.setdefault(place, []).append(writes)
        for shard, some in fresh.items():
            one = self._owned[shard]
            begin = count = 0
            for end, writes in enumerate(some):
                if end > begin and count + len(writes) > COMMIT_WRITES_MOST:
                    self._append(shard, one, some[begin:end])
                    begin, count = end, 0
                count += len(writes)
            self._append(shard, one, some[begin:])
        return fresh

    def _append(self, shard: str, one: Owned, requests: Sequence[Sequence[Write]]) -> None:
        one.marks = self.marks(shard)
        one.source_at = self._steady()
        kept = one.log.append(outcome([w for writes in requests for w in writes]), one.marks)
        for writes in requests:
            one.pending[id(writes)] = Pending(writes, kept)

    def _outcome(self, shard: str, writes: Sequence[Write]) -> StoreError | None:
        one = self._owned.get(shard)
        pending = None if one is None else one.pending.get(id(writes))
        if one is None or pending is None:
            return _not_owned(shard)
        if not pending.kept.confirmed:
            return one.trouble or StoreUnavailable(f"shard {shard}: not confirmed yet")
        return None

    # --------------------------------------------------------------------- sending and looking

    async def _send(self, shards: Iterable[str]) -> None:
        """Send what is unconfirmed, until nothing is or the engine does not take it."""
        names = sorted(shards)
        stalls = 0
        while stalls < STALLS_MOST:
            now = self._awake()
            batch = [
                (one, kept)
                for one in (self._owned[name] for name in names if name in self._owned)
                if one.trouble is None or now >= one.retry_at
                for kept in one.log.to_send(COMMITS_AT_ONCE)
            ]
            if not batch:
                break
            answers: Sequence[Result | StoreError]
            try:
                rings = not self.alone()
                answers = await self._engine.commit(
                    [one.log.wire(kept, rings=rings) for one, kept in batch]
                )
            except StoreUnavailable as error:
                answers = [error] * len(batch)
            self._awake()
            went_on = await self._take_in(batch, answers)
            stalls = 0 if went_on else stalls + 1
        self._forget_old(names)

    async def _take_in(
        self,
        batch: Sequence[tuple[Owned, Kept]],
        answers: Sequence[Result | StoreError],
    ) -> bool:
        """Deal with the answers; True when something was confirmed."""
        now = self._steady()
        odd: dict[str, tuple[Answer, Lease]] = {}
        replayed: Counter[str] = Counter()
        went_on = False
        for (one, kept), answer in zip(batch, answers, strict=True):
            name = one.log.shard
            if self._owned.get(name) is not one or name in odd:
                continue
            if isinstance(answer, StoreUnavailable):
                self.failed_over = True
                if one.trouble is None or now >= one.retry_at:
                    one.failed(answer, now)
                continue
            if isinstance(answer, StoreError):
                raise answer
            one.worked()
            before = one.log.replayed
            told = one.log.answered(kept, answer, now)
            replayed[name] += one.log.replayed - before
            went_on = went_on or kept.confirmed
            if told is Answer.GOES_ON:
                one.is_ours(now)
            else:
                odd[name] = (told, answer.lease)
        for name, commits in replayed.items():
            if commits:
                self.failed_over = True
                self.on_replayed(name, commits)
        for name, (told, found) in odd.items():
            await self._settle(name, told, found)
        return went_on

    async def _tend(self) -> None:
        """Look at our leases; store marks that moved; send what is left."""
        owned = dict(self._owned)
        self._awake()
        try:
            leases = await self._engine.look((*owned, *self._left.lately()) or (FLEET,))
        except StoreUnavailable as error:
            self.failed_over = True
            now = self._awake()
            for one in owned.values():
                one.failed(error, now)
            raise
        self._looked_at = self._awake()
        for name, commits in (await self._left.replay(leases, self._owned)).items():
            self.failed_over = True
            self.on_replayed(name, commits)
        for name, one in owned.items():
            found = leases.get(name)
            if found is None or self._owned.get(name) is not one:
                continue  # what was asked for before it was taken says nothing of it
            one.answers()
            behind = one.log.confirmed > found.seq
            told = one.log.stands_at(found)
            self.failed_over = self.failed_over or behind or told is not Answer.GOES_ON
            if told is Answer.GOES_ON:
                one.is_ours(self._looked_at)
            else:
                await self._settle(name, told, found)
        self._store_marks()
        await self._send([name for name, one in self._owned.items() if one.log.unsettled])
        self._forget_old(self._owned)  # also of those in which nothing happens any more

    def _forget_old(self, names: Iterable[str]) -> None:
        now = self._steady()
        for name in names:
            if name in self._owned:
                self._owned[name].log.forget_old(now)

    def _store_marks(self) -> None:
        now = self._steady()
        for name, one in self._owned.items():
            inbox, source = self.marks(name)
            late = source != one.marks[1] and now - one.source_at >= SOURCE_EVERY_S
            if not one.log.unsettled and (inbox != one.marks[0] or late):
                self._append(name, one, ())

    def _awake(self) -> float:
        """Now; asked before and after each call to the engine. Who was not here for longer slept,
        perhaps in the middle of a call, and what was asked then was sent after it."""
        now = self._steady()
        if now - self._awake_at > REST_S:
            for one in self._owned.values():
                one.rested = True
        self._awake_at = now
        return now

    async def _settle(self, shard: str, told: Answer, found: Lease) -> None:
        """The engine's lease is not what ours was: take it again, or leave the shard."""
        one = self._owned.get(shard)
        if one is None:
            return
        now = self._steady()
        ours = found.owner == self._boot  # by a take of ours whose answer did not come
        overtaken = was_overtaken(found, one.before[0], one.log.lease)
        late = one.rested or (not ours and (overtaken or one.is_behind(found, now)))
        if (told is Answer.FENCED and not ours) or (told is Answer.SET_BACK and late):
            log.warning("shard taken by another process", shard=shard, owner=found.owner)
            del self._owned[shard]
            self.on_fenced(shard)
            return
        if is_lost(found, max(now - one.taken_at, self.known_s(shard))):
            one.failed(StoreUnavailable(f"shard {shard}: {DATA_LOST}"), now)
            return
        self.failed_over = True
        if told is Answer.SET_BACK and one.waits_for(found, now):
            why = f"shard {shard}: its owner before sends again what a failover took"
            one.failed(StoreUnavailable(why), now)
            return
        try:
            ends = await self.lost_ends(shard, found)
            self._awake()
            lease = await self._engine.take(shard, found, self._boot)
        except StoreUnavailable as error:
            one.failed(error, self._awake())
            return
        now = self._awake()
        if self._owned.get(shard) is not one:
            return
        if lease is None:
            one.failed(StoreUnavailable(f"shard {shard}: its lease moves"), now)
            return
        one.is_ours(now)
        one.waits_until = None
        one.log.begin_anew(lease, found, self.records(shard), ends)
        log.warning(
            "shard set back by a failover; its commits are sent again",
            shard=shard,
            kept=one.log.kept,
            lost=one.log.lost,
        )
        self.on_retaken(shard, lease)
        if one.log.lost:
            self.on_lost(shard, one.log.lost)


def _not_owned(shard: str) -> StoreTaken:
    return StoreTaken(f"shard {shard} is not this process's (any more)")


async def _none_lost(_shard: str, _found: Lease) -> Sequence[Write]:
    """Until somebody is asked."""
    return ()


def _nothing(*_: object) -> None:
    """Until somebody is told."""
