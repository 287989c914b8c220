"""The doors by which webhooks come in."""

from typing import Protocol

from actors.fleet.delivery import Delivery
from lorawan.events.model import Event


class FleetDoor(Protocol):
    """Takes events of the network, for lights of this process."""

    def deliver(self, event: Event) -> Delivery:
        """Put an event in its light's mailbox."""
        ...


class AwaitedDoor(Protocol):
    """Takes events of the network for lights of any process."""

    async def deliver(self, event: Event) -> Delivery:
        """Hand an event on, to wherever its light's actor runs."""
        ...
