"""What a supervisor is told about a child, and what it tells about one.

Plain frozen values; the terms are those of OTP's supervisor behaviour. Source: Erlang/OTP design
principles, "Supervisor Behaviour".
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import trio

from actors.messaging.mailbox import Mailbox, MailboxStatistics
from actors.supervision.budget import Backoff, Budget

StartFn = Callable[[trio.TaskStatus[None]], Awaitable[None]]
"""The body of a child. It calls `task_status.started()` once it is ready to work."""


DEFAULT_BUDGET = Budget()
DEFAULT_BACKOFF = Backoff()


class Restart(StrEnum):
    """When a child is started again: always, after a crash only, never."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    TEMPORARY = "temporary"


class Exhausted(StrEnum):
    """What happens past the restart budget: the child is put aside, or the supervisor gives up."""

    PARK = "park"
    ESCALATE = "escalate"


class ChildState(StrEnum):
    """Where a child is in its life.

    `parked` is one that crashed past its budget. `stopped` was stopped from outside, `finished`
    ended by itself and is not started again.
    """

    STARTING = "starting"
    RUNNING = "running"
    BACKING_OFF = "backing_off"
    PARKED = "parked"
    STOPPED = "stopped"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class ChildReport:
    """One look at a child. Times are Unix seconds UTC; `restarts` counts since it was added."""

    id: str
    state: ChildState
    since: float
    restarts: int = 0
    last_error: str | None = None
    last_crash_at: float | None = None
    mailbox: MailboxStatistics | None = None
    children: "tuple[ChildReport, ...]" = ()


class Reporting(Protocol):
    """A child that has children of its own: a supervisor."""

    def report(self) -> ChildReport:
        """The supervisor and all below it."""
        ...

    def revive(self, id: str) -> bool:  # noqa: A002 as in ChildSpec
        """Give a parked actor below it another life. False when there is no such parked actor."""
        ...


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How to start, restart and stop one child.

    `shutdown_s` is the time between being cancelled and being given up; for a supervisor it must
    cover all its children (`Supervisor.as_child` sees to that). The mailbox, if any, outlives the
    incarnations. The report of `supervisor` is nested below this child's, and `revive` finds what
    is below it.
    """

    id: str
    start: StartFn
    restart: Restart = Restart.PERMANENT
    budget: Budget = DEFAULT_BUDGET
    backoff: Backoff = DEFAULT_BACKOFF
    exhausted: Exhausted = Exhausted.ESCALATE
    shutdown_s: float = 5.0
    start_timeout_s: float = 30.0
    mailbox: Mailbox[Any] | None = None
    supervisor: Reporting | None = None
