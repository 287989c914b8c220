"""What a Busylight shows: the five bytes that a command sets and a status repeats.

The bytes are compared raw and never rescaled, because the sources disagree on the unit of the blink
times (Plenom v4.2.2: 1/100 s down, 1/10 s up) while the uplink repeats the downlink's bytes.
"""

from typing import Annotated

import msgspec

Byte = Annotated[int, msgspec.Meta(ge=0, le=255)]
"""One byte of a payload. Checked when decoded from JSON or the store, and by `encode`."""


class LightState(msgspec.Struct, frozen=True, gc=False):
    """Colour and blink of a light, each field one byte (0-255).

    `on` and `off` are the blink times as the device takes them; `off` = 0 is steady whatever
    `on` is. In a payload the order is red, BLUE, green, on, off.
    """

    red: Byte
    green: Byte
    blue: Byte
    on: Byte = 255
    off: Byte = 0


AFTER_JOIN = LightState(red=0, green=0x35, blue=0, on=255, off=0)
"""The dim green shown after every join (Plenom v4.2.2: `000035FF00`; software 5.6: green 0x32)."""
