"""When each gateway was away, kept in the store.

There is a line for each change of health; the outages are made of the lines when somebody asks, so
that what two runs of the service wrote about the same outage becomes one. Once a day the line is
written again, so that the oldest that is kept tells since when a gateway is watched.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from actors.board.changes import GatewayView
from actors.clocks.clock import Clock
from actors.gateways import observed
from actors.gateways.observed import Outage, Span
from store.port import Append, Entry, Store, Write

DAY_S = 86_400.0
LINES_MOST = 2_000
"""Of one gateway in one answer: one that flaps every five minutes for a week."""

_ONLINE, _OFFLINE = b"online", b"offline"


def stream(gateway_id: str) -> str:
    """The name of a gateway's stream."""
    return f"gateway:{gateway_id}"


class GatewayPast(msgspec.Struct, frozen=True):
    """How a gateway was, as far as somebody looked.

    `outages` newest first, `observed` the times in which it was looked at, oldest first; outside of
    them it was neither up nor down. `away_s` is how much of `observed_s` it was away.
    """

    outages: list[Outage]
    observed: list[Span]
    observed_s: float
    away_s: float

    @property
    def availability(self) -> float | None:
        """Its share of the observed time, None where it was not observed."""
        return 1.0 - self.away_s / self.observed_s if self.observed_s > 0 else None


class OutageLog:
    """Writes each change. `note` must not wait; it may drop a line."""

    def __init__(self, note: Callable[[Sequence[Write]], object], clock: Clock) -> None:
        self._note = note
        self._clock = clock
        self._noted_at: dict[str, float] = {}

    def changed(self, gateway_id: str, online: bool) -> None:
        """A gateway went away or came back, or was seen for the first time in this run."""
        now = self._clock.now()
        self._noted_at[gateway_id] = now
        value = _ONLINE if online else _OFFLINE
        entry = f"{now:.3f}-{value.decode()}"
        self._note([Append(stream(gateway_id), entry, now, value)])

    def still(self, is_online: Callable[[str], bool | None]) -> None:
        """Nothing changed: gateways of which nothing was written for a day are written again, and
        those that the watcher has forgotten are forgotten here, too."""
        due_at = self._clock.now() - DAY_S
        for gateway_id, at in list(self._noted_at.items()):
            if at <= due_at:
                online = is_online(gateway_id)
                if online is None:
                    del self._noted_at[gateway_id]
                else:
                    self.changed(gateway_id, online)


def outages(entries: Iterable[Entry], gateway: GatewayView | None) -> list[Outage]:
    """The outages in these lines (oldest first), newest first. `gateway` as it is now shows an
    outage of which the beginning is no longer kept."""
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
    elif since is not None:  # it came back just now
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
    """What is known of this time; `running` is the span that is not written yet. Raises
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
