"""What HTTP and the live websocket show and take.

What the actors make to be shown (a gateway, a point of signal, a bucket) is sent as it is, under
the name that `SERVED_NAMES` gives it. A model is declared here where something is left out,
counted or added: records of the store, above all, which may grow without a caller seeing it.
"""

from enum import Enum

import msgspec

from actors.board.changes import GatewayView
from actors.calibration.model import Candidate, Kind, Outcome, RunState
from actors.cluster.keeper.view import Here, MemberSign, Owned, Why
from actors.cluster.shown import ClusterShown, MemberShown, MoveShown, ShardShown, StoreShown
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
from api.models.commands import CommandList, CommandSummary, CommandView, NothingWanted, StepView
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
    ClusterShown: "ClusterView",
    GatewayView: "GatewayShown",
    Grade: "GatewayLetter",
    Here: "ShardHere",
    HistoryEntry: "HistoryLine",
    InitializationRun: "InitializationView",
    Kind: "CalibrationKind",
    LightState: "LightView",
    Line: "GatewayLine",
    MemberShown: "MemberView",
    MemberSign: "MemberState",
    MoveShown: "ShardMove",
    Outage: "OutageView",
    Outcome: "ProbeOutcome",
    Owned: "ShardState",
    RestoredStoreDevice: "RestoredStoreLightView",
    Rule: "WarningRule",
    RunState: "CalibrationState",
    ShardShown: "ShardView",
    SignalPoint: "SignalPointView",
    Span: "ObservedView",
    StoreShown: "StoreView",
    Unreadable: "UnreadableView",
    Why: "MoveReason",
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
    "NothingWanted",
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
