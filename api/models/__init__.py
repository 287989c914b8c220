"""What HTTP and the live websocket show and take.

What the actors make to be shown (a gateway, a point of signal, a bucket) is sent as it is, under
the name that `SERVED_NAMES` gives it. A model is declared here where something is left out,
counted or added: records of the store, above all, which may grow without a caller seeing it.
"""

from enum import Enum

import msgspec

from actors.board.changes import GatewayView
from actors.calibration.model import Candidate, Kind, Outcome, RunState
from actors.fleet.initialization import InitializationRun
from actors.gateways.observed import Outage, Span
from actors.link.lag import Basis
from actors.metrics.reliability import Bucket
from actors.quality.model import Grade, Line, Rule
from actors.restored_store import RestoredStoreDevice
from actors.storage.history import HistoryEntry
from actors.storage.signal_history import SignalPoint
from actors.storage.unreadable_records import Unreadable
from api.models.actors import ActorState
from api.models.commands import CommandList, CommandSummary, CommandView, StepView
from api.models.device_details import DeviceView
from api.models.devices import DevicePage, DeviceSummary
from api.models.network import (
    AlertList,
    AlertShown,
    GatewayHealth,
    GatewayList,
    OutageList,
)
from api.models.operation import (
    ActorNode,
    ClockView,
    DeadLetterView,
    HistoryPage,
    MetricsView,
    ReadinessView,
    StatusAsked,
    SupervisorView,
)
from api.models.quality import LightQuality, RiskList, RiskShown, RiskView
from api.models.reliability import ReliabilityView, SignalView
from api.models.rollouts import RolloutDetail, RolloutLight, RolloutList, RolloutView
from lorawan.kuando.light_state import LightState

SERVED_NAMES: dict[type[msgspec.Struct] | type[Enum], str] = {
    ActorState: "ChildState",
    Basis: "LagBasis",
    Bucket: "BucketView",
    Candidate: "CalibrationLight",
    GatewayView: "GatewayShown",
    Grade: "GatewayLetter",
    HistoryEntry: "HistoryLine",
    InitializationRun: "InitializationView",
    Kind: "CalibrationKind",
    LightState: "LightView",
    Line: "GatewayLine",
    Outage: "OutageView",
    Outcome: "ProbeOutcome",
    RestoredStoreDevice: "RestoredStoreLightView",
    Rule: "WarningRule",
    RunState: "CalibrationState",
    SignalPoint: "SignalPointView",
    Span: "ObservedView",
    Unreadable: "UnreadableView",
}
"""The names in the OpenAPI description of what is called otherwise here. Callers make classes of
them, so they stay, whatever ours are called."""

__all__ = [
    "SERVED_NAMES",
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
    "HistoryPage",
    "LightQuality",
    "MetricsView",
    "OutageList",
    "ReadinessView",
    "ReliabilityView",
    "RiskList",
    "RiskShown",
    "RiskView",
    "RolloutDetail",
    "RolloutLight",
    "RolloutList",
    "RolloutView",
    "SignalView",
    "StatusAsked",
    "StepView",
    "SupervisorView",
]
