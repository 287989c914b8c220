"""Whether ChirpStack's webhooks still arrive, application by application.

It is told which webhooks arrive, and of which events only an inquiry told, and says for which
applications no webhook arrives any more. A webhook may be lost now and then, and none can arrive
while this service is down (or its host sleeps): neither means that they stopped. So an event counts
only if it happened after the newest webhook of its application, and not before the service had been
up for a while.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from actors.alerts.finding import Finding
from actors.alerts.rules import webhooks_finding
from actors.clocks.clock import Clock
from actors.device.model import Device
from lorawan.events.model import DeviceInfo

EVENTS_LEAST = 3
"""A lost frame's txack and echo are two events of one moment; three in a row, and nothing beside
them, come about once in a million where one webhook of a hundred is lost."""
QUIET_S = 60.0
"""So long ago the first of them happened: a webhook that is late is a minute late at most."""
STARTING_S = 60.0
"""After a start (or a sleep of the host) until what happens is expected to be told: connections of
ChirpStack's end are made anew, and its own tries have to end."""
APPLICATIONS_MOST = 100
"""The ones that were active last; each has 0.1 kB, and a DevEUI for each light that was asked
for."""


@dataclass(frozen=True, slots=True)
class WebhookStatistics:
    """How many applications have no webhooks now."""

    missing: int


@dataclass(slots=True)
class _Application:
    """Its times are steady ones."""

    name: str = ""
    told_at: float = float("-inf")
    """When its newest webhook came."""
    first_at: float = 0.0
    """When the first event happened that only an inquiry told, since then."""
    events: int = 0
    lights: set[str] = field(default_factory=set)

    def missing(self, steady: float) -> bool:
        return self.events >= EVENTS_LEAST and steady - self.first_at >= QUIET_S


class WebhookWatch:
    """One for the service."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._expected_from = clock.steady() + STARTING_S
        self._applications: dict[str, _Application] = {}  # by id, the least active first
        self.events_missed = 0
        """Since the start, of all lights."""

    def slept(self) -> None:
        """Nothing could be told to us up to now: the host slept."""
        self._expected_from = self._clock.steady() + STARTING_S
        for application in self._applications.values():
            application.events = 0
            application.lights.clear()

    def told(self, device: DeviceInfo) -> None:
        """A webhook of this device came, be it ours or not."""
        one = self._active(device.application_id, device.application_name)
        one.told_at = self._clock.steady()
        one.events = 0
        one.lights.clear()

    def missed(self, device: Device, dates: Sequence[float]) -> None:
        """An inquiry found events of this light that no webhook had told, which have these dates
        (Unix seconds)."""
        steady = self._clock.steady()
        happened = [at - self._clock.now() + steady for at in dates]
        new = [at for at in happened if at >= self._expected_from]
        self.events_missed += len(new)
        one = self._active(device.application_id, device.application_name)
        since = [min(at, steady) for at in new if at > one.told_at]
        if not since:
            return
        one.first_at = min(since) if not one.events else min(one.first_at, *since)
        one.events += len(since)
        one.lights.add(device.dev_eui)

    def findings(self) -> Iterator[Finding]:
        """What is to be said of each application, now."""
        steady = self._clock.steady()
        for application_id, one in self._applications.items():
            events = one.events if one.missing(steady) else 0
            yield webhooks_finding(application_id, one.name, events, len(one.lights))

    def warnings(self) -> list[str]:
        """Of which applications no webhook comes, in words."""
        return [one.text for one in self.findings() if one.holds]

    def statistics(self) -> WebhookStatistics:
        """Figures, now."""
        steady = self._clock.steady()
        missing = sum(one.missing(steady) for one in self._applications.values())
        return WebhookStatistics(missing)

    def _active(self, application_id: str, name: str) -> _Application:
        one = self._applications.pop(application_id, None) or _Application()
        one.name = name or one.name
        self._applications[application_id] = one
        if len(self._applications) > APPLICATIONS_MOST:
            del self._applications[next(iter(self._applications))]
        return one
