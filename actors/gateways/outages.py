"""When each gateway was away, kept in the store.

The rule it keeps: a line for each change of health, and the outages are made of the lines when
somebody asks: what two runs of the service say about the same outage becomes one. Once a day the
line is written again, so that the oldest that is kept tells since when a gateway is watched.
"""

from collections.abc import Callable, Iterable, Sequence

from actors.board.changes import GatewayView
from actors.clocks.clock import Clock
from actors.gateways import observed
from actors.service_api import GatewayPast, Outage, Span
from store.port import Append, Entry, Store, Write

DAYS_MOST = 7.0
"""As long as streams are kept."""
DAY_S = 86_400.0
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

        self._noted: dict[str, tuple[float, bool]] = {}

    def changed(self, gateway_id: str, online: bool) -> None:
        """A gateway went away or came back, or was seen for the first time in this run."""
        now = self._clock.now()
        self._noted[gateway_id] = now, online
        value = _ONLINE if online else _OFFLINE
        entry = f"{now:.3f}-{value.decode()}"
        self._note([Append(stream(gateway_id), entry, now, value)])

    def still(self, is_online: Callable[[str], bool | None]) -> None:
        """Nothing changed: those of whom nothing was noted for a day are noted again, and those
        that are forgotten are forgotten here, too."""
        due_at = self._clock.now() - DAY_S
        for gateway_id, (at, _) in list(self._noted.items()):
            if at <= due_at:
                online = is_online(gateway_id)
                if online is None:
                    del self._noted[gateway_id]
                else:
                    self.changed(gateway_id, online)


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
    store: Store,
    gateway_id: str,
    gateway: GatewayView | None,
    running: Span | None,
    *,
    since: float,
    until: float,
) -> GatewayPast:
    """What is known of this time; `running` is what is watched since the last note. Raises
    StoreError."""
    entries = await store.entries(stream(gateway_id), since=0.0, until=until, most=LINES_MOST)
    found = outages(reversed(entries), gateway)
    found = [one for one in found if one.until is None or one.until >= since]
    watched = await observed.read(store, running, since=since, until=until)
    first = min(
        [entry.at for entry in entries] + ([gateway.since] if gateway else []), default=until
    )
    watched = observed.within(watched, max(since, first), until)
    return GatewayPast(
        outages=found,
        observed=watched,
        observed_s=sum(span.length_s for span in watched),
        away_s=observed.away_s(watched, found, until),
    )
