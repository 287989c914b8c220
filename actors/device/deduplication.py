"""Which events of the network were told already: each is told once, however often it is replayed.

An event is known by what it is (DevAddr and counter and the server's id of the uplink; queue item
and counter), never by its time. An inquiry brings the same events again and again; what is known of
it then changes nothing, and its line of history has an id of its own, so that the store would not
keep it twice either.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

from actors.device import events as ev
from actors.device.model import Device
from actors.device.transition import Transition

TOLD_MOST = 64
"""ChirpStack keeps 10 to 18 events of a light unless told otherwise; 64 marks are 0.7 kB. An answer
with more begins with some that are older than all marks: those are passed over."""

MARKS_AT_ONCE = 64
"""A step asks for the mark of its event three times, and an answer holds some twenty."""

Retained = ev.UplinkHeard | ev.Joined | ev.Transmitted | ev.ItemDropped


def mark(event: Retained) -> str:
    """Eight characters by which this event is known again: 48 bits of a hash."""
    match event:
        case ev.UplinkHeard():
            what = f"up/{event.dev_addr}/{event.f_cnt}/{event.id}"
        case ev.Joined():
            what = f"join/{event.dev_addr}/{event.id}"
        case ev.Transmitted():
            what = f"txack/{event.queue_item_id}/{event.f_cnt_down}"
        case ev.ItemDropped():
            what = f"drop/{event.queue_item_id}/{event.code}"
    return _hashed(what)


@lru_cache(maxsize=MARKS_AT_ONCE)
def _hashed(what: str) -> str:
    return urlsafe_b64encode(blake2b(what.encode(), digest_size=6).digest()).decode()


def known(device: Device, event: Retained) -> bool:
    """Whether this event was told before, as far as anyone remembers."""
    return mark(event) in device.told


def remember(transition: Transition, event: Retained) -> bool:
    """Note that it was told. False when it was before."""
    new, told = mark(event), transition.device.told
    if new in told:
        return False
    transition.change(told=(*told, new)[-TOLD_MOST:])
    answer = transition.answering
    if answer is not None and any(event is one for one in answer.events):
        transition.change(missed=transition.device.missed + 1)
    return True


def newly_told(before: Device, after: Device, events: Sequence[object]) -> list[Retained]:
    """Which events of an answer were told by nobody before it."""
    fresh = frozenset(after.told).difference(before.told)
    retained = [event for event in events if isinstance(event, Retained)]
    return [event for event in retained if mark(event) in fresh]


def worth_telling(device: Device, events: Sequence[Retained]) -> Sequence[Retained]:
    """The events of an answer without those older than anything that is remembered."""
    if len(device.told) < TOLD_MOST:
        return events
    first = next((at for at, event in enumerate(events) if known(device, event)), 0)
    return events[first:]
