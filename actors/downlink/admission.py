"""Which calls to make now: what an attempt must pass before it may go out, in order.

When whose turn it is at its gateways is said in `turns.py`.
"""

import math

from actors.downlink import hold_reasons
from actors.downlink.breaker import Trouble
from actors.downlink.calls import Action, Enqueue, Look
from actors.downlink.device_state import Call
from actors.downlink.in_flight import Item
from actors.downlink.network_events import LOCK_SLACK_S
from actors.downlink.pending import Hold, PendingAttempt, QueuePlace, RouteQueue
from actors.downlink.state import DispatchState
from actors.downlink.turns import Turns
from actors.reasons import GatewayTold

AIR = "air"
"""Begins the key of the reason that airtime is used up."""
ENQUEUES_KEPT_FREE = 2
"""Calls that looks leave to enqueues, so that slow looks never keep a free gateway waiting."""


class Admission:
    """One round of planning. `wake_at` is when the next is due if nothing happens before."""

    def __init__(self, state: DispatchState, now: float) -> None:
        self._state = state
        self._now = now
        self._turns = Turns(state, now, self._wake)
        self.actions: list[Action] = []
        self.wake_at = math.inf

    def make(self) -> None:
        """Do what is due, and find what may start."""
        state, now = self._state, self._now
        for item in state.in_flight.take_expired(now):
            device = state.device(item.dev_eui)
            device.ends_at = max(device.ends_at, min(item.expires_at, now))
            state.end_of(item)
            state.unsettled(item, now)
            state.wake(item.dev_eui, now)
        for one in state.pending.take_due(now):
            state.place(one, now)
        trouble = state.breaker.trouble
        if trouble is None:
            self._check_overdue()
        self._go_through(trouble)
        if trouble is not None:
            self._probe_by_overdue()
        for at in (state.pending.next_at(), state.in_flight.next_at()):
            self._wake(at)

    # ---------------------------------------------------------------- the round

    def _go_through(self, trouble: Trouble | None) -> None:
        pending = self._state.pending
        waiters: list[tuple[PendingAttempt, RouteQueue | None]] = [*pending.lines()]
        waiters += [(one, None) for one in pending.active() if one.place is QueuePlace.READY]
        waiters.sort(key=lambda pair: pair[0].order)
        for one, line in waiters:
            paced_by = self._state.paced_gateways_of(one.route)
            if line is None:
                self._consider_ready(one, paced_by, trouble)
            elif trouble is not None:
                self._consider_in_trouble(one, line, trouble)
            else:
                head: PendingAttempt | None = one
                while head is not None and self._consider_in_line(head, line, paced_by):
                    head = line.head()  # of a batch more than one is asked about

    def _consider_in_line(
        self, one: PendingAttempt, line: RouteQueue, paced_by: frozenset[str]
    ) -> bool:
        """Ask ChirpStack about the head of a line, shortly before its gateways are free. True if
        it is being asked."""
        held = self._held_offline(one, line) or self._held_suspected(line, paced_by)
        if held or self._held_unproven(one, line):
            return False
        if self._too_late(one):
            self._wake(self._now)  # the next one is the head now
            return False
        state = self._state
        probing = state.suspicion.probe_at(paced_by) is not None
        probing = probing or state.unproven.probe_at(state.hearing_of(one.route)) is not None
        for_air = self._held_for_air(one, line)
        if not probing and not (for_air and line.held_for(AIR)):
            self._wake(state.tell_turn(line, self._now))
        if not self._calls_left():
            return False  # the next answer plans anew
        look_at = self._turns.expected_at(one, paced_by) - state.policy.look_ahead_s
        if look_at > self._now:
            self._wake(look_at)
        elif not for_air:
            if not probing:
                line.moving()
            if self._room_in_the_air(one, paced_by) and self._turns.may_look(one):
                self._look(one)
                return True
        return False

    def _consider_ready(
        self, one: PendingAttempt, paced_by: frozenset[str], trouble: Trouble | None
    ) -> None:
        """Enqueue what was looked up, if its gateways are free; look again if that is long ago."""
        state, now = self._state, self._now
        stale_at = one.looked_at + state.policy.look_fresh_s
        barred = trouble is not None and one.stamp != state.breaker.probe
        barred = barred or self._held_suspected(None, paced_by) or self._held_unproven(one, None)
        if now >= stale_at or barred or self._held_offline(one, None):
            state.breaker.abandon(one.stamp)
            state.pending.line_up(one, now)
            self._wake(now)
            return
        self._wake(stale_at)
        if self._too_late(one):
            state.breaker.abandon(one.stamp)
            return
        free_at = self._turns.free_at(one, paced_by)
        if free_at > now:
            self._wake(free_at)
            return
        if self._held_for_air(one, None) or not self._room_in_the_air(one, paced_by):
            return
        if state.calls < state.policy.calls_most and not self._turns.overtakes(one, paced_by):
            self._enqueue(one, paced_by)

    def _consider_in_trouble(self, one: PendingAttempt, line: RouteQueue, trouble: Trouble) -> None:
        """While ChirpStack does not answer: tell everybody, and try one now and then."""
        state, now = self._state, self._now
        if self._held_offline(one, line):
            return
        told_at = trouble.since + state.policy.patience_s
        if trouble.refusal is not None or now >= told_at:
            state.tell_line(line, trouble.key, trouble.reason)
        else:
            self._wake(told_at)
            waits = ("waits", *trouble.key)
            self._wake(state.tell_line_waits(line, waits, trouble.reason, now))
        if state.breaker.may_probe(now):
            if state.calls < state.policy.calls_most:  # else the next answer plans anew
                state.breaker.probing(one.stamp)
                self._look(one)
        elif state.breaker.probe is None:
            self._wake(state.breaker.probe_at)

    # ---------------------------------------------------------------- the gates

    def _held_offline(self, one: PendingAttempt, line: RouteQueue | None) -> bool:
        state, hearing = self._state, one.route.hearing
        if not hearing or not hearing <= state.offline.keys():
            return False
        if line is not None:
            away = tuple(
                GatewayTold(one, state.name_of(one), state.offline[one]) for one in sorted(hearing)
            )
            key = ("offline", *((gateway.gateway_id, gateway.since) for gateway in away))
            state.tell_line(line, key, hold_reasons.offline(away))
        return True

    def _too_late(self, one: PendingAttempt) -> bool:
        """Nothing is sent that could still change the light after its command ended."""
        state, now, ends_at = self._state, self._now, one.attempt.expires_at
        if (
            ends_at is None
            or self._expiry(one, ends_at, math.inf) - now >= state.policy.life_least_s
        ):
            return False
        state.count("too_late")
        hold = Hold(("too late",), hold_reasons.too_late(ends_at), now)
        state.hold(one, hold, max(ends_at, now) + state.policy.item_grace_s)
        state.place(one, now)
        return True

    def _expiry(self, one: PendingAttempt, ends_at: float | None, wanted_at: float) -> float:
        """The expiry of an item that should live until `wanted_at` and may not outlive `ends_at`:
        whole seconds and the marker."""
        mark_s = one.mark.marker_us / 1e6
        whole = math.inf if math.isinf(wanted_at) else float(math.ceil(wanted_at))
        if ends_at is not None:
            whole = min(whole, float(math.floor(ends_at - mark_s)))
        return whole + mark_s

    def _held_suspected(self, line: RouteQueue | None, paced_by: frozenset[str]) -> bool:
        """Frames that only suspects may carry go out now and then."""
        state = self._state
        probe_at = state.suspicion.probe_at(paced_by)
        if probe_at is not None and line is not None:
            suspects = state.suspects_of(paced_by)
            key = ("suspected", *((one.gateway_id, one.since) for one in suspects))
            state.tell_line(line, key, hold_reasons.suspected(suspects))
        return self._held_until(probe_at)

    def _held_unproven(self, one: PendingAttempt, line: RouteQueue | None) -> bool:
        """Where nothing is proven through all that hear a light, one is tried now and then."""
        state = self._state
        hearing = state.hearing_of(one.route)
        probe_at = state.unproven.probe_at(hearing)
        if probe_at is not None and line is not None:
            unproven = state.unproven_of(hearing)
            key = ("unproven", *((one.gateway_id, one.since) for one in unproven))
            state.tell_line(line, key, hold_reasons.unproven(unproven))
        return self._held_until(probe_at)

    def _held_until(self, probe_at: float | None) -> bool:
        """Whether the next frame that is a try must wait for its time; None where none is one."""
        if probe_at is None or self._now >= probe_at:
            return False
        self._wake(probe_at)
        return True

    def _held_for_air(self, one: PendingAttempt, line: RouteQueue | None) -> bool:
        state, now = self._state, self._now
        carriers = state.carriers_of(one.route)
        needed_s = state.in_flight.worst_s(one.airtime_s)
        at = state.in_flight.airtime_budget.room_at(carriers, needed_s, now)
        if at <= now:
            return False
        self._wake(at)
        if line is not None and at - now > state.policy.patience_s:
            used_up = hold_reasons.air_used_up(state.named(carriers), at)
            state.tell_line(line, (AIR, carriers), used_up)
        return True

    def _room_in_the_air(self, one: PendingAttempt, paced_by: frozenset[str]) -> bool:
        """Room beside what is in flight; each end of a flight plans anew."""
        in_flight = self._state.in_flight
        needed_s = in_flight.worst_s(one.airtime_s)
        carriers = self._state.carriers_of(one.route)
        return not in_flight.crowded(paced_by) and in_flight.airtime_budget.fits(
            carriers, needed_s, self._now
        )

    def _calls_left(self) -> bool:
        """Whether another look may be under way."""
        return self._state.calls < self._state.policy.calls_most - ENQUEUES_KEPT_FREE

    # ---------------------------------------------------------------- the calls

    def _check_overdue(self) -> None:
        """Items whose txack should be here: is it the gateway that is silent, or our webhook?"""
        state = self._state
        while self._calls_left():
            item = state.in_flight.take_overdue(self._now)
            if item is None:
                break
            device, one = state.device(item.dev_eui), state.pending.get(item.dev_eui)
            if item is device.unsettled and one is not None:  # a newer attempt: its own look tells
                state.in_flight.look_again(item, self._now + state.policy.recheck_s)
            elif device.call is None:  # else that call looks, or is the enqueue
                self._begin(item.dev_eui, item.token, enqueue=False)
                self.actions.append(Look(item.dev_eui, item.token, twice=True))
                if one is not None:
                    state.place(one, self._now)
            else:
                state.in_flight.look_again(item, self._now + state.policy.slow_call_s)
        else:
            return  # the next answer plans anew
        self._wake(state.in_flight.next_overdue_at())

    def _probe_by_overdue(self) -> None:
        """ChirpStack does not answer, and no attempt waits that could ask whether it does again."""
        state, overdue_at = self._state, self._state.in_flight.next_overdue_at()
        if overdue_at is None or state.breaker.probe is not None:
            return
        probe_at = max(overdue_at, state.breaker.probe_at)
        if probe_at > self._now:
            self._wake(probe_at)
            return
        item = state.in_flight.take_overdue(self._now)
        if item is None:
            return
        if state.device(item.dev_eui).call is not None:
            state.in_flight.look_again(item, self._now + state.policy.slow_call_s)
        else:
            state.breaker.probing(item.token)
            self._begin(item.dev_eui, item.token, enqueue=False)
            self.actions.append(Look(item.dev_eui, item.token, twice=True))

    def _look(self, one: PendingAttempt) -> None:
        state = self._state
        device = state.device(one.dev_eui)
        one.call_at = self._now
        state.pending.move(one, QueuePlace.LOOKING)
        twice = (device.item, device.doubt, device.unsettled) != (None, None, None)
        self._begin(one.dev_eui, one.stamp, enqueue=False)
        self.actions.append(Look(one.dev_eui, one.stamp, twice))
        self._wake(self._now + state.policy.slow_call_s)

    def _enqueue(self, one: PendingAttempt, paced_by: frozenset[str]) -> None:
        state, now = self._state, self._now
        assert one.activation is not None  # noqa: S101 - READY means looked up
        probing = state.suspicion.probe_at(paced_by) is not None
        ttl_s = state.policy.probe_ttl_s if probing else state.policy.item_ttl_s
        expires_at = self._expiry(one, one.attempt.expires_at, now + ttl_s)
        if probing:
            state.suspicion.probing(paced_by, now)
        state.unproven.probing(state.hearing_of(one.route), now)
        token, answer_s = state.stamp(), one.answer_s
        if state.pacer is not None:
            pace = state.pacer.ordered(
                token, one.dev_eui, state.frame_of(one), now, alone=state.is_alone(one)
            )
            answer_s = max(answer_s, pace.cycle_s - one.airtime_s)
        item = Item(
            token=token,
            dev_eui=one.dev_eui,
            number=one.attempt.number,
            mark=one.mark,
            gateways=state.carriers_of(one.route),
            paced_by=paced_by,
            airtime_s=one.airtime_s,
            answer_s=answer_s,
            started_at=now,
            expires_at=expires_at,
            heard_at=one.heard_at,
            activation=one.activation,
        )
        device = state.device(one.dev_eui)
        spoke_at = max(device.heard_at, device.ends_at, one.heard_at or -math.inf)
        item.locked_until = spoke_at + state.policy.class_a_lock_s + LOCK_SLACK_S
        device.item, device.sent_at_f_cnt_up = item, one.activation.f_cnt_up
        state.in_flight.start(item)
        state.pending.move(one, QueuePlace.ENQUEUEING)
        one.call_at = now
        self._begin(one.dev_eui, one.stamp, enqueue=True)
        self.actions.append(Enqueue(one.dev_eui, one.stamp, one.mark.data, expires_at))

    def _begin(self, dev_eui: str, stamp: int, *, enqueue: bool) -> None:
        self._state.device(dev_eui).call = Call(stamp, enqueue, self._now)
        self._state.calls += 1

    def _wake(self, at: float | None) -> None:
        if at is not None:
            self.wake_at = min(self.wake_at, at)
