"""What of one hook's events is tried next, and what became of each: pure.

Theory. Events of one key (a light, a gateway, an alert) are delivered one after the other; those of
different keys side by side. An event that is not taken is tried again, each time later, and holds
up its own key only. Where tries fail one after the other the receiver is taken to be away: one try
at a time, of the event that was tried least, each later than the one before. So a receiver that
refuses one event is told the others, and one that is away is not flooded.

After a day of failed tries an event is given up if others were taken meanwhile; if none was, the
hook is dead: nothing is dropped, and a person decides.
"""

from collections import deque
from dataclasses import dataclass

from actors.outgoing.model import Event, Position
from actors.replace import replace

DAY_S = 86_400.0
AGAIN_FIRST_S = 5.0
AGAIN_MOST_S = 1_800.0
"""A receiver that is back is told within half an hour."""
LOADED_MOST = 500
"""Events in memory for each hook, some 1 kB each (40 kB for an alert at its largest): 0.5 MB. One
that is refused for a day holds up at most these; a light has far fewer events in a day."""
AT_ONCE = 4
"""Requests under way to one receiver."""
TINY_S = 0.001
"""Something that failed once has failed for some time."""


@dataclass(slots=True)
class Pending:
    """One event on its way."""

    event_id: str
    place: float
    event: Event
    attempts: int = 0
    failing_s: float = 0.0
    tried_at: float | None = None
    """On the steady clock."""
    due_at: float = 0.0
    under_way: bool = False


class Window:
    """Of one hook. Times are of a steady clock; places are those of the events' stream."""

    def __init__(self, position: Position) -> None:
        self._noted = position
        self.read_to = position.read_to
        """The place up to which events were read."""
        self.failures = 0
        """One after the other, whatever the event."""
        self.due_at = 0.0
        """Nothing is tried before, while failures go on."""
        self.unread = set(position.open)
        """Places of events that are open, and not read yet since the restart."""
        self._failed_at: float | None = None
        self._open: dict[float, Pending] = {}
        """In the order of their places."""
        self._lanes: dict[str, deque[Pending]] = {}

    @property
    def position(self) -> Position:
        """What is to be stored: whoever begins from it loses nothing."""
        failing = {one.event_id: one.failing_s for one in self._open.values() if one.failing_s}
        failing |= {name: s for name, s in self._noted.failing.items() if self.unread}
        places = tuple(sorted(self.unread.union(self._open)) if self.unread else self._open)
        return replace(self._noted, read_to=self.read_to, open=places, failing=failing)

    @property
    def room(self) -> int:
        """Events that may be read yet."""
        return LOADED_MOST - len(self._open)

    @property
    def waiting(self) -> int:
        """Events that are read and not dealt with."""
        return len(self._open)

    @property
    def under_way(self) -> int:
        """Tries that were begun and not ended."""
        return sum(one.under_way for one in self._open.values())

    @property
    def _busy(self) -> bool:
        """Whether nothing may begin before a try that is under way has ended."""
        return self.under_way >= (1 if self.failures else AT_ONCE)

    def load(self, event_id: str, place: float, event: Event) -> None:
        """An event of this hook was read. In the order of places."""
        known = self._noted.failing.get(event_id, 0.0)
        pending = Pending(event_id, place, event, failing_s=known)
        self.unread.discard(place)
        self._open[place] = pending
        self._lanes.setdefault(event.key, deque()).append(pending)

    def take(self, now: float) -> Pending | None:
        """The event to be tried now, which is then under way; None where there is none."""
        if self._busy:
            return None
        if self.failures and now < self.due_at:
            return None
        heads = (lane[0] for lane in self._lanes.values())
        ready = [one for one in heads if not one.under_way and one.due_at <= now]
        if not ready:
            return None
        chosen = min(ready, key=lambda one: (one.attempts, one.place))
        chosen.under_way = True
        chosen.attempts += 1
        return chosen

    def next_due(self, now: float) -> float | None:
        """When there is something to try, if nothing else happens before."""
        if self._busy:
            return None
        heads = [lane[0] for lane in self._lanes.values()]
        times = [one.due_at for one in heads if not one.under_way]
        if not times:
            return None
        at = min(times)
        return max(at, self.due_at) if self.failures else max(at, now)

    def taken(self, one: Pending, date: float) -> None:
        """The receiver has it."""
        self.failures, self._failed_at = 0, None
        self._noted = replace(
            self._noted,
            delivered=self._noted.delivered + 1,
            failing_s=0.0,
            failing_since=None,
            last_ok_at=date,
        )
        self._end(one)

    def failed(
        self, one: Pending, now: float, date: float, chance: float, wait_s: float | None = None
    ) -> bool:
        """It was not taken; `chance` in [0, 1), `wait_s` what the receiver asks for. Whether the
        hook is dead by that."""
        one.under_way = False
        one.failing_s += TINY_S if one.tried_at is None else now - one.tried_at
        one.tried_at = now
        noted = self._noted
        failing_s = noted.failing_s
        failing_s += TINY_S if self._failed_at is None else now - self._failed_at
        self._failed_at = now
        self.failures += 1
        one.due_at = now + _again_s(one.attempts, chance, wait_s)
        self.due_at = now + _again_s(self.failures, chance, wait_s)
        since = date if noted.failing_since is None else noted.failing_since
        self._noted = replace(noted, failing_s=failing_s, failing_since=since)
        if failing_s >= DAY_S:
            return True
        if one.failing_s >= DAY_S:
            self._noted = replace(self._noted, given_up=noted.given_up + 1)
            self._end(one)
        return False

    def again(self) -> None:
        """A person wants it tried now, whatever was before."""
        self.failures, self.due_at, self._failed_at = 0, 0.0, None
        for one in self._open.values():
            one.due_at, one.attempts, one.failing_s, one.tried_at = 0.0, 0, 0.0, None
        self._noted = replace(self._noted, failing={}, failing_s=0.0, failing_since=None)

    def line(self) -> int:
        """The number of the next line of the log."""
        self._noted = replace(self._noted, tries=self._noted.tries + 1)
        return self._noted.tries

    def _end(self, one: Pending) -> None:
        del self._open[one.place]
        lane = self._lanes[one.event.key]
        lane.popleft()
        if not lane:
            del self._lanes[one.event.key]


def _again_s(attempts: int, chance: float, wait_s: float | None) -> float:
    """Twice as long each time, up to half an hour, and up to a quarter more by chance."""
    plain_s = min(AGAIN_FIRST_S * 2.0 ** min(attempts - 1, 20), AGAIN_MOST_S)
    return max(plain_s, min(wait_s or 0.0, AGAIN_MOST_S)) * (1.0 + 0.25 * chance)
