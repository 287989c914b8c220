"""An event of the network, taken by whichever process it was sent to.

It is for two: the light, and what runs once for the fleet (dispatcher, gateway watcher). A light
learns of its frames (txack, dropped item) from the dispatcher alone, so that these events are not
for it. Whoever of the two runs here has it at once, the other by its inbox.
"""

from collections.abc import Callable
from dataclasses import dataclass

from actors.cluster.messages import NetworkTold, encode
from actors.cluster.router import Posted, Router
from actors.fleet.delivery import Delivery
from actors.fleet.translate import for_light
from lorawan.events import Event
from lorawan.events.model import Ack, DeviceStatus, Location
from store.engine.shards import FLEET, shard_of


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakePorts:
    """What is near. None of it waits or raises."""

    here: Callable[[str], bool]
    """Whether what belongs to this shard runs in this process."""
    ours: Callable[[Event], bool]
    """Whether it is of a light of ours, known or not."""
    light: Callable[[Event], Delivery]
    """Into the mailbox of a light of this process."""
    fleet: Callable[[Event], None]
    """To what runs once for the fleet, if that is in this process."""
    told: Callable[[Event], None] = lambda event: None
    """ChirpStack told something by itself."""


class Intake:
    """Takes events for any light. It holds nothing."""

    def __init__(self, ports: IntakePorts, router: Router) -> None:
        self._ports = ports
        self._router = router

    async def deliver(self, event: Event) -> Delivery:
        """Hand an event on. Where a process far away needs it, it is in its inbox when this
        returns, unless that is full or the engine does not answer: FULL."""
        ports = self._ports
        ports.told(event)
        if not ports.ours(event):
            return Delivery.UNKNOWN
        shard = shard_of(event.device.dev_eui)
        outcome = Delivery.DELIVERED
        away = []
        for wanted, where in ((for_fleet(event), FLEET), (for_light(event), shard)):
            if wanted and not ports.here(where):
                away.append(where)
        if for_fleet(event) and FLEET not in away:
            ports.fleet(event)
        if for_light(event) and shard not in away:
            outcome = ports.light(event)
        if not away:
            return outcome
        data = encode(NetworkTold(event))
        *others, last = away
        for where in others:
            self._router.send_encoded(where, data)  # in the same call as the last, or before it
        if await self._router.post(last, data) is Posted.WRITTEN:
            return outcome
        return Delivery.FULL


def for_fleet(event: Event) -> bool:
    """Whether what runs once for the fleet listens to this."""
    return not isinstance(event, Ack | DeviceStatus | Location)
