"""The dispatcher's working state, and the few moves that all its parts make on it.

The rule it keeps: whatever is to be said goes through `news`, and whatever waits is put somewhere
by `place`, which alone decides when an attempt may next be considered.
"""

from collections.abc import Callable, Iterable

from actors.device.events import (
    AttemptHeld,
    AttemptQueued,
    AttemptRefused,
    AttemptWaits,
    Transmitted,
)
from actors.device.model import Obstacle
from actors.dispatcher import words
from actors.dispatcher.air import Air
from actors.dispatcher.breaker import Breaker
from actors.dispatcher.calls import News, Tell
from actors.dispatcher.flights import Flights, Item
from actors.dispatcher.policy import DispatchPolicy
from actors.dispatcher.route import Route
from actors.dispatcher.suspicion import Suspect, Suspicion
from actors.dispatcher.tracks import Track
from actors.dispatcher.waiting import Hold, Key, Line, Place, Waiting, WaitingRoom
from lorawan.airtime import downlink_airtime_s


class Floor:
    """Everything the planner knows. One task at a time works on it."""

    def __init__(
        self, policy: DispatchPolicy, name_of: Callable[[str], str], air: Air | None
    ) -> None:
        self.policy = policy
        self.name_of = name_of
        self.room = WaitingRoom()
        self.flights = Flights(policy, air)
        self.breaker = Breaker(policy)
        self.tracks: dict[str, Track] = {}
        self.offline: dict[str, float] = {}
        """Gateways known to be offline, and since when. All others count as online."""
        self.rx2 = self.rx2_before = policy.region.rx2(policy.rx2_dr)
        """How frames go out in RX2, as the newest txack told; until one did, as configured."""
        self.rx2_seen = False
        self.news: list[Tell] = []
        self.changed_suspects: set[str] = set()
        """Gateways of which it is to be told that they are suspect, or no more."""
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

    def track(self, dev_eui: str) -> Track:
        """What is remembered of this light."""
        track = self.tracks.get(dev_eui)
        if track is None:
            track = self.tracks[dev_eui] = Track()
        return track

    @property
    def suspicion(self) -> Suspicion:
        """Which gateways take no frames."""
        return self.flights.suspicion

    def carriers_of(self, route: Route) -> frozenset[str]:
        """The gateways that may send for it: ChirpStack may choose them and they are there."""
        return route.candidates - self.offline.keys() or route.candidates

    def lanes_of(self, route: Route) -> frozenset[str]:
        """The gateways to pace by: those of its carriers that take frames, as far as is known."""
        carriers = self.carriers_of(route)
        return carriers - self.suspicion.suspects.keys() or carriers

    def took(self, gateway_id: str, now: float) -> None:
        """It acknowledged a frame."""
        if self.suspicion.took(gateway_id, now):
            self.changed_suspects.add(gateway_id)

    def acquit(self, gateway_id: str) -> None:
        """It is back, or known to be away."""
        if self.suspicion.acquitted(gateway_id):
            self.changed_suspects.add(gateway_id)

    def sent_in(self, track: Track, told: Transmitted) -> None:
        """What a txack tells of the data rate of RX2."""
        used = told.modulation
        if used is None or told.frequency_hz != self.policy.region.rx2_frequency_hz:
            return
        if used not in self.policy.region.downlink_data_rates.values():
            return
        news = not self.rx2_seen or (track.rx2 is not None and track.rx2 != used)
        self.rx2_seen, track.rx2 = True, used
        if news and used != self.rx2:  # else it is a light that has not changed yet
            self.rx2_before, self.rx2 = self.rx2, used
            self.count("rx2_changed")

    def hears_nothing(self, one: Waiting, f_cnt_up: int) -> bool:
        """RX2 has another data rate, and this light, at the old one as far as ChirpStack knows, did
        not prove the last frame: it may have changed already, which ChirpStack learns by its next
        uplink only. `f_cnt_up` tells of one since the last frame."""
        track = self.track(one.dev_eui)
        if track.rx2 is None or track.rx2 == self.rx2 or not one.attempt.retry:
            return False
        return track.sent_at_f_cnt_up is not None and f_cnt_up <= track.sent_at_f_cnt_up

    def airtime_s(self, dev_eui: str, payload_bytes: int) -> float:
        """Of a frame to this light in RX2, at the slower of the rate that was last used for it (or
        for others, before the change) and the newest: it may take that over at any moment."""
        track = self.tracks.get(dev_eui)
        own = track.rx2 if track is not None else None
        some = {self.rx2, own or self.rx2_before}
        return max(downlink_airtime_s(payload_bytes, one) for one in some)

    def suspects_of(self, gateways: Iterable[str]) -> list[tuple[str, Suspect]]:
        """Name and account of the suspects among these."""
        suspects = self.suspicion.suspects
        some = [one for one in sorted(gateways) if one in suspects]
        return [(self.name_of(one), suspects[one]) for one in some]

    def may_go_at(self, one: Waiting) -> float:
        """Before this (Unix seconds) nothing may be sent to the light."""
        track = self.track(one.dev_eui)
        spaced_at = track.ends_at + self.policy.spacing_s
        if track.doubt is not None:
            spaced_at = 0.0  # a look that settles the doubt needs no spacing; what follows does
        return max(one.attempt.not_before, one.again_at, spaced_at, track.settled_at)

    def place(self, one: Waiting, now: float) -> None:
        """Put it where it belongs: behind a call, later, or in line."""
        track = self.track(one.dev_eui)
        if track.call is not None:
            self.room.move(one, Place.BLOCKED)
            return
        at = self.may_go_at(one)
        if track.item is not None and track.doubt is None:  # its end wakes this one
            at = max(at, track.item.expires_at + self.policy.item_grace_s)
            if one.hold is None:
                self.hold_behind_item(one, now)
        hold = one.hold
        if at <= now:
            one.hold = one.reason = None
            self.room.line_up(one, now)
        elif hold is None:
            if at - now > self.policy.told_after_s and self.breaker.trouble is None:
                failed = at == one.again_at and (one.failures or one.faults)
                text = words.asked_again(at) if failed else words.spaced(at)
                self.tell_waits(one, ("time", at), text)
            self.room.later(one, at)
        elif hold.at <= now:
            self.tell_held(one, hold.key, hold.text, hold.obstacle)
            one.hold = None
            self.room.later(one, at)
        elif hold.waits_at <= now or one.told == hold.key:
            if one.told != hold.key:
                self.tell_waits(one, ("waits", *hold.key), hold.text)
            self.room.later(one, min(at, hold.at))
        else:
            self.room.later(one, min(at, hold.at, hold.waits_at))

    def place_again(self, dev_eui: str, now: float) -> None:
        """Whatever waits for this light, if something does."""
        one = self.room.get(dev_eui)
        if one is not None and one.place is not Place.READY:
            self.place(one, now)

    def wake(self, dev_eui: str, now: float) -> None:
        """What it was held for may be over: look again as soon as the light may be sent to."""
        one = self.room.get(dev_eui)
        if one is not None and one.place in {Place.LATER, Place.LINE, Place.READY}:
            one.again_at, one.hold, one.reason = 0.0, None, None
            self.place(one, now)

    def hold(self, one: Waiting, hold: Hold, again_at: float) -> None:
        """Keep it back until `again_at`; the reason is told at its own time."""
        one.hold, one.again_at, one.reason = hold, again_at, hold.text

    def hold_behind_item(self, one: Waiting, now: float) -> None:
        """An earlier item is in the queue; mostly it is out within seconds."""
        policy = self.policy
        key = ("earlier item",)
        waits_at = now + policy.told_after_s
        one.hold = Hold(key, words.EARLIER_ITEM, now + policy.patience_s, waits_at=waits_at)
        one.reason = one.hold.text

    def tell_held(
        self, one: Waiting, key: Key, text: str, obstacle: Obstacle | None = None
    ) -> None:
        """Say why it is kept back, once per change of the reason."""
        one.reason = text
        if one.told != key:
            one.told, one.told_text = key, None
            held = AttemptHeld(one.attempt.number, text, obstacle)
            self.news.append(Tell(one.dev_eui, held))

    def tell_waits(self, one: Waiting, key: Key, text: str) -> None:
        """Say what it waits for, once per change of the reason; it will pass by itself."""
        one.reason = text
        if one.told != key:
            one.told = key
            if one.told_text != text:
                one.told_text = text
                self.news.append(Tell(one.dev_eui, AttemptWaits(one.attempt.number, text)))

    def tell_item(self, item: Item, key: Key, text: str) -> None:
        """Say why a light's item is still in ChirpStack's queue, once per change of the reason."""
        if item.told != key:
            item.told = key
            self.news.append(Tell(item.dev_eui, AttemptWaits(item.number, text)))

    def tell_line(self, line: Line, key: Key, text: str) -> None:
        """Say it to all in this line who do not know it yet."""
        for one in line.untold(key):
            self.tell_held(one, key, text)

    def tell_line_waits(self, line: Line, key: Key, text: str, now: float) -> float | None:
        """Say it to all in this line who wait longer than a moment; when the next will have."""
        for one in line.waited(key, now - self.policy.told_after_s):
            self.tell_waits(one, key, text)
        return line.next_waited_at(self.policy.told_after_s)

    def tell_turn(self, line: Line, now: float) -> float | None:
        """The line waits for nothing but others."""
        suspects = self.suspects_of(self.carriers_of(line.route))
        key = ("turn", *((name, suspect.since) for name, suspect in suspects))
        names = [self.name_of(one) for one in sorted(self.lanes_of(line.route))]
        return self.tell_line_waits(line, key, words.turn(names, suspects), now)

    def drop(self, dev_eui: str) -> Waiting | None:
        """It waits no longer."""
        one = self.room.remove(dev_eui)
        if one is not None:
            self.breaker.abandon(one.stamp)
        return one

    def finish(self, one: Waiting, news: News) -> None:
        """Its fate is known: say it and forget the attempt."""
        self.drop(one.dev_eui)
        self.news.append(Tell(one.dev_eui, news))

    def queued(self, one: Waiting, news: AttemptQueued) -> None:
        """ChirpStack has it."""
        self.track(one.dev_eui).queued = (one.attempt.number, one.mark, news)
        self.finish(one, news)
        self.count("queued")

    def refuse(self, one: Waiting, text: str) -> None:
        """It can never be sent."""
        self.finish(one, AttemptRefused(one.attempt.number, text))
        self.count("refused")

    def end_of(self, item: Item) -> None:
        """The item is no longer in flight; its txack may yet come, and then it is paid already."""
        track = self.track(item.dev_eui)
        if item.id is not None:
            track.settle(item.id)
        if track.item is item:
            track.item = None

    def reason_of(self, one: Waiting, now: float) -> str:
        """Why it waits, for whoever looks."""
        if one.place is Place.LATER:
            fallback = f"waits for its time, {words.moment(self.may_go_at(one))}"
            return one.reason or fallback
        if one.place is Place.LINE and self.room.held(one):
            return one.reason or ""
        if one.place in {Place.LOOKING, Place.ENQUEUEING, Place.BLOCKED}:
            return "ChirpStack is being asked"
        return one.reason or words.turn(map(self.name_of, sorted(self.lanes_of(one.route))))
