"""Which calls to make now: the gates that an attempt must pass, in the order of the attempts.

The rule it keeps: the first in order goes first through its gateways. Only a slow answer of
ChirpStack lets another pass; and an attempt that needs several gateways free at once, and waited
long, keeps the others from taking them one by one.
"""

import math

from actors.dispatcher import words
from actors.dispatcher.breaker import Trouble
from actors.dispatcher.calls import Action, Enqueue, Look
from actors.dispatcher.flights import Item
from actors.dispatcher.floor import Floor
from actors.dispatcher.tracks import Call
from actors.dispatcher.waiting import Hold, Line, Place, Waiting

ENQUEUES_KEPT_FREE = 2
"""Calls that looks leave to enqueues, so that slow looks never keep a free gateway waiting."""


class Schedule:
    """One round of planning. `wake_at` is when the next is due if nothing happens before."""

    def __init__(self, floor: Floor, now: float) -> None:
        self._floor = floor
        self._now = now
        self._claimed: frozenset[str] = frozenset()
        self.actions: list[Action] = []
        self.wake_at = math.inf

    def make(self) -> None:
        """Do what is due, and find what may start."""
        floor, now = self._floor, self._now
        for item in floor.flights.take_expired(now):
            track = floor.track(item.dev_eui)
            track.ends_at = max(track.ends_at, min(item.expires_at, now))
            floor.end_of(item)
            floor.wake(item.dev_eui, now)
        for one in floor.room.take_due(now):
            floor.place(one, now)
        trouble = floor.breaker.trouble
        if trouble is None:
            self._check_overdue()
        self._go_through(trouble)
        for at in (floor.room.next_at(), floor.flights.next_at()):
            self._wake(at)

    # ---------------------------------------------------------------- the round

    def _go_through(self, trouble: Trouble | None) -> None:
        room = self._floor.room
        waiters: list[tuple[Waiting, Line | None]] = [*room.lines()]
        waiters += [(one, None) for one in room.active() if one.place is Place.READY]
        waiters.sort(key=lambda pair: pair[0].order)
        for one, line in waiters:
            lanes = self._floor.lanes_of(one.route)
            if line is None:
                self._consider_ready(one, lanes, trouble)
            elif trouble is not None:
                self._consider_in_trouble(one, line, trouble)
            else:
                self._consider_in_line(one, line, lanes)

    def _consider_in_line(self, one: Waiting, line: Line, lanes: frozenset[str]) -> None:
        """Ask ChirpStack about the head of a line, shortly before its gateways are free."""
        if self._held_offline(one, line) or self._held_suspected(line, lanes):
            return
        if self._too_late(one):
            self._wake(self._now)  # the next one is the head now
            return
        if self._floor.suspicion.probe_at(lanes) is None:
            self._wake(self._floor.tell_turn(line, self._now))
        if not self._calls_left():
            return  # the next answer plans anew
        floor = self._floor
        look_at = self._free_at(one, lanes) - floor.policy.look_ahead_s
        if look_at > self._now:
            self._wake(look_at)
        elif not self._held_for_air(one, line):
            if floor.suspicion.probe_at(lanes) is None:
                line.moving()
            if self._room_in_the_air(one, lanes) and self._may_look(one):
                self._look(one)

    def _consider_ready(self, one: Waiting, lanes: frozenset[str], trouble: Trouble | None) -> None:
        """Enqueue what was looked up, if its gateways are free; look again if that is long ago."""
        floor, now = self._floor, self._now
        stale_at = one.looked_at + floor.policy.look_fresh_s
        barred = trouble is not None and one.stamp != floor.breaker.probe
        barred = barred or self._held_suspected(None, lanes)
        if now >= stale_at or barred or self._held_offline(one, None):
            floor.breaker.abandon(one.stamp)
            floor.room.line_up(one, now)
            self._wake(now)
            return
        self._wake(stale_at)
        if self._too_late(one):
            floor.breaker.abandon(one.stamp)
            return
        if self._held_for_air(one, None) or not self._room_in_the_air(one, lanes):
            return
        free_at = self._free_at(one, lanes)
        if free_at > now:
            self._wake(free_at)
        elif floor.calls < floor.policy.calls_most and not self._overtakes(one, lanes):
            self._enqueue(one, lanes)

    def _consider_in_trouble(self, one: Waiting, line: Line, trouble: Trouble) -> None:
        """While ChirpStack does not answer: tell everybody, and try one now and then."""
        floor, now = self._floor, self._now
        if self._held_offline(one, line):
            return
        told_at = trouble.since + floor.policy.patience_s
        if trouble.refusal is not None or now >= told_at:
            floor.tell_line(line, trouble.key, trouble.words())
        else:
            self._wake(told_at)
            waits = ("waits", *trouble.key)
            self._wake(floor.tell_line_waits(line, waits, trouble.words(), now))
        if floor.breaker.may_probe(now):
            if floor.calls < floor.policy.calls_most:  # else the next answer plans anew
                floor.breaker.probing(one.stamp)
                self._look(one)
        elif floor.breaker.probe is None:
            self._wake(floor.breaker.probe_at)

    # ---------------------------------------------------------------- the gates

    def _held_offline(self, one: Waiting, line: Line | None) -> bool:
        floor, hearing = self._floor, one.route.hearing
        if not hearing or not hearing <= floor.offline.keys():
            return False
        if line is not None:
            since = [(gateway_id, floor.offline[gateway_id]) for gateway_id in sorted(hearing)]
            named = [(floor.name_of(gateway_id), at) for gateway_id, at in since]
            floor.tell_line(line, ("offline", *since), words.offline(named))
        return True

    def _too_late(self, one: Waiting) -> bool:
        """Nothing is sent that could still change the light after its command ended."""
        floor, now, ends_at = self._floor, self._now, one.attempt.expires_at
        if (
            ends_at is None
            or self._expiry(one, ends_at, math.inf) - now >= floor.policy.life_least_s
        ):
            return False
        floor.count("too_late")
        hold = Hold(("too late",), words.too_late(ends_at), now)
        floor.hold(one, hold, max(ends_at, now) + floor.policy.item_grace_s)
        floor.place(one, now)
        return True

    def _expiry(self, one: Waiting, ends_at: float | None, wanted_at: float) -> float:
        """The expiry of an item that should live until `wanted_at` and may not outlive `ends_at`:
        whole seconds and the marker."""
        mark_s = one.mark.marker_us / 1e6
        whole = math.inf if math.isinf(wanted_at) else float(math.ceil(wanted_at))
        if ends_at is not None:
            whole = min(whole, float(math.floor(ends_at - mark_s)))
        return whole + mark_s

    def _held_suspected(self, line: Line | None, lanes: frozenset[str]) -> bool:
        """Frames that only suspects may carry go out now and then."""
        floor, now = self._floor, self._now
        probe_at = floor.suspicion.probe_at(lanes)
        if probe_at is None:
            return False
        if line is not None:
            suspects = floor.suspects_of(lanes)
            key = ("suspected", *((name, one.since) for name, one in suspects))
            floor.tell_line(line, key, words.suspected(suspects))
        if now >= probe_at:
            return False
        self._wake(probe_at)
        return True

    def _held_for_air(self, one: Waiting, line: Line | None) -> bool:
        floor, now = self._floor, self._now
        carriers = floor.carriers_of(one.route)
        needed_s = floor.flights.worst_s(one.airtime_s)
        at = floor.flights.air.room_at(carriers, needed_s, now)
        if at <= now:
            return False
        self._wake(at)
        if line is not None and at - now > floor.policy.patience_s:
            names = map(floor.name_of, sorted(carriers))
            floor.tell_line(line, ("air", carriers), words.air_used_up(names, at))
        return True

    def _room_in_the_air(self, one: Waiting, lanes: frozenset[str]) -> bool:
        """Room beside what is in flight; each end of a flight plans anew."""
        flights = self._floor.flights
        needed_s = flights.worst_s(one.airtime_s)
        carriers = self._floor.carriers_of(one.route)
        return not flights.crowded(lanes) and flights.air.fits(carriers, needed_s, self._now)

    def _around(self, lanes: frozenset[str]) -> frozenset[str]:
        return self._floor.flights.lanes.around(lanes, self._now)

    def _free_at(self, one: Waiting, lanes: frozenset[str]) -> float:
        """When its gateways and all that overlap with them are free; infinite behind a claim."""
        around = self._around(lanes)
        if self._claimed & around:
            return math.inf
        span_s = self._floor.policy.tick_s + one.airtime_s
        free_at = self._floor.flights.lanes.free_at(around, self._now, span_s)
        if free_at > self._now and not self._claimed:
            self._claim(one, lanes, around)
        return free_at

    def _claim(self, one: Waiting, lanes: frozenset[str], around: frozenset[str]) -> None:
        """The first that waits for nothing but its gateways, and long, keeps others off them."""
        floor, now = self._floor, self._now
        since = one.in_line_since
        if since is not None and now - since >= floor.policy.claim_after_s:
            needed_s = floor.flights.worst_s(one.airtime_s)
            carriers = floor.carriers_of(one.route)
            if floor.flights.air.room_at(carriers, needed_s, now) <= now:
                self._claimed = around

    def _calls_left(self) -> bool:
        """Whether another look may be under way."""
        return self._floor.calls < self._floor.policy.calls_most - ENQUEUES_KEPT_FREE

    def _may_look(self, one: Waiting) -> bool:
        """One attempt of a line at a time, unless ChirpStack is slow over the one before."""
        floor = self._floor
        for other in floor.room.active():
            if other.route != one.route:
                continue
            if other.place is Place.READY:
                return False
            slow_at = other.call_at + floor.policy.slow_call_s
            if slow_at > self._now:
                self._wake(slow_at)
                return False
        return True

    def _overtakes(self, one: Waiting, lanes: frozenset[str]) -> bool:
        """Whether one that comes first is about to be READY for the same gateways."""
        floor, around = self._floor, self._around(lanes)
        for other in floor.room.active():
            slow_at = other.call_at + floor.policy.slow_call_s
            if (
                other.place is Place.LOOKING
                and other.order < one.order
                and slow_at > self._now
                and around & floor.lanes_of(other.route)
            ):
                self._wake(slow_at)
                return True
        return False

    # ---------------------------------------------------------------- the calls

    def _check_overdue(self) -> None:
        """Items whose txack should be here: is it the gateway that is silent, or our webhook?"""
        floor = self._floor
        while self._calls_left():
            item = floor.flights.take_overdue(self._now)
            if item is None:
                break
            if floor.track(item.dev_eui).call is None:  # else that call looks, or is the enqueue
                one = floor.room.get(item.dev_eui)
                self._begin(item.dev_eui, item.token, enqueue=False)
                self.actions.append(Look(item.dev_eui, item.token, twice=True))
                if one is not None:
                    floor.place(one, self._now)
            else:
                floor.flights.look_again(item, self._now + floor.policy.slow_call_s)
        else:
            return  # the next answer plans anew
        self._wake(floor.flights.next_overdue_at())

    def _look(self, one: Waiting) -> None:
        floor = self._floor
        track = floor.track(one.dev_eui)
        one.call_at = self._now
        floor.room.move(one, Place.LOOKING)
        twice = track.item is not None or track.doubt is not None
        self._begin(one.dev_eui, one.stamp, enqueue=False)
        self.actions.append(Look(one.dev_eui, one.stamp, twice))
        self._wake(self._now + floor.policy.slow_call_s)

    def _enqueue(self, one: Waiting, lanes: frozenset[str]) -> None:
        floor, now = self._floor, self._now
        assert one.activation is not None  # noqa: S101 - READY means looked up
        probing = floor.suspicion.probe_at(lanes) is not None
        ttl_s = floor.policy.probe_ttl_s if probing else floor.policy.item_ttl_s
        expires_at = self._expiry(one, one.attempt.expires_at, now + ttl_s)
        if probing:
            floor.suspicion.probing(lanes, now)
        item = Item(
            token=floor.stamp(),
            dev_eui=one.dev_eui,
            number=one.attempt.number,
            mark=one.mark,
            gateways=floor.carriers_of(one.route),
            lanes=lanes,
            airtime_s=one.airtime_s,
            answer_s=one.answer_s,
            started_at=now,
            expires_at=expires_at,
            heard_at=one.heard_at,
            activation=one.activation,
        )
        track = floor.track(one.dev_eui)
        track.item, track.sent_at_f_cnt_up = item, one.activation.f_cnt_up
        floor.flights.start(item)
        floor.room.move(one, Place.ENQUEUEING)
        one.call_at = now
        self._begin(one.dev_eui, one.stamp, enqueue=True)
        self.actions.append(Enqueue(one.dev_eui, one.stamp, one.mark.data, expires_at))

    def _begin(self, dev_eui: str, stamp: int, *, enqueue: bool) -> None:
        self._floor.track(dev_eui).call = Call(stamp, enqueue, self._now)
        self._floor.calls += 1

    def _wake(self, at: float | None) -> None:
        if at is not None:
            self.wake_at = min(self.wake_at, at)
