"""Rollouts as HTTP and the websocket show them."""

from enum import StrEnum
from typing import Any

import msgspec

from actors.board.rollout import Rollout, State
from actors.reasons import ReasonCode
from actors.rollouts.model import Part, PartState, RolloutInspection
from api.models.reasons import code_of, values_of
from lorawan.kuando.light_state import LightState


class ShownState(StrEnum):
    """The state of one light of a rollout."""

    WAITING = "waiting"
    OPEN = "open"
    VERIFIED = "verified"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    REMOVED = "removed"
    """The light is known no longer; that is no failure."""
    WITHDRAWN = "withdrawn"
    """Its command was taken back; that is no failure."""
    CANCELLED = "cancelled"
    """It was not commanded yet when the rollout was cancelled: it waits for nothing."""


class RolloutView(msgspec.Struct, frozen=True, kw_only=True):
    """One colour for many lights. Every light is in exactly one of the eight counts."""

    id: str
    name: str
    state: State
    """`cancelled` and `done` are the end; `stopped` (too many failures) may be resumed."""
    reason: str | None
    """Why it stopped or was cancelled, for a person to read."""
    reason_code: ReasonCode | None
    """The same for programs; null where there is none, and in records of older versions."""
    reason_values: dict[str, Any] | None
    """What goes into its sentence, by name."""
    light: LightState
    """Of most of its lights, or of all."""
    keep: bool
    created_at: float
    ended_at: float | None
    changed_at: float
    pace_per_min: float
    failures_most: int
    total: int
    waiting: int
    """Not commanded yet."""
    open: int
    """Commanded, and neither ended nor overdue."""
    verified: int
    failed: int
    """Rejected, expired, overdue, or no command could be given."""
    superseded: int
    """A newer command came from elsewhere."""
    removed: int
    """Known no longer; that is no failure."""
    withdrawn: int
    """Its command was taken back; that is no failure."""
    cancelled: int
    """Not commanded when the rollout was cancelled."""
    by: str
    """Who began it; empty where nobody is known."""
    colours: list[LightState]
    """Where its lights are given several colours: the most frequent first, at most 8."""
    again_of: str | None
    """The rollout whose failed and unreached lights this one tries again."""
    scene: str | None
    """The name of the scene that it applies."""
    partly: bool
    """It has more lights than the caller may see: only those are counted, and it cannot be changed
    (403). The live feed does not know: it tells such callers of their own rollouts alone."""

    @classmethod
    def of(cls, rollout: Rollout, *, partly: bool = False) -> "RolloutView":
        """The view of a rollout, of which the caller may see a part only, or all lights."""
        return cls(**_shown(rollout), partly=partly)


class RolloutLight(msgspec.Struct, frozen=True):
    """One light of a rollout."""

    dev_eui: str
    state: ShownState
    command_id: str | None
    reason: str | None
    reason_code: ReasonCode | None
    """The same for programs; null where there is none, and in records of older versions."""
    reason_values: dict[str, Any] | None
    """What goes into its sentence, by name."""
    light: LightState
    """What it is to show."""

    @classmethod
    def of(cls, part: Part, light: LightState, *, cancelled: bool) -> "RolloutLight":
        """The view of a light of a rollout to this colour that was cancelled, or not."""
        state = ShownState(part.state.value)
        if cancelled and part.state is PartState.WAITING:
            state = ShownState.CANCELLED
        own = light if part.light is None else part.light
        code, values = code_of(part.cause), values_of(part.cause)
        return cls(part.dev_eui, state, part.command_id, part.reason, code, values, own)


class RolloutDetail(RolloutView, frozen=True, kw_only=True):
    """A rollout with its lights, in the order in which they are commanded."""

    lights: list[RolloutLight]

    @classmethod
    def inspected(cls, seen: RolloutInspection, *, partly: bool = False) -> "RolloutDetail":
        """The view of a rollout with its lights."""
        cancelled = seen.rollout.state is State.CANCELLED
        light = seen.rollout.light
        lights = [RolloutLight.of(part, light, cancelled=cancelled) for part in seen.parts]
        return cls(**_shown(seen.rollout), partly=partly, lights=lights)


class RolloutList(msgspec.Struct, frozen=True):
    """Rollouts, newest first."""

    rollouts: list[RolloutView]


def _shown(rollout: Rollout) -> dict[str, Any]:
    shown = {
        name: getattr(rollout, name)
        for name in RolloutView.__struct_fields__
        if name not in {"cancelled", "partly", "reason_code", "reason_values"}
    }
    left = rollout.waiting if rollout.state is State.CANCELLED else 0
    shown["colours"] = list(rollout.colours)
    shown["reason_code"] = code_of(rollout.cause)
    shown["reason_values"] = values_of(rollout.cause)
    return {**shown, "waiting": rollout.waiting - left, "cancelled": left}
