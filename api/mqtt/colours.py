"""What a light shows in the words of Home Assistant's JSON lights, and back, without drift. Pure.

A Busylight has three bytes of colour and no brightness. Home Assistant keeps a colour at full
brightness and the brightness apart. Both are made from the bytes like this: the brightness is the
largest of the three, the colour is the three scaled so that the largest is 255. Back, each is the
nearest to colour * brightness / 255. What comes back is always what was there: the scaled colour is
off by at most half a step, and less than half of one remains after it was scaled down again.

Facts of the schema: home-assistant/core, module `homeassistant.components.mqtt.light.schema_json`.
"""

from typing import Any, NamedTuple

from lorawan.kuando.light_state import LightState

FULL = 255
STEADY = (255, 0)
SOLID = "solid"
EFFECTS: dict[str, tuple[int, int]] = {
    SOLID: STEADY,
    "blink": (50, 50),
    "blink fast": (20, 20),
    "blink slow": (100, 100),
}
"""By name, how long lit and how long dark, in 1/100 s; the light takes them as bytes."""
WHITE = (FULL, FULL, FULL)


class Colour(NamedTuple):
    """Red, green and blue at full brightness, and the brightness: all 0 to 255."""

    red: int
    green: int
    blue: int
    brightness: int


def colour_of(light: LightState) -> Colour:
    """Colour and brightness of what a light shows; white without brightness for a dark one."""
    most = max(light.red, light.green, light.blue)
    if most == 0:
        return Colour(*WHITE, 0)
    red, green, blue = (_scaled(each, FULL, most) for each in (light.red, light.green, light.blue))
    return Colour(red, green, blue, most)


def bytes_of(colour: Colour) -> tuple[int, int, int]:
    """The three bytes for a light."""
    red, green, blue = (_scaled(each, colour.brightness, FULL) for each in colour[:3])
    return red, green, blue


def dark(light: LightState) -> bool:
    """Whether nothing of it can be seen."""
    return not (light.red or light.green or light.blue)


def effect_of(light: LightState) -> str:
    """The name of how it blinks; `blink` for times that have no name of their own."""
    if light.off == 0:
        return SOLID
    times = (light.on, light.off)
    return next((name for name, known in EFFECTS.items() if known == times), "blink")


def state_of(light: LightState | None) -> dict[str, Any]:
    """The payload of a light's state; what is not known is null, which Home Assistant shows so."""
    if light is None:
        return {"state": None}
    if dark(light):
        return {"state": "OFF"}
    colour = colour_of(light)
    return {
        "state": "ON",
        "color_mode": "rgb",
        "color": {"r": colour.red, "g": colour.green, "b": colour.blue},
        "brightness": colour.brightness,
        "effect": effect_of(light),
    }


def _scaled(value: int, by: int, of: int) -> int:
    """The whole number nearest to value * by / of, halves upward."""
    return (2 * value * by + of) // (2 * of)
