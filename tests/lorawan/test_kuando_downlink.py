import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorawan.kuando import (
    F_PORT,
    AutoUplink,
    DownlinkError,
    ForbiddenDownlink,
    HighBrightness,
    LightState,
    PayloadRefused,
    ReplyPolicy,
    RequestStatus,
    SetLight,
    Status,
    StatusInterval,
    answers_downlinks,
    encode,
    guard,
    parse_uplink,
    wants_reply,
)
from tests.support import lorawan_strategies as some

DATA = Path(__file__).parents[1] / "data"
DOWNLINKS = [v for v in json.loads((DATA / "kuando.json").read_text()) if v["direction"] == "down"]
COLOURS = [v for v in DOWNLINKS if v["kind"].startswith("colour")]
COMMANDS = sorted({v["hex"] for v in DOWNLINKS if v["kind"] == "command"})
SENT = {
    "040f": StatusInterval(minutes=15),
    "0501": RequestStatus(),
    "0600": AutoUplink(on=False),
    "0601": AutoUplink(on=True),
    "0700": HighBrightness(on=False),
    "0701": HighBrightness(on=True),
}
RED = LightState(red=255, green=0, blue=0)


def test_every_downlink_of_the_documents_is_here():
    assert len(COLOURS) + sum(v["kind"] == "command" for v in DOWNLINKS) == len(DOWNLINKS) == 44
    assert set(SENT) < set(COMMANDS)


@pytest.mark.parametrize("vector", COLOURS, ids=lambda vector: vector["hex"])
def test_colours_of_the_documents(vector):
    decoded = dict(vector["decoded"])
    reply = decoded.pop("reply", 0) == 1
    assert encode(SetLight(light=LightState(**decoded), reply=reply)).hex() == vector["hex"]


@pytest.mark.parametrize("hexadecimal", COMMANDS)
def test_commands_of_the_documents_are_encoded_or_refused(hexadecimal):
    payload = bytes.fromhex(hexadecimal)
    if hexadecimal in SENT:
        assert encode(SENT[hexadecimal]) == payload
    else:
        with pytest.raises(ForbiddenDownlink) as caught:
            guard(payload)
        assert caught.value.payload == payload


@pytest.mark.parametrize(
    ("hexadecimal", "words"),
    [
        ("aa00", "factory"),
        ("bbff", "boot mode"),
        ("0306", "watchdog"),
        ("0100", "ADR"),
        ("0200", "ADR"),
        ("09ffffffffffff", "after a join"),
        ("10" + "00" * 8, "JoinEUI"),
        ("11" + "00" * 16, "AppKey"),
        ("", "empty payload"),
        ("000000", "none of the payloads"),
        ("0400", "none of the payloads"),
        ("0500", "none of the payloads"),
        ("0602", "none of the payloads"),
        ("000000ff0000", "none of the payloads"),
        ("000000ff0002", "none of the payloads"),
    ],
)
def test_what_must_not_be_sent_is_refused_with_the_reason(hexadecimal, words):
    with pytest.raises(ForbiddenDownlink, match=words):
        guard(bytes.fromhex(hexadecimal))


def test_a_refusal_shows_no_key():
    with pytest.raises(ForbiddenDownlink) as caught:
        guard(b"\x11" + bytes(range(0xA0, 0xB0)))
    assert "A1" not in str(caught.value).upper()


@pytest.mark.parametrize("red", [0x03, 0x04, 0x06, 0x09, 0x10, 0x11, 0xAA, 0xBB])
def test_a_colour_may_begin_like_a_command(red):
    payload = encode(SetLight(light=LightState(red=red, green=1, blue=2), reply=True))
    assert payload == bytes([red, 2, 1, 255, 0, 1])


@given(some.frames())
def test_whatever_is_encoded_passes_the_guard(frame):
    guard(encode(frame))


@given(st.binary(max_size=64))
def test_the_guard_passes_only_what_a_frame_encodes_to(payload):
    try:
        guard(payload)
    except ForbiddenDownlink:
        return
    assert payload in _all_encodings(payload)


def test_the_guard_passes_exactly_these_commands():
    passed = {bytes([a, b]) for a in range(256) for b in range(256) if _passes(bytes([a, b]))}
    commands = [StatusInterval(minutes=minutes) for minutes in range(1, 256)]
    assert passed == {encode(frame) for frame in [*commands, *SENT.values()]}


@given(some.lights(), some.statuses(), st.booleans())
def test_a_status_repeats_the_bytes_of_the_colour(light, status, reply):
    sent = encode(SetLight(light=light, reply=reply))
    payload = some.status_bytes(status)
    report = parse_uplink(F_PORT, payload[:16] + sent[:5] + payload[21:])
    assert isinstance(report, Status)
    assert report.light == light


@pytest.mark.parametrize("field", ["red", "green", "blue", "on", "off"])
@pytest.mark.parametrize("value", [-1, 256, 10**30, 1.5, True])
def test_a_byte_out_of_range_is_refused_by_name(field, value):
    light = LightState(**{"red": 0, "green": 0, "blue": 0, field: value})
    with pytest.raises(PayloadRefused, match=f"^{field} must be between 0 and 255") as caught:
        encode(SetLight(light=light, reply=False))
    assert (caught.value.field, caught.value.lowest, caught.value.highest) == (field, 0, 255)


@pytest.mark.parametrize("minutes", [0, 256, -5])
def test_an_interval_out_of_range_is_refused(minutes):
    with pytest.raises(PayloadRefused, match=r"^minutes must be between 1 and 255"):
        encode(StatusInterval(minutes=minutes))


@pytest.mark.parametrize("frame", [AutoUplink(on=2), HighBrightness(on=255)])
def test_a_switch_that_is_no_switch_does_not_pass_the_guard(frame):
    with pytest.raises(ForbiddenDownlink):
        encode(frame)


def test_one_family_of_errors():
    assert issubclass(PayloadRefused, DownlinkError)
    assert issubclass(ForbiddenDownlink, DownlinkError)


@pytest.mark.parametrize(
    ("policy", "sw_rev", "wanted"),
    [
        (ReplyPolicy.AUTO, None, False),
        (ReplyPolicy.AUTO, 57, False),
        (ReplyPolicy.AUTO, 58, True),
        (ReplyPolicy.ALWAYS, None, True),
        (ReplyPolicy.ALWAYS, 41, True),
        (ReplyPolicy.NEVER, 68, False),
    ],
)
def test_when_a_reply_is_asked_for(policy, sw_rev, wanted):
    assert wants_reply(policy, sw_rev) is wanted


def test_which_software_answers_downlinks():
    assert [answers_downlinks(sw_rev) for sw_rev in (41, 55, 56, 68)] == [False, False, True, True]


def _passes(payload):
    try:
        guard(payload)
    except ForbiddenDownlink:
        return False
    return True


def _all_encodings(payload):
    if len(payload) == 2:
        yield from (encode(frame) for frame in SENT.values())
        yield encode(StatusInterval(minutes=payload[1] or 1))
    else:
        red, blue, green, on, off = payload[:5]
        light = LightState(red=red, green=green, blue=blue, on=on, off=off)
        yield encode(SetLight(light=light, reply=len(payload) == 6))
