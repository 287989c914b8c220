"""From a frame to the bytes that are sent, and the list of what must never be sent.

The rule it keeps: every payload of ours passes `guard`, whoever made it. The length selects the
kind of a downlink: two bytes are a command, five or six a colour (Plenom v4.2.2).
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


class PayloadRefused(ValueError):
    """Ours: a value that does not fit the device's bytes."""


class ForbiddenDownlink(PayloadRefused):
    """Ours: a payload that must never reach a light."""


class ReplyPolicy(StrEnum):
    """When a colour asks for a status by its sixth byte."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


REPLY_FROM_SW_REV = 58
AUTO_UPLINK_FROM_SW_REV = 56


def wants_reply(policy: ReplyPolicy, sw_rev: int | None) -> bool:
    """Whether a colour for this software revision carries the sixth byte."""
    match policy:
        case ReplyPolicy.ALWAYS:
            return True
        case ReplyPolicy.NEVER:
            return False
        case ReplyPolicy.AUTO:
            return sw_rev is not None and sw_rev >= REPLY_FROM_SW_REV


def answers_downlinks(sw_rev: int | None) -> bool:
    """Whether 0601 and 0501 exist in this software revision (from 5.6)."""
    return sw_rev is not None and sw_rev >= AUTO_UPLINK_FROM_SW_REV


def encode(frame: Frame) -> bytes:
    """The payload of a frame. Raises PayloadRefused for a value that is no byte."""
    match frame:
        case SetLight(light, reply):
            fields = (light.red, light.blue, light.green, light.on, light.off)
            values = [*fields, 1] if reply else [*fields]
        case AutoUplink(on):
            values = [0x06, int(on)]
        case StatusInterval(minutes):
            if minutes < 1:
                raise PayloadRefused(f"minutes: {minutes} is not 1-255")
            values = [0x04, minutes]
        case RequestStatus():
            values = [0x05, 0x01]
        case HighBrightness(on):
            values = [0x07, int(on)]
    for value in values:
        if not 0 <= value <= 255:
            raise PayloadRefused(f"{value} is not a byte (0-255)")
    payload = bytes(values)
    guard(payload)
    return payload


def guard(payload: bytes) -> None:
    """Raise ForbiddenDownlink unless this is a payload of a kind that we send."""
    if len(payload) in {5, 6}:
        return
    if len(payload) == 2 and payload[0] in {0x04, 0x05, 0x06, 0x07}:
        return
    raise ForbiddenDownlink(f"{payload.hex()} is no downlink that may be sent")
