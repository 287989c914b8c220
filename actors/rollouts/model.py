"""What is known of a rollout: immutable values, stored and shown as they are.

They have no behaviour: `decisions.py` makes new values from old ones. `_at` is Unix seconds.
"""

from enum import StrEnum

import msgspec

from lorawan.kuando.light_state import LightState


class State(StrEnum):
    """Where a rollout stands. `cancelled` and `done` are the end; a stopped one may be resumed."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    DONE = "done"

    @property
    def over(self) -> bool:
        """True when it can never go on."""
        return self in {State.CANCELLED, State.DONE}

    @property
    def active(self) -> bool:
        """True when it takes one of the few places."""
        return self in {State.RUNNING, State.PAUSED}


class PartState(StrEnum):
    """Where one light of a rollout stands; every light is in exactly one."""

    WAITING = "waiting"
    """Not commanded yet."""
    OPEN = "open"
    """Commanded, and neither ended nor overdue."""
    VERIFIED = "verified"
    FAILED = "failed"
    """Rejected, expired, overdue, or it could not be commanded."""
    SUPERSEDED = "superseded"
    """Somebody gave the light a newer command."""
    REMOVED = "removed"
    """The light is known no longer; that is no failure."""


class Part(msgspec.Struct, frozen=True, gc=False):
    """One light of a rollout."""

    dev_eui: str
    state: PartState = PartState.WAITING
    command_id: str | None = None
    reason: str | None = None
    failed_at: float | None = None
    settled: bool = False
    """Nothing more can happen to it: its command ended, or there never was one."""


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout without its lights, counted by their states."""

    id: str
    name: str
    light: LightState
    keep: bool
    ttl_s: float | None
    created_at: float
    changed_at: float
    pace_per_min: float
    failures_most: int
    total: int
    waiting: int
    open: int = 0
    verified: int = 0
    failed: int = 0
    superseded: int = 0
    removed: int = 0
    state: State = State.RUNNING
    reason: str | None = None
    """Why it stopped or ended, in words."""
    ended_at: float | None = None
    correlation_id: str = ""
    commanded_at: float | None = None
    """When the newest light was commanded: the pace is counted from it, over restarts too."""
    counted_since: float = 0.0
    """Failures before this do not count: it was stopped by them and resumed."""
    failures: int = 0
    """Failed lights that count."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout as asked for: lights that are known, each once."""

    dev_euis: tuple[str, ...]
    light: LightState
    keep: bool
    ttl_s: float | None
    name: str
    pace_per_min: float
    failures_most: int
    correlation_id: str = ""
    idempotency_key: str | None = None
    fingerprint: str = ""


class Wish(msgspec.Struct, frozen=True):
    """A change of a rollout; what is None stays."""

    state: State | None = None
    pace_per_min: float | None = None
    failures_most: int | None = None


class Conflict(msgspec.Struct, frozen=True):
    """The change cannot be made, and why, in words."""

    why: str


class RolloutInspection(msgspec.Struct, frozen=True):
    """A rollout with its lights, in the order in which they are commanded."""

    rollout: Rollout
    parts: tuple[Part, ...]
