"""The dispatcher's working state, and the few moves that all its parts make on it.

The rule it keeps: whatever is to be said goes through `news`, and whatever waits is put somewhere
by `place`, which alone decides when an attempt may next be considered.
"""

from collections.abc import Callable

from actors.device.events import AttemptHeld, AttemptQueued, AttemptRefused
from actors.device.model import Obstacle
from actors.dispatcher import words
from actors.dispatcher.air import Air
from actors.dispatcher.breaker import Breaker
from actors.dispatcher.calls import News, Tell
from actors.dispatcher.flights import Flights, Item
from actors.dispatcher.policy import DispatchPolicy
from actors.dispatcher.route import Route
from actors.dispatcher.tracks import Track
from actors.dispatcher.waiting import Hold, Key, Line, Place, Waiting, WaitingRoom


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
        self.news: list[Tell] = []
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

    def lanes_of(self, route: Route) -> frozenset[str]:
        """The gateways to pace by: those that ChirpStack may choose and that may be alive."""
        return route.candidates - self.offline.keys() or route.candidates

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
            self.room.later(one, at)
        elif hold.at <= now:
            self.tell_held(one, hold.key, hold.text, hold.obstacle)
            one.hold = None
            self.room.later(one, at)
        else:
            self.room.later(one, min(at, hold.at))

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
        """An earlier item is in the queue; mostly it is out within seconds, so nothing is told."""
        one.hold = Hold(("earlier item",), words.EARLIER_ITEM, now + self.policy.patience_s)
        one.reason = one.hold.text

    def tell_held(
        self, one: Waiting, key: Key, text: str, obstacle: Obstacle | None = None
    ) -> None:
        """Say why it is kept back, once per change of the reason."""
        one.reason = text
        if one.told != key:
            one.told = key
            held = AttemptHeld(one.attempt.number, text, obstacle)
            self.news.append(Tell(one.dev_eui, held))

    def tell_line(self, line: Line, key: Key, text: str) -> None:
        """Say it to all in this line who do not know it yet."""
        for one in line.untold(key):
            self.tell_held(one, key, text)

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
            fallback = f"waits for its time, {words.clock_words(self.may_go_at(one), now)}"
            return one.reason or fallback
        if one.place is Place.LINE and self.room.held(one):
            return one.reason or ""
        if one.place in {Place.LOOKING, Place.ENQUEUEING, Place.BLOCKED}:
            return "ChirpStack is being asked"
        return words.turn(map(self.name_of, sorted(one.route.candidates)))
