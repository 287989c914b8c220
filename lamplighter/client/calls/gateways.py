"""Gateways: which hear, which are away, and how good each is."""

from lamplighter.client.ask import Ask
from lamplighter.client.models import (
    GatewayGrade,
    GatewayHealth,
    GatewayList,
    GatewayShown,
    OutageList,
)
from lamplighter.client.paths import path
from lamplighter.client.steps import Call


def gateways() -> Call[GatewayList]:
    """Every gateway, by id."""
    return Ask(model=GatewayList, path="/gateways")


def gateway_health() -> Call[GatewayHealth]:
    """How many are there, and which are not."""
    return Ask(model=GatewayHealth, path="/gateways/health")


def gateway(gateway_id: str) -> Call[GatewayShown]:
    """One gateway."""
    return Ask(model=GatewayShown, path=path("gateways", gateway_id, "status"))


def gateway_outages(gateway_id: str, *, days: float = 7.0) -> Call[OutageList]:
    """When it was away, over 7 days at most."""
    at = path("gateways", gateway_id, "outages")
    return Ask(model=OutageList, path=at, query={"days": days})


def gateway_quality(gateway_id: str) -> Call[GatewayGrade]:
    """Its grade, and the lines that it comes from."""
    return Ask(model=GatewayGrade, path=path("gateways", gateway_id, "quality"))
