"""Turns the frames that we send into the bytes of the device, and keeps all others from being sent.

Whatever is not on the short list of harmless payloads is refused. After some commands somebody must
climb a ladder to the light: a factory reset, boot mode, another JoinEUI or AppKey.

The length selects the kind, so a 5-byte colour may begin with the byte of a forbidden command; red
170 is not AA00.

    DownlinkError
    ├── PayloadRefused          a value does not fit its byte
    └── ForbiddenDownlink       the payload must never be sent
"""

from enum import StrEnum

from lorawan.kuando.frames import (
    AutoUplink,
    Frame,
    HighBrightness,
    RequestStatus,
    SetLight,
    StatusInterval,
)
from lorawan.kuando.light_state import LightState

REPLY = 0x01
"""The sixth byte of a colour: send one status uplink in answer."""

_STATUS_INTERVAL = 0x04
_REQUEST_STATUS = 0x05
_AUTO_UPLINK = 0x06
_HIGH_BRIGHTNESS = 0x07

_HARMLESS = frozenset(
    {bytes([_REQUEST_STATUS, 0x01])}
    | {bytes([kind, value]) for kind in (_AUTO_UPLINK, _HIGH_BRIGHTNESS) for value in (0, 1)}
    # What an interval of 0 does is not documented.
    | {bytes([_STATUS_INTERVAL, minutes]) for minutes in range(1, 256)}
)

_FORBIDDEN = {
    (2, 0x01): "switches ADR, which is the network server's business",
    (2, 0x02): "switches ADR, which is the network server's business",
    (2, 0x03): "sets the restart watchdog, whose meaning changed between revisions",
    (2, 0xAA): "restores the factory settings",
    (2, 0xBB): "enters boot mode at the next power-up",
    (7, 0x09): "changes the light shown after a join, by which a join is recognised",
    (9, 0x10): "writes a new JoinEUI",
    (17, 0x11): "writes a new AppKey",
}

_ANSWERS_FROM = 56
_REPLIES_FROM = 58


class DownlinkError(Exception):
    """A payload that was not sent. Base of the family; a mistake of the caller."""


class PayloadRefused(DownlinkError):
    """`field` of a frame is `value`, outside its range; both ends of the range are allowed."""

    def __init__(self, field: str, value: object, lowest: int, highest: int) -> None:
        super().__init__(f"{field} must be between {lowest} and {highest}, not {value!r}")
        self.field = field
        self.lowest = lowest
        self.highest = highest


class ForbiddenDownlink(DownlinkError):
    """`payload` is not one of the harmless ones; `reason` says what it would do, for people."""

    def __init__(self, payload: bytes, reason: str) -> None:
        # The first bytes tell the command; the rest of a long one could be a key.
        shown = payload[:2].hex().upper() + ("..." if len(payload) > 2 else "")
        super().__init__(f"{shown or 'an empty payload'} ({len(payload)} bytes) {reason}")
        self.payload = payload
        self.reason = reason


class ReplyPolicy(StrEnum):
    """When a colour asks for a status in reply (its sixth byte).

    AUTO leaves it out where the software is unknown or older than 5.8, because reports from the
    field about older lights contradict each other.
    """

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def encode(frame: Frame) -> bytes:
    """The payload of a frame, for port `F_PORT`.

    Raises `PayloadRefused` for a value outside its range. Source: Plenom v4.2.2.
    """
    payload = _encode(frame)
    guard(payload)
    return payload


def guard(payload: bytes) -> None:
    """Raises `ForbiddenDownlink` unless this is a payload that `encode` could have made.

    Harmless are a colour (5 bytes, or 6 with 01 at the end), 04nn from 1 minute, 0501, 0600, 0601,
    0700 and 0701; what is not listed is refused, known or not.
    """
    match len(payload):
        case 5:
            return
        case 6 if payload[5] == REPLY:
            return
        case 2 if payload in _HARMLESS:
            return
    known = _FORBIDDEN.get((len(payload), payload[0])) if payload else None
    raise ForbiddenDownlink(payload, known or "is none of the payloads known to be harmless")


def wants_reply(policy: ReplyPolicy, sw_rev: int | None) -> bool:
    """Whether a colour should have the sixth byte. `sw_rev` is the revision times ten, None while
    the light has not reported it."""
    match policy:
        case ReplyPolicy.ALWAYS:
            return True
        case ReplyPolicy.NEVER:
            return False
        case ReplyPolicy.AUTO:
            return sw_rev is not None and sw_rev >= _REPLIES_FROM


def answers_downlinks(sw_rev: int) -> bool:
    """Whether the software knows the automatic uplink (0601) and the status request (0501):
    from 5.6, `sw_rev` = 56."""
    return sw_rev >= _ANSWERS_FROM


def _encode(frame: Frame) -> bytes:
    match frame:
        case SetLight(light, reply):
            return _light_bytes(light) + (bytes([REPLY]) if reply else b"")
        case AutoUplink(on):
            return bytes([_AUTO_UPLINK, on])
        case StatusInterval(minutes):
            return bytes([_STATUS_INTERVAL, _in_range("minutes", minutes, 1)])
        case RequestStatus():
            return bytes([_REQUEST_STATUS, 0x01])
        case HighBrightness(on):
            return bytes([_HIGH_BRIGHTNESS, on])


def _light_bytes(light: LightState) -> bytes:
    fields = ("red", "blue", "green", "on", "off")
    return bytes(_in_range(field, getattr(light, field), 0) for field in fields)


def _in_range(field: str, value: int, lowest: int) -> int:
    # A float or a bool could come from a caller that mypy never saw; bytes() would take the bool.
    if type(value) is not int or not lowest <= value <= 255:
        raise PayloadRefused(field, value, lowest, 255)
    return value
