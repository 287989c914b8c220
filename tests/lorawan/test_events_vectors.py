"""Every recorded body says the same in JSON and in Protobuf, field by field."""

import json

import msgspec
import pytest
from chirpstack_api.integration import integration_pb2
from google.protobuf.json_format import ParseDict

from lorawan.events import UnknownEventKind, decode_json, decode_protobuf
from tests.support.event_vectors import DATA, EXPECTED, body, body_bytes

STREAM = json.loads((DATA / "redis-stream-entries.json").read_text())
MESSAGES = {
    "up": integration_pb2.UplinkEvent,
    "join": integration_pb2.JoinEvent,
    "ack": integration_pb2.AckEvent,
    "txack": integration_pb2.TxAckEvent,
    "log": integration_pb2.LogEvent,
    "status": integration_pb2.StatusEvent,
    "location": integration_pb2.LocationEvent,
}
BY_NAME = [(name, kind, event) for name, (kind, event) in sorted(EXPECTED.items())]


def test_every_recorded_event_is_here():
    files = {path.stem for path in DATA.glob("*.json")}
    assert files - {"redis-stream-entries", "docs-integration"} == set(EXPECTED)


@pytest.mark.parametrize(("name", "kind", "event"), BY_NAME)
def test_json(name, kind, event):
    assert decode_json(kind, body_bytes(name)) == event


@pytest.mark.parametrize(("name", "kind", "event"), BY_NAME)
def test_protobuf(name, kind, event):
    document = body(name)
    message = ParseDict(document, MESSAGES[kind](), ignore_unknown_fields=True)
    if "deviceClassEnabled" not in document["deviceInfo"]:
        # Protobuf cannot tell "not said" from CLASS_A, which is its default.
        device = msgspec.structs.replace(event.device, device_class="CLASS_A")
        event = msgspec.structs.replace(event, device=device)
    assert decode_protobuf(kind, message.SerializeToString()) == event


@pytest.mark.parametrize("entry", STREAM, ids=lambda entry: entry["same_as"])
def test_values_of_the_redis_stream(entry):
    name = entry["same_as"].removesuffix(".json")
    kind, event = EXPECTED[name]
    assert entry["field"] == kind
    assert decode_protobuf(kind, bytes.fromhex(entry["value_hex"])) == event


@pytest.mark.parametrize("decode", [decode_json, decode_protobuf])
def test_the_legacy_kind_is_unknown(decode):
    with pytest.raises(UnknownEventKind) as caught:
        decode("integration", body_bytes("docs-integration"))
    assert caught.value.kind == "integration"
