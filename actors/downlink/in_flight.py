"""Our items in ChirpStack's queues: which gateways they occupy, and what air they may cost.

An item is in flight from the moment its enqueue starts until a txack, a look at the queue or its
expiry says otherwise. Whatever the end, air is charged for every sending that may have happened,
never for fewer. An item that has ended without a word is kept *unsettled*: it occupies nothing any
more, and a look is to tell what became of it.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from actors.device.events import Transmitted
from actors.downlink.airtime_budget import AirtimeBudget
from actors.downlink.gateway_occupancy import GatewayOccupancy
from actors.downlink.pacing.pacer import Pacer
from actors.downlink.policy import DispatchPolicy
from actors.downlink.queue_check import Mark
from actors.downlink.suspicion import Suspicion
from actors.link.forwarders import RX2_AFTER_S
from lorawan.network import Activation

STALE_SLACK = 64
"""Items that ended early stay in the heaps until they outnumber the others by this many."""


@dataclass(slots=True)
class Item:
    """One item of ours, from its enqueue on. `id` is None until the server told it."""

    token: int
    dev_eui: str
    number: int
    mark: Mark
    gateways: frozenset[str]
    """Any of these may send it: its air is set aside on each."""
    paced_by: frozenset[str]
    """Those of them that it occupies: without suspects, where others are."""
    airtime_s: float
    answer_s: float
    started_at: float
    expires_at: float
    heard_at: float | None
    """The light's newest uplink, on ChirpStack's clock: it locks Class C for some seconds."""
    activation: Activation
    id: str | None = None
    in_doubt: bool = False
    txack: Transmitted | None = None
    """What a gateway said of it while its enqueue was in doubt: a name, but no proof that it is
    ours."""
    sent_from: float = 0.0
    """Not before this (our clock) it is sent, or sent again."""
    due_at: float = 0.0
    """When the queue is worth a look if nothing is heard before."""
    late_at: float = 0.0
    """If it is still in the queue then, no gateway took it this time."""
    tries: int = 0
    """Sendings that nobody acknowledged."""
    refusal: str | None = None
    """Why a gateway would not send it, the last time."""
    told: object = None
    """Why it is not out yet, as its light was told."""
    slack_s: float = 0.0
    """It may live, and be sent, so much longer than its expiry: ChirpStack's clock may be behind
    ours."""
    locked_until: float = float("-inf")
    """Until then ChirpStack may hold it back itself: after an uplink or a frame of the light."""

    def is_of(self, number: int, mark: Mark) -> bool:
        """Whether it carries this attempt."""
        return (self.number, self.mark) == (number, mark)

    def may_be(self, told: Transmitted) -> bool:
        """Whether this txack is of this item. Where its id was never told, the frame's counter
        decides: one below that which was read before the enqueue is of an earlier frame."""
        if self.in_doubt:
            return told.f_cnt_down >= self.activation.f_cnt_down
        return told.queue_item_id == self.id


class InFlight:
    """Every item in flight, at most `outstanding_most`; what follows for gateways and airtime."""

    def __init__(
        self,
        policy: DispatchPolicy,
        airtime_budget: AirtimeBudget | None = None,
        pacer: Pacer | None = None,
    ) -> None:
        self._policy = policy
        self._pacer = pacer
        self.airtime_budget = (
            airtime_budget
            if airtime_budget is not None
            else AirtimeBudget(policy.duty_cycle, policy.window_s)
        )
        self.occupancy = GatewayOccupancy(
            serialise=policy.serialise_overlaps, kept_s=policy.overlap_kept_s
        )
        self._items: dict[int, Item] = {}
        self._unsettled: dict[int, Item] = {}  # at most one for each light
        self._due: list[tuple[float, int]] = []  # expiry plus grace
        self._unchecked: list[tuple[float, int]] = []  # start plus the time a txack may take
        self._load: dict[str, int] = {}
        self.suspicion = Suspicion(policy)
        self.slack_s = policy.clock_slack_s
        """How far ChirpStack's clock may be behind what we take it for, as far as is proven now."""
        self.transmitted = 0
        self.expired = 0

    def __len__(self) -> int:
        return len(self._items)

    # ---------------------------------------------------------------- may one more start?

    def crowded(self, gateways: Iterable[str]) -> bool:
        """Whether ChirpStack holds enough undelivered items, in all or for one of these."""
        if len(self._items) >= self._policy.outstanding_most:
            return True
        return any(self._load.get(one, 0) >= self._load_most(one) for one in gateways)

    def _load_most(self, gateway_id: str) -> int:
        if gateway_id in self.suspicion.suspects:
            return 1
        batch = 1 if self._pacer is None else self._pacer.frames_most(gateway_id)
        return max(self._policy.outstanding_per_gateway, batch)

    def worst_s(self, airtime_s: float) -> float:
        """The air that such a frame costs at worst, on one gateway."""
        return airtime_s * self._policy.sends_most(self.slack_s)

    # ---------------------------------------------------------------- an item's life

    def start(self, item: Item) -> None:
        """The enqueue begins, or an item of ours was found in the queue."""
        policy, start_at = self._policy, item.started_at
        item.slack_s = self.slack_s
        self._items[item.token] = item
        heapq.heappush(self._due, (item.expires_at + policy.item_grace_s, item.token))
        for one in item.paced_by:
            self._load[one] = self._load.get(one, 0) + 1
        self.airtime_budget.reserve(item.token, item.gateways, self.worst_s(item.airtime_s))
        self._first_window(item, start_at)

    def arrived(self, item: Item, now: float) -> None:
        """ChirpStack has it now: from here on it may be sent."""
        if not item.tries:
            self._first_window(item, now)

    def _first_window(self, item: Item, start_at: float) -> None:
        policy = self._policy
        locked_until = start_at
        if item.heard_at is not None:  # ChirpStack's clock may differ: by no more than the lock
            unlocked_at = item.heard_at + policy.class_a_lock_s
            locked_until = min(max(start_at, unlocked_at), start_at + policy.class_a_lock_s)
        item.sent_from = start_at
        item.late_at = locked_until + policy.txack_late_s
        self._check_at(item, locked_until + policy.txack_due_s)
        self.occupancy.occupy(item.token, item.paced_by, item.late_at + item.airtime_s)

    def never_was(self, item: Item) -> None:
        """The enqueue had no effect."""
        self._forget(item)
        self.occupancy.release(item.token)

    def acknowledged(self, item: Item, told: Transmitted, now: float) -> None:
        """A gateway took the frame: it alone is occupied, until the answer is over."""
        airtime_s = max(0.0, told.ends_at - told.at)
        first_at = told.at - (now - item.started_at)  # no later than the enqueue, on that clock
        if item.heard_at is not None:
            first_at = max(first_at, item.heard_at + self._policy.class_a_lock_s)
        earlier_s = item.airtime_s * (self._sends(told.at - first_at) - 1)
        costs = dict.fromkeys(item.gateways, earlier_s)
        costs[told.gateway_id] = costs.get(told.gateway_id, 0.0) + airtime_s
        if self._pacer is not None:
            self._pacer.acknowledged(
                item.token,
                told.gateway_id,
                ordered_at=item.started_at,
                told_at=told.at,
                airtime_s=max(airtime_s, item.airtime_s) if told.rx_delay_s else airtime_s,
                locked=item.locked_until > item.started_at or self._maybe_again(item, now),
                now=now,
                slot_s=_slot_s(told),
            )
        self._forget(item)
        self.airtime_budget.charge(costs, now)
        self.occupancy.release(item.token)
        if self._pacer is None:
            self.occupancy.occupy(item.token, {told.gateway_id}, now + airtime_s + item.answer_s)
        self.transmitted += 1

    def _maybe_again(self, item: Item, now: float) -> bool:
        """Whether this may be another sending, after one that failed: by another gateway, perhaps,
        so that it says nothing of how soon this one acknowledges."""
        again = len(item.gateways) > 1 and now >= item.started_at + self._policy.sent_again_s
        return again or item.refusal is not None

    def foreign(self, token: int, told: Transmitted, answer_s: float, now: float) -> None:
        """A frame of somebody else's went out to a light of ours: its air counts all the same."""
        airtime_s = max(0.0, told.ends_at - told.at)
        self.airtime_budget.charge({told.gateway_id: airtime_s}, now)
        self.occupancy.occupy(token, {told.gateway_id}, now + airtime_s + answer_s)
        if self._pacer is not None:
            self._pacer.on_air(told.gateway_id, airtime_s, _slot_s(told), now)

    def gone(self, item: Item, now: float) -> None:
        """The item left the queue without a txack that we heard of: sent, flushed or expired. Its
        gateways stay occupied, for a frame of it may be on air."""
        self._forget(item)
        sends = self._sends(min(now, item.expires_at + item.slack_s) - item.started_at)
        self.airtime_budget.charge(dict.fromkeys(item.gateways, item.airtime_s * sends), now)

    def over(self, item: Item, now: float) -> None:
        """The item is gone, and no frame of it is on air any more."""
        self.gone(item, now)
        self.occupancy.release(item.token)

    def taken(self, item: Item, now: float) -> None:
        """The item is gone and the counter moved: some gateway of its took it just now."""
        self.over(item, now)
        self.occupancy.occupy(item.token, item.paced_by, now + item.airtime_s + item.answer_s)

    def still_listed(self, item: Item, now: float, *, tried: bool | None) -> bool:
        """The item still waits. `tried` tells whether ChirpStack gave it to a gateway (None: not
        to be known). True if by now no gateway took it, so that another sending is awaited."""
        policy = self._policy
        if tried is False:
            if now < item.started_at + policy.untried_timeout_s:
                self.occupancy.occupy(item.token, item.paced_by, now + policy.txack_due_s)
            else:
                self.occupancy.release(item.token)
            self._check_at(item, now + policy.txack_due_s)
            return False
        explained = item.gateways & self.suspicion.suspects.keys()
        if now < item.late_at and not explained:
            self._check_at(item, item.late_at)
            return False
        self.missed(item, now, sure=tried is True)
        return True

    def unsettled(self, item: Item, at: float) -> None:
        """It occupies nothing any more, but what became of it is not known: looked for at `at`."""
        self._unsettled[item.token] = item
        self._check_at(item, at)

    def settled(self, item: Item) -> None:
        """What became of it is known."""
        self._unsettled.pop(item.token, None)

    def missed(self, item: Item, now: float, *, sure: bool) -> None:
        """No gateway took it this time: it is sent again, and until then its gateways are free."""
        self.suspicion.missed(item.gateways, item.dev_eui, item.started_at, now, sure=sure)
        item.tries += 1
        self._await_next(item, item.sent_from, now)
        if not sure:  # it may be the light that is no Class C device: no neighbour waits for that
            self.occupancy.release(item.token)

    def refused(self, item: Item, now: float) -> None:
        """A gateway would not send it: it is sent again, and until then its gateways are free."""
        item.tries += 1
        self._await_next(item, now, now)

    def _await_next(self, item: Item, sent_from: float, now: float) -> None:
        policy = self._policy
        item.sent_from = sent_from + policy.sent_again_s
        while item.sent_from + policy.txack_due_s <= now:
            item.sent_from += policy.sent_again_s
        item.late_at = item.sent_from + policy.txack_late_s
        due_at = item.sent_from + policy.txack_due_s
        self._check_at(item, due_at)
        until = due_at + item.airtime_s
        self.occupancy.release(item.token)
        self.occupancy.occupy(item.token, item.paced_by, until, since=item.sent_from)

    def _check_at(self, item: Item, at: float) -> None:
        item.due_at = at
        heapq.heappush(self._unchecked, (at, item.token))

    def look_again(self, item: Item, at: float) -> None:
        """It is due for a look, and cannot be looked at before `at`; it may be sent until then."""
        self._check_at(item, at)
        if not item.tries and item.token in self._items:
            self.occupancy.occupy(item.token, item.paced_by, at + self._policy.txack_due_s)

    def take_expired(self, now: float) -> list[Item]:
        """End the items whose time is over without a word on them."""
        expired: list[Item] = []
        while self._due and self._due[0][0] <= now:
            item = self._items.get(heapq.heappop(self._due)[1])
            if item is not None:
                self.over(item, item.expires_at + item.slack_s)
                self.expired += 1
                expired.append(item)
        return expired

    def take_overdue(self, now: float) -> Item | None:
        """An item whose txack should have come, or that is unsettled: its queue is worth a look."""
        while self._unchecked and self._unchecked[0][0] <= now:
            at, token = heapq.heappop(self._unchecked)
            item = self._known(token)
            if item is not None and item.due_at == at:
                return item
        return None

    def next_at(self) -> float | None:
        """When the next item expires, at the earliest."""
        return self._due[0][0] if self._due else None

    def next_overdue_at(self) -> float | None:
        """When the next txack should have come, at the earliest."""
        while self._unchecked and not self._is_due(*self._unchecked[0]):
            heapq.heappop(self._unchecked)
        return self._unchecked[0][0] if self._unchecked else None

    def _is_due(self, at: float, token: int) -> bool:
        item = self._known(token)
        return item is not None and item.due_at == at

    def _known(self, token: int) -> Item | None:
        return self._items.get(token) or self._unsettled.get(token)

    def _sends(self, span_s: float) -> int:
        """How often an item may have been sent within a span: at once, and then again."""
        return 1 + int(max(0.0, span_s) // self._policy.sends_every_s)

    def _forget(self, item: Item) -> None:
        del self._items[item.token]
        self.airtime_budget.release(item.token)
        if self._pacer is not None:
            self._pacer.over(item.token)
        for one in item.paced_by:
            self._load[one] -= 1
            if not self._load[one]:
                del self._load[one]
        for heap in (self._due, self._unchecked):
            if len(heap) > 2 * (len(self._items) + len(self._unsettled)) + STALE_SLACK:
                heap[:] = [due for due in heap if self._known(due[1]) is not None]
                heapq.heapify(heap)


def _slot_s(told: Transmitted) -> float:
    """So long after its txack a frame for a receive window leaves at most: a txack names the first
    window also where the gateway took the second, a second later."""
    return 0.0 if told.rx_delay_s is None else told.rx_delay_s + RX2_AFTER_S
