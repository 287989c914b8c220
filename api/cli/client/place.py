"""The address of the service and the token that is sent to it, as the options name them."""

from dataclasses import dataclass
from typing import Self

from api.cli.client.errors import Mistaken
from lamplighter.client import place
from lamplighter.client.errors import BadAddress, BadToken
from lamplighter.client.place import DEFAULT_AT

__all__ = ["DEFAULT_AT", "Place"]


@dataclass(frozen=True, slots=True)
class Place(place.Place):
    """The address without a slash at its end, and the token, if any."""

    @classmethod
    def of(cls, at: str, token: str | None = None) -> Self:
        """From what the person gave; `host:port` means http. Raises Mistaken."""
        try:
            return super(Place, cls).of(at, token)
        except BadToken as error:
            raise Mistaken(f"--token: {error}") from error
        except BadAddress as error:
            raise Mistaken(f"--at: {error}") from error
