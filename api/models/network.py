"""Gateways and alerts as HTTP shows them."""

import msgspec

from actors.board.changes import AlertView, GatewayView
from actors.gateways.observed import Outage, Span


class GatewayList(msgspec.Struct, frozen=True):
    """Every gateway, by id."""

    total: int
    gateways: list[GatewayView]


class GatewayHealth(msgspec.Struct, frozen=True):
    """How many gateways are there, and which are not."""

    total: int
    online: int
    offline: list[GatewayView]
    unknown: list[GatewayView]
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
    """How often it was told again."""
    closed_at: float | None
    close_reason: str | None
    """In words."""
    acknowledged_at: float | None
    """When it was acknowledged; since then it is not repeated."""
    acknowledged_by: str | None
    since: float | None
    """When the trouble began, as far as is known; the summary names no age."""
    lights: tuple[str, ...]
    """DevEUIs of lights that it takes along, at most 50."""
    lights_total: int
    """All that it takes along."""

    @classmethod
    def of(cls, alert: AlertView) -> "AlertShown":
        """The view of an alert."""
        return cls(open=alert.closed_at is None, **msgspec.structs.asdict(alert))


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
    outages: list[Outage]
    observed: list[Span]


class AlertList(msgspec.Struct, frozen=True):
    """Alerts, newest first; `open` counts all open ones, shown or not."""

    open: int
    alerts: list[AlertShown]
