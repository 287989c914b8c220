import msgspec
import pytest
from hypothesis import given

from lorawan.kuando import Frame, LightState
from tests.support import lorawan_strategies as some


@pytest.mark.parametrize(
    "body", [b'{"red":256,"green":0,"blue":0}', b'{"red":0,"green":-1,"blue":0}']
)
def test_what_is_read_back_from_a_store_fits_a_byte(body):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=LightState)


@given(some.frames())
def test_a_frame_survives_the_store(frame):
    assert msgspec.json.decode(msgspec.json.encode(frame), type=Frame) == frame
