"""What HTTP and the live websocket show and take; every field of the wire is declared here."""

from api.models.commands import CommandSummary, CommandView, LightView, StepView
from api.models.devices import DevicePage, DeviceSummary, DeviceView
from api.models.network import AlertList, AlertShown, GatewayHealth, GatewayList, GatewayShown
from api.models.operation import (
    ActorNode,
    DeadLetterView,
    HistoryPage,
    InitializationView,
    MetricsView,
    ReadinessView,
    SupervisorView,
)
from api.models.rollouts import RolloutDetail, RolloutLight, RolloutList, RolloutView

__all__ = [
    "ActorNode",
    "AlertList",
    "AlertShown",
    "CommandSummary",
    "CommandView",
    "DeadLetterView",
    "DevicePage",
    "DeviceSummary",
    "DeviceView",
    "GatewayHealth",
    "GatewayList",
    "GatewayShown",
    "HistoryPage",
    "InitializationView",
    "LightView",
    "MetricsView",
    "ReadinessView",
    "RolloutDetail",
    "RolloutLight",
    "RolloutList",
    "RolloutView",
    "StepView",
    "SupervisorView",
]
