"""The actor that reads ChirpStack's stream and hands each event to its light.

What lies in the stream waits there: where a light's mailbox is full the reading waits a moment, and
a light that still takes nothing is *owed* its events: they are read from its own stream once it
takes messages again, and no other light waits for it meanwhile.

An event that happened more than `PAST_S` ago is told as past: what it says of the light counts, but
no gateway is judged and no pace is set by it now.
"""

import random
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog
import trio

from actors.alerts.finding import Finding
from actors.clocks.clock import Clock
from actors.device.events import Message
from actors.event_stream.findings import stream_findings
from actors.event_stream.low_water import LowWater, Tray
from actors.event_stream.mark import StreamMark, mark_in, mark_put
from actors.fleet.delivery import Delivery
from actors.messaging.mailbox import Mailbox
from actors.supervision import Backoff
from lorawan.events.errors import EventError, UnknownEventKind
from lorawan.events.model import Event
from lorawan.stream.entries import EntryId, StreamEntry, Whose, decoded, whose
from lorawan.stream.errors import StreamError
from lorawan.stream.position import Gap, Position
from lorawan.stream.source import EventSource
from store.port import Record, Write

log = structlog.get_logger()

PAST_S = 10.0
"""Webhooks are posted within 5 s, and a busy ChirpStack takes a few."""
PAGE_MOST = 500
"""Entries of one look: 350 kB, handed out in some 25 ms."""
CHECKPOINT_EVERY = 20
"""Entries handed out between two checkpoints: a millisecond."""
WAIT_S = 1.0
"""For the next entry; also how often the mark and what is owed are looked after."""
SAVE_S = 1.0
"""Between two writes of the mark. What is read again after a crash is known again."""
ROOM_S = 1.0
"""So long the reading waits for one light; from then on it is owed, and costs nobody time."""
LOOK_S = 0.01
OWED_MOST = 1_000
"""Lights that are owed events: 60 bytes each in the record of the mark."""
OWED_AT_ONCE = 50
FILL_MOST = 300
"""Entries of one light's own stream: a light makes some 200 events a day."""
RETRY = Backoff(first_s=0.2, factor=2.0, most_s=10.0, jitter=0.2)


@dataclass(frozen=True, slots=True)
class StreamPorts:
    """Whom the reader knows. Nothing here waits or raises.

    `deliver` takes an event, with whether it is past; `wants` says by DevEUI and profile whether a
    device may be ours; `mailbox` is that of a light, None for one that is not known; `lights` are
    those whose events are looked for where the stream forgot some; `keep` takes writes for the
    store.
    """

    deliver: Callable[[Event, bool], Delivery]
    wants: Callable[[Whose], bool]
    lights: Callable[[], Collection[str]]
    mailbox: Callable[[str], Mailbox[Message] | None]
    keep: Callable[[Sequence[Write]], object]
    repeated: Callable[[], int] = lambda: 0
    """How many events came by another way as well."""


@dataclass(frozen=True, slots=True)
class StreamStatistics:
    """`connected`, `lag_s`, `owed` and `unfinished` (pages) are of now; the rest counts since the
    start."""

    connected: bool
    lag_s: float
    """How long ago the newest entry that was read was written, by the server's clock, when it was
    read; 0 while there is nothing to read."""
    entries: int
    events: int
    """Handed to lights."""
    foreign: int
    """Of devices that are none of ours."""
    unreadable: int
    past: int
    gaps: int
    filled: int
    """Events found in the streams of single lights."""
    owed: int
    unfinished: int
    connections: int
    repeated: int = 0
    """Events that came by both ways and were told once."""


class EventStream:
    """The actor. `name` names the stream, so that the mark of another one is not taken for its."""

    def __init__(
        self,
        source: EventSource,
        ports: StreamPorts,
        clock: Clock,
        rng: random.Random,
        *,
        name: str,
    ) -> None:
        self.problem: str | None = None
        """Why it cannot be read, in words; None while it can."""
        self.failing_since: float | None = None
        """Unix seconds."""
        self._source = source
        self._ports = ports
        self._clock = clock
        self._rng = rng
        self._name = name
        self._position = Position()
        self._low_water = LowWater(ports.mailbox)
        self._owed: dict[str, EntryId] = {}
        self._paid: dict[str, tuple[EntryId, Tray, int]] = {}
        self._touched: set[str] = set()
        self._saved_at = 0.0
        self._unsaved = False
        self._stopped = False
        self._gaps_at: deque[float] = deque(maxlen=100)
        self._connected = False
        self._seen_any = False
        self._lag_s = 0.0
        self._entries = self._events = self._foreign = self._unreadable = 0
        self._past = self._gaps = self._filled = self._connections = 0

    def restore(self, records: Sequence[Record]) -> None:
        """Read on where an earlier run stood; to be told before `run`, with all of `Table.META`."""
        mark, owed = mark_in(records, self._name)
        self._position = Position(mark)
        self._low_water.mark = mark
        self._owed = dict(owed)

    @property
    def trustworthy(self) -> bool:
        """Whether it is connected, and saw that ChirpStack writes there."""
        return self._connected and self._seen_any

    @property
    def mark(self) -> EntryId | None:
        """Every entry up to this one is dealt with."""
        return self._low_water.mark

    def findings(self) -> Iterator[Finding]:
        """What is to be said of it, now."""
        hour_ago = self._clock.steady() - 3_600.0
        gaps = sum(at > hour_ago for at in self._gaps_at)
        return stream_findings(self.problem, self.failing_since, gaps, self._clock.now())

    def statistics(self) -> StreamStatistics:
        """Counters, now."""
        return StreamStatistics(
            connected=self._connected,
            lag_s=self._lag_s,
            entries=self._entries,
            events=self._events,
            foreign=self._foreign,
            unreadable=self._unreadable,
            past=self._past,
            gaps=self._gaps,
            filled=self._filled,
            owed=len(self._owed),
            unfinished=self._low_water.waiting,
            connections=self._connections,
            repeated=self._ports.repeated(),
        )

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Read until cancelled; connect anew, with growing pauses, whenever that fails."""
        task_status.started()
        # What an incarnation before had read and not handed out is read again.
        self._position = Position(self._low_water.mark)
        self._low_water = LowWater(self._ports.mailbox, self._low_water.mark)
        tries = 0
        try:
            while not self._stopped:
                try:
                    await self._connect()
                    while not self._stopped:
                        await self._look()
                        self._works()
                        tries = 0
                except StreamError as error:
                    tries += 1
                    self._fails(error)
                self._keep_mark()
                await trio.sleep(RETRY.delay_s(tries, self._rng.random()))
            await trio.sleep_forever()
        finally:
            self._connected = False
            self._keep_mark(now=True)

    # ------------------------------------------------------------------------------ how

    async def _connect(self) -> None:
        found = await self._source.look()
        self._connections += 1
        self._position.connected(found.now_ms)
        if self._low_water.mark is None:  # so that a stop before the first entry loses none
            self._low_water.mark = found.newest or EntryId(found.now_ms)
            self._unsaved = True

    async def _look(self) -> None:
        """One page, and what is to be looked after between two."""
        self._keep_mark()
        if self._low_water.full:  # the store is behind; what is not read is kept in the stream
            await trio.sleep(WAIT_S)
            return
        await self._pay()
        position = self._position
        assert position.after is not None  # noqa: S101 `connected` was called
        page = await self._source.read(
            position.after, position.known, most=PAGE_MOST, wait_s=WAIT_S
        )
        gap = position.gap(page)
        if gap is not None:
            await self._fill(gap)
        fresh = position.take(page)
        self._lag_s = 0.0
        if page.entries:
            self._seen_any = True
            self._lag_s = max(0.0, page.now_ms / 1000 - page.entries[-1].id.at)
        await self._hand_out(fresh, page.now_ms)
        if page.entries and not self._stopped:
            lights, self._touched = self._touched, set()
            self._low_water.handed_out(page.entries[-1].id, lights, self._clock.steady())

    async def _hand_out(self, entries: Sequence[StreamEntry], now_ms: int) -> None:
        for count, entry in enumerate(entries, start=1):
            if count % CHECKPOINT_EVERY == 0:
                await trio.lowlevel.checkpoint()
            self._entries += 1
            event = self._event(entry)
            if event is None or event.device.dev_eui in self._owed:
                continue
            past = now_ms - entry.id.ms > PAST_S * 1000
            await self._give(event, entry.id, past or self._position.dealt_with_before(entry.id))
            if self._stopped:
                break

    def _event(self, entry: StreamEntry) -> Event | None:
        """The event of an entry, if it may be of a light of ours."""
        try:
            device = whose(entry)
            if device is not None and not self._ports.wants(device):
                self._foreign += 1
                return None
            return decoded(entry)
        except UnknownEventKind:
            return None
        except EventError as error:
            self._unreadable += 1
            log.warning("stream entry unreadable", entry=str(entry.id), error=str(error)[:200])
            return None

    async def _give(self, event: Event, entry_id: EntryId, past: bool) -> bool:
        """Hand out one event, waiting a moment for room. False where the light got nothing."""
        dev_eui = event.device.dev_eui
        mailbox = self._ports.mailbox(dev_eui)
        if mailbox is not None and not mailbox.has_room:
            with trio.move_on_after(0.0 if mailbox.closed else ROOM_S):
                while not mailbox.has_room:  # noqa: ASYNC110 rare, and no mailbox tells of room
                    await trio.sleep(LOOK_S)
        if mailbox is None or mailbox.has_room:
            match self._deliver(event, past):
                case Delivery.DELIVERED | Delivery.REGISTERED:
                    self._events += 1
                    self._past += past
                    self._touched.add(dev_eui)
                    return True
                case Delivery.UNKNOWN:
                    self._foreign += 1
                    return False
                case Delivery.STOPPING:
                    self._stopped = True
                    return False
                case Delivery.FULL:
                    pass
        self._owe(dev_eui, entry_id)
        return False

    def _deliver(self, event: Event, past: bool) -> Delivery:
        try:
            return self._ports.deliver(event, past)
        except Exception:  # a poisoned event must not be read again and again
            self._unreadable += 1
            log.exception("stream entry failed", dev_eui=event.device.dev_eui)
            return Delivery.UNKNOWN

    def _owe(self, dev_eui: str, since: EntryId) -> None:
        if len(self._owed) < OWED_MOST:
            self._owed.setdefault(dev_eui, since)
            self._unsaved = True
            log.warning("light takes no events", dev_eui=dev_eui, since=str(since))
        else:
            log.error("event lost: too many lights take nothing", dev_eui=dev_eui)

    async def _pay(self) -> None:
        """Lights that take messages again get what they are owed."""
        ready = [dev_eui for dev_eui in self._owed if self._takes(dev_eui)][:OWED_AT_ONCE]
        for dev_eui in ready:
            since = self._owed[dev_eui]
            found = await self._source.of_devices([dev_eui], since, None, most=FILL_MOST)
            del self._owed[dev_eui]
            await self._tell_past(found)
            tray = self._ports.mailbox(dev_eui)
            if tray is not None:
                self._paid[dev_eui] = (since, tray, tray.accepted)
            self._unsaved = True

    def _takes(self, dev_eui: str) -> bool:
        mailbox = self._ports.mailbox(dev_eui)
        return mailbox is None or (mailbox.has_room and mailbox.waiting == 0)

    async def _fill(self, gap: Gap) -> None:
        """The stream forgot entries: look for them in the streams of our lights."""
        self._gaps += 1
        self._gaps_at.append(self._clock.steady())
        before = self._filled
        lights = [dev_eui for dev_eui in self._ports.lights() if dev_eui not in self._owed]
        log.warning("stream forgot entries that were not read", since=str(gap.since))
        for start in range(0, len(lights), OWED_AT_ONCE):
            some = lights[start : start + OWED_AT_ONCE]
            await self._tell_past(
                await self._source.of_devices(some, gap.since, gap.until, most=FILL_MOST)
            )
        log.info("streams of single lights read", lights=len(lights), events=self._filled - before)

    async def _tell_past(self, found: Mapping[str, Sequence[StreamEntry]]) -> None:
        for entries in found.values():
            for entry in entries:
                event = self._event(entry)
                if event is not None and event.device.dev_eui not in self._owed:
                    self._filled += await self._give(event, entry.id, True)
                await trio.lowlevel.checkpoint()

    def _keep_mark(self, *, now: bool = False) -> None:
        steady = self._clock.steady()
        self._unsaved |= self._low_water.look(steady)
        mark = self._low_water.mark
        if not self._unsaved or mark is None or not (now or steady >= self._saved_at + SAVE_S):
            return
        self._saved_at = steady
        for dev_eui, (_, tray, upto) in list(self._paid.items()):
            if tray.finished >= upto:
                del self._paid[dev_eui]
        owed = {dev_eui: str(since) for dev_eui, (since, _, _) in self._paid.items()}
        owed |= {dev_eui: str(since) for dev_eui, since in self._owed.items()}
        self._unsaved = bool(self._paid)
        self._ports.keep([mark_put(StreamMark(str(mark), self._name, owed), self._clock.now())])

    def _works(self) -> None:
        if not self._connected:
            self._connected = True
            log.info("event stream read", connection=self._connections)
        self.problem = self.failing_since = None

    def _fails(self, error: StreamError) -> None:
        self._connected = False
        if str(error) != self.problem:
            log.error("event stream cannot be read", error=str(error))
        self.problem = str(error)
        if self.failing_since is None:
            self.failing_since = self._clock.now()
