"""Whatever arrives is an event or is refused: no input raises anything else."""

import json

import pytest
from chirpstack_api.integration import integration_pb2
from google.protobuf.json_format import ParseDict
from hypothesis import given
from hypothesis import strategies as st

from lorawan.events import EventError, EventKind, decode_json, decode_protobuf
from lorawan.events.model import Event
from tests.support import lorawan_strategies as some
from tests.support.event_vectors import body

KINDS = st.sampled_from([str(kind) for kind in EventKind])
UP = body("capture-http-up-two-gateways-extra-field")
RAW = ParseDict(UP, integration_pb2.UplinkEvent(), ignore_unknown_fields=True).SerializeToString()
EXAMPLES = {
    "up": "capture-up-class-c",
    "join": "capture-join-class-c",
    "txack": "docs-txack",
    "ack": "docs-ack",
    "log": "docs-log",
    "status": "docs-status",
    "location": "docs-location",
}


def attempt(decode, kind, raw):
    try:
        event = decode(kind, raw)
    except EventError:
        return
    assert isinstance(event, Event)


@pytest.mark.parametrize("decode", [decode_json, decode_protobuf])
@given(kind=KINDS | st.text(max_size=20), raw=st.binary(max_size=300))
def test_any_bytes(decode, kind, raw):
    attempt(decode, kind, raw)


@given(kind=KINDS, value=some.json_values())
def test_any_json(kind, value):
    attempt(decode_json, kind, json.dumps(value).encode())


@pytest.mark.parametrize("kind", list(EXAMPLES))
@given(data=st.data())
def test_any_event_spoilt_in_one_place(kind, data):
    attempt(decode_json, kind, data.draw(some.spoilt(body(EXAMPLES[kind]))))


@given(kind=KINDS, at=st.integers(0, len(RAW) - 1), byte=st.integers(0, 255), cut=st.booleans())
def test_any_message_spoilt_in_one_byte(kind, at, byte, cut):
    raw = RAW[:at] if cut else RAW[:at] + bytes([byte]) + RAW[at + 1 :]
    attempt(decode_protobuf, kind, raw)
