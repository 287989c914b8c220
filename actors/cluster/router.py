"""Which way a message goes: straight to whom it is for where that runs here, else into an inbox.

Whoever sends neither waits nor learns what became of it: a message may be lost with the process
that had it in hand, and everything that is sent can be lost (a light whose attempt is not answered
submits it again). What must not be lost is a commit, or an accepted command. Who has to know
whether it was written (a webhook, a request that is carried) uses `post`.

Theory. As in the store's writer no timer gathers a batch: while one call is on its way the next
batch gathers by itself. The engine may have several nodes, and a call waits for the slowest: so
what is for shards of which the last call told nothing waits in a line of its own, which is tried by
itself, and nobody else waits for it. A shard is in one line at a time, so its order is kept.

What was sent without an answer is sent again, and may then be read twice: see `twice.py`.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from random import Random
from typing import Protocol

import structlog
import trio

from actors.cluster.answers import AnswerEngine, Answers
from actors.cluster.messages import Answer, ForLight, ForLights, Message, encode
from actors.cluster.replies import Replies
from actors.device.events import DeviceEvent
from actors.messaging.mailbox import Offer
from actors.messaging.reply import NoReply, Reply
from actors.supervision import Backoff
from store.engine.port import Post
from store.engine.shards import FLEET, LIGHT_SHARDS, shard_of
from store.errors import StoreUnavailable

log = structlog.get_logger()

BATCH_MOST = 500
"""Messages of one call: some 10 ms of the engine at the very worst."""
WAITING_MOST = 20_000
"""While the engine is away: 20 s of the busiest process, 20 MB, in both lines together. The oldest
give way, those of silent nodes first."""
KEPT_S = 30.0
"""What could not be written for so long is old news."""
POST_S = 3.0
"""How long `post` waits: ChirpStack gives a webhook 5 s or more."""
RETRY = Backoff(first_s=0.05, factor=2.0, most_s=1.0, jitter=0.2)


class Posted(Enum):
    """What became of a message that somebody waited for."""

    WRITTEN = "written"
    FULL = "full"
    """The inbox has no room: certainly not written."""
    UNKNOWN = "unknown"
    """The engine did not answer in time; it may yet be written."""


class PostEngine(AnswerEngine, Protocol):
    """What is needed of the engine."""

    async def post(self, posts: Sequence[Post]) -> Sequence[bool | None]:
        """Put messages into inboxes; False for each that had no room, None where nobody knows."""
        ...


@dataclass(frozen=True, slots=True)
class RouterPorts:
    """Whom messages reach straight. None of it waits or raises."""

    here: Callable[[str], bool]
    """Whether what belongs to this shard runs in this process."""
    knows: Callable[[str], bool]
    """Whether there is such a light, wherever it runs."""
    light: Callable[[Message], Offer | None]
    """Give a message to a light of this process, or to all of them."""
    fleet: Callable[[Message], None]
    """Give a message to what runs once for the fleet."""


@dataclass(frozen=True, slots=True)
class RouterStatistics:
    """Counted since the start; `waiting` is now."""

    direct: int
    posted: int
    refused: int
    """By inboxes without room."""
    dropped: int
    """Given up here while the engine was away."""
    failures: int
    """Calls of the engine that failed; they were repeated."""
    waiting: int


@dataclass(slots=True)
class _Waiting:
    post: Post
    reply: Reply[bool] | None
    until: float
    sent: bool = False
    """Perhaps it is written."""


class Router:
    """One for each process; `run` is its task."""

    def __init__(
        self, engine: PostEngine, ports: RouterPorts, replies: Replies, rng: Random, *, boot: str
    ) -> None:
        self.boot = boot
        self._engine = engine
        self._ports = ports
        self._replies = replies
        self._rng = rng
        self._sound: deque[_Waiting] = deque()
        self._doubtful: deque[_Waiting] = deque()
        self._silent: set[str] = set()
        """The shards of what is doubtful: what comes for them waits behind it."""
        self._answers = Answers(engine, rng)
        self._idle = trio.lowlevel.ParkingLot()
        self._direct = self._posted = self._refused = self._dropped = self._failures = 0

    # ---------------------------------------------------------------- who sends and goes on

    def to_light(self, dev_eui: str, event: DeviceEvent) -> Offer | None:
        """Have a light told; None for one that is not known. If the event has a reply, that
        resolves when the light has answered, or fails when it does not in time."""
        shard = shard_of(dev_eui)
        if self._ports.here(shard):
            self._direct += 1
            return self._ports.light(ForLight(dev_eui, event))
        if not self._ports.knows(dev_eui):
            return None
        self._ask(shard, dev_eui, event)
        return Offer.ACCEPTED

    def to_light_in_order(self, dev_eui: str, event: DeviceEvent) -> Offer | None:
        """Likewise, and always by the inbox: after the commands that were accepted before."""
        if not self._ports.knows(dev_eui):
            return None
        self._ask(shard_of(dev_eui), dev_eui, event)
        return Offer.ACCEPTED

    def _ask(self, shard: str, dev_eui: str, event: DeviceEvent) -> None:
        reply: Reply[str] | None = getattr(event, "reply", None)
        if reply is None:
            self.send(shard, ForLight(dev_eui, event))
        else:
            ask = self._replies.expect(reply)
            self.send(shard, ForLight(dev_eui, event, self.boot, ask))

    def to_lights(self, event: DeviceEvent, gateway_id: str | None = None) -> None:
        """Have all lights told, or those that this gateway hears."""
        message = ForLights(event, gateway_id)
        away = [shard for shard in LIGHT_SHARDS if not self._ports.here(shard)]
        if len(away) < len(LIGHT_SHARDS):
            self._direct += 1
            self._ports.light(message)
        data = encode(message)
        for shard in away:
            self._put(Post(shard, data))

    def to_fleet(self, message: Message) -> None:
        """Tell what runs once for the fleet."""
        if self._ports.here(FLEET):
            self._direct += 1
            self._ports.fleet(message)
        else:
            self.send(FLEET, message)

    def to_shard(self, shard: str, message: Message) -> None:
        """Tell the owner of light shards something."""
        if self._ports.here(shard):
            self._direct += 1
            self._ports.light(message)
        else:
            self.send(shard, message)

    def send(self, shard: str, message: Message) -> None:
        """Write a message into the inbox of a shard, soon."""
        self.send_encoded(shard, encode(message))

    def send_encoded(self, shard: str, data: bytes) -> None:
        """Likewise."""
        self._put(Post(shard, data))

    def answer(self, boot: str, message: Answer) -> None:
        """Answer a process that asked."""
        self._answers.answer(boot, message)

    # ---------------------------------------------------------------- who has to know

    async def post(self, shard: str, data: bytes, timeout_s: float = POST_S) -> Posted:
        """Write an encoded message into the inbox of a shard. Always a checkpoint."""
        reply: Reply[bool] = Reply()
        self._put(Post(shard, data), reply)
        try:
            return Posted.WRITTEN if await reply.wait(timeout_s) else Posted.FULL
        except NoReply:
            return Posted.UNKNOWN

    # ---------------------------------------------------------------- its life

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write what waits, until cancelled; a call that fails is repeated."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self._answers.run)
            nursery.start_soon(self._write_all, self._sound)
            nursery.start_soon(self._write_all, self._doubtful)
            task_status.started()

    def statistics(self) -> RouterStatistics:
        """Counters, now."""
        return RouterStatistics(
            self._direct,
            self._posted,
            self._refused,
            self._dropped + self._answers.dropped,
            self._failures + self._answers.failures,
            len(self._sound) + len(self._doubtful),
        )

    # ---------------------------------------------------------------- how

    async def _write_all(self, line: deque[_Waiting]) -> None:
        failures = 0
        while True:
            while not line:
                failures = 0
                await self._idle.park()
            if await self._write(line):
                failures = 0
            elif line is self._doubtful:
                failures += 1
                await trio.sleep(RETRY.delay_s(failures, self._rng.random()))

    async def _write(self, line: deque[_Waiting]) -> bool:
        """One call with what is first in a line. False where its outcome is not known of all."""
        while line and line[0].until < trio.current_time():
            self._drop(line)
        batch = list(islice(line, BATCH_MOST))
        for one in batch:
            one.sent = True
        written = await self._call(batch)
        again = []
        for one, done in zip(batch, written, strict=True):
            if is_kept := bool(line) and line[0] is one:  # else it gave way meanwhile
                line.popleft()
            if done is None:
                again += [one] if is_kept else []
                continue
            self._posted += done
            self._refused += not done
            if one.reply is not None:
                one.reply.resolve(done)
        if None in written or line is self._doubtful:
            self._part(line, {one.post.shard for one in batch}, again)
        return None not in written

    async def _call(self, batch: Sequence[_Waiting]) -> Sequence[bool | None]:
        if not batch:
            await trio.lowlevel.checkpoint()
            return ()
        try:
            return await self._engine.post([one.post for one in batch])
        except StoreUnavailable:
            return [None] * len(batch)

    def _part(self, line: deque[_Waiting], tried: set[str], again: Sequence[_Waiting]) -> None:
        """After a call about these shards: all that is for those which told nothing waits behind
        what is doubtful already, and what is for the others is sound."""
        silent = {one.post.shard for one in again}
        if again:
            self._failures += 1
            if not self._silent:
                log.warning("messages wait for the engine", shards=sorted(silent))
        rest = list(line)
        line.clear()
        for one in rest:
            if one.post.shard not in tried:
                line.append(one)
            elif one.post.shard not in silent:
                self._sound.append(one)
        self._doubtful.extend(again)
        self._doubtful.extend(one for one in rest if one.post.shard in silent)
        self._silent = {one.post.shard for one in self._doubtful}
        self._idle.unpark_all()

    def _put(self, post: Post, reply: Reply[bool] | None = None) -> None:
        line = self._doubtful if post.shard in self._silent else self._sound
        line.append(_Waiting(post, reply, trio.current_time() + KEPT_S))
        if len(self._sound) + len(self._doubtful) > WAITING_MOST:
            self._drop(self._doubtful or self._sound)
        self._idle.unpark_all()

    def _drop(self, line: deque[_Waiting]) -> None:
        oldest = line.popleft()
        self._dropped += 1
        if oldest.reply is not None and oldest.sent:
            oldest.reply.fail(NoReply("given up, and perhaps written"))
        elif oldest.reply is not None:
            oldest.reply.resolve(False)
