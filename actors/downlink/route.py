"""Which gateways may carry a light's frame, and which hear it: all that pacing asks of a light.

ChirpStack chooses the gateway, not we, so a route names every one that it may choose: of those that
heard the last uplink any with a margin of 10 dB or more, at random, and if there is none the best.
Source: ChirpStack v4, downlink/helpers.rs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from actors.device.model import Hearing

UNKNOWN_GATEWAY = "unknown gateway"
"""Stands for the gateway of a light of which we have not heard through which it is heard."""
SLOWEST = 12


@dataclass(frozen=True, slots=True)
class Route:
    """Lights with equal routes wait in one line."""

    candidates: frozenset[str]
    """ChirpStack sends through one of these."""
    hearing: frozenset[str]
    """These heard the light lately; empty when it was never heard."""


def route_of(hearings: Sequence[Hearing], prefer_margin_db: float) -> Route:
    """The route that follows from the hearings of a light.

    Without a word on the last uplink every gateway that ever heard it may be chosen.
    """
    hearing = frozenset(one.gateway_id for one in hearings)
    latest = [one for one in hearings if one.latest]
    good = frozenset(one.gateway_id for one in latest if one.margin_db >= prefer_margin_db)
    if good:
        return Route(good, hearing)
    if latest:
        best = max(latest, key=lambda one: one.margin_db)
        return Route(frozenset({best.gateway_id}), hearing)
    return Route(hearing or frozenset({UNKNOWN_GATEWAY}), hearing)


def listeners_of(hearings: Sequence[Hearing], prefer_margin_db: float) -> frozenset[str]:
    """Gateways that hear nine in ten of its uplinks: by Rayleigh's fading those that heard the
    newest with a margin of 10 dB, so the same that ChirpStack prefers. At least the best one."""
    latest = [one for one in hearings if one.latest]
    good = frozenset(one.gateway_id for one in latest if one.margin_db >= prefer_margin_db)
    if good or not latest:
        return good
    return frozenset({max(latest, key=lambda one: one.margin_db).gateway_id})


def spreading_factor(hearings: Sequence[Hearing]) -> int:
    """Of the light's newest uplink; the slowest where nothing told it."""
    newest = max(hearings, key=lambda one: (one.latest, one.heard_at), default=None)
    return SLOWEST if newest is None else newest.spreading_factor or SLOWEST


def last_heard_at(hearings: Sequence[Hearing]) -> float | None:
    """The newest uplink, on ChirpStack's clock."""
    return max((one.heard_at for one in hearings), default=None)
