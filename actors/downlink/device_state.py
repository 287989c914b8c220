"""What the dispatcher remembers of a light beside the attempt that waits for it.

At most one call is under way and one item of ours is in the queue for each light, however often its
attempt is replaced or withdrawn meanwhile.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from actors.device.events import (
    AttemptNotSent,
    AttemptQueued,
    AttemptRefused,
    AttemptTransmitted,
    ItemDropped,
    Transmitted,
)
from actors.downlink.in_flight import Item
from actors.downlink.queue_check import Mark
from lorawan.events.model import Modulation
from lorawan.network import QueueItem

EARLY_MOST = 4
"""Events that came before the reply of their enqueue; one is usual, the rest are copies."""
FOREIGN_MOST = 16
"""The first of them is what blocks; more are remembered only to be counted."""
SETTLED_MOST = 4
"""Items whose txack was taken in, so that a copy of it is not paid twice."""


@dataclass(frozen=True, slots=True)
class Call:
    """A question to ChirpStack under way. `stamp` is that of its attempt, or of a checked item."""

    stamp: int
    enqueue: bool
    started_at: float


End = Transmitted | AttemptTransmitted | AttemptNotSent | AttemptRefused


@dataclass(slots=True)
class Fate:
    """What a light was told of the newest attempt of its that ChirpStack took, to be told again if
    that is submitted again."""

    number: int
    mark: Mark
    queued: AttemptQueued
    ended: End | None = None
    """What became of the item; None while that is not known."""

    def names(self, told: Transmitted) -> bool:
        """Whether this txack is of it. Where the id was never told, the frame's counter decides:
        one below that which was read before the enqueue is of an earlier frame."""
        if self.queued.queue_item_id:
            return told.queue_item_id == self.queued.queue_item_id
        unnamed = isinstance(self.ended, AttemptTransmitted)
        return unnamed and told.f_cnt_down >= self.queued.activation.f_cnt_down


@dataclass(slots=True)
class DeviceDownlinks:
    """One light. Bound: one for each light that was ever sent to, about 500 bytes."""

    ends_at: float = float("-inf")
    """End of the newest frame to this light, on our clock."""
    told_at: float = float("-inf")
    """When the newest txack came."""
    heard_at: float = float("-inf")
    """When its newest uplink was told, since it was sent to for the first time."""
    settled_at: float = float("-inf")
    """Before this an enqueue of unknown outcome may still be on its way to ChirpStack."""
    call: Call | None = None
    item: Item | None = None
    """In ChirpStack's queue as far as we know."""
    doubt: Item | None = None
    """An enqueue whose outcome is not known."""
    unsettled: Item | None = None
    """An item that is out of the queue, or has to be by now, and of which nobody said what became
    of it: a look does."""
    fate: Fate | None = None
    early: list[Transmitted | ItemDropped] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    rx2: Modulation | None = None
    """How the newest frame to it was sent in RX2; it stays so for this light until ChirpStack has
    heard the light agree to another."""
    sent_at_f_cnt_up: int | None = None
    """ChirpStack's next uplink counter before the newest enqueue."""
    foreign_items: dict[str, float] = field(default_factory=dict)
    """Items in its queue that are not ours, by id, and when each was first seen."""

    def see_foreign(self, items: Iterable[QueueItem], now: float) -> None:
        """These items of others are in the queue now."""
        some = list(items)[:FOREIGN_MOST]
        self.foreign_items = {item.id: self.foreign_items.get(item.id, now) for item in some}

    @property
    def enqueueing(self) -> bool:
        """An enqueue is under way."""
        return self.call is not None and self.call.enqueue

    def settle(self, item_id: str) -> None:
        """This item is over: a txack of it, or another one, means nothing more."""
        if item_id in self.settled:
            return
        self.settled = [*self.settled, item_id][-SETTLED_MOST:]

    def keep_early(self, told: Transmitted | ItemDropped) -> None:
        """An event came that may be of the item whose enqueue is not answered yet."""
        self.early = [*self.early, told][-EARLY_MOST:]
