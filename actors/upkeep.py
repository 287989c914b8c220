"""What an operator may ask of the service about one light, beside its colour.

The rule it keeps: as in `surface.py`, expected outcomes are values.
"""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from actors.service_api import Refusal


class Upkeep(Protocol):
    """Taking lights off, and emptying their queues."""

    async def remove_device(self, dev_eui: str) -> "Refusal | None":
        """Take a light off, by hand; its history stays. None when it is done."""
        ...

    async def flush_queue(self, dev_eui: str) -> "Refusal | None":
        """Drop all that ChirpStack's queue of this light holds, in flight or not. None when it is
        done."""
        ...
