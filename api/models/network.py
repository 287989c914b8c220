"""Gateways and alerts as HTTP shows them."""

import msgspec

from actors.board.changes import AlertView, GatewayView


class GatewayShown(msgspec.Struct, frozen=True):
    """A gateway as the watcher sees it."""

    gateway_id: str
    name: str
    online: bool
    since: float
    """When `online` last changed."""
    last_seen_at: float | None
    """The newest statistics that ChirpStack had of it."""
    alive_at: float | None
    """Its newest sign of life: statistics, an uplink or a txack."""
    heard_at: float | None
    """The newest uplink of our lights through it."""
    latitude: float | None
    longitude: float | None
    known: bool
    """False: it hears our lights, but ChirpStack does not list it for our key."""
    network_state: str | None
    """What ChirpStack says of it: online, offline or never_seen."""
    stats_interval_s: float | None
    """How often it sends its statistics: as ChirpStack has it, or as it was seen to."""
    offline_after_s: float
    """Without a sign of life for so long it counts as offline here."""
    airtime_used_s: float
    """By our frames, in the last hour."""
    airtime_budget_s: float | None
    pending: int
    """Frames that wait for it."""
    lights_heard: int
    """Lights that it heard lately: as many as the filter `gateway` finds."""
    takes_nothing_since: float | None
    """Since then it acknowledged none of the frames given to it, be it that it sends them or not;
    null while it does."""

    @classmethod
    def of(cls, gateway: GatewayView, lights_heard: int | None = None) -> "GatewayShown":
        """The view of a gateway; with its lights as counted now, or when it was published."""
        return cls(
            gateway_id=gateway.gateway_id,
            name=gateway.name,
            online=gateway.online,
            since=gateway.since,
            last_seen_at=gateway.last_seen_at,
            alive_at=gateway.alive_at,
            heard_at=gateway.heard_at,
            latitude=gateway.latitude,
            longitude=gateway.longitude,
            known=gateway.known,
            network_state=gateway.network_state,
            stats_interval_s=gateway.stats_interval_s,
            offline_after_s=gateway.offline_after_s,
            airtime_used_s=gateway.airtime_used_s,
            airtime_budget_s=gateway.airtime_budget_s,
            pending=gateway.pending,
            lights_heard=gateway.lights_heard if lights_heard is None else lights_heard,
            takes_nothing_since=gateway.takes_nothing_since,
        )


class GatewayList(msgspec.Struct, frozen=True):
    """Every gateway, by id."""

    total: int
    gateways: list[GatewayShown]


class GatewayHealth(msgspec.Struct, frozen=True):
    """How many gateways are there, and which are not."""

    total: int
    online: int
    offline: list[GatewayShown]
    unknown: list[GatewayShown]
    """They hear our lights, but ChirpStack does not list them for our key."""


class AlertShown(msgspec.Struct, frozen=True):
    """One alert."""

    id: str
    kind: str
    subject: str
    """The DevEUI, gateway id or actor id."""
    summary: str
    open: bool
    opened_at: float
    repeated_at: float
    repeats: int
    closed_at: float | None
    close_reason: str | None
    acknowledged_at: float | None
    """When somebody said that they know; since then it is not repeated."""
    acknowledged_by: str | None
    since: float | None
    """When the trouble began, as far as is known; the summary names no age."""
    lights: list[str]
    """DevEUIs of lights that it takes along, at most 50."""
    lights_total: int

    @classmethod
    def of(cls, alert: AlertView) -> "AlertShown":
        """The view of an alert."""
        return cls(
            id=alert.id,
            kind=alert.kind,
            subject=alert.subject,
            summary=alert.summary,
            open=alert.closed_at is None,
            opened_at=alert.opened_at,
            repeated_at=alert.repeated_at,
            repeats=alert.repeats,
            closed_at=alert.closed_at,
            close_reason=alert.close_reason,
            acknowledged_at=alert.acknowledged_at,
            acknowledged_by=alert.acknowledged_by,
            since=alert.since,
            lights=list(alert.lights),
            lights_total=alert.lights_total,
        )


class OutageView(msgspec.Struct, frozen=True):
    """The gateway was away; `until` is null while it is."""

    since: float
    until: float | None


class ObservedView(msgspec.Struct, frozen=True):
    """In this time the gateway was looked at."""

    since: float
    until: float


class OutageList(msgspec.Struct, frozen=True):
    """When a gateway was away, newest first, and when anybody looked.

    `availability` is its share of `observed_s`, of which it was away `away_s`; null where it was
    not observed. Outside of `observed` (oldest first) it was neither up nor down.
    """

    gateway_id: str
    days: float
    availability: float | None
    observed_s: float
    away_s: float
    outages: list[OutageView]
    observed: list[ObservedView]


class AlertList(msgspec.Struct, frozen=True):
    """Alerts, newest first; `open` counts all open ones, shown or not."""

    open: int
    alerts: list[AlertShown]
