"""Whatever arrives is an event or is refused: no input raises anything else."""

import json
from collections.abc import Iterator

import pytest
from chirpstack_api.integration import integration_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
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

MESSAGES = {
    "up": integration_pb2.UplinkEvent,
    "join": integration_pb2.JoinEvent,
    "txack": integration_pb2.TxAckEvent,
    "ack": integration_pb2.AckEvent,
    "log": integration_pb2.LogEvent,
    "status": integration_pb2.StatusEvent,
    "location": integration_pb2.LocationEvent,
}
EXTREMES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), -1, 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), -1, 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (2**32 - 1,),
    FieldDescriptor.CPPTYPE_UINT64: (2**64 - 1,),
    FieldDescriptor.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_DOUBLE: (float("nan"), float("-inf"), 1e308),
    FieldDescriptor.CPPTYPE_FLOAT: (float("nan"), float("-inf"), 3e38),
}
DEPTH_MOST = 6
"""Of what we read the deepest is `txInfo.timing.delay.delay.seconds`."""


def paths_of(descriptor: Descriptor, depth: int = DEPTH_MOST) -> Iterator[list[FieldDescriptor]]:
    """Every field that is no message, by those that lead to it."""
    for field in descriptor.fields:
        if field.message_type is None:
            yield [field]
        elif depth > 1 and not field.message_type.GetOptions().map_entry:
            yield from ([field, *path] for path in paths_of(field.message_type, depth - 1))


def put(message: Message, path: list[FieldDescriptor], value: object) -> None:
    for field in path[:-1]:
        inner = getattr(message, field.name)
        message = inner.add() if field.is_repeated else inner
    name = path[-1].name
    if path[-1].is_repeated:
        getattr(message, name).append(value)
    else:
        setattr(message, name, value)


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


@pytest.mark.parametrize("kind", list(EXAMPLES))
def test_any_message_with_a_field_at_its_limit(kind):
    whole = MESSAGES[kind]()
    ParseDict(body(EXAMPLES[kind]), whole, ignore_unknown_fields=True)
    for path in paths_of(whole.DESCRIPTOR):
        for value in EXTREMES.get(path[-1].cpp_type, ()):  # texts are spoilt above
            message = MESSAGES[kind]()
            message.CopyFrom(whole)
            put(message, path, value)
            attempt(decode_protobuf, kind, message.SerializeToString())
