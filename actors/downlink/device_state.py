"""What the dispatcher remembers of a light beside the attempt that waits for it.

The rule it keeps: at most one call under way and one item of ours per light, however often its
attempt is replaced or withdrawn meanwhile.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from actors.device.events import AttemptQueued, Transmitted
from actors.downlink.in_flight import Item
from actors.downlink.queue_check import Mark
from lorawan.events.model import Modulation
from lorawan.network import QueueItem

ORPHANS_MOST = 4
"""txacks that came before the reply of their enqueue; one is usual, the rest are copies."""
STRANGERS_MOST = 16
"""The first of them is what blocks; more are remembered only to be counted."""
SETTLED_MOST = 4
"""Items whose txack was taken in, so that a copy of it is not paid twice."""


@dataclass(frozen=True, slots=True)
class Call:
    """A question to ChirpStack under way. `stamp` is that of its attempt, or of a checked item."""

    stamp: int
    enqueue: bool
    started_at: float


@dataclass(slots=True)
class DeviceDownlinks:
    """One light. Bound: one for each light that was ever sent to, about 500 bytes."""

    ends_at: float = float("-inf")
    """End of the newest frame to this light, on our clock."""
    told_at: float = float("-inf")
    """When the newest txack came."""
    settled_at: float = float("-inf")
    """Before this an enqueue of unknown outcome may still be on its way to ChirpStack."""
    call: Call | None = None
    item: Item | None = None
    """In ChirpStack's queue as far as we know."""
    doubt: Item | None = None
    """An enqueue whose outcome is not known."""
    queued: tuple[int, Mark, AttemptQueued] | None = None
    """What was told last, in case it is submitted again."""
    orphans: list[Transmitted] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    rx2: Modulation | None = None
    """How the newest frame to it was sent in RX2; it stays so for this light until ChirpStack has
    heard the light agree to another."""
    sent_at_f_cnt_up: int | None = None
    """ChirpStack's next uplink counter before the newest enqueue."""
    strangers: dict[str, float] = field(default_factory=dict)
    """Items in its queue that are not ours, by id, and when each was first seen."""

    def see_strangers(self, items: Iterable[QueueItem], now: float) -> None:
        """These items of others are in the queue now."""
        some = list(items)[:STRANGERS_MOST]
        self.strangers = {item.id: self.strangers.get(item.id, now) for item in some}

    @property
    def enqueueing(self) -> bool:
        """An enqueue is under way."""
        return self.call is not None and self.call.enqueue

    def settle(self, item_id: str) -> None:
        """This item is over: a txack of it, or another one, means nothing more."""
        if item_id in self.settled:
            return
        self.settled = [*self.settled, item_id][-SETTLED_MOST:]

    def adopt_orphan(self, told: Transmitted) -> None:
        """A txack came before its enqueue was answered."""
        self.orphans = [*self.orphans, told][-ORPHANS_MOST:]
