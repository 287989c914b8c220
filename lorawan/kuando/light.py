"""What a Busylight shows: the five bytes that a command sets and a status repeats.

The rule it keeps: the bytes are compared raw and never rescaled, because the sources disagree on
the unit of the blink times (Plenom v4.2.2: 1/100 s down, 1/10 s up) while the uplink repeats the
downlink's bytes.
"""

import msgspec


class Light(msgspec.Struct, frozen=True, gc=False, order=True):
    """Colour and blink of a light, each field one byte (0-255).

    `on` and `off` are the blink times as the device takes them; `off` = 0 is steady whatever
    `on` is. On the wire the order is red, BLUE, green, on, off.
    """

    red: int
    green: int
    blue: int
    on: int = 255
    off: int = 0

    @property
    def steady(self) -> bool:
        """True when the light does not blink."""
        return self.off == 0

    @property
    def dark(self) -> bool:
        """True when nothing is lit: no colour, or never on."""
        return (self.red, self.green, self.blue) == (0, 0, 0)


AFTER_JOIN = Light(red=0, green=0x35, blue=0, on=255, off=0)
"""The dim green shown after every join (Plenom v4.2.2: `000035FF00`)."""
