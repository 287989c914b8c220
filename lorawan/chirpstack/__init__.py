"""ChirpStack v4 over gRPC: the client, its settings, and the set-up of its HTTP integration."""

from lorawan.chirpstack.client import ChirpStackClient, ClientStatistics
from lorawan.chirpstack.integration import (
    Change,
    ChangeKind,
    ensure_integration,
    ensure_integrations,
    plan_integration,
)
from lorawan.chirpstack.listing import ApplicationInfo
from lorawan.chirpstack.settings import ChirpStackSettings, Deadlines, ReplayLimits

__all__ = [
    "ApplicationInfo",
    "Change",
    "ChangeKind",
    "ChirpStackClient",
    "ChirpStackSettings",
    "ClientStatistics",
    "Deadlines",
    "ReplayLimits",
    "ensure_integration",
    "ensure_integrations",
    "plan_integration",
]
