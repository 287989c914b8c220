"""Requests that only the owner of a shard can answer, whichever process they were sent to.

A rollout, an initialisation, an acknowledgement, a removal, the timer of a light: what these need
lives in one process. The request itself (method, path, query and body), of a caller whose rights
were checked, is written into that owner's inbox, carried out there by the same web app as any
other, and answered by the stream of replies.

Nobody knows what became of it where no answer comes in time: whoever asks again with the same key,
or looks first, does no harm. It is carried out once, however often it lies in the inbox, and not
begun after its deadline. What changes something that there is once for the fleet is carried out
once, too, where the shard's owner changes meanwhile (`begun_requests.py`); what is for a light
(take it off, revive it) is done to what is there then, and does no harm twice.

Theory. Deadlines are told by the engine's clock, as each end reads it when it has to: the clocks of
two processes were set by it when these started, and it may have been set since, or be another
server's. So how long a request lay in the inbox counts, and how far clocks differ does not.
"""

import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

import structlog
import trio

from actors.clocks.clock import Clock
from actors.cluster.begun_requests import LOOKS_ONLY, BegunRequests
from actors.cluster.deflated import DEFLATED_FROM_BYTES, TooLong, deflated, inflated
from actors.cluster.messages import CarriedAnswer, CarriedRequest, encode
from actors.cluster.replies import Replies
from actors.cluster.router import POST_S, Posted, Router
from actors.cluster.twice import AskedBefore
from actors.messaging.reply import ActorError, Reply
from actors.replace import replace
from store.errors import StoreError
from store.port import Record, Write

log = structlog.get_logger()

CARRY_S = 12.0
"""As long as any handler may take: a dead owner's shard is taken by then, and answered by whoever
took it."""
SERVED_MOST = 32
"""At once, each with its body of 256 kB at most: 8 MB."""
ANSWER_BYTES_MOST = 2 * 1024 * 1024
"""As it is written into the engine: a rollout of 50,000 lights, deflated."""
CLOCK_S = 10.0
"""So long the engine's clock is known once it was read; what is allowed for is 12 s."""
CLOCK_READ_S = 0.5
"""A reading that takes longer says too little; then the one before counts, or the house clock."""
BUSY, FAILED = 503, 500
"""What is answered without the app says why in words, and has no Content-Type."""


class NotCarried(Enum):
    """Why there is no answer."""

    NOBODY = "nobody"
    """No process has that shard now: certainly not carried out."""
    FULL = "full"
    """Its inbox has no room: certainly not carried out."""
    UNANSWERED = "unanswered"
    """No answer in time: perhaps carried out."""


@dataclass(frozen=True, slots=True)
class CarriedStatistics:
    """Counted since the start; `serving` is now."""

    asked: int
    unanswered: int
    served: int
    refused: int
    """Because too many were under way, or the deadline was over."""
    repeated: int
    """That came before."""
    serving: int


Serve = Callable[[CarriedRequest], Awaitable[CarriedAnswer]]
"""Carries a request out, as if it had come by HTTP from a caller with these rights."""


class Carrier:
    """Both ends, one for each process; `run` is its task, for what it carries out.

    `owner` is the boot of the process that has a shard, as far as is seen; empty where nobody has.
    `engine_time` reads the engine's clock, `commit` stores. `serve` is set by the web, once
    there is one.
    """

    def __init__(
        self,
        router: Router,
        replies: Replies,
        clock: Clock,
        *,
        owner: Callable[[str], str],
        engine_time: Callable[[], Awaitable[float]],
        commit: Callable[[Sequence[Write]], Awaitable[None]],
    ) -> None:
        self.serve: Serve | None = None
        self._router = router
        self._replies = replies
        self._clock = clock
        self._owner = owner
        self._engine_time = engine_time
        self._commit = commit
        self._ahead_s = 0.0
        """Of our clock before the engine's."""
        self._clock_read_at = -math.inf
        self._before = AskedBefore()
        self._begun = BegunRequests()
        self._nursery: trio.Nursery | None = None
        self._asked = self._unanswered = self._served = self._refused = 0
        self._repeated = self._serving = 0

    async def carry(
        self, shard: str, request: CarriedRequest, timeout_s: float = CARRY_S
    ) -> CarriedAnswer | NotCarried:
        """Have the owner of the shard answer. `id`, `asker` and `deadline_at` are filled in."""
        if not self._owner(shard):
            await trio.lowlevel.checkpoint()
            return NotCarried.NOBODY
        self._asked += 1
        reply: Reply[CarriedAnswer] = Reply()
        ask = self._replies.expect(reply, timeout_s)
        until = trio.current_time() + timeout_s

        def left_s() -> float:
            return max(0.0, until - trio.current_time())

        try:
            request = replace(
                request,
                id=ask,
                asker=self._router.boot,
                deadline_at=await self._engine_now() + left_s(),
                inflates=True,
            )
            posted = await self._router.post(shard, encode(request), min(POST_S, left_s()))
            if posted is Posted.FULL:
                return NotCarried.FULL
            return await _unpacked(await reply.wait(left_s()))
        except ActorError:
            self._unanswered += 1
            return NotCarried.UNANSWERED
        finally:
            self._replies.forget(ask)

    # ---------------------------------------------------------------- the other end

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Carry requests out, until cancelled."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                task_status.started()
                await trio.sleep_forever()
        finally:
            self._nursery = None

    def restore(self, meta: Iterable[Record]) -> None:
        """The fleet's shard is ours: what owners before have begun, of its `Table.META`."""
        for asker, ask in self._begun.restore(meta):
            self._before.again(asker, ask)

    def take(self, request: CarriedRequest, *, fleetwide: bool = False) -> None:
        """One came for us, by the inbox of lights or of the fleet. Never waits."""
        if self._before.again(request.asker, request.id):
            self._repeated += 1
        elif self._nursery is None:
            self._refused += 1
        elif self.serve is None or self._serving >= SERVED_MOST:
            self._refuse(request)
        else:
            self._serving += 1
            noted = fleetwide and request.method not in LOOKS_ONLY
            self._nursery.start_soon(self._serve, self.serve, request, noted)

    def statistics(self) -> CarriedStatistics:
        """Counters, now."""
        return CarriedStatistics(
            self._asked,
            self._unanswered,
            self._served,
            self._refused,
            self._repeated,
            self._serving,
        )

    async def _serve(self, serve: Serve, request: CarriedRequest, noted: bool) -> None:
        try:
            now = await self._engine_now()
            left_s = request.deadline_at - now
            if left_s <= 0:  # nobody waits, unless clocks differ
                log.warning("carried request came late", path=request.path, late_s=round(-left_s))
                self._refuse(request)
                return
            with trio.move_on_after(min(left_s, CARRY_S)):
                if noted and not await self._noted(request, now):
                    return
                self._answer(request, await _packed(request, await serve(request)))
                self._served += 1
        except Exception:
            log.exception("carried request failed", path=request.path)
            self._answer(request, _failed(request, "it failed in the process that has it"))
        finally:
            self._serving -= 1

    async def _noted(self, request: CarriedRequest, now: float) -> bool:
        """False where it is not ours to begin: whoever took the shard reads it, too."""
        try:
            await self._commit([self._begun.begin(request, now)])
        except StoreError as error:
            log.warning("carried request left to others", path=request.path, error=str(error))
            return False
        return True

    async def _engine_now(self) -> float:
        """Unix seconds by the engine's clock."""
        if self._clock.steady() > self._clock_read_at + CLOCK_S:
            with trio.move_on_after(CLOCK_READ_S), suppress(StoreError):
                before = self._clock.now()
                told = await self._engine_time()
                self._ahead_s = (before + self._clock.now()) / 2.0 - told
                self._clock_read_at = self._clock.steady()
        return self._clock.now() - self._ahead_s

    def _refuse(self, request: CarriedRequest) -> None:
        self._refused += 1
        words = b"the process that has it could not begin in time: nothing was done"
        self._answer(request, CarriedAnswer(request.id, BUSY, (), words))

    def _answer(self, request: CarriedRequest, answer: CarriedAnswer) -> None:
        if len(answer.body) > ANSWER_BYTES_MOST:
            log.error("the answer to a carried request is too large", path=request.path)
            answer = _failed(
                request,
                "the answer is too large to be handed from one process to another: ask the one "
                "that has what runs once for the fleet (see `lamplighter cluster`)",
            )
        self._router.answer(request.asker, answer)


async def _packed(request: CarriedRequest, answer: CarriedAnswer) -> CarriedAnswer:
    """The answer in fewer bytes, where that helps and the asker reads it."""
    if not request.inflates or len(answer.body) < DEFLATED_FROM_BYTES:
        return answer
    with suppress(TooLong):  # as it is it is refused
        return replace(answer, body=await deflated(answer.body), deflated=True)
    return answer


async def _unpacked(answer: CarriedAnswer) -> CarriedAnswer:
    if not answer.deflated:
        return answer
    try:
        return replace(answer, body=await inflated(answer.body), deflated=False)
    except TooLong as error:
        log.warning("the answer to a carried request cannot be inflated", error=str(error))
        return CarriedAnswer(answer.id, FAILED, (), b"the answer of the other process is damaged")


def _failed(request: CarriedRequest, words: str) -> CarriedAnswer:
    return CarriedAnswer(request.id, FAILED, (), words.encode())
