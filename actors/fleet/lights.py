"""Every light of the fleet, wherever its actor runs: what those reach them by who run once."""

from collections.abc import Mapping
from typing import Protocol

from actors.device.events import DeviceEvent
from actors.device.model import Device
from actors.messaging.mailbox import Offer


class Lights(Protocol):
    """Every light of the fleet, wherever its actor runs. Nothing here waits but `remove`."""

    @property
    def known(self) -> Mapping[str, object]:
        """Every light by DevEUI."""
        ...

    @property
    def provisional(self) -> Mapping[str, float]:
        """Lights known by their own events only, and since when (Unix seconds)."""
        ...

    def post(self, dev_eui: str, event: DeviceEvent) -> Offer | None:
        """Have a light told; None for one that is not known."""
        ...

    def register(self, device: Device) -> object | None:
        """Start an actor for a light that is not known yet; None where that is refused."""
        ...

    def confirm(self, dev_eui: str) -> None:
        """ChirpStack lists this light."""
        ...

    async def remove(self, dev_eui: str, why: str, *, for_good: bool) -> bool:
        """See `Removals.remove`."""
        ...

    def is_ours(self, profile_name: str) -> bool:
        """Whether devices of this profile are lights of ours."""
        ...

    def gateway_changed(self, gateway_id: str, online: bool) -> None:
        """Have the lights told that a gateway hears."""
        ...

    def gateway_returned(self, gateway_id: str, *, answered: bool = False) -> None:
        """Have the lights told that a gateway hears: it ended a silence, or is answered again."""
        ...

    def dispatcher_started(self) -> None:
        """The dispatcher lost what it was given: have it given again."""
        ...
