"""ChirpStack v4 over gRPC: the client, its settings, and the set-up of its HTTP integration."""

from lorawan.chirpstack.client import ChirpStackClient, ClientStatistics
from lorawan.chirpstack.integration import (
    ChangeKind,
    IntegrationChange,
    ensure_integration,
    ensure_integrations,
    plan_integration,
)
from lorawan.chirpstack.listing import ApplicationInfo
from lorawan.chirpstack.settings import ChirpStackSettings, Deadlines, ReplayLimits

__all__ = [
    "ApplicationInfo",
    "ChangeKind",
    "ChirpStackClient",
    "ChirpStackSettings",
    "ClientStatistics",
    "Deadlines",
    "IntegrationChange",
    "ReplayLimits",
    "ensure_integration",
    "ensure_integrations",
    "plan_integration",
]
