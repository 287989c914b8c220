"""When each gateway was away, kept in the store.

The rule it keeps: a line for each change of health, and the outages are made of the lines when
somebody asks: what two runs of the service say about the same outage becomes one.
"""

from collections.abc import Callable, Iterable, Sequence

from actors.board.changes import GatewayView
from actors.clock import Clock
from actors.surface import Outage
from store.port import Append, Entry, Store, Write

DAYS_MOST = 7.0
"""As long as streams are kept."""
LINES_MOST = 2_000
"""Of one gateway in one answer: one that flaps every five minutes for a week."""

_ONLINE, _OFFLINE = b"online", b"offline"


def stream(gateway_id: str) -> str:
    """The name of a gateway's stream."""
    return f"gateway:{gateway_id}"


class OutageLog:
    """Notes each change. `note` must not wait; a line that it drops is one nobody depends on."""

    def __init__(self, note: Callable[[Sequence[Write]], object], clock: Clock) -> None:
        self._note = note
        self._clock = clock

    def changed(self, gateway_id: str, online: bool) -> None:
        """A gateway went away or came back, or was seen for the first time in this run."""
        now = self._clock.now()
        value = _ONLINE if online else _OFFLINE
        entry = f"{now:.3f}-{value.decode()}"
        self._note([Append(stream(gateway_id), entry, now, value)])


def outages(entries: Iterable[Entry], gateway: GatewayView | None) -> list[Outage]:
    """The outages that these lines (oldest first) tell of, newest first; the gateway as it is now
    tells of one whose beginning is no longer kept."""
    found: list[Outage] = []
    since: float | None = None
    for entry in entries:
        if entry.value == _OFFLINE and since is None:
            since = entry.at
        elif entry.value == _ONLINE and since is not None:
            found.append(Outage(since, entry.at))
            since = None
    if gateway is not None and not gateway.online:
        found.append(Outage(gateway.since if since is None else since, None))
    elif since is not None:  # it came back in this very moment
        found.append(Outage(since, None if gateway is None else max(since, gateway.since)))
    found.reverse()
    return found


async def read(
    store: Store, gateway_id: str, gateway: GatewayView | None, *, since: float, until: float
) -> list[Outage]:
    """Outages that lasted into this time, newest first. Raises StoreError."""
    entries = await store.entries(stream(gateway_id), since=0.0, until=until, most=LINES_MOST)
    found = outages(reversed(entries), gateway)
    return [one for one in found if one.until is None or one.until >= since]
