"""What `/metrics` shows: the numbers of the actors, of HTTP, and of the process.

HTTP has a registry of its own, so that two apps in one process (the tests) do not share counters.
Label values are bounded: routes and statuses, never paths.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import REGISTRY

from actors.metrics import Metrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# From a served-from-memory answer to the longest wait for a verdict.
_SECONDS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0, 60.0, 180.0)


class HttpMetrics:
    """The counters of HTTP, webhooks and live clients."""

    def __init__(self, actors: Metrics) -> None:
        self._actors = actors
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

    def render(self) -> bytes:
        """The exposition: of the actors, ours, then of the process."""
        return b"".join(
            (self._actors.render(), generate_latest(self.registry), generate_latest(REGISTRY))
        )
