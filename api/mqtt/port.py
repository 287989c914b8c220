"""What the bridge asks of a Lamplighter: the running service itself, or one that is asked by HTTP.

Expected outcomes are values. The bridge holds no copy of the fleet: it asks for a light when its
turn to be sent comes.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from actors.board.changes import GatewayView
from actors.device.command import CommandStatus
from api.models import DeviceSummary
from api.mqtt.orders import Order
from lorawan.kuando.light_state import LightState


class Given(NamedTuple):
    """The order is stored, and pursued."""

    command_id: str
    status: CommandStatus


@dataclass(frozen=True, slots=True)
class NotGiven:
    """It is not. `slug` names the problem as the HTTP API does; with `again` the same may be asked
    once more, soon."""

    slug: str
    why: str
    again: bool = False


class Ended(NamedTuple):
    """A command came to its end."""

    command_id: str
    dev_eui: str
    status: CommandStatus
    reason: str | None
    superseded_by: str | None
    reason_code: str | None = None


class Look(Enum):
    """What happened to the whole."""

    FRESH = "fresh"
    """From now on everything is known; what is not among the lights now is gone."""
    LOST = "lost"
    """Nothing is known for certain any more."""


@dataclass(frozen=True, slots=True)
class Told:
    """Whom the service tells, synchronously: nothing of it waits."""

    look: Callable[[Look], None]
    light: Callable[[str], None]
    """By DevEUI: it changed, came or went."""
    gateway: Callable[[str], None]
    ended: Callable[[Ended], None]


class Lamplighter(Protocol):
    """The service."""

    @property
    def lights(self) -> Collection[str]:
        """DevEUIs of the lights that are bridged."""
        ...

    @property
    def gateways(self) -> Collection[str]:
        """Ids of the gateways that ChirpStack lists."""
        ...

    def has_light(self, dev_eui: str) -> bool:
        """Whether it is one of them."""
        ...

    def has_gateway(self, gateway_id: str) -> bool:
        """Likewise."""
        ...

    def light(self, dev_eui: str) -> DeviceSummary | None:
        """A light that is bridged, as it is now."""
        ...

    def gateway(self, gateway_id: str) -> GatewayView | None:
        """A gateway as it is now."""
        ...

    def now(self) -> float:
        """The date."""
        ...

    async def follow(self, told: Told) -> None:
        """Tell everything, from `Look.FRESH` on, until cancelled; reconnects by itself."""
        ...

    async def give(self, dev_eui: str, order: Order, key: str, mark: str) -> Given | NotGiven:
        """Give an order; the same `key` is the same order. `mark` is kept with the command."""
        ...

    async def last_lit(self, dev_eui: str) -> LightState | None:
        """The last colour that was ordered of a light and was not dark, as far as is kept."""
        ...

    async def given_before(self, dev_eui: str, mark: str, within_s: float) -> Given | None:
        """The command with this mark that was given within this time, if there is one."""
        ...
