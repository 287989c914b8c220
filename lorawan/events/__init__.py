"""What ChirpStack reports: its events, decoded from JSON or Protobuf into our own types.

Source: chirpstack/chirpstack-docs, integrations/events.md, and chirpstack-api 4.20.
"""

from lorawan.events.errors import EventError, MalformedEvent, UnknownEventKind
from lorawan.events.json_body import decode_json
from lorawan.events.kinds import EventKind
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
from lorawan.events.protobuf_body import decode_protobuf

__all__ = [
    "Ack",
    "DeviceInfo",
    "DeviceStatus",
    "Event",
    "EventError",
    "EventKind",
    "Join",
    "Location",
    "Log",
    "MalformedEvent",
    "Modulation",
    "Reception",
    "TxAck",
    "UnknownEventKind",
    "Uplink",
    "decode_json",
    "decode_protobuf",
]
