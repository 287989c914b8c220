"""The actor that reads ChirpStack's stream and hands each event to its light.

An event that happened more than `PAST_S` ago is told as past: what it says of the light counts, but
no gateway is judged and no pace is set by it now.

In a cluster every process reads the whole stream and keeps what is for the shards that it owns; of
a shard that it takes over it reads on from where the owner before stood (`catch_up`).
"""

import math
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
from actors.event_stream.handing_out import Audience, HandingOut
from actors.event_stream.low_water import LowWater
from actors.event_stream.mark import StreamMark, mark_in, mark_put
from actors.event_stream.statistics import StreamStatistics
from actors.messaging.mailbox import Mailbox
from actors.supervision import Backoff
from lorawan.events.model import Event
from lorawan.stream.entries import BEGINNING, EntryId, StreamEntry, Whose
from lorawan.stream.errors import StreamError
from lorawan.stream.position import STEP_BACK_S, Page, Position
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
QUIET_S = 1_800.0
"""One light alone reports twice in that time: where nothing is written for longer, ChirpStack may
write elsewhere by now."""
RETRY = Backoff(first_s=0.2, factor=2.0, most_s=10.0, jitter=0.2)


@dataclass(frozen=True, slots=True)
class StreamPorts:
    """Whom the reader knows. Nothing here waits or raises.

    `mailbox` is that of a light, None for one that is not known; `keep` takes writes for the store;
    `repeated` tells how many events came by another way as well, `stopped` whether nothing at all
    can be stored now; `parts` names those of `catch_up` that a device is of, and without it they
    are asked one by one.
    """

    audience: Audience
    mailbox: Callable[[str], Mailbox[Message] | None]
    keep: Callable[[Sequence[Write]], object] = lambda writes: None
    repeated: Callable[[], int] = lambda: 0
    stopped: Callable[[], bool] = lambda: False
    parts: Callable[[Whose], Collection[str]] | None = None


@dataclass(slots=True, eq=False)
class _Job:
    """Somebody who joined late, and up to where they had been told; None where nobody knows."""

    audience: Audience
    mark: EntryId | None
    done: Callable[[], None]
    was_read: bool = False
    """It was told all there was, and that is not dealt with yet."""

    def after(self, until: EntryId) -> EntryId:
        """What is behind this is to be read again. Ids may have begun anew below the mark."""
        return (until if self.mark is None else min(self.mark, until)).earlier(STEP_BACK_S)

    def misses(self, known: EntryId, first: EntryId | None) -> bool:
        """Whether entries may have been forgotten that it was not told: the stream holds `known`
        no more, and nothing that is older than `first`."""
        return self.mark is not None and (self.mark == known or first is None or self.mark < first)


class EventStream:
    """The actor. `name` names the stream, so that the mark of another one is not taken for its."""

    def __init__(
        self,
        source: EventSource,
        ports: StreamPorts,
        clock: Clock,
        rng: random.Random,
        *,
        name: str = "",
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
        self._hands = HandingOut(source, ports.mailbox)
        self._jobs: dict[str, _Job] = {}
        """By whose they are, until they are done."""
        self._saved_at = 0.0
        self._saved: StreamMark | None = None
        self._gaps_at: deque[float] = deque(maxlen=100)
        self._forgotten = BEGINNING
        """Up to here the stream had forgotten all when a gap was found last."""
        self._connected = False
        self._written_at = -math.inf
        self._quiet_s = math.inf
        self._lag_s = 0.0
        self._entries = self._gaps = self._connections = 0

    def restore(self, records: Sequence[Record]) -> None:
        """Read on where an earlier run stood; to be told before `run`, with all of `Table.META`."""
        mark, owed = mark_in(records, self._name)
        self._position = Position(mark)
        self._low_water.mark = mark
        self._hands.owed = dict(owed)

    def catch_up(
        self, name: str, audience: Audience, mark: EntryId | None, done: Callable[[], None]
    ) -> None:
        """These listen from now on, and had been told everything up to `mark`: read on from there
        for them alone. `done` is called once that is dealt with, unless `leave` was before or
        another of this name came. Bound: one for each shard."""
        self._jobs[name] = _Job(audience, mark, done)

    def leave(self, name: str) -> None:
        """These are not to be caught up any more."""
        self._jobs.pop(name, None)

    @property
    def trustworthy(self) -> bool:
        """Whether it is connected, and ChirpStack wrote there lately."""
        return self._connected and self._quiet_s <= QUIET_S

    @property
    def mark(self) -> EntryId | None:
        """Every entry up to this one is dealt with."""
        return self._low_water.mark

    def owed(self) -> Mapping[str, EntryId]:
        """Lights that did not take their events, or have not dealt with what was read again for
        them, and from which entry on. Not covered by `mark`."""
        return self._hands.to_be_kept()

    def findings(self) -> Iterator[Finding]:
        """What is to be said of it, now."""
        hour_ago = self._clock.steady() - 3_600.0
        gaps = sum(at > hour_ago for at in self._gaps_at)
        return stream_findings(self.problem, self.failing_since, gaps, self._clock.now())

    def statistics(self) -> StreamStatistics:
        """Counters, now."""
        hands = self._hands
        return StreamStatistics(
            connected=self._connected,
            lag_s=self._lag_s,
            entries=self._entries,
            events=hands.events,
            foreign=hands.foreign,
            unreadable=hands.unreadable,
            past=hands.past,
            gaps=self._gaps,
            filled=hands.filled,
            owed=len(hands.owed),
            unfinished=self._low_water.waiting,
            connections=self._connections,
            repeated=self._ports.repeated(),
        )

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Read until cancelled; connect anew, with growing pauses, whenever that fails."""
        task_status.started()
        # What an incarnation before had read, and is not dealt with, is read again.
        for job in self._jobs.values():
            job.was_read = False
        self._position = Position(self._low_water.mark)
        self._low_water = LowWater(self._ports.mailbox, self._low_water.mark)
        tries = 0
        try:
            while not self._hands.stopped:
                try:
                    await self._connect()
                    while not self._hands.stopped:
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
        self._position.connected(found.now_ms, found.newest)
        if self._low_water.mark is None:  # so that a stop before the first entry loses none
            self._low_water.mark = found.newest or BEGINNING

    async def _look(self) -> None:
        """One page, and what is to be looked after between two."""
        self._keep_mark()
        if self._low_water.full and self._ports.stopped():  # the stream keeps what is not read
            await trio.sleep(WAIT_S)
            return
        await self._hands.pay(self._ports.audience)
        position = self._position
        jobs = {name: job for name, job in self._jobs.items() if not job.was_read}
        if jobs:
            await self._catch_up(jobs, position.after, position.newest)
        page = await self._source.read(
            position.after, position.known, most=PAGE_MOST, wait_s=WAIT_S
        )
        gap = position.gap(page)
        if gap is not None:
            await self._hands.fill(gap.since, gap.until, self._ports.audience)
            self._count_gap(gap.known, page)
        fresh = position.take(page)
        if position.begins_anew:
            self._low_water.begin_anew()
        self._lag_s = 0.0
        if page.entries:
            self._written_at = page.entries[-1].id.at
            self._lag_s = max(0.0, page.now_ms / 1000 - page.entries[-1].id.at)
        self._quiet_s = page.now_ms / 1000 - self._written_at
        wants = self._ports.audience.wants
        for count, entry in enumerate(fresh, start=1):
            if count % CHECKPOINT_EVERY == 0:
                await trio.lowlevel.checkpoint()
            self._entries += 1
            before = position.dealt_with_before(entry.id)
            event = self._hands.event(entry, wants)
            if event is not None:
                await self._hand_out(event, entry.id, self._ports.audience, page.now_ms, before)
        if page.entries:
            self._handed_out(page.entries[-1].id)

    async def _hand_out(
        self, event: Event, entry_id: EntryId, audience: Audience, now_ms: int, before: bool
    ) -> None:
        if not self._hands.stopped:
            past = before or now_ms - entry_id.ms > PAST_S * 1000
            await self._hands.give(event, entry_id, audience, past)

    def _handed_out(self, last: EntryId, done: Callable[[], None] | None = None) -> None:
        if self._hands.stopped:
            return
        lights, self._hands.touched = self._hands.touched, set()
        self._low_water.handed_out(last, lights, self._clock.steady(), done)

    async def _catch_up(self, jobs: Mapping[str, _Job], until: EntryId, newest: EntryId) -> None:
        """Read again for those who joined, up to the `newest` that was read ever: what lies behind
        `until` is read again, after a new connection, but handed out again to nobody."""
        starts = {job: job.after(until) for job in jobs.values()}
        after, last = min(starts.values()), BEGINNING
        marks = [job.mark for job in starts if job.mark is not None and job.mark != BEGINNING]
        known = asked = min(marks, default=None)
        while True:
            page = await self._source.read(after, asked, most=PAGE_MOST, wait_s=0.001)
            if not page.kept and known is not None:
                first = page.entries[0].id if page.entries else None
                for job, start in starts.items():
                    if job.misses(known, first):
                        await self._hands.fill(start, first, job.audience)
                self._count_gap(known, page)
            asked = None
            for count, entry in enumerate(page.entries, start=1):
                if count % CHECKPOINT_EVERY == 0:
                    await trio.lowlevel.checkpoint()
                wanting, event = self._wanted(entry, jobs)
                for job in wanting:
                    if event is not None and entry.id > starts[job]:
                        before = job.mark is not None and entry.id <= job.mark
                        await self._hand_out(event, entry.id, job.audience, page.now_ms, before)
                after = entry.id
                last = after if after <= until else last
            if not page.entries or after >= max(until, newest):
                break
        for job in starts:
            job.was_read = True

        def done() -> None:
            for name in [name for name, job in self._jobs.items() if job in starts]:
                self._jobs.pop(name).done()

        self._handed_out(last, done)

    def _wanted(
        self, entry: StreamEntry, jobs: Mapping[str, _Job]
    ) -> tuple[Sequence[_Job], Event | None]:
        """Read once for all of them: 65 shards, taken at once, need no more than one."""
        wanting: list[_Job] = []

        def wants(device: Whose) -> bool:
            parts = jobs if self._ports.parts is None else self._ports.parts(device)
            some = (jobs[part] for part in parts if part in jobs)
            wanting.extend(job for job in some if job.audience.wants(device))
            return bool(wanting)

        event = self._hands.event(entry, wants, again=True)
        if event is not None and not wanting:  # it could not be told before it was decoded
            wants(Whose(event.device.dev_eui, event.device.device_profile_name))
        return wanting, event

    def _count_gap(self, known: EntryId, page: Page) -> None:
        """Once for what was forgotten at one time, whoever of those here missed it."""
        if known > self._forgotten:
            self._gaps += 1
            self._gaps_at.append(self._clock.steady())
        first = page.entries[0].id if page.entries else EntryId(page.now_ms)
        self._forgotten = max(known, first)

    def _keep_mark(self, *, now: bool = False) -> None:
        steady = self._clock.steady()
        self._low_water.look(steady)
        if self._low_water.mark is None or not (now or steady >= self._saved_at + SAVE_S):
            return
        mark = StreamMark(
            str(self._low_water.mark),
            self._name,
            {dev_eui: str(since) for dev_eui, since in self.owed().items()},
        )
        if mark != self._saved:
            self._saved_at, self._saved = steady, mark
            self._ports.keep([mark_put(mark, self._clock.now())])

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
