"""What is known of a rollout: immutable values, stored and shown as they are.

They have no behaviour: `decisions.py` makes new values from old ones. `_at` is Unix seconds.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from actors.board.rollout import Rollout, State
from actors.reasons import Reason
from lorawan.kuando.light_state import LightState


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
    WITHDRAWN = "withdrawn"
    """Somebody took its command back; that is no failure."""


class Part(msgspec.Struct, frozen=True, gc=False):
    """One light of a rollout."""

    dev_eui: str
    state: PartState = PartState.WAITING
    command_id: str | None = None
    reason: str | None = None
    failed_at: float | None = None
    settled: bool = False
    """Nothing more can happen to it: its command ended, or there never was one."""
    light: LightState | None = None
    """Its own colour; None where it is the rollout's."""
    cause: Reason | None = None
    """Its `reason` as a code with values; None where there is none, and in records of before."""
    asked: str | None = None
    """The place (`store/engine/places.py`) of the newest command that the light had when the
    rollout began; empty for none. None in records of before."""


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
    by: str = ""
    """Who begins it."""
    colours: Mapping[str, LightState] = {}
    """Of the lights that are to show something else than `light`."""
    again_of: str | None = None
    scene: str | None = None


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
