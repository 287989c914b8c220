"""What running a service needs: figures, alerts, who did what, processes, clocks, health."""

from typing import Literal

from lamplighter.client.ask import Ask, Repeat
from lamplighter.client.models import (
    Acknowledgement,
    AlertList,
    AlertShown,
    AuditPage,
    CalibrationPlan,
    CalibrationRequest,
    CalibrationView,
    CallerView,
    ClockView,
    ClusterView,
    MetricsView,
    ReadinessView,
    ReliabilityView,
    RestoredStoreDecision,
    RestoredStoreView,
    Scores,
    SupervisorView,
    UnreadableList,
)
from lamplighter.client.paths import path
from lamplighter.client.steps import Call


def metrics(dev_eui: str | None = None, *, hours: float = 24.0) -> Call[MetricsView]:
    """Success and times of downlinks, of one light or of the fleet."""
    parts = () if dev_eui is None else (dev_eui,)
    at = path("metrics", "downlinks", *parts)
    return Ask(model=MetricsView, path=at, query={"hours": hours})


def reliability(*, hours: float = 24.0) -> Call[ReliabilityView]:
    """Spread of times and attempts, and the worst lights."""
    return Ask(model=ReliabilityView, path="/metrics/reliability", query={"hours": hours})


def quality_scores() -> Call[Scores]:
    """How good the predictions were."""
    return Ask(model=Scores, path="/quality/scores")


def alerts(
    *, only_open: bool | None = None, kind: str | None = None, limit: int = 100
) -> Call[AlertList]:
    """Alerts, newest first."""
    query = {"open": only_open, "kind": kind, "limit": limit}
    return Ask(model=AlertList, path="/alerts", query=query)


def acknowledge_alert(alert_id: str, *, by: str | None = None) -> Call[AlertShown]:
    """Somebody knows of it: it is not repeated any more."""
    return Ask(
        model=AlertShown,
        method="POST",
        path=path("alerts", alert_id, "acknowledge"),
        body=Acknowledgement(by=by),
    )


def audit(
    *,
    by: str | None = None,
    what: str | None = None,
    on: str | None = None,
    since: float | None = None,
    until: float | None = None,
    limit: int = 100,
) -> Call[AuditPage]:
    """Who did what when, newest first: since <= at < until in Unix seconds."""
    query = {"by": by, "what": what, "on": on, "since": since, "until": until, "limit": limit}
    return Ask(model=AuditPage, path="/audit", query=query)


def caller() -> Call[CallerView]:
    """Who asks, and what the token allows."""
    return Ask(model=CallerView, path="/caller")


def clock() -> Call[ClockView]:
    """The service's clock, and ChirpStack's against it."""
    return Ask(model=ClockView, path="/clock")


def cluster() -> Call[ClusterView]:
    """The processes that serve the fleet, and who has which part of it."""
    return Ask(model=ClusterView, path="/cluster")


def supervisor(*, children: int = 50, dead_letters: int = 50) -> Call[SupervisorView]:
    """The tree of actors, and the newest dead letters."""
    query = {"children": children, "dead_letters": dead_letters}
    return Ask(model=SupervisorView, path="/supervisor", query=query)


def revive(actor_id: str) -> Call[None]:
    """Start an actor anew that crashed too often."""
    return Ask(
        model=type(None),
        method="POST",
        path=path("supervisor", actor_id, "revive"),
        repeat=Repeat.GONE,
    )


def restored_store() -> Call[RestoredStoreView]:
    """What waits for a decision after a restore."""
    return Ask(model=RestoredStoreView, path="/restored-store")


def decide_restored_store(decision: Literal["resume", "keep_shown"]) -> Call[RestoredStoreView]:
    """What becomes of what was wanted before a restore. Raises Conflict where nothing waits."""
    return Ask(
        model=RestoredStoreView,
        method="POST",
        path="/restored-store",
        body=RestoredStoreDecision(decision=decision),
        repeat=Repeat.NEVER,
    )


def unreadable() -> Call[UnreadableList]:
    """Stored records that cannot be read."""
    return Ask(model=UnreadableList, path="/unreadable")


def calibrations() -> Call[CalibrationView]:
    """What is measured of firmware and forwarders, what is not, and the newest run."""
    return Ask(model=CalibrationView, path="/calibrations")


def plan_calibration(request: CalibrationRequest) -> Call[CalibrationPlan]:
    """What a run would probe; nothing is sent."""
    return Ask(model=CalibrationPlan, method="POST", path="/calibrations/plan", body=request)


def begin_calibration(request: CalibrationRequest) -> Call[CalibrationView]:
    """Probe lights for what is unknown. Raises Conflict while a run is under way."""
    return Ask(
        model=CalibrationView,
        method="POST",
        path="/calibrations",
        body=request,
        repeat=Repeat.NEVER,
    )


def ready() -> Call[ReadinessView]:
    """Whether the service can do its work. Raises Unavailable where it cannot."""
    return Ask(model=ReadinessView, path="/readyz", below="")


def prometheus() -> Call[bytes]:
    """Its metrics, as Prometheus reads them."""
    return Ask(model=bytes, path="/metrics", below="")
