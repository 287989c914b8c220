"""The attempts that wait, in one queue per route, and those whose time has not come.

A retry whose time has come goes first: it is one frame in ten, and its light was waited for the
longest. Then come first attempts that somebody waits for, then all others, each time the oldest. Of
each queue only the head is looked at, so that planning costs by the number of queues (gateways and
their overlaps), not of lights.
"""

import heapq
import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from actors.device.model import Attempt, Obstacle, Probe
from actors.downlink.queue_check import Mark
from actors.downlink.route import Route
from actors.reasons import Reason
from lorawan.network import Activation

STALE_SLACK = 64
"""Entries that left a heap stay in it until they outnumber the live ones by this many."""

Order = tuple[int, float, int]
Key = tuple[object, ...]


class QueuePlace(Enum):
    """Where a waiting attempt is."""

    LATER = "later"  # its time has not come
    LINE = "line"  # waits for its gateways
    LOOKING = "looking"  # ChirpStack is asked about it
    READY = "ready"  # may be enqueued as soon as its gateways are free
    ENQUEUEING = "enqueueing"
    BLOCKED = "blocked"  # a call of an earlier attempt for the same light is under way


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason to be told at `at` if it lasts so long, and at `waits_at` as what passes by itself.
    `key` names it."""

    key: Key
    reason: Reason
    at: float
    obstacle: Obstacle | None = None
    waits_at: float = math.inf


@dataclass(slots=True, eq=False)
class PendingAttempt:
    """One attempt that waits here."""

    stamp: int
    dev_eui: str
    attempt: Attempt
    mark: Mark
    route: Route
    airtime_s: float
    answer_s: float
    heard_at: float | None
    listeners: frozenset[str] = frozenset()
    """Gateways that hear nine in ten of its uplinks."""
    uplink_s: float = 0.0
    """Airtime of its answer."""
    place: QueuePlace = QueuePlace.BLOCKED
    ticket: int = 0
    """Of its newest entry in a heap; older ones are stale."""
    again_at: float = 0.0
    in_line_since: float | None = None
    hold: Hold | None = None
    told: Key | None = None
    told_waits: Reason | None = None
    reason: Reason | None = None
    failures: int = 0
    faults: int = 0
    call_at: float = 0.0
    """When its last call began."""
    looked_at: float = 0.0
    activation: Activation | None = None
    """As looked up, once it is READY."""

    @property
    def order(self) -> Order:
        """Its rank among all that wait. Nobody waits for a probe, so its first frame comes last;
        the second is worth nothing later."""
        match self.attempt.probe:
            case Probe.FIRST:
                return (3, math.inf, self.stamp)
            case Probe.SECOND:
                return (0, 0.0, self.stamp)
            case Probe.NO:
                pass
        attempt = self.attempt
        # Only what is for a command ends with it: all other frames nobody waits for.
        rank = 1 if not attempt.retry else 0 if attempt.expires_at is not None else 2
        return (rank, attempt.submitted_at, self.stamp)

    def is_of(self, attempt: Attempt, mark: Mark) -> bool:
        """Whether it is this attempt; the mark tells lights apart that began to count anew."""
        return (self.attempt.number, self.mark) == (attempt.number, mark)


@dataclass(slots=True, eq=False)
class RouteQueue:
    """Those that wait for the same gateways, the first one on top."""

    route: Route
    heap: list[tuple[Order, int, PendingAttempt]] = field(default_factory=list)
    fresh: list[PendingAttempt] = field(default_factory=list)
    """Came since the line was told why it is held."""
    held: Key | None = None
    waits: Key | None = None
    """What those that wait in it longer were told that they wait for."""
    new: deque[tuple[float, int, PendingAttempt]] = field(default_factory=deque)
    """Came since they were, in that order, with time and ticket."""
    live: int = 0

    def head(self) -> PendingAttempt | None:
        """The first that still waits in this line."""
        while self.heap:
            _, ticket, one = self.heap[0]
            if one.ticket == ticket and one.place is QueuePlace.LINE:
                return one
            heapq.heappop(self.heap)
        return None

    def untold(self, key: Key) -> Iterator[PendingAttempt]:
        """Those that were not told yet that the line is held for this."""
        if self.held == key:
            some: Iterable[PendingAttempt] = self.fresh
        else:
            some = [one for _, ticket, one in self.heap if ticket == one.ticket]
        self.held, self.fresh = key, []
        return (one for one in some if one.place is QueuePlace.LINE)

    def held_for(self, kind: str) -> bool:
        """Whether it was told to be held for a reason of this kind."""
        return self.held is not None and self.held[0] == kind

    def moving(self) -> None:
        """Nothing holds the line."""
        self.held = None
        self.fresh.clear()

    def waited(self, key: Key, since: float) -> Iterator[PendingAttempt]:
        """Those in line at least since then that were not told yet that they wait for this."""
        if self.waits != key:
            self.waits = key
            some = sorted((one.in_line_since or 0.0, t, one) for _, t, one in self.heap)
            self.new = deque(entry for entry in some if self.is_here(*entry))
        while self.new and self.new[0][0] <= since:
            entry = self.new.popleft()
            if self.is_here(*entry):
                yield entry[2]

    def next_waited_at(self, after_s: float) -> float | None:
        """When the next one has waited so long."""
        while self.new and not self.is_here(*self.new[0]):
            self.new.popleft()
        return self.new[0][0] + after_s if self.new else None

    @staticmethod
    def is_here(_at: float, ticket: int, one: PendingAttempt) -> bool:
        """Whether an entry of `new` still waits in the line."""
        return one.place is QueuePlace.LINE and one.ticket == ticket


class PendingAttempts:
    """All that wait, at most one for each light."""

    def __init__(self) -> None:
        self._entries: dict[str, PendingAttempt] = {}
        self._lines: dict[Route, RouteQueue] = {}
        self._later: list[tuple[float, int, PendingAttempt]] = []
        self._pending: dict[str, int] = {}
        self._tickets = 0
        self._active: dict[int, PendingAttempt] = {}
        self._active_of: dict[Route, dict[int, PendingAttempt]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[PendingAttempt]:
        return iter(self._entries.values())

    def holds(self, dev_eui: str) -> bool:
        """Whether an attempt for this light waits."""
        return dev_eui in self._entries

    def get(self, dev_eui: str) -> PendingAttempt | None:
        """The attempt that waits for this light."""
        return self._entries.get(dev_eui)

    def pending(self, gateway_id: str) -> int:
        """How many wait that may go through this gateway."""
        return self._pending.get(gateway_id, 0)

    def add(self, one: PendingAttempt) -> None:
        """In place of an earlier one for the same light; the caller puts it somewhere."""
        self.remove(one.dev_eui)
        self._entries[one.dev_eui] = one
        for gateway_id in one.route.candidates:
            self._pending[gateway_id] = self._pending.get(gateway_id, 0) + 1

    def remove(self, dev_eui: str) -> PendingAttempt | None:
        """It waits no longer."""
        one = self._entries.pop(dev_eui, None)
        if one is not None:
            self.move(one, QueuePlace.BLOCKED)  # out of line; the heaps drop it when they meet it
            for gateway_id in one.route.candidates:
                self._pending[gateway_id] -= 1
                if not self._pending[gateway_id]:
                    del self._pending[gateway_id]
        return one

    def active(self) -> list[PendingAttempt]:
        """Those looked up or READY, as many as calls may be in flight and some more."""
        return list(self._active.values())

    def active_of(self, route: Route) -> Iterable[PendingAttempt]:
        """Those of one line."""
        return self._active_of.get(route, {}).values()

    def move(self, one: PendingAttempt, place: QueuePlace) -> None:
        """To a place that is no heap."""
        if one.place is QueuePlace.LINE:
            self._lines[one.route].live -= 1
        one.place = place
        if place in {QueuePlace.LOOKING, QueuePlace.READY}:
            self._active[one.stamp] = one
            self._active_of.setdefault(one.route, {})[one.stamp] = one
        elif self._active.pop(one.stamp, None) is not None:
            some = self._active_of[one.route]
            del some[one.stamp]
            if not some:
                del self._active_of[one.route]

    def later(self, one: PendingAttempt, at: float) -> None:
        """Not before `at`."""
        self.move(one, QueuePlace.LATER)
        one.in_line_since = None
        heapq.heappush(self._later, (at, self._ticket(one), one))
        if len(self._later) > 2 * len(self._entries) + STALE_SLACK:
            self._later = [item for item in self._later if self._is_later(*item)]
            heapq.heapify(self._later)

    def line_up(self, one: PendingAttempt, now: float) -> None:
        """Into the line of its route."""
        if one.place is QueuePlace.LINE:
            return
        self.move(one, QueuePlace.LINE)
        if one.in_line_since is None:
            one.in_line_since = now
        line = self._lines.get(one.route)
        if line is None:
            line = self._lines[one.route] = RouteQueue(one.route)
        line.live += 1
        heapq.heappush(line.heap, (one.order, self._ticket(one), one))
        line.fresh.append(one)
        line.new.append((one.in_line_since, one.ticket, one))
        if len(line.heap) > 2 * line.live + STALE_SLACK:
            line.heap = [
                (order, ticket, other)
                for order, ticket, other in line.heap
                if ticket == other.ticket and other.place is QueuePlace.LINE
            ]
            heapq.heapify(line.heap)
        if len(line.new) > 2 * line.live + STALE_SLACK:
            line.new = deque(entry for entry in line.new if line.is_here(*entry))

    def take_due(self, now: float) -> list[PendingAttempt]:
        """Those whose time has come; the caller puts them somewhere else."""
        due: list[PendingAttempt] = []
        while self._later and self._later[0][0] <= now:
            item = heapq.heappop(self._later)
            if self._is_later(*item):
                due.append(item[2])
        return due

    def next_at(self) -> float | None:
        """When the next one's time comes, at the earliest."""
        return self._later[0][0] if self._later else None

    def held(self, one: PendingAttempt) -> bool:
        """Whether it was told why its line is held."""
        line = self._lines.get(one.route)
        return line is not None and line.held is not None and line.held == one.told

    def lines(self) -> list[tuple[PendingAttempt, RouteQueue]]:
        """Every line with its head, in the order of the heads; empty ones are forgotten."""
        found: list[tuple[PendingAttempt, RouteQueue]] = []
        for line in list(self._lines.values()):
            head = line.head()
            if head is None:
                del self._lines[line.route]
            else:
                found.append((head, line))
        found.sort(key=lambda pair: pair[0].order)
        return found

    def _ticket(self, one: PendingAttempt) -> int:
        self._tickets += 1
        one.ticket = self._tickets
        return one.ticket

    @staticmethod
    def _is_later(_at: float, ticket: int, one: PendingAttempt) -> bool:
        return one.place is QueuePlace.LATER and one.ticket == ticket
