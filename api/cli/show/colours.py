"""Colours in words and back, and as a swatch on a terminal.

A colour is never the only sign: words stand beside every swatch.
"""

import colorsys
import re
from collections.abc import Mapping
from typing import Any

from rich.text import Text

NAMES: dict[str, tuple[int, int, int]] = {
    "off": (0, 0, 0),
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "orange": (255, 100, 0),
    "cyan": (0, 255, 255),
    "violet": (120, 0, 255),
    "magenta": (255, 0, 255),
    "pink": (255, 40, 120),
    "white": (255, 255, 255),
}
ALIASES = {"dark": "off", "black": "off", "purple": "violet", "amber": "orange"}

_HUES = (
    (14, "red"),
    (40, "orange"),
    (68, "yellow"),
    (160, "green"),
    (200, "cyan"),
    (252, "blue"),
    (290, "violet"),
    (344, "pink"),
    (361, "red"),
)
"""The same bounds as the page's, so that both say the same word."""
_DIM_BELOW = 110
_HEX = re.compile(r"#?([0-9a-fA-F]{6})")


def parse_colour(text: str) -> tuple[int, int, int]:
    """Red, green and blue of a name or of #rrggbb. Raises ValueError in words."""
    word = text.strip().lower()
    word = ALIASES.get(word, word)
    if word in NAMES:
        return NAMES[word]
    if found := _HEX.fullmatch(word):
        red, green, blue = bytes.fromhex(found[1])
        return red, green, blue
    raise ValueError(f"{text!r} is no colour: {', '.join(NAMES)}, or #rrggbb")


def parse_blink(text: str) -> tuple[int, int]:
    """On and off of `on/off`, or of one number for both. Raises ValueError in words."""
    parts = text.split("/")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"{text!r} is no blink time such as 50/50 (lit/dark, in 1/100 s)")
    on, off = int(parts[0]), int(parts[-1])
    if not (1 <= on <= 255 and 0 <= off <= 255):
        raise ValueError("a light blinks 1 to 255 lit and 0 to 255 dark, in 1/100 s")
    return on, off


def words(light: Mapping[str, Any] | None) -> str:
    """`red`, `dim green`, `dark`, `blue, blinking`; `unknown` for None."""
    if light is None:
        return "unknown"
    red, green, blue = light["red"], light["green"], light["blue"]
    most = max(red, green, blue)
    if most == 0:
        return "dark"
    hue, saturation, _ = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    name = "white"
    if saturation >= 0.2:
        name = next(name for end, name in _HUES if hue * 360 < end)
    dim = "dim " if most < _DIM_BELOW else ""
    return f"{dim}{name}{', blinking' if light['off'] > 0 else ''}"


def code(light: Mapping[str, Any]) -> str:
    """`#rrggbb`, with the blink times where it blinks."""
    text = "#{red:02x}{green:02x}{blue:02x}".format(**light)
    return f"{text} {light['on']}/{light['off']}" if light["off"] else text


def swatch(light: Mapping[str, Any] | None, *, exact: bool = False) -> Text:
    """A patch of the colour and its words."""
    if light is None:
        return Text("?  unknown", style="dim")
    dark = not (light["red"] or light["green"] or light["blue"])
    patch = Text("○", style="dim") if dark else Text("●", style=code(light)[:7])
    text = patch + Text("  " + words(light), style="default")
    return text + Text(f"  {code(light)}", style="dim") if exact else text
