"""Orders as they come by MQTT, right and wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.mqtt.orders import Known, Order, WrongOrder, read_order
from lorawan.kuando.light_state import LightState

RED, DIM_GREEN, OFF = LightState(255, 0, 0), LightState(0, 53, 0), LightState(0, 0, 0)


def read(order: Any, known: Known = Known()) -> Order:  # noqa: B008 frozen
    payload = order if isinstance(order, bytes) else json.dumps(order).encode()
    return read_order(payload, known)


def light(order: Any, known: Known = Known()) -> LightState:  # noqa: B008 frozen
    return read(order, known).light


def wrong(order: Any) -> str:
    with pytest.raises(WrongOrder) as caught:
        read(order)
    return str(caught.value)


def understood_or_told(payload: bytes) -> str:
    try:
        return repr(read_order(payload, Known()).light)
    except WrongOrder as error:
        return str(error)


def test_home_assistants_order_of_a_colour_is_followed() -> None:
    assert light({"state": "ON", "color": {"r": 255, "g": 0, "b": 0}}) == RED


def test_colour_brightness_and_effect_together() -> None:
    order = {
        "state": "ON",
        "color": {"r": 255, "g": 0, "b": 0},
        "brightness": 51,
        "effect": "blink",
    }
    assert light(order) == LightState(51, 0, 0, 50, 50)


# Recorded of Home Assistant 2026.11.0, to which the bridge had described this light.
@pytest.mark.parametrize(
    ("order", "asked"),
    [
        (
            b'{"state":"ON","color":{"r":255,"g":0,"b":0},"brightness":128,"effect":"blink"}',
            LightState(128, 0, 0, 50, 50),
        ),
        (b'{"state":"OFF"}', OFF),
    ],
)
def test_what_home_assistant_itself_sends_is_followed(order: bytes, asked: LightState) -> None:
    assert light(order) == asked


def test_brightness_alone_keeps_the_colour_that_is_being_ordered() -> None:
    known = Known(pending=RED, shown=DIM_GREEN)
    assert light({"state": "ON", "brightness": 100}, known) == LightState(100, 0, 0)


def test_an_effect_alone_keeps_colour_and_brightness() -> None:
    known = Known(shown=LightState(10, 5, 3))
    assert light({"state": "ON", "effect": "blink slow"}, known) == LightState(10, 5, 3, 100, 100)


def test_a_colour_alone_keeps_a_brightness_that_somebody_chose() -> None:
    known = Known(shown=LightState(0, 100, 0), wanted=LightState(0, 100, 0))
    assert light({"color": {"r": 255, "g": 0, "b": 0}}, known) == LightState(100, 0, 0)


def test_the_dim_green_after_a_join_dims_no_order() -> None:
    assert light({"color": {"r": 255, "g": 0, "b": 0}}, Known(shown=DIM_GREEN)) == RED


def test_on_alone_brings_back_what_was_lit_last() -> None:
    assert light({"state": "ON"}, Known(None, OFF, OFF, RED)) == RED
    assert light({"state": "ON"}, Known(None, OFF, OFF, None)) == LightState(255, 255, 255)


def test_off_is_dark_and_steady() -> None:
    assert light({"state": "OFF"}, Known(shown=LightState(1, 2, 3, 50, 50))) == OFF
    assert light({"state": "ON", "brightness": 0}, Known(shown=RED)) == OFF


def test_a_transition_is_named_as_not_followed() -> None:
    assert read({"state": "OFF", "transition": 2}).ignored == ("transition",)


def test_our_own_spelling_is_that_of_the_http_api() -> None:
    order = read(
        {
            "red": 1,
            "green": 2,
            "blue": 3,
            "on": 5,
            "off": 6,
            "keep": False,
            "ttl_s": 60.0,
            "id": "x",
        }
    )
    assert order == Order(LightState(1, 2, 3, 5, 6), False, 60.0, "x")


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (b"red", "not valid JSON"),
        (b"[1]", "must be a JSON object"),
        ({}, "an order has red, green and blue, or state"),
        ({"red": 1}, "green is missing; blue is missing"),
        ({"red": 256, "green": 0, "blue": 0}, "red must be less than or equal to 255"),
        ({"state": "on"}, "state must be 'ON' or 'OFF'"),
        ({"state": "ON", "flash": "short"}, "flash is not supported: give the effect blink"),
        ({"state": "ON", "color_temp": 300}, "color_temp is not supported"),
        ({"state": "ON", "effect": "rainbow"}, "effect must be one of solid, blink"),
        ({"state": "ON", "brightness": 12.5}, "brightness must be a whole number"),
        ({"state": "ON", "colour": 1}, "colour is not a known field"),
        (b'{"state": "ON", "state": "OFF"}', "state is given more than once"),
        (b'{"red": 1, "green": 1, "blue": 1, "id": "' + b"x" * 5000 + b'"}', "longer than 4096"),
    ],
)
def test_a_wrong_order_is_told_what_is_wrong(order: Any, words: str) -> None:
    assert words in wrong(order)


def test_who_sent_a_wrong_order_is_known_by_its_id() -> None:
    with pytest.raises(WrongOrder) as caught:
        read({"id": "mine", "red": 1})
    assert caught.value.id == "mine"


@given(st.binary(max_size=200))
def test_whatever_comes_is_an_order_or_told_to_be_none(payload: bytes) -> None:
    assert understood_or_told(payload)


@given(
    st.dictionaries(
        st.sampled_from(
            ["state", "color", "brightness", "effect", "red", "green", "blue", "on", "id"]
        ),
        st.one_of(
            st.none(), st.integers(), st.floats(), st.text(), st.lists(st.integers(), max_size=2)
        ),
    )
)
def test_odd_members_are_an_order_or_told_to_be_none(order: dict[str, Any]) -> None:
    assert understood_or_told(json.dumps(order).encode())
