"""What ChirpStack's queue and activation mean for an attempt: the look before the enqueue.

There is at most one item of ours per light. An item that is already there is taken for ours only by
its marker and its bytes; what may be in flight is waited for and never flushed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from actors.downlink.calls import Looked
from actors.downlink.item_marker import bears
from lorawan.kuando.frames import F_PORT
from lorawan.network import Activation, QueueItem

COLOUR_BYTES_LEAST = 5


@dataclass(frozen=True, slots=True)
class Mark:
    """By what we know an item of ours again."""

    marker_us: int
    data: bytes

    @property
    def is_colour(self) -> bool:
        """Whether it sets a colour: all other frames are shorter."""
        return len(self.data) >= COLOUR_BYTES_LEAST

    def found_in(self, queue: Iterable[QueueItem]) -> QueueItem | None:
        """The oldest item that bears it."""
        return next((item for item in queue if self._is_on(item)), None)

    def _is_on(self, item: QueueItem) -> bool:
        if item.f_port != F_PORT or item.data != self.data:
            return False
        return bears(item.expires_at, self.marker_us)


@dataclass(frozen=True, slots=True)
class Doubt:
    """An enqueue whose outcome we never learned, and what was read before it."""

    activation: Activation
    txack_id: str | None = None
    """The item that a txack named since then, if one did: a name, but no proof that it is ours."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """Our item is there already: an enqueue of unknown outcome took effect."""

    item_id: str
    expires_at: float
    activation: Activation


@dataclass(frozen=True, slots=True)
class AlreadySent:
    """Our item was there and is gone: a gateway took it. `item_id` is empty where unknown."""

    item_id: str
    activation: Activation


@dataclass(frozen=True, slots=True)
class Behind:
    """An earlier item on our port still waits; `until` is its expiry, None where it has none.
    `foreign` is the first item that is not ours, where it blocks."""

    until: float | None
    foreign: QueueItem | None = None


@dataclass(frozen=True, slots=True)
class Disabled:
    """The device is disabled: its queue stands still, and what is put there stays for ever."""


@dataclass(frozen=True, slots=True)
class NotClassC:
    """The device has no Class C: an item would wait for its next uplink, and expire before it.
    `profile` is whether its profile allows Class C."""

    profile: bool | None


@dataclass(frozen=True, slots=True)
class Unheard:
    """Nothing would be delivered: no uplink since the join, or (`joined` False) no join at all."""

    joined: bool


@dataclass(frozen=True, slots=True)
class Clear:
    """Nothing of ours is there. `foreign` are items of others on other ports.

    We enqueue behind those: ChirpStack's queue is strictly first in first out, so waiting here
    would not bring ours forward, and a stuck item of somebody else would silence the light for
    good. If theirs is stuck ours expires unsent, which costs no air.
    """

    activation: Activation
    foreign: tuple[QueueItem, ...] = ()


Judgement = Adopt | AlreadySent | Behind | Disabled | NotClassC | Unheard | Clear


def judge(look: Looked, mark: Mark, doubt: Doubt | None) -> Judgement:
    """Decide about an attempt with this mark; `doubt` is about an earlier enqueue of the same."""
    before = look.before
    ours = mark.found_in(look.queue)
    if ours is not None and ours.expires_at is not None and before is not None:
        known = before if doubt is None else doubt.activation
        return Adopt(ours.id, ours.expires_at, known)
    if doubt is not None and moved(look.after, doubt.activation):
        return AlreadySent(doubt.txack_id or "", doubt.activation)
    if look.device is not None and look.device.disabled:
        return Disabled()
    earlier = [item for item in look.queue if item.f_port == F_PORT]
    if earlier:
        expiries = [item.expires_at for item in earlier if item.expires_at is not None]
        until = max(expiries) if len(expiries) == len(earlier) else None
        return Behind(until, next(filter(foreign, look.queue), None))
    if before is None or before.f_cnt_up == 0:
        return Unheard(joined=before is not None)
    if look.device is not None and look.device.device_class in {"CLASS_A", "CLASS_B"}:
        return NotClassC(look.device.class_c_profile)
    return Clear(before, tuple(look.queue))


def foreign(item: QueueItem) -> bool:
    """Whether somebody else queued this: ours are on our port and always expire."""
    return item.f_port != F_PORT or item.expires_at is None


def moved(now: Activation | None, then: Activation) -> bool:
    """Whether a gateway took a downlink since: the counter moves only on a positive txack."""
    return now is not None and now.dev_addr == then.dev_addr and now.f_cnt_down > then.f_cnt_down
