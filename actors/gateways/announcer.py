"""Who is told what of a gateway: its view on the board, a change of its health, a silence that
ended.

Nothing is told twice: the board keeps a bounded number of changes, so a view that says nothing new
is not published.
"""

from collections.abc import Callable, Sequence

import structlog

from actors.board.changes import AirtimeUse, GatewayView, GradeTold, PaceTold
from actors.clocks.clock import Clock
from actors.gateways import health
from actors.gateways.health import Health
from actors.gateways.policy import WatchPolicy

log = structlog.get_logger()

Airtime = Callable[[str, float], AirtimeUse]
"""By gateway id and time (Unix seconds)."""


def no_airtime(_gateway_id: str, _now: float) -> AirtimeUse:
    """Where no dispatcher sends."""
    return AirtimeUse(0.0, None, 0)


def no_grade(_gateway_id: str) -> GradeTold:
    """Where nobody grades."""
    return GradeTold(None, None)


def no_pace(_gateway_id: str) -> PaceTold | None:
    """Where no dispatcher sends."""
    return None


class GatewayAnnouncer:
    """`publish`, `on_change` and `on_return` must neither wait nor raise. A gateway seen for the
    first time counts as changed, so that what was restored from an earlier run is put right."""

    def __init__(
        self,
        publish: Callable[[GatewayView], None],
        clock: Clock,
        policy: WatchPolicy,
        *,
        on_change: Sequence[Callable[[str, bool], None]],
        on_return: Callable[[str], None],
        airtime: Airtime,
        lights_heard: Callable[[str], int],
        takes_nothing_since: Callable[[str], float | None],
        grade: Callable[[str], GradeTold],
        pace: Callable[[str], PaceTold | None],
    ) -> None:
        self._publish = publish
        self._clock = clock
        self._policy = policy
        self._on_change = on_change
        self._on_return = on_return
        self._airtime = airtime
        self._lights_heard = lights_heard
        self._takes_nothing_since = takes_nothing_since
        self._grade = grade
        self._pace = pace
        # Bound: the gateways that the watcher knows, see `forget`.
        self._told_online: dict[str, bool] = {}
        self._shown: dict[str, GatewayView] = {}

    def show(self, one: Health) -> None:
        """Publish its view, if that says anything new."""
        view = self.view(one)
        if self._shown.get(one.gateway_id) != view:
            self._shown[one.gateway_id] = view
            self._publish(view)

    def tell_health(self, one: Health) -> None:
        """Tell that it went offline or came back, if that is new."""
        if self._told_online.get(one.gateway_id) is not one.online:
            self._told_online[one.gateway_id] = one.online
            log.info("gateway", gateway_id=one.gateway_id, online=one.online)
            for tell in self._on_change:
                tell(one.gateway_id, one.online)

    def tell_return(self, before: Health | None, after: Health, now: float) -> None:
        """Tell that a silence is over, if it is."""
        if before is not None and health.returned(before, after, self._policy, now):
            self._on_return(after.gateway_id)

    def forget(self, gateway_id: str) -> None:
        """The gateway is watched no longer."""
        del self._told_online[gateway_id]
        del self._shown[gateway_id]

    def view(self, one: Health) -> GatewayView:
        """A gateway as it is shown, now."""
        info = one.info
        airtime = self._airtime(one.gateway_id, self._clock.now())
        grade = self._grade(one.gateway_id)
        return GatewayView(
            gateway_id=one.gateway_id,
            name=info.name if info is not None else "",
            online=one.online,
            since=one.since,
            last_seen_at=info.last_seen_at if info is not None else None,
            alive_at=one.alive_at,
            heard_at=one.heard_at,
            latitude=info.latitude if info is not None else None,
            longitude=info.longitude if info is not None else None,
            known=info is not None,
            network_state=info.state.value if info is not None and info.state else None,
            stats_interval_s=health.interval_s(one, self._policy),
            offline_after_s=health.offline_after_s(one, self._policy),
            airtime_used_s=airtime.used_s,
            airtime_budget_s=airtime.budget_s,
            pending=airtime.pending,
            lights_heard=self._lights_heard(one.gateway_id),
            takes_nothing_since=self._takes_nothing_since(one.gateway_id),
            grade=grade.grade,
            grade_line=grade.line,
            pace=self._pace(one.gateway_id),
        )
