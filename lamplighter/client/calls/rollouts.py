"""Rollouts: one colour for many lights."""

from typing import Literal

from lamplighter.client.ask import Ask, Repeat
from lamplighter.client.models import (
    RolloutAgain,
    RolloutChange,
    RolloutDetail,
    RolloutList,
    RolloutRequest,
    RolloutView,
)
from lamplighter.client.paths import path
from lamplighter.client.steps import Call, Kit, Pause, Steps, Whole

LOOK_S = 2.0


def rollouts() -> Call[RolloutList]:
    """All that are kept, newest first."""
    return Ask(model=RolloutList, path="/rollouts")


def rollout(rollout_id: str) -> Call[RolloutDetail]:
    """One with its lights."""
    return Ask(model=RolloutDetail, path=path("rollouts", rollout_id))


def start_rollout(request: RolloutRequest, *, key: str | None = None) -> Call[RolloutView]:
    """Begin one, for `dev_euis` or for those that `filter` finds now. The same `key` is the same
    rollout; by default each call is one of its own."""
    return Ask(
        model=RolloutView,
        method="POST",
        path="/rollouts",
        body=request,
        repeat=Repeat.KEYED,
        key=key,
    )


def wait_rollout(rollout_id: str, *, wait_s: float = 3_600.0) -> Call[RolloutDetail]:
    """Wait until it is done, cancelled or stopped, and has no open light; as it is then, or after
    `wait_s`."""
    return Whole(lambda kit: _ended(kit, rollout_id, wait_s))


def change_rollout(
    rollout_id: str,
    *,
    state: Literal["paused", "running", "cancelled"] | None = None,
    pace_per_min: float | None = None,
    failures_most: int | None = None,
) -> Call[RolloutView]:
    """Pause, resume or cancel it, or change its pace; what is left out stays."""
    change = RolloutChange(state=state, pace_per_min=pace_per_min, failures_most=failures_most)
    return Ask(model=RolloutView, method="PATCH", path=path("rollouts", rollout_id), body=change)


def try_rollout_again(
    rollout_id: str,
    *,
    pace_per_min: float | None = None,
    failures_most: int | None = None,
    key: str | None = None,
) -> Call[RolloutView]:
    """Try its failed and unreached lights again, as a new rollout."""
    return Ask(
        model=RolloutView,
        method="POST",
        path=path("rollouts", rollout_id, "again"),
        body=RolloutAgain(pace_per_min=pace_per_min, failures_most=failures_most),
        repeat=Repeat.KEYED,
        key=key,
    )


def _ended(kit: Kit, rollout_id: str, wait_s: float) -> Steps[RolloutDetail]:
    until_s = kit.steady() + wait_s
    while True:
        found = yield from Ask(model=RolloutDetail, path=path("rollouts", rollout_id)).steps(kit)
        going = found.state in {"running", "paused"} or found.open > 0
        left_s = until_s - kit.steady()
        if not going or left_s <= 0:
            return found
        yield Pause(min(LOOK_S, left_s))
