"""What HTTP and the live websocket show and take; every field of the wire is declared here."""

from api.models.commands import CommandList, CommandSummary, CommandView, LightView, StepView
from api.models.devices import DevicePage, DeviceSummary, DeviceView
from api.models.network import (
    AlertList,
    AlertShown,
    GatewayHealth,
    GatewayList,
    GatewayShown,
    ObservedView,
    OutageList,
    OutageView,
)
from api.models.operation import (
    ActorNode,
    ClockView,
    DeadLetterView,
    HistoryPage,
    InitializationView,
    MetricsView,
    ReadinessView,
    StatusAsked,
    SupervisorView,
)
from api.models.reliability import ReliabilityView, SignalPointView, SignalView
from api.models.rollouts import RolloutDetail, RolloutLight, RolloutList, RolloutView

__all__ = [
    "ActorNode",
    "AlertList",
    "AlertShown",
    "ClockView",
    "CommandList",
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
    "ObservedView",
    "OutageList",
    "OutageView",
    "ReadinessView",
    "ReliabilityView",
    "RolloutDetail",
    "RolloutLight",
    "RolloutList",
    "RolloutView",
    "SignalPointView",
    "SignalView",
    "StatusAsked",
    "StepView",
    "SupervisorView",
]
