"""Answers that this process waits for from others, by its own stream of replies."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Protocol

import msgspec
import structlog
import trio

from actors.cluster.messages import CarriedAnswer, LightAnswered, decode_answer
from actors.messaging.not_taken import NotTaken
from actors.messaging.reply import ActorError, NoReply, Reply
from actors.refusal import known_refusal
from actors.supervision import Backoff
from store.engine.port import InboxEntry
from store.errors import StoreUnavailable

log = structlog.get_logger()

POLL_S = 1.0
"""Bells may be lost."""
READ_MOST = 100
OLDEST = "0-0"
"""From there it is read where somebody waits and nothing is found: a server that was promoted, or
whose clock was set back, may have put the answer below what was read before. Once a second; it
keeps those of a minute, 1,024 and 64 MiB at most (16 of 2 MiB take it 0.2 s), and what nobody waits
for is passed over."""
ASK_S = 30.0
"""For a light to answer: longer than anybody waits (10 s)."""
ASKED_MOST = 10_000
"""Questions that are open: 500 bytes each. Of more the oldest count as not answered."""
RETRY = Backoff(first_s=0.1, factor=2.0, most_s=1.0, jitter=0.2)


class NotAnswered(ActorError):
    """The process that has the light could not ask it, or the light did not answer."""


class ReplyEngine(Protocol):
    """What is needed of the engine."""

    async def replies(self, boot: str, after: str, most: int) -> Sequence[InboxEntry]:
        """The messages to this process after this id, oldest first."""
        ...


@dataclass(slots=True)
class _Asked:
    reply: Reply[str] | Reply[CarriedAnswer]
    until: float


class Replies:
    """One for each process; `run` is its task."""

    def __init__(self, engine: ReplyEngine, rng: Random, *, boot: str) -> None:
        self._engine = engine
        self._rng = rng
        self._boot = boot
        self._ids = count(1)
        self._asked: dict[int, _Asked] = {}
        self._after = OLDEST
        self._wake = trio.Event()
        self._rung = trio.Event()

    def __len__(self) -> int:
        """Questions that are open."""
        return len(self._asked)

    def expect(self, reply: Reply[str] | Reply[CarriedAnswer], timeout_s: float = ASK_S) -> int:
        """The id of a new question, by which its answer is known."""
        ask = next(self._ids)
        self._asked[ask] = _Asked(reply, trio.current_time() + timeout_s)
        if len(self._asked) > ASKED_MOST:
            self._give_up(next(iter(self._asked)))
        self._wake.set()
        return ask

    def forget(self, ask: int) -> None:
        """Nobody waits for it any more."""
        self._asked.pop(ask, None)

    def ring(self) -> None:
        """An answer came, perhaps."""
        self._rung.set()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Hand answers to whoever asked, until cancelled."""
        task_status.started()
        failures, all_at = 0, trio.current_time()
        while True:
            if not self._asked:
                self._wake = trio.Event()
                await self._wake.wait()
            with trio.move_on_after(POLL_S):
                await self._rung.wait()
            self._rung = trio.Event()
            try:
                while (found := await self._read()) == READ_MOST:
                    pass
                if not found and trio.current_time() >= all_at:
                    self._after, all_at = OLDEST, trio.current_time() + POLL_S
                    self._rung.set()
                failures = 0
            except StoreUnavailable:
                failures += 1
                await trio.sleep(RETRY.delay_s(failures, self._rng.random()))
            self._expire()

    async def _read(self) -> int:
        entries = await self._engine.replies(self._boot, self._after, READ_MOST)
        for entry in entries:
            self._after = entry.id
            self._take(entry.message)
        return len(entries)

    def _take(self, data: bytes) -> None:
        try:
            answer = decode_answer(data)
        except msgspec.MsgspecError as error:
            log.warning("an answer of another process cannot be read", error=str(error))
            return
        asked = self._asked.pop(
            answer.ask if isinstance(answer, LightAnswered) else answer.id, None
        )
        if asked is None:
            return  # nobody waits for it any more
        if isinstance(answer, CarriedAnswer):
            asked.reply.resolve(answer)  # type: ignore[arg-type]
        elif answer.failure is not None:
            refusal = known_refusal(answer.refusal)
            asked.reply.fail(
                NotAnswered(answer.failure)
                if refusal is None
                else NotTaken(refusal, answer.failure)
            )
        else:
            asked.reply.resolve(answer.text)  # type: ignore[arg-type]

    def _expire(self) -> None:
        now = trio.current_time()
        for ask in [ask for ask, asked in self._asked.items() if asked.until <= now]:
            self._give_up(ask)

    def _give_up(self, ask: int) -> None:
        asked = self._asked.pop(ask)
        asked.reply.fail(NoReply("the process that has the light did not answer in time"))
