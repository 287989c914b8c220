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
from actors.dispatcher.waiting import Line, Place, Waiting

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
        if self._held_offline(one, line) or not self._calls_left():
            return  # the next answer plans anew
        look_at = self._free_at(one, lanes) - self._floor.policy.look_ahead_s
        if look_at > self._now:
            self._wake(look_at)
        elif not self._held_for_air(one, line, lanes):
            line.moving()
            if self._room_in_the_air(one, lanes) and self._may_look(one):
                self._look(one)

    def _consider_ready(self, one: Waiting, lanes: frozenset[str], trouble: Trouble | None) -> None:
        """Enqueue what was looked up, if its gateways are free; look again if that is long ago."""
        floor, now = self._floor, self._now
        stale_at = one.looked_at + floor.policy.look_fresh_s
        barred = trouble is not None and one.stamp != floor.breaker.probe
        if now >= stale_at or barred or self._held_offline(one, None):
            floor.breaker.abandon(one.stamp)
            floor.room.line_up(one, now)
            self._wake(now)
            return
        self._wake(stale_at)
        if self._held_for_air(one, None, lanes) or not self._room_in_the_air(one, lanes):
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
            floor.tell_line(line, trouble.key, trouble.words(now))
        else:
            self._wake(told_at)
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
            floor.tell_line(line, ("offline", *since), words.offline(named, self._now))
        return True

    def _held_for_air(self, one: Waiting, line: Line | None, lanes: frozenset[str]) -> bool:
        floor, now = self._floor, self._now
        needed_s = floor.flights.worst_s(one.airtime_s)
        at = floor.flights.air.room_at(lanes, needed_s, now)
        if at <= now:
            return False
        self._wake(at)
        if line is not None and at - now > floor.policy.patience_s:
            names = map(floor.name_of, sorted(lanes))
            floor.tell_line(line, ("air", lanes), words.air_used_up(names, at, now))
        return True

    def _room_in_the_air(self, one: Waiting, lanes: frozenset[str]) -> bool:
        """Room beside what is in flight; each end of a flight plans anew."""
        flights = self._floor.flights
        needed_s = flights.worst_s(one.airtime_s)
        return not flights.crowded(lanes) and flights.air.fits(lanes, needed_s, self._now)

    def _around(self, lanes: frozenset[str]) -> frozenset[str]:
        return self._floor.flights.lanes.around(lanes, self._now)

    def _free_at(self, one: Waiting, lanes: frozenset[str]) -> float:
        """When its gateways and all that overlap with them are free; infinite behind a claim."""
        around = self._around(lanes)
        if self._claimed & around:
            return math.inf
        free_at = self._floor.flights.lanes.free_at(around, self._now)
        if free_at > self._now and not self._claimed:
            self._claim(one, lanes, around)
        return free_at

    def _claim(self, one: Waiting, lanes: frozenset[str], around: frozenset[str]) -> None:
        """The first that waits for nothing but its gateways, and long, keeps others off them."""
        floor, now = self._floor, self._now
        since = one.in_line_since
        if since is not None and now - since >= floor.policy.claim_after_s:
            needed_s = floor.flights.worst_s(one.airtime_s)
            if floor.flights.air.room_at(lanes, needed_s, now) <= now:
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
        expires_at = self._expiry(one)
        if expires_at <= now:  # its command ends before an item could leave: its light will say so
            floor.drop(one.dev_eui)
            return
        item = Item(
            token=floor.stamp(),
            dev_eui=one.dev_eui,
            number=one.attempt.number,
            mark=one.mark,
            gateways=lanes,
            airtime_s=one.airtime_s,
            answer_s=one.answer_s,
            started_at=now,
            expires_at=expires_at,
            heard_at=one.heard_at,
            activation=one.activation,
        )
        floor.track(one.dev_eui).item = item
        floor.flights.start(item)
        floor.room.move(one, Place.ENQUEUEING)
        one.call_at = now
        self._begin(one.dev_eui, one.stamp, enqueue=True)
        self.actions.append(Enqueue(one.dev_eui, one.stamp, one.mark.data, expires_at))

    def _expiry(self, one: Waiting) -> float:
        """The item's end, whole seconds and the mark: never after that of its command."""
        mark_s = one.mark.marker_us / 1e6
        whole = math.ceil(self._now + self._floor.policy.item_ttl_s)
        if one.attempt.expires_at is not None:
            whole = min(whole, math.floor(one.attempt.expires_at - mark_s))
        return whole + mark_s

    def _begin(self, dev_eui: str, stamp: int, *, enqueue: bool) -> None:
        self._floor.track(dev_eui).call = Call(stamp, enqueue, self._now)
        self._floor.calls += 1

    def _wake(self, at: float | None) -> None:
        if at is not None:
            self.wake_at = min(self.wake_at, at)
