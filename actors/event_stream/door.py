"""The door by which events come in where they come twice: by webhook, and by ChirpStack's stream.

A light applies each event once, whatever comes; but the counts of frames, refusals and gateways are
kept by parts that take every event for a new one. So an event that came by one way within the last
minute is not told again when it comes by the other.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Protocol

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


class FleetDoor(Protocol):
    """Takes events of the network."""

    def deliver(self, event: Event, *, past: bool = False) -> Delivery:
        """Put an event in its light's mailbox; `past` for one that is told late on purpose."""
        ...


class AwaitedDoor(Protocol):
    """Takes events of the network for lights of any process."""

    async def deliver(self, event: Event) -> Delivery:
        """Hand an event on, to wherever its light's actor runs."""
        ...


class EventDoor:
    """In front of the fleet; each event passes once."""

    def __init__(self, fleet: FleetDoor, steady: Callable[[], float]) -> None:
        self._fleet = fleet
        self._steady = steady
        self._known: OrderedDict[Hashable, float] = OrderedDict()
        self.repeated = 0
        """Events that had come already, since the start."""

    def deliver(self, event: Event, *, past: bool = False) -> Delivery:
        """As the fleet does; DELIVERED for one that it had before."""
        now, name = self._steady(), identity(event)
        self._forget(now)
        if name in self._known:
            self.repeated += 1
            return Delivery.DELIVERED
        delivery = self._fleet.deliver(event, past=past)
        if delivery in {Delivery.DELIVERED, Delivery.REGISTERED}:
            self._known[name] = now
        return delivery

    def _forget(self, now: float) -> None:
        known = self._known
        while known:
            name, at = next(iter(known.items()))
            if at + KEPT_S > now and len(known) < KEPT_MOST:
                return
            del known[name]


def identity(event: Event) -> Hashable:
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
