import msgspec
import pytest
from hypothesis import given

from lorawan.kuando import AFTER_JOIN, Frame, LightState
from tests.support import lorawan_strategies as some


def test_off_alone_makes_a_light_steady():
    assert LightState(red=1, green=0, blue=0, on=0, off=0).steady
    assert LightState(red=1, green=0, blue=0, on=255, off=0).steady
    assert not LightState(red=1, green=0, blue=0, on=255, off=1).steady


def test_dark_is_without_colour():
    assert LightState(red=0, green=0, blue=0, on=255, off=0).dark
    assert not AFTER_JOIN.dark


@pytest.mark.parametrize(
    "body", [b'{"red":256,"green":0,"blue":0}', b'{"red":0,"green":-1,"blue":0}']
)
def test_what_is_read_back_from_a_store_fits_a_byte(body):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=LightState)


@given(some.frames())
def test_a_frame_survives_the_store(frame):
    assert msgspec.json.decode(msgspec.json.encode(frame), type=Frame) == frame
