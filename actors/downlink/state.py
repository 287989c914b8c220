"""The planner's working state, and the few moves that all its parts make on it.

Whatever is to be said goes through `news`, and whatever waits is put somewhere by `place`, which
alone decides when an attempt may next be considered.
"""

from collections.abc import Callable, Iterable, Mapping

from actors.device.events import (
    AttemptHeld,
    AttemptQueued,
    AttemptRefused,
    AttemptWaits,
    Transmitted,
)
from actors.device.model import Obstacle, Probe
from actors.downlink import hold_reasons
from actors.downlink.airtime_budget import AirtimeBudget
from actors.downlink.breaker import Breaker
from actors.downlink.calls import AttemptNews, Tell
from actors.downlink.device_state import DeviceDownlinks, End, Fate
from actors.downlink.in_flight import InFlight, Item
from actors.downlink.pacing.gateway_pacing import FrameToPace
from actors.downlink.pacing.pacer import Pacer
from actors.downlink.pending import (
    Hold,
    Key,
    PendingAttempt,
    PendingAttempts,
    QueuePlace,
    RouteQueue,
)
from actors.downlink.policy import DispatchPolicy
from actors.downlink.route import Route
from actors.downlink.suspicion import Suspect, Suspicion
from actors.downlink.unproven_gateways import Unproven, UnprovenGateways
from actors.reasons import GatewayTold, Reason
from lorawan.airtime import downlink_airtime_s
from lorawan.kuando.frames import Frame, RequestStatus, SetLight

FOLLOWS_WITHIN_S = 2.0
"""From a txack to the submission of a second frame by its light, which only stores its record
between the two: a slow disk takes a second. Later the light's answer is over."""


def asks_for_an_answer(frame: Frame) -> bool:
    """Whether the light is to answer this frame at once. A colour without the sixth byte goes to
    lights that were told to answer each frame."""
    return isinstance(frame, RequestStatus | SetLight)


class DispatchState:
    """Everything the planner knows. One task at a time works on it."""

    def __init__(
        self,
        policy: DispatchPolicy,
        name_of: Callable[[str], str],
        airtime_budget: AirtimeBudget | None,
        pacer: Pacer | None = None,
    ) -> None:
        self.policy = policy
        self.name_of = name_of
        self.pending = PendingAttempts()
        self.pacer = pacer
        """None where the pace is fixed."""
        self.in_flight = InFlight(policy, airtime_budget, pacer)
        self.breaker = Breaker(policy)
        self.devices: dict[str, DeviceDownlinks] = {}
        self.offline: dict[str, float] = {}
        """Gateways known to be offline, and since when. All others count as online."""
        self.rx2 = self.rx2_before = policy.region.rx2(policy.rx2_dr)
        """How frames go out in RX2, as the newest txack told; until one did, as configured."""
        self.rx2_seen = False
        self.news: list[Tell] = []
        self.changed_suspects: set[str] = set()
        """Gateways of which it is to be told that they are suspect, or no more."""
        self.unproven = UnprovenGateways()
        """Gateways that take frames and through which none is proven."""
        self.changed_unproven: set[str] = set()
        """The same of those that are unproven."""
        self.calls = 0
        self.counts: dict[str, int] = {}
        self._stamps = 0

    def stamp(self) -> int:
        """A number never used before, for an attempt, a call or an item."""
        self._stamps += 1
        return self._stamps

    def count(self, what: str) -> None:
        """One more of these."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def device(self, dev_eui: str) -> DeviceDownlinks:
        """What is remembered of this light."""
        device = self.devices.get(dev_eui)
        if device is None:
            device = self.devices[dev_eui] = DeviceDownlinks()
        return device

    @property
    def suspicion(self) -> Suspicion:
        """Which gateways take no frames."""
        return self.in_flight.suspicion

    def carriers_of(self, route: Route) -> frozenset[str]:
        """The gateways that may send for it: ChirpStack may choose them and they are there."""
        return route.candidates - self.offline.keys() or route.candidates

    def hearing_of(self, route: Route) -> frozenset[str]:
        """The gateways through which its answer may be heard: those that hear it and are there."""
        return route.hearing - self.offline.keys()

    def paced_gateways_of(self, route: Route) -> frozenset[str]:
        """The gateways to pace by: those of its carriers that take frames, as far as is known."""
        carriers = self.carriers_of(route)
        return carriers - self.suspicion.suspects.keys() or carriers

    def occupied(self, now: float) -> set[str]:
        """Gateways that send, may send, or listen for an answer."""
        busy = self.in_flight.occupancy.occupied_now(now)
        return busy if self.pacer is None else busy | self.pacer.busy(now)

    def frame_of(self, one: PendingAttempt) -> FrameToPace:
        """What the pacer wants to know of its frame."""
        silent = self.offline.keys() | self.suspicion.suspects.keys()
        return FrameToPace(
            paced_by=self.paced_gateways_of(one.route),
            listeners=one.listeners - silent if silent else one.listeners,
            airtime_s=one.airtime_s,
            answer_s=one.uplink_s,
            sw_rev=one.attempt.sw_rev,
            asks=asks_for_an_answer(one.attempt.frame),
        )

    def took(self, gateway_id: str, now: float) -> None:
        """It acknowledged a frame."""
        if self.suspicion.took(gateway_id, now):
            self.changed_suspects.add(gateway_id)

    def acquit(self, gateway_id: str) -> None:
        """It is back, or known to be away."""
        if self.suspicion.acquitted(gateway_id):
            self.changed_suspects.add(gateway_id)
        if self.unproven.acquitted(gateway_id):
            self.changed_unproven.add(gateway_id)

    def sent_in(self, device: DeviceDownlinks, told: Transmitted) -> None:
        """What a txack tells of the data rate of RX2."""
        used = told.modulation
        if used is None or told.frequency_hz != self.policy.region.rx2_frequency_hz:
            return
        if used not in self.policy.region.downlink_data_rates.values():
            return
        news = not self.rx2_seen or (device.rx2 is not None and device.rx2 != used)
        self.rx2_seen, device.rx2 = True, used
        if news and used != self.rx2:  # else it is a light that has not changed yet
            self.rx2_before, self.rx2 = self.rx2, used
            self.count("rx2_changed")

    def hears_nothing(self, one: PendingAttempt, f_cnt_up: int) -> bool:
        """RX2 has another data rate, and this light, at the old one as far as ChirpStack knows, did
        not prove the last frame: it may have changed already, which ChirpStack learns by its next
        uplink only. `f_cnt_up` tells of one since the last frame."""
        device = self.device(one.dev_eui)
        if device.rx2 is None or device.rx2 == self.rx2 or not one.attempt.retry:
            return False
        return device.sent_at_f_cnt_up is not None and f_cnt_up <= device.sent_at_f_cnt_up

    def airtime_s(self, dev_eui: str, payload_bytes: int) -> float:
        """Of a frame to this light in RX2, at the slower of the rate that was last used for it (or
        for others, before the change) and the newest: it may take that over at any moment."""
        device = self.devices.get(dev_eui)
        own = device.rx2 if device is not None else None
        some = {self.rx2, own or self.rx2_before}
        return max(downlink_airtime_s(payload_bytes, one) for one in some)

    def named(self, gateways: Iterable[str]) -> list[GatewayTold]:
        """These, for a reason."""
        return [hold_reasons.gateway(one, self.name_of(one)) for one in sorted(gateways)]

    def suspects_of(self, gateways: Iterable[str]) -> list[GatewayTold]:
        """The suspects among these, and what speaks against each."""
        return self._known_of(gateways, self.suspicion.suspects)

    def unproven_of(self, gateways: Iterable[str]) -> list[GatewayTold]:
        """Those among these through which nothing is proven, and what speaks against each."""
        return self._known_of(gateways, self.unproven.unproven)

    def _known_of(
        self, gateways: Iterable[str], known: Mapping[str, Suspect | Unproven]
    ) -> list[GatewayTold]:
        some = [one for one in sorted(gateways) if one in known]
        return [hold_reasons.gateway(one, self.name_of(one), known[one]) for one in some]

    def may_go_at(self, one: PendingAttempt) -> float:
        """Before this (Unix seconds) nothing may be sent to the light."""
        device = self.device(one.dev_eui)
        spacing_s = one.attempt.spacing_s
        spaced_at = device.ends_at + (self.policy.spacing_s if spacing_s is None else spacing_s)
        if self.follows(one):
            spaced_at = 0.0  # it leaves by the light's answer, or after ChirpStack's own lock
        if device.doubt is not None:
            spaced_at = 0.0  # a look that settles the doubt needs no spacing; what follows does
        return max(one.attempt.not_before, one.again_at, spaced_at, device.settled_at)

    def follows(self, one: PendingAttempt) -> bool:
        """Whether this is the second frame of a probe, given away right after the first's txack: it
        goes into the queue at once, for ChirpStack to send when the light answers the first
        (`actors/device/probing.py`). The air around the light is taken already, for that answer."""
        told_at = self.device(one.dev_eui).told_at
        submitted_at = one.attempt.submitted_at
        return one.attempt.probe is Probe.SECOND and abs(submitted_at - told_at) <= FOLLOWS_WITHIN_S

    def is_alone(self, one: PendingAttempt) -> bool:
        """Whether its frame has to go alone: what a probe measures others would disturb."""
        return one.attempt.probe is not Probe.NO

    def owes(self, dev_eui: str, number: int, *, queued: bool) -> bool:
        """Whether more is known of this attempt than its light knows, to which it waits here, or is
        `queued`: what was told of it is lost, or on its way."""
        device = self.devices.get(dev_eui)
        fate = None if device is None else device.fate
        if fate is not None and fate.number == number and queued:
            return fate.ended is not None
        return not queued and not self.pending.holds(dev_eui)

    def place(self, one: PendingAttempt, now: float) -> None:
        """Put it where it belongs: behind a call, later, or in line."""
        device = self.device(one.dev_eui)
        if device.call is not None:
            self.pending.move(one, QueuePlace.BLOCKED)
            return
        at = self.may_go_at(one)
        if device.item is not None and device.doubt is None:  # its end wakes this one
            at = max(at, device.item.expires_at + self.policy.item_grace_s)
            if one.hold is None:
                self.hold_behind_item(one, now)
        hold = one.hold
        if at <= now:
            one.hold = one.reason = None
            self.pending.line_up(one, now)
        elif hold is None:
            if at - now > self.policy.told_after_s and self.breaker.trouble is None:
                failed = at == one.again_at and (one.failures or one.faults)
                reason = hold_reasons.asked_again(at) if failed else hold_reasons.spaced(at)
                self.tell_waits(one, ("time", at), reason)
            self.pending.later(one, at)
        elif hold.at <= now:
            self.tell_held(one, hold.key, hold.reason, hold.obstacle)
            one.hold = None
            self.pending.later(one, at)
        elif hold.waits_at <= now or one.told == hold.key:
            if one.told != hold.key:
                self.tell_waits(one, ("waits", *hold.key), hold.reason)
            self.pending.later(one, min(at, hold.at))
        else:
            self.pending.later(one, min(at, hold.at, hold.waits_at))

    def place_again(self, dev_eui: str, now: float) -> None:
        """Whatever waits for this light, if something does."""
        one = self.pending.get(dev_eui)
        if one is not None and one.place is not QueuePlace.READY:
            self.place(one, now)

    def wake(self, dev_eui: str, now: float) -> None:
        """What it was held for may be over: look again as soon as the light may be sent to."""
        one = self.pending.get(dev_eui)
        if one is not None and one.place in {QueuePlace.LATER, QueuePlace.LINE, QueuePlace.READY}:
            one.again_at, one.hold, one.reason = 0.0, None, None
            self.place(one, now)

    def hold(self, one: PendingAttempt, hold: Hold, again_at: float) -> None:
        """Keep it back until `again_at`; the light is told why from `hold.at` on."""
        one.hold, one.again_at, one.reason = hold, again_at, hold.reason

    def hold_behind_item(self, one: PendingAttempt, now: float) -> None:
        """An earlier item is in the queue; mostly it is out within seconds."""
        policy = self.policy
        key = ("earlier item",)
        waits_at = now + policy.told_after_s
        one.hold = Hold(key, hold_reasons.EARLIER_ITEM, now + policy.patience_s, waits_at=waits_at)
        one.reason = one.hold.reason

    def tell_held(
        self, one: PendingAttempt, key: Key, reason: Reason, obstacle: Obstacle | None = None
    ) -> None:
        """Say why it is kept back, once per change of the reason."""
        one.reason = reason
        if one.told != key:
            one.told, one.told_waits = key, None
            held = AttemptHeld(one.attempt.number, obstacle=obstacle, cause=reason)
            self.news.append(Tell(one.dev_eui, held))

    def tell_waits(self, one: PendingAttempt, key: Key, reason: Reason) -> None:
        """Say what it waits for, once per change of the reason; it will pass by itself."""
        one.reason = reason
        if one.told != key:
            one.told = key
            if one.told_waits != reason:
                one.told_waits = reason
                self.news.append(Tell(one.dev_eui, AttemptWaits(one.attempt.number, cause=reason)))

    def tell_item(self, item: Item, key: Key, reason: Reason) -> None:
        """Say why a light's item is still in ChirpStack's queue, once per change of the reason."""
        if item.told != key:
            item.told = key
            self.news.append(Tell(item.dev_eui, AttemptWaits(item.number, cause=reason)))

    def tell_line(self, line: RouteQueue, key: Key, reason: Reason) -> None:
        """Say it to all in this line who do not know it yet."""
        for one in line.untold(key):
            self.tell_held(one, key, reason)

    def tell_line_waits(
        self, line: RouteQueue, key: Key, reason: Reason, now: float
    ) -> float | None:
        """Say it to all in this line who wait longer than a moment; when the next will have."""
        for one in line.waited(key, now - self.policy.told_after_s):
            self.tell_waits(one, key, reason)
        return line.next_waited_at(self.policy.told_after_s)

    def tell_turn(self, line: RouteQueue, now: float) -> float | None:
        """The line waits for nothing but others."""
        suspects = self.suspects_of(self.carriers_of(line.route))
        key = ("turn", *((one.gateway_id, one.since) for one in suspects))
        paced_by = self.named(self.paced_gateways_of(line.route))
        return self.tell_line_waits(line, key, hold_reasons.turn(paced_by, suspects), now)

    def drop(self, dev_eui: str) -> PendingAttempt | None:
        """It waits no longer."""
        one = self.pending.remove(dev_eui)
        if one is not None:
            self.breaker.abandon(one.stamp)
        return one

    def finish(self, one: PendingAttempt, news: AttemptNews) -> None:
        """Its fate is known: say it and forget the attempt."""
        self.drop(one.dev_eui)
        self.news.append(Tell(one.dev_eui, news))

    def queued(self, one: PendingAttempt, news: AttemptQueued) -> None:
        """ChirpStack has it."""
        self.device(one.dev_eui).fate = Fate(one.attempt.number, one.mark, news)
        self.finish(one, news)
        self.count("queued")

    def ended(self, item: Item, news: End) -> None:
        """What became of an item: its light is told, if it was told that it is queued."""
        fate = self.fate_of(item)
        if fate is not None and fate.ended is None:
            fate.ended = news
            self.news.append(Tell(item.dev_eui, news))

    def unsettled(self, item: Item, look_at: float) -> None:
        """It is in the queue no longer, or must not be; a look is to tell what became of it."""
        fate = self.fate_of(item)
        if fate is not None and fate.ended is None:
            self.device(item.dev_eui).unsettled = item
            self.in_flight.unsettled(item, look_at)

    def settled(self, device: DeviceDownlinks) -> None:
        """What became of the item before is known."""
        if device.unsettled is not None:
            self.in_flight.settled(device.unsettled)
            device.unsettled = None

    def fate_of(self, item: Item) -> Fate | None:
        """What its light was told of this item; None where it was told of none or of another."""
        fate = self.device(item.dev_eui).fate
        return fate if fate is not None and item.is_of(fate.number, fate.mark) else None

    def tell_again(self, dev_eui: str, fate: Fate) -> None:
        """The light was told, and it was lost on the way, or to a crash."""
        self.news.append(Tell(dev_eui, fate.queued))
        if fate.ended is not None:
            self.news.append(Tell(dev_eui, fate.ended))

    def refuse(self, one: PendingAttempt, reason: Reason) -> None:
        """It can never be sent."""
        self.finish(one, AttemptRefused(one.attempt.number, cause=reason))
        self.count("refused")

    def end_of(self, item: Item) -> None:
        """The item is no longer in flight; its txack may yet come, and then it is paid already."""
        device = self.device(item.dev_eui)
        if item.id is not None:
            device.settle(item.id)
        if device.item is item:
            device.item = None

    def reason_of(self, one: PendingAttempt, now: float) -> Reason:
        """Why it waits, for whoever looks."""
        if one.place is QueuePlace.LATER:
            return one.reason or hold_reasons.waits_for(self.may_go_at(one))
        if one.place in {QueuePlace.LOOKING, QueuePlace.ENQUEUEING, QueuePlace.BLOCKED}:
            return hold_reasons.BEING_ASKED
        return one.reason or hold_reasons.turn(self.named(self.paced_gateways_of(one.route)))
