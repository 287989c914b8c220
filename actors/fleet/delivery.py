"""What became of an event from the network, as whoever brought it is told."""

from enum import Enum


class Delivery(Enum):
    """What became of an event from the network."""

    DELIVERED = "delivered"
    """It is in the mailbox of its device."""
    REGISTERED = "registered"
    """Likewise; the device was new and is known from now on."""
    UNKNOWN = "unknown"
    """Not a device of ours; counted."""
    FULL = "full"
    """The mailbox is full; send it again later."""
    STOPPING = "stopping"
