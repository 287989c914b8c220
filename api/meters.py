"""What `/metrics` shows: counters of the edge, and gauges read from the house when asked.

The rule it keeps: the house is not told about Prometheus; its numbers are read at scrape time. A
registry of our own, so that two apps in one process (the tests) do not meet.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import REGISTRY, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from actors.device.model import Phase
from actors.supervision import ChildReport, ChildState
from actors.surface import House

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# From a served-from-memory answer to the longest wait for a verdict.
_SECONDS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0, 60.0, 180.0)


class Meters:
    """The edge's own counters. Label values are bounded: routes and statuses, never paths."""

    def __init__(self, house: House) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "lamplighter_http_requests",
            "HTTP requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "lamplighter_http_request_seconds",
            "Time from request to answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.webhooks = Counter(
            "lamplighter_webhook_events",
            "ChirpStack events by kind and outcome.",
            ["event", "outcome"],
            registry=self.registry,
        )
        self.live_dropped = Counter(
            "lamplighter_live_clients_dropped",
            "Live clients closed by us, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self.registry.register(_HouseCollector(house))

    def render(self) -> bytes:
        """The exposition: ours, then the process's."""
        return generate_latest(self.registry) + generate_latest(REGISTRY)


class _HouseCollector(Collector):
    """Reads the house. 20,000 lights are counted in some 20 ms, once a scrape."""

    def __init__(self, house: House) -> None:
        self._house = house

    def describe(self) -> Iterable[Metric]:
        """Nothing: describing must not need a running house."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every gauge, now."""
        yield from self._lights()
        yield from self._gateways()
        yield from self._actors()
        alerts = sum(1 for alert in self._house.alerts() if alert.closed_at is None)
        yield GaugeMetricFamily("lamplighter_alerts_open", "Open alerts.", value=alerts)
        ready = self._house.readiness().ready
        yield GaugeMetricFamily("lamplighter_ready", "1 when the service can work.", value=ready)

    def _lights(self) -> Iterator[Metric]:
        phases: Tally[Phase] = Tally()
        unlike = overdue = open_commands = 0
        for device in self._house.devices().values():
            phases[device.phase] += 1
            reported = device.reported
            if device.wanted is not None and reported not in (None, device.wanted.light):
                unlike += 1
            if device.command is not None:
                open_commands += 1
                overdue += device.command.overdue
        lights = GaugeMetricFamily("lamplighter_devices", "Lights by phase.", labels=["phase"])
        for phase in Phase:
            lights.add_metric([phase.value], phases[phase])
        yield lights
        yield GaugeMetricFamily(
            "lamplighter_devices_not_as_wanted", "Lights that show another state.", value=unlike
        )
        yield GaugeMetricFamily(
            "lamplighter_commands_open", "Commands still pursued.", value=open_commands
        )
        yield GaugeMetricFamily(
            "lamplighter_commands_overdue", "Of these, past their timed attempts.", value=overdue
        )

    def _gateways(self) -> Iterator[Metric]:
        gateways = self._house.gateways().values()
        labels = ["gateway_id"]
        online = GaugeMetricFamily("lamplighter_gateway_online", "1 when online.", labels=labels)
        used = GaugeMetricFamily(
            "lamplighter_gateway_airtime_used_seconds", "In the last hour.", labels=labels
        )
        budget = GaugeMetricFamily(
            "lamplighter_gateway_airtime_budget_seconds", "Per hour.", labels=labels
        )
        pending = GaugeMetricFamily(
            "lamplighter_gateway_pending", "Frames that wait for it.", labels=labels
        )
        for gateway in gateways:
            name = [gateway.gateway_id]
            online.add_metric(name, gateway.online)
            used.add_metric(name, gateway.airtime_used_s)
            pending.add_metric(name, gateway.pending)
            if gateway.airtime_budget_s is not None:
                budget.add_metric(name, gateway.airtime_budget_s)
        yield from (online, used, budget, pending)

    def _actors(self) -> Iterator[Metric]:
        states: Tally[ChildState] = Tally()
        restarts = depth = refused = 0
        for report in _walk(self._house.supervisor()):
            states[report.state] += 1
            restarts += report.restarts
            if report.mailbox is not None:
                depth += report.mailbox.depth
                refused += report.mailbox.refused
        actors = GaugeMetricFamily("lamplighter_actors", "Actors by state.", labels=["state"])
        for state in ChildState:
            actors.add_metric([state.value], states[state])
        yield actors
        yield GaugeMetricFamily("lamplighter_actor_restarts", "Since the start.", value=restarts)
        yield GaugeMetricFamily("lamplighter_mailbox_depth", "Messages waiting.", value=depth)
        yield GaugeMetricFamily("lamplighter_mailbox_refused", "Since the start.", value=refused)


def _walk(report: ChildReport) -> Iterator[ChildReport]:
    yield report
    for child in report.children:
        yield from _walk(child)
