"""Whose turn it is at which gateways, and when: the pace and the occupancy put together.

The first in order goes first through its gateways. Only a slow answer of ChirpStack lets another
pass; and an attempt that needs several gateways free at once, and waited long, keeps the others
from taking them one by one.
"""

import math
from collections.abc import Callable

from actors.downlink.pending import PendingAttempt, QueuePlace
from actors.downlink.route import Route
from actors.downlink.state import DispatchState


class Turns:
    """Of one round of planning; `wake` is told when another one is due."""

    def __init__(
        self, state: DispatchState, now: float, wake: Callable[[float | None], None]
    ) -> None:
        self._state = state
        self._now = now
        self._wake = wake
        self._claimed: frozenset[str] = frozenset()
        self._claimed_by: Route | None = None

    def around(self, paced_by: frozenset[str]) -> frozenset[str]:
        """These gateways, and all that overlap with one of them."""
        return self._state.in_flight.occupancy.around(paced_by, self._now)

    def free_at(self, one: PendingAttempt, paced_by: frozenset[str]) -> float:
        """When its gateways and all that overlap with them are free; infinite behind a claim."""
        if self._state.follows(one):
            return self._now
        around = self.around(paced_by)
        if self._claimed & around:
            return math.inf
        state, now = self._state, self._now
        span_s = state.policy.tick_s + one.airtime_s
        occupancy, pacer = state.in_flight.occupancy, state.pacer
        if pacer is None:
            free_at = occupancy.free_at(around, now, span_s)
        else:
            frame = state.frame_of(one)
            slot_at = None if state.is_alone(one) else pacer.joins_at(frame, now)
            if slot_at is not None:  # one more of a batch waits for its place only
                besides = pacer.tokens_of(frame, now)
                return max(slot_at, occupancy.free_at(around, now, span_s, besides=besides))
            free_at = occupancy.free_at(around, now, span_s)
            free_at = max(free_at, pacer.order_at(frame, around))
        if free_at > now and not self._claimed and (pacer is None or len(paced_by) > 1):
            self._claim(one, paced_by, around)
        return free_at

    def expected_at(self, one: PendingAttempt, paced_by: frozenset[str]) -> float:
        """When it will be its turn, txacks in time supposed."""
        state, now, pacer = self._state, self._now, self._state.pacer
        if pacer is None or state.follows(one):
            return self.free_at(one, paced_by)
        around = self.around(paced_by)
        if self._claimed & around and self._claimed_by != one.route:
            return math.inf
        place = sum(not self._slow(other) for other in state.pending.active_of(one.route))
        span_s = state.policy.tick_s + one.airtime_s
        besides = pacer.tokens_around(around, now)
        free_at = state.in_flight.occupancy.free_at(around, now, span_s, besides=besides)
        return max(free_at, pacer.expected_at(state.frame_of(one), around, place, now))

    def _slow(self, other: PendingAttempt) -> bool:
        """Whether ChirpStack is slow over it, so that another may pass."""
        slow_at = other.call_at + self._state.policy.slow_call_s
        if other.place is QueuePlace.READY:
            return False
        if slow_at > self._now:
            self._wake(slow_at)
        return slow_at <= self._now

    def _claim(self, one: PendingAttempt, paced_by: frozenset[str], around: frozenset[str]) -> None:
        """The first that waits for nothing but its gateways, and long, keeps others off them."""
        state, now = self._state, self._now
        since = one.in_line_since
        if since is not None and now - since >= state.policy.claim_after_s:
            needed_s = state.in_flight.worst_s(one.airtime_s)
            carriers = state.carriers_of(one.route)
            if state.in_flight.airtime_budget.room_at(carriers, needed_s, now) <= now:
                self._claimed, self._claimed_by = around, one.route

    def may_look(self, one: PendingAttempt) -> bool:
        """One attempt of a line at a time, unless ChirpStack is slow over the one before, or the
        pacer has a place for it."""
        state = self._state
        if state.pacer is not None:
            return True
        for other in state.pending.active_of(one.route):
            if other.place is QueuePlace.READY:
                return False
            slow_at = other.call_at + state.policy.slow_call_s
            if slow_at > self._now:
                self._wake(slow_at)
                return False
        return True

    def overtakes(self, one: PendingAttempt, paced_by: frozenset[str]) -> bool:
        """Whether one that comes first is about to be READY for the same gateways."""
        state, around = self._state, self.around(paced_by)
        for other in state.pending.active():
            slow_at = other.call_at + state.policy.slow_call_s
            if (
                other.place is QueuePlace.LOOKING
                and other.order < one.order
                and slow_at > self._now
                and around & state.paced_gateways_of(other.route)
            ):
                self._wake(slow_at)
                return True
        return False
