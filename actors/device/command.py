"""A colour command, and the steps by which its story is told: immutable values, as they are stored.

Fields ending in `_at` (and `at`) are Unix seconds UTC. `machine.py` makes new values from old ones.
"""

from enum import StrEnum

import msgspec

from actors.reasons import Reason
from lorawan.kuando.light_state import LightState

LIGHT_REMOVED = "the light was removed"
"""How the reason of a command begins that ended because its light is known no longer."""


class StepKind(StrEnum):
    """What can happen to a command; the timeline is made of these."""

    ACCEPTED = "accepted"
    WAITING = "waiting"
    HELD = "held"
    QUEUED = "queued"
    TRANSMITTED = "transmitted"
    UNPROVEN = "unproven"
    NOT_SENT = "not_sent"
    EVIDENCE = "evidence"
    OVERDUE = "overdue"
    VERIFIED = "verified"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Step(msgspec.Struct, frozen=True, gc=False):
    """One step of a command, with its time, gateway and reason where there is one."""

    at: float
    kind: StepKind
    attempt: int | None = None
    gateway_id: str | None = None
    reason: str | None = None
    cause: Reason | None = None
    """The same as a code with values; None where there is no reason, and in records of before."""


class CommandStatus(StrEnum):
    """Where a command stands. The first four are open, the others final."""

    ACCEPTED = "accepted"
    HELD = "held"
    QUEUED = "queued"
    TRANSMITTED = "transmitted"
    VERIFIED = "verified"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"

    @property
    def final(self) -> bool:
        """True when nothing is pursued any more."""
        return self in FINAL


FINAL = frozenset(
    {
        CommandStatus.VERIFIED,
        CommandStatus.SUPERSEDED,
        CommandStatus.EXPIRED,
        CommandStatus.REJECTED,
        CommandStatus.WITHDRAWN,
    }
)


class Command(msgspec.Struct, frozen=True):
    """One colour command and all that happened to it."""

    id: str
    dev_eui: str
    light: LightState
    keep: bool
    accepted_at: float
    expires_at: float
    status: CommandStatus = CommandStatus.ACCEPTED
    reason: str | None = None
    """Why it is held, rejected, expired or withdrawn, in words for a person."""
    superseded_by: str | None = None
    withdrawn_by: str | None = None
    """Who took it back; empty where the caller has no name, None where nobody did."""
    attempts: int = 0
    """Frames that were really transmitted and counted."""
    overdue: bool = False
    """Its timed attempts are spent; it is still pursued."""
    ended_at: float | None = None
    correlation_id: str = ""
    heartbeat_only: bool = False
    """The light's software answers no downlink: its verdict waits for a status."""
    timeline: tuple[Step, ...] = ()
    steps_omitted: int = 0
    """Steps dropped from the middle of an overlong timeline."""
    by: str = ""
    """Who gave it; empty where nobody is known: of an older version, or of the service itself."""
    cause: Reason | None = None
    """Its `reason` as a code with values; None where there is none, and in records of before."""
