"""A rollout as it is stored and shown: counted by the states of its lights, without them.

It has no behaviour: `actors/rollouts/decisions.py` makes new values from old ones. `_at` is Unix
seconds.
"""

from enum import StrEnum

import msgspec

from actors.reasons import Reason
from lorawan.kuando.light_state import LightState

COLOURS_MOST = 8
"""Told of a rollout with many; each light has its own beside that."""


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


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout without its lights, counted by their states."""

    id: str
    name: str
    light: LightState
    """Of most of its lights, or of all."""
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
    withdrawn: int = 0
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
    by: str = ""
    """Who began it; its commands bear the same name."""
    colours: tuple[LightState, ...] = ()
    """Where its lights are given several: the most frequent first, at most `COLOURS_MOST`."""
    again_of: str | None = None
    """The rollout whose failed and unreached lights it tries again."""
    scene: str | None = None
    cause: Reason | None = None
    """Its `reason` as a code with values; None where there is none, and in records of before."""
    """The name of the scene that it applies."""
