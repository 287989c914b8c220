"""What ChirpStack tells us, decoded to our own types."""

from lorawan.events.model import (
    Ack,
    DeviceInfo,
    DeviceStatus,
    Event,
    Join,
    Location,
    Log,
    Modulation,
    Reception,
    TxAck,
    Uplink,
)

__all__ = [
    "Ack",
    "DeviceInfo",
    "DeviceStatus",
    "Event",
    "Join",
    "Location",
    "Log",
    "Modulation",
    "Reception",
    "TxAck",
    "Uplink",
]
