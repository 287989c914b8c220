"""When the next frame may be ordered: pure, told of orders, txacks and answers.

From the order of a frame to its txack its gateways are taken (`gateway_occupancy.py`); what follows
is here. Two times are kept of each gateway. Until `air_until` its frames are on the air, and nobody
whom a light hears beside it may send. Until `next_at` it listens, and does not send itself. Both
are times of a start, counted from txacks: a frame is ordered earlier by what orders always take.

A gateway whose frames start later after their txacks than those of another one (its lag) is on the
air longer by the difference; while that is not known the largest that forwarders have is taken.
"""

from collections.abc import Iterable

from actors.board.changes import PaceTold
from actors.downlink.pacing.back_off import LATE_S
from actors.downlink.pacing.gateway_pacing import (
    GAP_S,
    Batch,
    FrameToPace,
    GatewayPacing,
)
from actors.downlink.pacing.lead_times import LeadEstimator
from actors.downlink.pacing.pace import (
    SHUT_AIRTIMES,
    SLACK_S,
    SLOW_FRAMES_MOST,
    Pace,
    pace_of,
)
from actors.link.air_facts import AirFacts
from actors.link.judgement import AttemptJudged

LAG_MOST_S = 1.0
"""Forwarders start a frame 80 ms or 1 s after they took it (packet_forwarder 4.x, Concentratord
before 4.5.2)."""
JOINS_LATE_S = 0.1
"""A frame so late for its place in a batch would be answered too late: it waits for the next."""
OVERDUE_S = 1.0
"""A txack so long after the next frame could have been ordered is no longer counted on."""
TRANSIT_KEPT = 0.02
"""By so much of the difference to it the least time of a telling rises: clocks drift."""


class Pacer:
    """All gateways. Every method takes steady seconds and does no I/O."""

    def __init__(self, facts: AirFacts, tick_s: float) -> None:
        self._facts = facts
        self._tick_s = tick_s
        self._nothing_known = LeadEstimator(tick_s).known()
        self._gateways: dict[str, GatewayPacing] = {}
        self._in_flight: dict[int, Batch] = {}  # by token: as many as items
        self._awaited: dict[str, Batch] = {}  # by light: frames of the newest batches

    # ---------------------------------------------------------------- when

    def pace(self, frame: FrameToPace) -> Pace:
        """How frames like this go."""
        gateway_id = frame.only_gateway
        if gateway_id is not None:
            one = self._gateway(gateway_id)
            pace, _ = one.pace_for(frame, gateway_id, self._facts)
            return pace
        return pace_of(
            listeners=len(frame.listeners),
            airtime_s=frame.airtime_s,
            answer_s=frame.answer_s,
            delays_s=self._facts.answer_delays_s(frame.sw_rev),
            lag_s=None,
            lead_times=self._nothing_known,
            gap_s=GAP_S,
            frames_most=1,
            asks=frame.asks,
            patient=self._gateway(min(frame.paced_by)).slow_frames < SLOW_FRAMES_MOST,
        )

    def order_at(self, frame: FrameToPace, around: Iterable[str]) -> float:
        """Not before this it may be ordered: its gateways listen, or one around them sends."""
        known = [self._gateway(one) for one in frame.paced_by]
        lead_s = min(one.leads.known().lead_s for one in known)
        at = max(one.next_at for one in known) - lead_s
        safe_s = min(one.leads.known().safe_lead_s for one in known)
        for name in around:
            other = self._gateways.get(name)
            if other is None or frame.paced_by == {name}:  # its own queue keeps its frames apart
                continue
            if other.air_until + LAG_MOST_S <= at:
                continue  # whatever the lags are
            behind_s = max(self._behind_s(name, one) for one in frame.paced_by)
            at = max(at, other.air_until + behind_s - safe_s)
        return at

    def _behind_s(self, gateway_id: str, next_id: str) -> float:
        """So much longer after its txack the one's frame starts than the next one's may."""
        if gateway_id == next_id:
            return 0.0
        known_s = self._facts.lag_beyond_s(gateway_id, next_id)
        return LAG_MOST_S if known_s is None else min(max(0.0, known_s), LAG_MOST_S)

    def joins_at(self, frame: FrameToPace, now: float) -> float | None:
        """When it may be ordered as one more of the batch that is being sent; None if not so."""
        batch = self._joinable(frame, now)
        return None if batch is None else batch.slot_at(batch.ordered)

    def tokens_of(self, frame: FrameToPace, now: float) -> frozenset[int]:
        """The items of that batch that are in flight."""
        batch = self._joinable(frame, now)
        return frozenset() if batch is None else frozenset(batch.in_flight)

    def tokens_around(self, around: Iterable[str], now: float) -> frozenset[int]:
        """Items in flight there whose txacks are not overdue: they end in time, one supposes."""
        some = (self._gateways.get(name) for name in around)
        batches = [one.batch for one in some if one is not None and one.batch is not None]
        young = [one for one in batches if now <= one.began_at + one.cycle_s + OVERDUE_S]
        return frozenset(token for one in young for token in one.in_flight)

    def expected_at(
        self, frame: FrameToPace, around: Iterable[str], place: int, now: float
    ) -> float:
        """When it will probably be ordered, if `place` others come before it; infinite if not in
        the next batch."""
        pace = self.pace(frame)
        batch = self._joinable(frame, now)
        if batch is not None:
            slot = batch.ordered + place
            if slot < batch.pace.frames:
                return batch.slot_at(slot)
            place = slot - batch.pace.frames
        if place >= pace.frames:
            return float("inf")
        at = self.order_at(frame, around)
        for name in frame.paced_by:
            newest = self._gateway(name).batch
            if newest is not None and newest.in_flight:
                at = max(at, newest.began_at + newest.cycle_s)
        return max(at, now) + place * pace.step_s

    # ---------------------------------------------------------------- what happened

    def ordered(
        self, token: int, dev_eui: str, frame: FrameToPace, now: float, *, alone: bool = False
    ) -> Pace:
        """Its enqueue begins. No other frame joins one that goes `alone`."""
        batch = None if alone else self._joinable(frame, now)
        if batch is None:
            batch = self._begin(frame, now)
            batch.closed = alone
        batch.ordered += 1
        batch.in_flight.add(token)
        self._in_flight[token] = batch
        if frame.only_gateway is not None:
            batch.unanswered.add(dev_eui)
            self._awaited[dev_eui] = batch
        return batch.pace

    def acknowledged(
        self,
        token: int,
        gateway_id: str,
        *,
        ordered_at: float,
        told_at: float,
        airtime_s: float,
        locked: bool,
        now: float,
        slot_s: float = 0.0,
    ) -> None:
        """A gateway took a frame; `told_at` is the txack's time on ChirpStack's clock. `locked`
        where ChirpStack itself may have held the frame back. A frame for a receive window leaves
        at most `slot_s` later: so long after the end of the uplink, which came before."""
        one = self._gateway(gateway_id)
        one.back_off.fade(now)
        self._time(one, ordered_at, told_at, airtime_s, locked=locked, now=now)
        self.on_air(gateway_id, airtime_s, slot_s, now)
        batch = self._in_flight.pop(token, None)
        if batch is None:
            one.next_at = max(one.next_at, one.air_until)
            return
        batch.in_flight.discard(token)
        if batch.first_ack_at is None:
            batch.first_ack_at = now
        floor_at = max(now + one.back_off.gap_s, one.air_until)
        if self._facts.is_basics_station(gateway_id):
            shut_s = (1.0 + SHUT_AIRTIMES) * airtime_s + SLACK_S
            floor_at = max(floor_at, now + shut_s)
        one.next_at = max(one.next_at, floor_at)
        batch.floor_at = max(batch.floor_at, floor_at)
        if batch.frame.only_gateway is not None and not batch.unanswered and not batch.in_flight:
            self._all_answered(batch)
            return
        listens_until = batch.first_ack_at + batch.cycle_s
        for name in {gateway_id, *batch.frame.listeners}:
            each = self._gateway(name)
            each.next_at = max(each.next_at, listens_until)

    def on_air(self, gateway_id: str, airtime_s: float, slot_s: float, now: float) -> None:
        """A gateway took a frame just now, whosever it is."""
        one = self._gateway(gateway_id)
        one.air_until = max(one.air_until + GAP_S, now + slot_s) + airtime_s

    def over(self, token: int) -> None:
        """The item ended without a txack, or had one."""
        batch = self._in_flight.pop(token, None)
        if batch is not None:
            batch.in_flight.discard(token)

    def heard(self, dev_eui: str, now: float) -> bool:
        """The light sent an uplink. True if a gateway is free by that, sooner than planned."""
        batch = self._awaited.pop(dev_eui, None)
        if batch is None:
            return False
        batch.unanswered.discard(dev_eui)
        if batch.unanswered or batch.in_flight:
            return False
        batch.floor_at = max(batch.floor_at, now)
        return self._all_answered(batch)

    def awaits(self, dev_eui: str) -> bool:
        """Whether an uplink of this light is waited for."""
        return dev_eui in self._awaited

    def judged(self, told: AttemptJudged, *, colour: bool = True) -> None:
        """What became of an attempt. Only a colour has its answer promised: settings are proven
        together, and by other statuses."""
        one = None if told.gateway_id is None else self._gateways.get(told.gateway_id)
        if one is None or told.late:
            return
        if told.server_delay_s is not None:
            one.answers += 1
        if told.first and colour:
            heard = 1.0 if one.pace is None else one.pace.heard
            most = max((plan[1] for plan in one.plans.values()), default=1)
            one.back_off.first_answer(told.expected * heard, most, answered=told.answered)

    def refused(self, gateways: Iterable[str], airtime_s: float, now: float) -> None:
        """One of these would not send a frame, for it was too busy."""
        for name in gateways:
            one = self._gateway(name)
            since_s = 99.0 if one.last_ack_at is None else now - one.last_ack_at
            one.back_off.frame_refused(since_s, airtime_s)

    # ---------------------------------------------------------------- to be looked at

    def frames_most(self, gateway_id: str) -> int:
        """Frames in one go through this gateway now."""
        one = self._gateways.get(gateway_id)
        return 1 if one is None or one.batch is None else one.batch.pace.frames

    def told(self, gateway_id: str) -> PaceTold | None:
        """What is known of this gateway, and done; None where it never took a frame."""
        one = self._gateways.get(gateway_id)
        return None if one is None else one.told()

    def busy(self, now: float) -> set[str]:
        """Gateways that listen, or send, now."""
        return {name for name, one in self._gateways.items() if one.next_at > now}

    # ---------------------------------------------------------------- how

    def _gateway(self, gateway_id: str) -> GatewayPacing:
        one = self._gateways.get(gateway_id)
        if one is None:
            one = self._gateways[gateway_id] = GatewayPacing(LeadEstimator(self._tick_s))
        return one

    def _joinable(self, frame: FrameToPace, now: float) -> Batch | None:
        gateway_id = frame.only_gateway
        one = None if gateway_id is None else self._gateways.get(gateway_id)
        batch = None if one is None else one.batch
        if batch is None or batch.closed or batch.frame != frame:
            return None
        if batch.ordered >= batch.pace.frames or now > batch.slot_at(batch.ordered) + JOINS_LATE_S:
            batch.closed = True
            return None
        return batch

    def _begin(self, frame: FrameToPace, now: float) -> Batch:
        pace = self.pace(frame)
        known = [self._gateway(one) for one in frame.paced_by]
        for one in known:
            if one.batch is not None:
                self._forget_awaited(one.batch)
        slower = max(one.back_off.slower for one in known)
        batch = Batch(frame, pace, now, pace.cycle_s * slower)
        for one in known:
            one.began(batch)
        return batch

    def _forget_awaited(self, batch: Batch) -> None:
        for dev_eui in batch.unanswered:
            if self._awaited.get(dev_eui) is batch:
                del self._awaited[dev_eui]
        batch.unanswered.clear()
        batch.closed = True

    def _all_answered(self, batch: Batch) -> bool:
        gateway_id = batch.frame.only_gateway
        if gateway_id is None or batch.first_ack_at is None:
            return False
        batch.closed = True
        one = self._gateway(gateway_id)
        if one.batch is not batch or one.next_at <= batch.floor_at:
            return False
        one.next_at = batch.floor_at
        return True

    def _time(
        self,
        one: GatewayPacing,
        ordered_at: float,
        told_at: float,
        airtime_s: float,
        *,
        locked: bool,
        now: float,
    ) -> None:
        """Was the txack in time? A slow webhook is no fault of the gateway."""
        transit_s = now - told_at
        if one.transit_least_s is None or transit_s < one.transit_least_s:
            one.transit_least_s = transit_s
        webhook_s = transit_s - one.transit_least_s
        one.transit_least_s += TRANSIT_KEPT * webhook_s
        known = one.leads.known()
        since_s = 99.0 if one.last_ack_at is None else now - one.last_ack_at
        one.last_ack_at = now
        excess_s = 0.0
        if known.shortest_s is not None:
            excess_s = now - ordered_at - known.shortest_s - known.tick_s - webhook_s
        if locked:
            return
        if excess_s > LATE_S:
            one.back_off.txack_late(excess_s, since_s, airtime_s)
        else:
            one.leads.add(ordered_at, now - ordered_at)
            one.back_off.txack_in_time()
