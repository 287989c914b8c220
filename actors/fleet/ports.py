"""What the fleet knows of its lights' actors and of those it tells, and what it counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import trio

from actors.device.events import Message
from actors.device.model import Device
from actors.fleet.delivery import Delivery
from actors.fleet.ears import NetworkEars
from actors.messaging.mailbox import Mailbox
from lorawan.events import Event
from lorawan.events.model import DeviceInfo
from store.port import Write


class DeviceActorPort(Protocol):
    """What the fleet needs of a device actor."""

    mailbox: Mailbox[Message]
    device: Device

    @property
    def due_at(self) -> float | None:
        """When its state times out (Unix seconds), or None."""
        ...

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve the mailbox until cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class FleetPorts:
    """What the fleet tells others. Nothing here may block or raise.

    `note` takes history lines nobody depends on, `dated` gives an event our date (`dated_past` one
    that is past), `told` hears of whatever ChirpStack tells by itself, `ears` are those who listen
    beside the light.
    """

    note: Callable[[Sequence[Write]], object]
    dated: Callable[[Event], Event]
    told: Callable[[DeviceInfo], None] = lambda device: None
    dated_past: Callable[[Event], Event] = lambda event: event
    ears: NetworkEars = field(default_factory=NetworkEars)


@dataclass(frozen=True, slots=True)
class FleetStatistics:
    """Counted since the start; `deliveries` by outcome."""

    devices: int
    gateways: int
    deliveries: Mapping[Delivery, int]
    unknown_devices: int
    registrations_refused: int
    parked_refused: int
    news_posted: int
    news_owed: int
