"""Which attempt goes to ChirpStack when: pure, no clock, no I/O.

Theory
------
Facts come in (`submit`, `transmitted`, `dropped`, `inquired`, `answered` and so on); what is to be
done comes out of `plan`, and only there: news for the lights, and calls. `now` is the steady time.

An attempt *waits*: for its time, for the end of a trouble, in line for its gateways. Shortly before
its gateways are free ChirpStack is asked about the light: the *look*. When nothing of ours is in
its queue and the gateways are free, it is *enqueued*, and from then on its item is *in flight*,
until a txack, a look or its expiry ends that. Of each step the light is told; what became of an
item is told once, and again only when the same attempt is submitted again.

    state.py          the working state            admission.py       what may start now
    pending.py        the attempts that wait       results.py         answers to looks and enqueues
    in_flight.py      items, gateways, airtime     queue_check.py     what a look means
    device_state.py   what is kept of each light   network_events.py  txacks, dropped items, replays

From the look to the end of the enqueue nothing else is done to that light, so that there are never
two items of ours in its queue; and nothing is enqueued before its air is set aside.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from actors.board.changes import AirtimeUse, PaceTold
from actors.device.events import (
    AttemptQueued,
    AttemptRefused,
    Inquired,
    ItemDropped,
    Transmitted,
)
from actors.device.model import Attempt, Hearing, Stage
from actors.downlink import network_events, results
from actors.downlink.admission import Admission
from actors.downlink.airtime_budget import AirtimeBudget, AirtimeCharge
from actors.downlink.calls import Action, Outcome, Tell
from actors.downlink.device_state import Fate
from actors.downlink.in_flight import Item
from actors.downlink.pacing.pacer import Pacer
from actors.downlink.pending import PendingAttempt, QueuePlace
from actors.downlink.policy import DispatchPolicy
from actors.downlink.queue_check import Mark
from actors.downlink.route import last_heard_at, listeners_of, route_of, spreading_factor
from actors.downlink.state import DispatchState
from actors.downlink.statistics import DispatchStatistics, statistics_of
from actors.downlink.suspicion import Suspect
from actors.downlink.unproven_gateways import Unproven
from actors.link.air_facts import AirFacts
from actors.link.judgement import AttemptJudged
from actors.reasons import Reason
from lorawan.airtime import downlink_airtime_s, uplink_airtime_s
from lorawan.events.model import Modulation
from lorawan.kuando import FRAME_BYTES_MOST, PayloadRefused, encode
from lorawan.network import Activation

STATUS_BYTES = 25
"""The longer of the two forms of a status uplink."""
UPLINK_BANDWIDTH_HZ = 125_000
MAY_MOVE = frozenset({QueuePlace.LATER, QueuePlace.LINE, QueuePlace.READY})
UNDER_WAY = frozenset({QueuePlace.LOOKING, QueuePlace.READY, QueuePlace.ENQUEUEING})


@dataclass(frozen=True, slots=True)
class WaitingAttempt:
    """An attempt that waits here, and why."""

    dev_eui: str
    submitted_at: float
    reason: Reason


class Planner:
    """The dispatcher without its tasks."""

    def __init__(
        self,
        policy: DispatchPolicy,
        name_of: Callable[[str], str],
        airtime_budget: AirtimeBudget | None = None,
        facts: AirFacts | None = None,
    ) -> None:
        self._policy = policy
        self._name_of = name_of
        self._facts = facts
        pacer = Pacer(facts, policy.tick_s) if facts is not None and policy.paced else None
        self._state = DispatchState(policy, name_of, airtime_budget, pacer)
        self._rx2_told = self._state.rx2
        self.holds = self._state.pending.holds
        self.owes = self._state.owes
        self._in_flight_before: dict[str, int] = {}
        self.wake_at = 0.0
        """When `plan` is due again if nothing happens before."""

    # ---------------------------------------------------------------- facts

    def submit(
        self, dev_eui: str, attempt: Attempt, hearings: Sequence[Hearing], now: float
    ) -> None:
        """An attempt to be carried out, in place of an earlier one for the same light."""
        state = self._state
        try:
            mark = Mark(attempt.marker_us, encode(attempt.frame))
        except PayloadRefused as error:
            state.drop(dev_eui)
            state.news.append(Tell(dev_eui, AttemptRefused(attempt.number, str(error))))
            return
        device = state.device(dev_eui)
        fate, item = device.fate, device.item
        if fate is not None and (fate.number, fate.mark) == (attempt.number, mark):
            state.drop(dev_eui)  # the news of it was lost on the way, or to a crash
            state.tell_again(dev_eui, fate)
            return
        if item is not None and item.id is not None and item.is_of(attempt.number, mark):
            state.drop(dev_eui)  # it was withdrawn while its enqueue was under way
            news = AttemptQueued(item.number, item.id, item.expires_at, item.activation)
            device.fate = Fate(item.number, mark, news)
            state.news.append(Tell(dev_eui, news))
            return
        if attempt.stage is Stage.QUEUED and attempt.item_expires_at is not None:
            self._follow_again(dev_eui, attempt, mark, hearings, now)
            return
        before = state.pending.get(dev_eui)
        if before is not None and before.place in UNDER_WAY and before.is_of(attempt, mark):
            before.told = None
            return
        one = self._waiting(dev_eui, attempt, mark, hearings)
        state.drop(dev_eui)
        state.pending.add(one)
        if len(one.route.hearing) > 1:
            self.overlap(one.route.hearing, now)
        state.place(one, now)

    def overlap(self, gateways: Collection[str], now: float) -> None:
        """These gateways hear one light."""
        self._state.in_flight.occupancy.overlap(gateways, now)

    def heard_by(self, dev_eui: str, hearings: Sequence[Hearing], now: float) -> None:
        """Other gateways hear this light than before: what waits for it will go through them."""
        state, before = self._state, self._state.pending.get(dev_eui)
        if before is None or before.place not in MAY_MOVE:
            return
        after = self._waiting(dev_eui, before.attempt, before.mark, hearings)
        if (after.route, after.listeners) == (before.route, before.listeners):
            return
        after.stamp, after.again_at = before.stamp, before.again_at
        after.told, after.told_waits = before.told, before.told_waits
        after.failures, after.faults = before.failures, before.faults
        state.drop(dev_eui)
        state.pending.add(after)
        state.place(after, now)

    def withdraw(self, dev_eui: str) -> None:
        """The attempt for this light is not wanted any more; a call under way ends by itself."""
        self._state.drop(dev_eui)

    def transmitted(
        self, dev_eui: str, told: Transmitted, now: float, date_ahead_s: float = 0.0
    ) -> None:
        """A txack for this light, of whichever item; its dates are `date_ahead_s` ahead."""
        network_events.transmitted(self._state, dev_eui, told, now, date_ahead_s)

    def dropped(self, dev_eui: str, event: ItemDropped, now: float) -> None:
        """ChirpStack threw away an item of this light, of whomever."""
        network_events.dropped(self._state, dev_eui, event, now)

    def transmitted_before(
        self, dev_eui: str, told: Transmitted, date_ahead_s: float, now: float
    ) -> None:
        """A txack of a while ago is told only now; its dates are `date_ahead_s` ahead."""
        network_events.transmitted_before(self._state, dev_eui, told, date_ahead_s, now)

    def inquired(self, dev_eui: str, answer: Inquired, date_ahead_s: float, now: float) -> None:
        """ChirpStack answered an inquiry about this light; its dates are `date_ahead_s` ahead."""
        network_events.inquired(self._state, dev_eui, answer, date_ahead_s, now)

    def refused(self, dev_eui: str, problem: str, now: float) -> None:
        """A gateway would not send a frame for this light."""
        network_events.refused(self._state, dev_eui, problem, now)

    def heard(self, dev_eui: str, now: float) -> None:
        """The light sent an uplink: ChirpStack holds its items back for a moment, and a gateway
        that listened for it may go on."""
        network_events.heard(self._state, dev_eui, now)

    def knows(self, dev_eui: str) -> bool:
        """Whether this light was ever sent to."""
        return dev_eui in self._state.devices

    def awaits(self, dev_eui: str) -> bool:
        """Whether the pace depends on an uplink of this light."""
        pacer = self._state.pacer
        return pacer is not None and pacer.awaits(dev_eui)

    def judged(self, dev_eui: str, told: AttemptJudged, now: float) -> None:
        """What became of an attempt: evidence on the gateway that sent it, and on its pace."""
        state = self._state
        if state.pacer is not None:
            device = state.devices.get(dev_eui)
            fate = None if device is None else device.fate
            colour = fate is not None and fate.number == told.number and fate.mark.is_colour
            state.pacer.judged(told, colour=colour)
        if state.unproven.judged(dev_eui, told, now) and told.gateway_id is not None:
            state.changed_unproven.add(told.gateway_id)

    def judgement_matters(self, told: AttemptJudged) -> bool:
        """Whether it may let somebody go who waits."""
        return told.answered and told.gateway_id in self._state.unproven.unproven

    def gateway_changed(self, gateway_id: str, now: float, *, online: bool) -> None:
        """A gateway went away, came back, or ended a silence."""
        self._state.acquit(gateway_id)
        if online:
            self._state.offline.pop(gateway_id, None)
        else:
            self._state.offline.setdefault(gateway_id, now)

    def queue_flushed(self, dev_eui: str, now: float) -> None:
        """ChirpStack's queue of this light was emptied: look at it again. An item of ours in it is
        over too; a frame that is on air already still counts for spacing by its expected end."""
        state = self._state
        device = state.device(dev_eui)
        device.foreign_items.clear()
        item = device.item
        if item is not None and not device.enqueueing:
            state.in_flight.gone(item, now)
            state.end_of(item)
            state.unsettled(item, now)
            device.ends_at = max(device.ends_at, now)
        state.wake(dev_eui, now)

    def network_returned(self, now: float) -> None:
        """ChirpStack answers others again: probe now, and ask again about lights it denied."""
        state = self._state
        state.breaker.returned(now)
        for one in [one for one in state.pending if one.failures or one.faults]:
            one.failures = one.faults = 0
            state.wake(one.dev_eui, now)

    def answered(
        self, dev_eui: str, stamp: int, outcome: Outcome, now: float, chance: float
    ) -> None:
        """A call that `plan` asked for ended; `chance` is a draw from [0, 1)."""
        results.answered(self._state, dev_eui, stamp, outcome, now, chance)

    def cut_off(self, now: float) -> None:
        """All calls under way were lost with the tasks that made them."""
        results.cut_off(self._state, now)

    def successor(self, now: float) -> "Planner":
        """A new planner that knows nothing but what the gateways sent, and may have sent."""
        airtime_budget = self._state.in_flight.airtime_budget
        airtime_budget.conclude(now)
        return Planner(self._policy, self._name_of, airtime_budget, self._facts)

    # ---------------------------------------------------------------- decisions

    def plan(self, now: float) -> list[Action]:
        """What is to be done now, in order."""
        state = self._state
        admission = Admission(state, now)
        admission.make()
        self.wake_at = admission.wake_at
        news, state.news = state.news, []
        return [*news, *admission.actions]

    # ---------------------------------------------------------------- to be looked at

    def sent_before(self, gateway_id: str, at: float, airtime_s: float) -> None:
        """A frame of an earlier run: it counts against its gateway's hour like any other."""
        self._state.in_flight.airtime_budget.restore({gateway_id: airtime_s}, at)

    def in_flight_before(self, hearings: Sequence[Hearing], now: float, *, sure: bool) -> None:
        """An item of an earlier run is in ChirpStack's queue, or (not `sure`) may have been put
        there in the moment before the end: its gateways are sending it again and again, or may have
        sent it once. No more of them are counted than were ever in flight."""
        route = route_of(hearings, self._policy.prefer_margin_db)
        once_s = downlink_airtime_s(FRAME_BYTES_MOST, self._state.rx2)
        sent_s = once_s * self._policy.sends_most(self._policy.clock_slack_s) if sure else once_s
        for gateway_id in sorted(route.candidates):
            before = self._in_flight_before.get(gateway_id, 0)
            if before < self._policy.outstanding_per_gateway_most:
                self._in_flight_before[gateway_id] = before + 1
                self._state.in_flight.airtime_budget.charge({gateway_id: sent_s}, now)

    def clock_differs(self, slack_s: float) -> None:
        """ChirpStack's clock may be so far behind what it is taken for."""
        self._state.in_flight.slack_s = slack_s

    def take_suspects(self) -> list[tuple[str, Suspect | None]]:
        """Gateways that became suspects since the last call, or are none any more (None)."""
        changed, self._state.changed_suspects = self._state.changed_suspects, set()
        return [(one, self.suspect(one)) for one in sorted(changed)]

    def take_unproven(self) -> list[tuple[str, Unproven | None]]:
        """Gateways through which nothing is proven since the last call, or something is (None)."""
        changed, self._state.changed_unproven = self._state.changed_unproven, set()
        return [(one, self._state.unproven.unproven.get(one)) for one in sorted(changed)]

    def suspect(self, gateway_id: str) -> Suspect | None:
        """What speaks against this gateway, if something does."""
        return self._state.suspicion.suspects.get(gateway_id)

    def pace(self, gateway_id: str) -> PaceTold | None:
        """How frames go out through this gateway, and why so; None where the pace is fixed, or
        nothing went out yet."""
        pacer = self._state.pacer
        return None if pacer is None else pacer.told(gateway_id)

    def take_rx2(self) -> Modulation | None:
        """How frames go out in RX2, if that is another way than at the last call."""
        if self._state.rx2 == self._rx2_told:
            return None
        self._rx2_told = self._state.rx2
        return self._rx2_told

    def take_charges(self) -> list[AirtimeCharge]:
        """What was charged since the last call."""
        airtime_budget = self._state.in_flight.airtime_budget
        charges, airtime_budget.charges = airtime_budget.charges, []
        return charges

    def airtime(self, gateway_id: str, now: float) -> AirtimeUse:
        """What its frames took in the window, and what waits for it."""
        airtime_budget = self._state.in_flight.airtime_budget
        spent_s = airtime_budget.spent(gateway_id, now)
        return AirtimeUse(spent_s, self._policy.budget_s, self._state.pending.pending(gateway_id))

    def waiting(self, now: float) -> list[WaitingAttempt]:
        """All that wait, the next first."""
        return [
            WaitingAttempt(
                one.dev_eui,
                one.attempt.submitted_at,
                self._state.reason_of(one, now),
            )
            for one in sorted(self._state.pending, key=lambda one: one.order)
        ]

    def statistics(self, now: float) -> DispatchStatistics:
        """Counters, now."""
        return statistics_of(self._state, now)

    # ---------------------------------------------------------------- how

    def _follow_again(
        self, dev_eui: str, attempt: Attempt, mark: Mark, hearings: Sequence[Hearing], now: float
    ) -> None:
        """Its item was put into the queue in an earlier life, which was told to the light: from
        here on it is followed like any other. Its air was charged when that life ended."""
        state, device = self._state, self._state.device(dev_eui)
        state.drop(dev_eui)
        if device.item is not None or device.call is not None:
            return  # another one's; the light asks again
        assert attempt.item_expires_at is not None  # noqa: S101 - asked by the caller
        activation = Activation(attempt.dev_addr, attempt.fence, attempt.f_cnt_down or 0)
        name, expires_at = attempt.queue_item_id or "", attempt.item_expires_at
        device.fate = Fate(
            attempt.number, mark, AttemptQueued(attempt.number, name, expires_at, activation)
        )
        like = self._waiting(dev_eui, attempt, mark, hearings)
        device.item = Item(
            token=like.stamp,
            dev_eui=dev_eui,
            number=attempt.number,
            mark=mark,
            gateways=state.carriers_of(like.route),
            paced_by=state.paced_gateways_of(like.route),
            airtime_s=0.0,
            answer_s=like.answer_s,
            started_at=now if attempt.queued_at is None else min(attempt.queued_at, now),
            expires_at=expires_at,
            heard_at=None,
            activation=activation,
            id=name or None,
            in_doubt=not name,
        )
        state.in_flight.start(device.item)

    def _waiting(
        self, dev_eui: str, attempt: Attempt, mark: Mark, hearings: Sequence[Hearing]
    ) -> PendingAttempt:
        # Every frame is given time for an answer: with automatic uplinks on, as we set them, a
        # light answers each downlink, whether the frame asks for it or not.
        uplink = Modulation(spreading_factor(hearings), UPLINK_BANDWIDTH_HZ)
        return PendingAttempt(
            stamp=self._state.stamp(),
            dev_eui=dev_eui,
            attempt=attempt,
            mark=mark,
            route=route_of(hearings, self._policy.prefer_margin_db),
            airtime_s=self._state.airtime_s(dev_eui, len(mark.data)),
            answer_s=self._policy.answer_delay_s + uplink_airtime_s(STATUS_BYTES, uplink),
            heard_at=last_heard_at(hearings),
            listeners=listeners_of(hearings, self._policy.prefer_margin_db),
            uplink_s=uplink_airtime_s(STATUS_BYTES, uplink),
        )
