"""Has commands accepted by the engine, many at a time, and again where a failover lost them.

Theory. While one call is on its way the next commands gather; the first of them then asks for all,
and all of them go on at once when the answer is there. One who leaves meanwhile leaves his command
to the others: accepting it once more changes nothing.
"""

from collections.abc import Callable, Sequence

import msgspec
import structlog
import trio

from store.engine.places import place_of
from store.engine.port import Accept, Accepted, AcceptResult, Engine
from store.errors import StoreError, StoreUnavailable
from store.shards.accept_log import AcceptLog, where

log = structlog.get_logger()

ACCEPTS_AT_ONCE = 128
"""2 kB each; the server serves nobody else for 2 to 3 ms."""
LOOKED_UP_AT_ONCE = 500


class _Waiting:
    """One command, and its answer once it is there. Woken for that, or to ask for all."""

    __slots__ = ("accept", "answer", "woken")

    def __init__(self, accept: Accept) -> None:
        self.accept = accept
        self.answer: AcceptResult | StoreError | None = None
        self.woken = trio.Event()


class Acceptor:
    """The accepting half of a `ShardStore`. `steady` is seconds on a clock that only rises."""

    def __init__(self, engine: Engine, steady: Callable[[], float]) -> None:
        self.repeated = 0
        """Accepted commands that a failover had lost, accepted once more."""
        self.failed = False
        """The engine did not answer, or had no place for one that was lost, since somebody last
        reset this."""
        self.mark_again: Callable[[Accept], Accept] = lambda accept: accept
        """Marks one that is accepted once more: what its light was told since is newer."""
        self.told: Callable[[Accept, AcceptResult], None] = lambda accept, answer: None
        """Told of each answer, in the order of the engine, before whoever asked goes on."""
        self._engine = engine
        self._steady = steady
        self._asks: _Waiting | None = None
        """Who asks the engine, or was woken to; None while nobody waits."""
        self._gathered: list[_Waiting] = []
        self._log = AcceptLog()

    async def accept(self, accept: Accept) -> AcceptResult:
        """Return once the command is durable, or certainly not stored.

        Raises StoreUnavailable where nobody knows; repeated by the same id it is harmless.
        """
        waiting = _Waiting(accept)
        self._gathered.append(waiting)
        try:
            if self._asks is None:
                self._asks = waiting
            else:
                await waiting.woken.wait()
            if self._asks is waiting:
                await self._carry_out()
        finally:
            if waiting.answer is None and waiting in self._gathered:
                self._gathered.remove(waiting)
            if self._asks is waiting:
                self._asks = next(iter(self._gathered), None)
                if self._asks is not None:
                    self._asks.woken.set()
        if isinstance(waiting.answer, StoreError):
            raise waiting.answer
        assert waiting.answer is not None  # noqa: S101 - whoever asks answers or raises
        return waiting.answer

    async def repeat_lost(self) -> None:
        """Accept once more what was acknowledged within the last 30 s and is not there any more.

        Each shard by itself: the server of one may be away while a failover of another has lost
        something. Where that is so `failed` is set, and this is to be called again.
        """
        by_shard: dict[str, list[Accept]] = {}
        for accept in self._log.kept(self._steady()):
            by_shard.setdefault(accept.shard, []).append(accept)
        failures: list[StoreError] = []

        async def repeat(kept: Sequence[Accept]) -> None:
            try:
                await self._repeat_of_shard(kept)
            except StoreUnavailable:
                self.failed = True
            except StoreError as error:
                failures.append(error)

        async with trio.open_nursery() as nursery:  # 64 at most; the engine bounds what it asks
            for kept in by_shard.values():
                nursery.start_soon(repeat, kept)
        if failures:
            raise failures[0]

    async def _repeat_of_shard(self, kept: Sequence[Accept]) -> None:
        """Oldest first."""
        for start in range(0, len(kept), LOOKED_UP_AT_ONCE):
            some = kept[start : start + LOOKED_UP_AT_ONCE]
            found = await self._engine.get([where(accept) for accept in some])
            lost = [accept for accept, record in zip(some, found, strict=True) if record is None]
            for first in range(0, len(lost), ACCEPTS_AT_ONCE):
                await self._repeat(lost[first : first + ACCEPTS_AT_ONCE])
            if lost:
                log.warning("commands lost by a failover accepted once more", commands=len(lost))

    async def _repeat(self, lost: Sequence[Accept]) -> None:
        """Some that were lost. One whose key has been used since for the same request is a command
        of its own, for its caller has its id. What has no room, or no light because that was lost
        as well and is not back yet, is tried again as long as it is remembered."""
        asked = [msgspec.structs.replace(self.mark_again(one), by="") for one in lost]
        answers = await self._engine.accept(asked)
        used = [
            msgspec.structs.replace(one, key=None)
            for one, answer in zip(asked, answers, strict=True)
            if isinstance(answer, AcceptResult) and _has_its_key(answer, one)
        ]
        if used:
            answers = [*answers, *await self._engine.accept(used)]
        failures: list[StoreError] = []
        for answer in answers:
            if isinstance(answer, StoreError):
                failures.append(answer)
                continue
            self.repeated += answer.accepted is Accepted.STORED
            self.failed |= answer.accepted in {Accepted.FULL, Accepted.UNKNOWN}
        if failures:
            raise failures[0]

    async def _carry_out(self) -> None:
        """Ask the engine for the oldest of those that wait; called by one of them."""
        batch = self._gathered[:ACCEPTS_AT_ONCE]
        answers = await self._ask([one.accept for one in batch])
        now = self._steady()
        for one, answer in zip(batch, answers, strict=True):
            one.answer = answer
            one.woken.set()
            if isinstance(answer, AcceptResult):
                if answer.stands_for(one.accept):
                    place = place_of(answer.line, answer.entry)
                    self._log.keep(msgspec.structs.replace(one.accept, place=place), now)
                self.told(one.accept, answer)
            else:
                self.failed = True
        answered = {id(one) for one in batch}
        self._gathered = [one for one in self._gathered if id(one) not in answered]

    async def _ask(self, accepts: list[Accept]) -> list[AcceptResult | StoreError]:
        try:
            return list(await self._engine.accept(accepts))
        except StoreUnavailable as error:
            return [error] * len(accepts)


def _has_its_key(answer: AcceptResult, accept: Accept) -> bool:
    """Whether it was not stored because another command has its key."""
    used = answer.accepted in {Accepted.KNOWN, Accepted.REUSED}
    return used and answer.command_id != accept.command_id
