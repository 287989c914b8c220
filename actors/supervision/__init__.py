"""Supervision: children are started in order, restarted within a budget, stopped in reverse."""

from actors.supervision.budget import Backoff, Budget
from actors.supervision.children import SupervisorStatistics
from actors.supervision.errors import (
    ActorCrashed,
    ActorError,
    ActorStopped,
    ChildReturned,
    DuplicateChild,
    Ending,
    EndingKind,
    StartTimedOut,
    SupervisorGaveUp,
    SupervisorStopped,
    classify,
)
from actors.supervision.spec import (
    ChildReport,
    ChildSpec,
    ChildState,
    Exhausted,
    Reporting,
    Restart,
    StartFn,
)
from actors.supervision.supervisor import Supervisor

__all__ = [
    "ActorCrashed",
    "ActorError",
    "ActorStopped",
    "Backoff",
    "Budget",
    "ChildReport",
    "ChildReturned",
    "ChildSpec",
    "ChildState",
    "DuplicateChild",
    "Ending",
    "EndingKind",
    "Exhausted",
    "Reporting",
    "Restart",
    "StartFn",
    "StartTimedOut",
    "Supervisor",
    "SupervisorGaveUp",
    "SupervisorStatistics",
    "SupervisorStopped",
    "classify",
]
