"""Reads what a Busylight sends: its status, and the rarer answers.

Every payload is read without an error, and nothing is guessed: port and length select the format,
and what is not documented stays raw bytes. Only a `Status` can verify anything: the other forms
lack the downlink counter.

Integers are little-endian. Source: Plenom v4.2.2, and Plenom's codec at The Things Network.
"""

import struct
from enum import StrEnum

import msgspec

from lorawan.kuando.frames import F_PORT
from lorawan.kuando.light_state import LightState
from lorawan.kuando.status import Status

# RSSI and SNR signed, two counters unsigned, then bytes. Both public codecs in JavaScript read the
# counters as signed; they count up, so the sign would only appear after 2^31 messages.
_STATUS = struct.Struct("<iiIIBBBBBBBB")
_SHORT = struct.Struct("<IBBBBBB")
_REGISTER = struct.Struct("<i")

_CONFIRMATION = 0xFF
_REGISTERS = 0x09


class ReportKind(StrEnum):
    """What an uplink is when it is no status."""

    SHORT_STATUS = "short_status"
    """10 bytes: uplink counter, colour, times, brightness."""
    CPU_TEMPERATURE = "cpu_temperature"
    THROTTLE = "throttle"
    RESET_CAUSE = "reset_cause"
    ADR = "adr"
    RSSI = "rssi"
    SNR = "snr"
    POWER = "power"
    """8 bytes of another model (voltage, charger, button), kept raw."""
    SOUND_MODEL = "sound_model"
    """19 or 20 bytes of the model Delta, kept raw."""
    JOIN_EUI_WRITTEN = "join_eui_written"
    APP_KEY_WRITTEN = "app_key_written"


class OtherReport(msgspec.Struct, frozen=True, gc=False):
    """A documented uplink that is no status.

    `value` is the answer to a register query (a byte; dBm for RSSI, raw for SNR). The last three
    belong to the short status.
    """

    kind: ReportKind
    raw: bytes
    value: int | None = None
    light: LightState | None = None
    uplinks_sent: int | None = None
    high_brightness: int | None = None


class UnknownReport(msgspec.Struct, frozen=True, gc=False):
    """An uplink of another port, or of no documented form."""

    f_port: int
    raw: bytes


Report = Status | OtherReport | UnknownReport

_BYTE_REGISTERS = {
    0x01: ReportKind.CPU_TEMPERATURE,
    0x02: ReportKind.THROTTLE,
    0x03: ReportKind.RESET_CAUSE,
    0x04: ReportKind.ADR,
}
_INT_REGISTERS = {0x05: ReportKind.RSSI, 0x06: ReportKind.SNR}
_CONFIRMED = {0x10: ReportKind.JOIN_EUI_WRITTEN, 0x11: ReportKind.APP_KEY_WRITTEN}


def parse_uplink(f_port: int, data: bytes) -> Report:
    """What the light reports in `data`, received on port `f_port`. Raises nothing."""
    if f_port != F_PORT:
        return UnknownReport(f_port=f_port, raw=data)
    match len(data):
        case 24 | 25:
            return _status(data)
        case 10:
            return _short_status(data)
        case 19 | 20:
            return OtherReport(kind=ReportKind.SOUND_MODEL, raw=data)
        case 2 | 3 | 6 | 8:
            return _answer(data) or UnknownReport(f_port=f_port, raw=data)
        case _:
            return UnknownReport(f_port=f_port, raw=data)


def _status(data: bytes) -> Status:
    rssi, snr, received, sent, red, blue, green, on, off, sw_rev, hw_rev, adr = _STATUS.unpack_from(
        data
    )
    return Status(
        rssi_dbm=rssi,
        snr_raw=snr,
        downlinks_received=received,
        uplinks_sent=sent,
        light=LightState(red=red, green=green, blue=blue, on=on, off=off),
        sw_rev=sw_rev,
        hw_rev=hw_rev,
        adr=adr,
        high_brightness=data[24] if len(data) == 25 else None,
    )


def _short_status(data: bytes) -> OtherReport:
    sent, red, blue, green, on, off, brightness = _SHORT.unpack(data)
    return OtherReport(
        kind=ReportKind.SHORT_STATUS,
        raw=data,
        light=LightState(red=red, green=green, blue=blue, on=on, off=off),
        uplinks_sent=sent,
        high_brightness=brightness,
    )


def _answer(data: bytes) -> OtherReport | None:
    head, selector = data[0], data[1]
    if len(data) == 2 and head == _CONFIRMATION and selector in _CONFIRMED:
        return OtherReport(kind=_CONFIRMED[selector], raw=data)
    if head != _REGISTERS:
        return None
    if len(data) == 3 and selector in _BYTE_REGISTERS:
        return OtherReport(kind=_BYTE_REGISTERS[selector], raw=data, value=data[2])
    if len(data) == 6 and selector in _INT_REGISTERS:
        (value,) = _REGISTER.unpack_from(data, 2)
        return OtherReport(kind=_INT_REGISTERS[selector], raw=data, value=value)
    if len(data) == 8 and selector == 0x07:
        return OtherReport(kind=ReportKind.POWER, raw=data)
    return None
