"""The events of the last minute, where they come twice: by webhook, and by ChirpStack's stream.

A light applies each event once, whatever comes; but the counts of frames, refusals and gateways are
kept by parts that take every event for a new one. So an event that came by one way is not told
again when it comes by the other.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from actors.fleet.delivery import Delivery
from lorawan.events.model import (
    Ack,
    DeviceStatus,
    Event,
    Join,
    Location,
    Log,
    TxAck,
    Uplink,
)

KEPT_S = 60.0
KEPT_MOST = 50_000
"""0.3 kB each: 15 MB, and 45 s of a million lights. Whatever is forgotten earlier is told twice."""


EventName = tuple[str, *tuple[Hashable, ...]]
"""The DevEUI first."""


class EventMemory:
    """`steady` tells seconds that only rise."""

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._known: OrderedDict[EventName, float] = OrderedDict()
        self.repeated = 0
        """Events that had come already, since the start."""

    def knows(self, event: Event) -> bool:
        """Whether it was `told` within the last minute; counted if so."""
        self._forget()
        if identity(event) not in self._known:
            return False
        self.repeated += 1
        return True

    def told(self, event: Event, outcome: Delivery) -> None:
        """What became of it: one that was taken is known from now on."""
        if outcome in {Delivery.DELIVERED, Delivery.REGISTERED}:
            self._known[identity(event)] = self._steady()

    def forget(self, light: Callable[[str], bool]) -> None:
        """Those of these lights may have been lost with their actors: they are to be told again."""
        for name in [name for name in self._known if light(name[0])]:
            del self._known[name]

    def _forget(self) -> None:
        known, now = self._known, self._steady()
        while known:
            name, at = next(iter(known.items()))
            if at + KEPT_S > now and len(known) < KEPT_MOST:
                return
            del known[name]


def identity(event: Event) -> EventName:
    """By what an event is known again, be it told in JSON or in Protobuf."""
    dev_eui = event.device.dev_eui
    match event:
        case Uplink():
            return dev_eui, event.dev_addr, event.f_cnt, event.deduplication_id or event.data
        case Join():
            return dev_eui, event.dev_addr, event.deduplication_id
        case TxAck():
            return dev_eui, event.queue_item_id, event.f_cnt_down, event.downlink_id
        case Ack():
            return dev_eui, event.queue_item_id, event.acknowledged
        case Log():
            return dev_eui, event.code, event.at, event.description
        case DeviceStatus() | Location():
            return dev_eui, type(event), event.at
