"""During which times the gateways were looked at, kept in the store.

Of a time in which nobody asked, it is not known whether a gateway was online. A watch is a span in
which ChirpStack gave its lists; it ends when the service stops or ChirpStack gives no list. A span
that goes on is written every five minutes, so that a crash loses five minutes of it at most.

Bound: 2,016 lines of some 60 bytes in the seven days that streams are kept, for all gateways
together.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from actors.clocks.clock import Clock, Steps
from store.port import Append, Entry, Store, Write

STREAM = "gateways:watched"
NOTE_EVERY_S = 300.0
LINES_MOST = 10_000
SLEPT_S = 150.0
"""Lists come every 30 s, each within 20 s: between two that lie further apart nobody watched."""
JOINED_S = 1.0
"""Spans with no more than this between them are one."""


class Span(msgspec.Struct, frozen=True, gc=False):
    """A time: since <= at < until."""

    since: float
    until: float

    @property
    def length_s(self) -> float:
        """How long it is."""
        return max(0.0, self.until - self.since)


class Outage(msgspec.Struct, frozen=True):
    """A gateway was away; `until` is None while it is."""

    since: float
    until: float | None


class WatchLog:
    """Told of every list. `note` must not wait; time whose line it drops counts as not watched."""

    def __init__(self, note: Callable[[Sequence[Write]], object], clock: Clock) -> None:
        self._note = note
        self._clock = clock
        self._steps = Steps(clock)
        self._since: float | None = None  # of what is not written yet
        self._until = 0.0

    def listed(self) -> None:
        """ChirpStack gave a list, so that the gateways were watched since the one before."""
        now = self._clock.now()
        if (by_s := self._steps.take()) and self._since is not None:
            self._since += by_s
            self._until += by_s
        if now - self._until > SLEPT_S:  # the host slept, or lists were long in coming
            self.failed()
        if self._since is None:
            self._since = now
        self._until = now
        if now - self._since >= NOTE_EVERY_S:
            self._write(self._since, now)
            self._since = now

    def failed(self) -> None:
        """It gave none: the span ends with the last one."""
        if self._since is not None and self._until > self._since:
            self._write(self._since, self._until)
        self._since = None

    def running(self) -> Span | None:
        """The span that goes on and is not written yet."""
        return None if self._since is None else Span(self._since, self._clock.now())

    def _write(self, since: float, until: float) -> None:
        entry = f"{until:.3f}"
        self._note([Append(STREAM, entry, until, f"{since:.3f}".encode())])


def spans(entries: Iterable[Entry], running: Span | None) -> list[Span]:
    """The spans in these lines (oldest first), joined, oldest first."""
    found: list[Span] = []
    told = [span for entry in entries if (span := _read(entry)) is not None]
    for span in [*told, *([] if running is None else [running])]:
        if found and span.since <= found[-1].until + JOINED_S:
            found[-1] = Span(found[-1].since, max(found[-1].until, span.until))
        else:
            found.append(span)
    return found


def within(found: Iterable[Span], since: float, until: float) -> list[Span]:
    """The parts of these that lie in a window."""
    cut = (Span(max(one.since, since), min(one.until, until)) for one in found)
    return [one for one in cut if one.length_s > 0]


def away_s(watched: Sequence[Span], outages: Iterable[Outage], until: float) -> float:
    """For how much of the time that was watched the gateway was away."""
    return sum(
        part.length_s
        for outage in outages
        for part in within(watched, outage.since, until if outage.until is None else outage.until)
    )


async def read(store: Store, running: Span | None, *, since: float, until: float) -> list[Span]:
    """The spans that were watched in this window, oldest first. Raises StoreError."""
    entries = await store.entries(STREAM, since=since, until=until + NOTE_EVERY_S, most=LINES_MOST)
    return within(spans(reversed(entries), running), since, until)


def _read(entry: Entry) -> Span | None:
    try:
        return Span(float(entry.value), entry.at)
    except ValueError:
        return None
