"""Bugs planted in what decides when a frame goes: the estimators, the pacer, retries and probes.

They are looked for in the rush, where nothing excuses them.
"""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from actors.device import attempt_outcomes, judgement
from actors.downlink.gateway_occupancy import GatewayOccupancy
from actors.downlink.pacing.back_off import BackOff
from actors.downlink.pacing.batch_plan import FRAMES_MOST
from actors.downlink.pacing.pacer import Pacer
from actors.link.forwarders import Forwarders
from tests.simulation.planting import planted_in_a_rush


@planted_in_a_rush("window learned from ambiguous samples")
def ambiguous_samples() -> Iterator[None]:
    """Whatever is heard is counted from the first frame of the pursuit."""

    def timed(
        transition: Any, judged: Any, report: Any, frames: int, air_until: Any, ends_at: Any
    ) -> Any:
        del frames
        goal = transition.device.pursuit
        before = None if goal is None else goal.unanswered
        if before is not None:
            air_until, ends_at = before.air_until, before.ends_at
        return judgement._with_times(transition, judged, report, air_until, ends_at)

    with patch.object(judgement, "_timed", timed):
        yield


class _Always:
    """An attribute that is always this, whatever is assigned to it."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __get__(self, owner: object, kind: object = None) -> object:
        return self._value

    def __set__(self, owner: object, value: object) -> None:
        pass


REMEMBER = attempt_outcomes.remember


@planted_in_a_rush("a replayed txack begins the spacing anew")
def txack_replayed() -> Iterator[None]:
    def remember(transition: Any, event: Any) -> bool:
        REMEMBER(transition, event)
        return True

    with (
        patch.object(attempt_outcomes, "remember", remember),
        patch.object(attempt_outcomes, "_taken_at", lambda transition, event: transition.now),
    ):
        yield


@planted_in_a_rush("two cells overlap")
def cells_overlap() -> Iterator[None]:
    """Which gateways hear one light is forgotten."""

    def around(self: Any, gateways: Any, now: float) -> frozenset[str]:
        del self, now
        return frozenset(gateways)

    with patch.object(GatewayOccupancy, "around", around):
        yield


TIME = Pacer._time


@planted_in_a_rush("a lead that ignores the lock")
def lock_ignored() -> Iterator[None]:
    """A frame that ChirpStack held back for its lock counts as one that a gateway kept."""

    def time(self: Any, *args: Any, locked: bool, **kwargs: Any) -> None:
        del locked
        TIME(self, *args, locked=False, **kwargs)

    with patch.object(Pacer, "_time", time):
        yield


@planted_in_a_rush("a batch on a Basics Station")
def batch_on_basics_station() -> Iterator[None]:
    """It is not known for what it is, and what it drops slows nobody."""
    with (
        patch.object(Forwarders, "is_basics_station", lambda self, gateway_id: False),
        patch.object(BackOff, "txack_late", lambda self, *args: None),
        patch.object(BackOff, "first_answer", lambda self, *args, **kwargs: None),
        patch.object(BackOff, "frames", _Always(FRAMES_MOST)),
    ):
        yield


@planted_in_a_rush("a back-off that never recovers")
def for_ever_slow() -> Iterator[None]:
    with (
        patch.object(BackOff, "fade", lambda self, now: None),
        patch.object(BackOff, "txack_in_time", lambda self: None),
    ):
        yield
