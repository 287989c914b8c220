"""What breaking the codec on purpose showed to be held by no other test."""

from itertools import product

import msgspec
import pytest

from lorawan.kuando import AFTER_JOIN, LightState, frames, reports
from lorawan.kuando.downlink import ForbiddenDownlink, ReplyPolicy, encode, wants_reply
from lorawan.kuando.frames import F_PORT

SHORT = (
    frames.SetLight(AFTER_JOIN, reply=False),
    frames.AutoUplink(on=True),
    frames.StatusInterval(255),
    frames.RequestStatus(),
    frames.HighBrightness(on=True),
)
DOCUMENTED = {
    *((2, reports._CONFIRMATION, selector) for selector in (0x10, 0x11)),
    *((3, reports._REGISTERS, selector) for selector in (1, 2, 3, 4)),
    *((6, reports._REGISTERS, selector) for selector in (5, 6)),
    (8, reports._REGISTERS, 7),
}


def test_the_light_of_a_join_and_the_port() -> None:
    assert LightState(red=0, green=0x35, blue=0, on=255, off=0) == AFTER_JOIN
    assert F_PORT == 15


@pytest.mark.parametrize("value", [AFTER_JOIN, frames.AutoUplink(on=True), frames.RequestStatus()])
def test_values_of_the_codec_are_hashable_for_they_are_frozen(value: msgspec.Struct) -> None:
    assert type(value).__struct_config__.frozen


@pytest.mark.parametrize(
    "kind",
    [
        LightState,
        frames.SetLight,
        frames.StatusInterval,
        frames.HighBrightness,
        reports.OtherReport,
        reports.UnknownReport,
        reports.Status,
    ],
)
def test_no_value_of_the_codec_can_be_changed(kind: type[msgspec.Struct]) -> None:
    assert kind.__struct_config__.frozen


def test_the_longest_frame_is_a_colour_that_asks_for_a_reply() -> None:
    sizes = {len(encode(frame)) for frame in (*SHORT, frames.SetLight(AFTER_JOIN, reply=True))}
    assert max(sizes) == frames.FRAME_BYTES_MOST


def test_every_revision_from_the_first_that_replies_is_asked_to() -> None:
    answered = [rev for rev in range(256) if wants_reply(ReplyPolicy.AUTO, rev)]
    assert answered == list(range(answered[0], 256))
    assert 1 < len(answered) < 256


@pytest.mark.parametrize(("raw", "shown"), [("AABB", "AABB ("), ("AABBCC", "AABB... (")])
def test_a_refusal_shows_the_first_two_bytes(raw: str, shown: str) -> None:
    assert str(ForbiddenDownlink(bytes.fromhex(raw), "no")).startswith(shown)


@pytest.mark.parametrize("size", [2, 3, 6, 8])
def test_only_documented_answers_are_told_from_unknown_ones(size: int) -> None:
    for head, selector in product(range(256), range(0x14)):
        data = bytes([head, selector]) + bytes(size - 2)
        known = isinstance(reports.parse_uplink(F_PORT, data), reports.OtherReport)
        assert known == ((size, head, selector) in DOCUMENTED), data.hex()
