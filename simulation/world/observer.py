"""The interface by which an oracle sees what no gateway and no server reports.

Observing changes nothing: every method is called at the moment of its event, inside the world's
own step, and must neither wait nor change the world.
"""

from lorawan.events.model import Event
from simulation.world.device import ServerDevice
from simulation.world.frames import DownlinkFrame, UplinkFrame
from simulation.world.queue import QueueEntry


class Observer:
    """Sees everything and does nothing; an oracle overrides what it cares for."""

    def enqueued(self, device: ServerDevice, entry: QueueEntry) -> None:
        """An item went into the server's queue of this device."""

    def flushed(self, device: ServerDevice, *, in_flight: bool) -> None:
        """The queue was dropped by a call; `in_flight`: a gateway was at an item of it."""

    def frame_sent(
        self, gateway_id: str, frame: DownlinkFrame, frequency_hz: int, airtime_s: float
    ) -> None:
        """A gateway begins to send this."""

    def frame_received(self, frame: DownlinkFrame) -> None:
        """The light took this data frame in."""

    def uplink_sent(self, frame: UplinkFrame) -> None:
        """A light began to send this."""

    def event_made(self, event: Event) -> None:
        """The server made this event; what becomes of its webhook is another matter."""

    def webhook_arrived(self, event: Event) -> None:
        """A webhook with this event reached whoever listens."""


NOBODY = Observer()
