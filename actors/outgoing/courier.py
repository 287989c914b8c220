"""Delivers the stored events to one hook: reads on from its position, posts, notes what came.

An event counts as taken once the receiver answered 2xx; that is stored after, so that a crash
between the two has it delivered once more, under the same id, and never less than once.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import msgspec
import structlog
import trio

from actors.board.board import Board
from actors.board.changes import AlertView
from actors.board.seen import Seen
from actors.clocks.clock import Clock
from actors.outgoing import repository
from actors.outgoing.model import LOG_MOST, Event, Hook, Kind, Position, StopKind, Try
from actors.outgoing.ports import Answer, Sender
from actors.outgoing.window import Pending, Window
from actors.storage.commits import Commits
from store.errors import StoreUnavailable
from store.port import Entry, Store, Write

log = structlog.get_logger()

PAGE = 200
"""Events read at once, some 1 kB each."""
STORE_AGAIN_S = 1.0
LOOK_S = 60.0
"""Without news it looks for events so often: nobody's word is needed."""
GONE = "the receiver answered 410 Gone"
DEAD = "nothing was taken for a day of tries"


@dataclass(frozen=True, slots=True)
class CourierPorts:
    """Whom it asks. `slots` bounds the requests of all hooks together; `stop` is told that the hook
    is to be stopped, and must not wait."""

    store: Store
    store_writer: Commits
    board: Board
    clock: Clock
    rng: Random
    sender: Sender
    slots: trio.CapacityLimiter
    stop: Callable[[str, StopKind, str], None]
    tried: Callable[[bool], None]
    """Told of each try whether the event was taken."""


class Courier:
    """Of one hook, whose url, secrets and filter may change while it runs."""

    def __init__(
        self, hook: Hook, position: Position, tries: Sequence[Try], ports: CourierPorts
    ) -> None:
        self.hook = hook
        self.window = Window(position)
        self.tries: deque[Try] = deque(tries, LOG_MOST)
        self._ports = ports
        self._restored = not position.open
        self._wake = trio.Event()
        self._dirty = trio.Event()
        self._ended = trio.Event()
        self._ended.set()
        self._unwritten: list[Try] = []
        """As many as there are requests under way between two commits."""

    def stir(self) -> None:
        """There are new events, or a person wants it tried now."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled. Raises StoreError for what is no passing failure."""
        self._ended = trio.Event()
        try:
            await self._deliver()
        finally:
            self._ended.set()

    async def ended(self) -> None:
        """Wait until it does not run."""
        await self._ended.wait()

    async def _deliver(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep)
            while True:
                self._wake = trio.Event()
                more = await self._read()
                while (one := self.window.take(self._steady())) is not None:
                    nursery.start_soon(self._try, one)
                wait_s = 0.0 if more and self._has_room else self._wait_s()
                with trio.move_on_after(wait_s):
                    await self._wake.wait()

    async def test(self) -> Try:
        """Post an event that tells nothing, at once and once, whatever the hook's state."""
        clock = self._ports.clock
        body = body_of("hook.test", clock.now(), msgspec.json.encode({"hook": self.hook.name}))
        event_id = f"test-{self._ports.rng.getrandbits(64):016x}"
        return await self._post(event_id, "hook.test", 1, body)

    # ---------------------------------------------------------------- what is to be delivered

    @property
    def _has_room(self) -> bool:
        return self.window.room >= PAGE

    async def _read(self) -> bool:
        """Read on, if there is room; whether there is more."""
        if not self._has_room and self._restored:
            await trio.lowlevel.checkpoint()
            return False
        try:
            if not self._restored:
                await self._restore()
            entries = await self._ports.store.entries(
                repository.STREAM,
                since=math.nextafter(self.window.read_to, math.inf),
                until=repository.FAR,
                most=PAGE,
                newest_first=False,
            )
        except StoreUnavailable as error:
            log.warning("events cannot be read", hook=self.hook.id, error=str(error))
            await trio.sleep(STORE_AGAIN_S)
            return True
        for entry in entries:
            self._load(entry)
            self.window.read_to = entry.at
        if entries and not self.window.waiting:
            self._dirty.set()  # all of it was for others
        return len(entries) == PAGE

    async def _restore(self) -> None:
        """Events that were read before a restart, and not delivered. Raises StoreError."""
        left = self.window.unread
        while left:
            first = min(left)
            page = await self._ports.store.entries(
                repository.STREAM, since=first, until=repository.FAR, most=PAGE, newest_first=False
            )
            for entry in page:
                if entry.at in left:
                    self._load(entry)
                    left.discard(entry.at)
            left.discard(first)  # it is kept no longer
        self._restored = True

    def _load(self, entry: Entry) -> None:
        event = repository.read_event(entry)
        if event is not None and wants(self.hook, event, self._ports.board):
            self.window.load(entry.entry, entry.at, event)

    def _wait_s(self) -> float:
        due_at = self.window.next_due(self._steady())
        return LOOK_S if due_at is None else min(max(due_at - self._steady(), 0.001), LOOK_S)

    def _steady(self) -> float:
        return self._ports.clock.steady()

    # ---------------------------------------------------------------- how it is delivered

    async def _try(self, one: Pending) -> None:
        ports, hook = self._ports, self.hook
        data = shown(hook, one.event, ports.board)
        body = body_of(one.event.type, one.event.at, bytes(data))
        line = await self._post(one.event_id, one.event.type, one.attempts, body, one)
        if line.status == 410:
            ports.stop(hook.id, StopKind.GONE, GONE)

    async def _post(
        self, event_id: str, type_: str, attempt: int, body: bytes, one: Pending | None = None
    ) -> Try:
        ports, hook = self._ports, self.hook
        async with ports.slots:
            answer = await ports.sender.post(hook.url, event_id, body, self._secrets())
        dead = one is not None and self._settle(one, answer)
        ports.tried(answer.taken)
        line = Try(
            number=self.window.line(),
            at=ports.clock.now(),
            event_id=event_id,
            type=type_,
            attempt=attempt,
            status=answer.status,
            error=answer.error,
            took_s=answer.took_s,
            answer=answer.text,
        )
        self.tries.append(line)
        self._unwritten.append(line)
        self._dirty.set()
        self._wake.set()
        if dead:
            ports.stop(hook.id, StopKind.DEAD, DEAD)
        return line

    def _settle(self, one: Pending, answer: Answer) -> bool:
        date = self._ports.clock.now()
        if answer.taken:
            self.window.taken(one, date)
            return False
        chance = self._ports.rng.random()
        return self.window.failed(one, self._steady(), date, chance, answer.wait_s)

    def _secrets(self) -> list[str]:
        hook = self.hook
        old = hook.secret_before and self._ports.clock.now() < hook.before_until
        return [hook.secret, hook.secret_before] if old else [hook.secret]

    async def _keep(self) -> None:
        """Store the position and the log, as often as the store takes it."""
        while True:
            await self._dirty.wait()
            self._dirty = trio.Event()
            lines, self._unwritten = self._unwritten, []
            now = self._ports.clock.now()
            writes: list[Write] = [
                repository.position_put(self.hook.id, self.window.position, now),
                *(repository.try_put(self.hook.id, line) for line in lines[-LOG_MOST:]),
            ]
            await self._ports.store_writer.commit(writes)


def wants(hook: Hook, event: Event, board: Board) -> bool:
    """Whether this hook is told this event. Pure, but for reading the board."""
    if event.kind not in hook.kinds:
        return False
    if event.light is not None:
        light = event.light
        return hook.sight.sees(light) and hook.wanted.sees(light)
    if event.kind is Kind.GATEWAYS and event.gateway_id is not None:
        seen = Seen(hook.sight, board)
        return not seen.limited or seen.gateway(event.gateway_id) is not None
    return _alert_seen(hook, event, board) is not None


def shown(hook: Hook, event: Event, board: Board) -> msgspec.Raw:
    """The data of an event as far as the hook's maker may see it."""
    if event.kind is not Kind.ALERTS or not hook.sight.limited:
        return event.data
    view = _alert_seen(hook, event, board)
    return event.data if view is None else msgspec.Raw(msgspec.json.encode(view))


def _alert_seen(hook: Hook, event: Event, board: Board) -> AlertView | None:
    try:
        view = msgspec.json.decode(event.data, type=AlertView)
    except msgspec.MsgspecError:
        return None
    if hook.wanted.limited and view.subject in board.devices:
        device = board.devices[view.subject]
        if not hook.wanted.sees(device):
            return None
    return Seen(hook.sight, board).alert(view)


def body_of(type_: str, at: float, data: bytes) -> bytes:
    """The body: the envelope of Standard Webhooks around the data."""
    when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return b'{"type":"%s","timestamp":"%s","data":%s}' % (type_.encode(), when.encode(), data)
