"""What the owner of light shards needs of its process: the lights here, and their store."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from actors.device.events import DeviceEvent
from actors.device.events import Message as Mail
from actors.device.model import Device
from actors.fleet.delivery import Delivery
from actors.fleet.fleet import Wrap
from actors.messaging.mailbox import Offer
from lorawan.events import Event
from store.port import Record, Table, Write


class LightHere(Protocol):
    """The actor of one light."""

    @property
    def device(self) -> Device:
        """Its record, as stored."""
        ...


class LightsHere(Protocol):
    """The lights whose actors run in this process: `Fleet`."""

    @property
    def actors(self) -> Mapping[str, LightHere]:
        """By DevEUI."""
        ...

    def deliver(self, event: Event, *, wrap: Wrap | None = None) -> Delivery:
        """Put a network event in its light's mailbox."""
        ...

    def post(self, dev_eui: str, event: Mail) -> Offer | None:
        """Put an event in a light's mailbox; None for a light not known."""
        ...

    def room(self, dev_eui: str) -> Offer | None:
        """What `post` would answer now."""
        ...

    def broadcast(self, event: DeviceEvent) -> None:
        """Every light gets this, soon."""
        ...

    def gateway_changed(self, gateway_id: str, online: bool) -> None:
        """Have the lights told that it hears."""
        ...

    def gateway_returned(self, gateway_id: str, *, answered: bool = False) -> None:
        """Likewise."""
        ...

    def register(self, device: Device) -> object | None:
        """Start the actor of a light that is not known."""
        ...

    def confirm(self, dev_eui: str) -> None:
        """ChirpStack lists it."""
        ...


class LightStore(Protocol):
    """Where the lights of this process are stored: `StoreWriter`."""

    async def commit(self, writes: Sequence[Write]) -> None:
        """Return when the writes are durable."""
        ...

    async def read(self, table: Table, key: str) -> Record | None:
        """One record, after all that was handed in before is durable."""
        ...
