"""From the bytes of an uplink to what they say."""

import struct

import msgspec

from lorawan.kuando.frames import F_PORT
from lorawan.kuando.light import Light
from lorawan.kuando.status import Status


class OtherReport(msgspec.Struct, frozen=True, gc=False):
    """A payload of a known kind that is no status."""

    kind: str
    raw: bytes


class UnknownReport(msgspec.Struct, frozen=True, gc=False):
    """A payload of no known kind, kept raw."""

    raw: bytes


def parse_uplink(f_port: int, data: bytes) -> Status | OtherReport | UnknownReport:
    """What an uplink says; total for any bytes."""
    if f_port != F_PORT or len(data) not in {24, 25}:
        return UnknownReport(data)
    rssi, snr, received, sent = struct.unpack_from("<iiII", data)
    red, blue, green, on, off, sw, hw, adr = data[16:24]
    bright = data[24] if len(data) == 25 else None
    return Status(rssi, snr, received, sent, Light(red, green, blue, on, off), sw, hw, adr, bright)
