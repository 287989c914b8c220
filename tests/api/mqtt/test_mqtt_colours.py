"""What a light shows, in Home Assistant's words and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.mqtt.colours import EFFECTS, Colour, bytes_of, colour_of, effect_of, state_of
from lorawan.kuando.light_state import LightState

BYTES = st.integers(0, 255)


@given(BYTES, BYTES, BYTES)
def test_what_comes_back_from_home_assistant_is_what_the_light_shows(
    r: int, g: int, b: int
) -> None:
    light = LightState(r, g, b)
    assert bytes_of(colour_of(light)) == (r, g, b)
    again = colour_of(LightState(*bytes_of(colour_of(light))))
    assert again == colour_of(light)


@given(BYTES, BYTES, BYTES)
def test_a_colour_is_told_at_full_brightness_beside_its_brightness(r: int, g: int, b: int) -> None:
    colour = colour_of(LightState(r, g, b))
    assert max(colour[:3]) == 255
    assert colour.brightness == max(r, g, b)


def test_brightness_scales_the_colour() -> None:
    assert bytes_of(Colour(255, 128, 0, 51)) == (51, 26, 0)
    assert bytes_of(Colour(10, 20, 30, 255)) == (10, 20, 30)


@pytest.mark.parametrize(("name", "times"), EFFECTS.items())
def test_each_effect_is_known_again(name: str, times: tuple[int, int]) -> None:
    assert effect_of(LightState(1, 2, 3, *times)) == name


def test_a_steady_light_is_solid_whatever_its_lit_time() -> None:
    assert effect_of(LightState(1, 2, 3, on=7, off=0)) == "solid"


def test_blink_times_without_a_name_are_a_blink() -> None:
    assert effect_of(LightState(1, 2, 3, on=7, off=9)) == "blink"


def test_a_state_says_what_is_shown() -> None:
    assert state_of(LightState(0, 53, 0)) == {
        "state": "ON",
        "color_mode": "rgb",
        "color": {"r": 0, "g": 255, "b": 0},
        "brightness": 53,
        "effect": "solid",
    }
    assert state_of(LightState(0, 0, 0, 50, 50)) == {"state": "OFF"}


def test_what_is_not_known_is_told_as_unknown() -> None:
    assert state_of(None) == {"state": None}
