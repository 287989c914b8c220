"""An event of the network, from the bytes that ChirpStack sent to the mailbox of its device.

ChirpStack sends each event once and never again, so nothing here waits, and nothing is refused that
could be taken. No HTTP here: `endpoint.py` turns what became of it into an answer.
"""

from collections.abc import Callable

import structlog
from prometheus_client import Counter

from actors.event_stream.door import AwaitedDoor, FleetDoor
from actors.fleet.delivery import Delivery
from lorawan.events import Event, MalformedEvent, UnknownEventKind

log = structlog.get_logger()

Decode = Callable[[str, bytes], Event]
"""From a kind and a body to the event. Raises UnknownEventKind, MalformedEvent."""

# Label values are bounded: whatever else is written behind `?event=` is counted as `other`.
_KINDS = frozenset({"up", "join", "ack", "txack", "log", "status", "location", "integration"})


class Intake:
    """Takes events in, and counts them by kind and outcome."""

    def __init__(self, door: FleetDoor | AwaitedDoor, counter: Counter) -> None:
        self._door = door
        self._counter = counter
        # A child is looked up by its labels: 2.2 us, one that is kept costs 0.6.
        self._counters: dict[tuple[str, str], Counter] = {}

    async def take(self, kind: str, body: bytes, decode: Decode) -> Delivery:
        """Decode an event and deliver it; UNKNOWN for one of a kind that we do not know, too.

        Raises MalformedEvent for what cannot be read.
        """
        try:
            event = decode(kind, body)
        except UnknownEventKind:
            self._count(kind, "ignored")
            return Delivery.UNKNOWN
        except MalformedEvent as error:
            self._count(kind, "malformed")
            log.warning("event malformed", kind=kind, field=error.field)
            raise
        told = self._door.deliver(event)
        delivery = told if isinstance(told, Delivery) else await told
        self._count(kind, delivery.value)
        return delivery

    def _count(self, kind: str, outcome: str) -> None:
        key = (kind if kind in _KINDS else "other", outcome)
        child = self._counters.get(key)
        if child is None:
            child = self._counters[key] = self._counter.labels(*key)
        child.inc()
