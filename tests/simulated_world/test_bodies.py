"""Bodies of the pretend server against the recorded and derived ones of the real server."""

import json
from pathlib import Path
from typing import Any

import pytest
from chirpstack_api.integration import integration_pb2
from google.protobuf.json_format import Parse

from lorawan.events import decode_json, decode_protobuf
from lorawan.events.model import (
    Ack,
    DeviceInfo,
    DeviceStatus,
    Event,
    Join,
    Location,
    Log,
    Modulation,
    Reception,
    TxAck,
    Uplink,
)
from simulation.world.bodies import json_body, protobuf_body
from simulation.world.profile import STORM
from simulation.world.world import World

VECTORS = Path(__file__).parents[1] / "data" / "chirpstack-events"
AT = 1767323045.678901
ITEM = "9b2f4c1e-6d7a-4b6f-9f0a-0c1d2e3f4a5b"
DEDUPLICATION = "5f0c7f2e-0f7c-4b0e-8a55-3b1f6b0f7a10"
DEVICE = DeviceInfo(
    dev_eui="0101010101010101",
    device_name="light-01",
    application_id="22222222-2222-4222-8222-222222222222",
    application_name="lights",
    tenant_id="11111111-1111-4111-8111-111111111111",
    device_profile_id="33333333-3333-4333-8333-333333333333",
    device_profile_name="kuando Busylight EU868",
    device_class="CLASS_C",
)


def _log(level: str, code: str, description: str, context: dict[str, str]) -> Log:
    return Log(
        device=DEVICE,
        at=AT,
        level=level,
        code=code,
        description=description,
        queue_item_id=context.get("queue_item_id"),
        context=context,
    )


DERIVED: dict[str, Event] = {
    "ack-positive": Ack(DEVICE, AT, ITEM, acknowledged=True, f_cnt_down=7),
    "ack-negative-timeout": Ack(DEVICE, AT, ITEM, acknowledged=False, f_cnt_down=7),
    "join-v4.11": Join(DEVICE, AT, "00189440", DEDUPLICATION),
    "location": Location(DEVICE, AT, 37.344214, -8.839375, 2.0),
    "log-expired": _log(
        "ERROR",
        "EXPIRED",
        "Device queue-item discarded because it has expired",
        {"queue_item_id": ITEM},
    ),
    "log-downlink-gateway-queue-full": _log("ERROR", "DOWNLINK_GATEWAY", "QUEUE_FULL", {}),
    "log-downlink-gateway-too-late": _log("ERROR", "DOWNLINK_GATEWAY", "TOO_LATE", {}),
    "log-downlink-payload-size": _log(
        "ERROR",
        "DOWNLINK_PAYLOAD_SIZE",
        "Device queue-item discarded because it exceeds the max. payload size",
        {"max_payload_size": "51", "item_size": "60", "queue_item_id": ITEM},
    ),
    "txack-class-c-eu868": TxAck(
        DEVICE,
        AT,
        ITEM,
        "0016c001f153a14c",
        0,
        downlink_id=3461958127,
        modulation=Modulation(12, 125_000),
        frequency_hz=869_525_000,
    ),
    "up-empty-payload-v4.11": Uplink(
        DEVICE,
        AT,
        "00189440",
        0,
        0,
        b"",
        deduplication_id=DEDUPLICATION,
        dr=5,
        receptions=(Reception("0016c001f153a14c", -36, 10.5),),
        modulation=Modulation(7, 125_000),
        frequency_hz=868_500_000,
    ),
}
# What our events do not carry, so that the pretend server makes it up, or what our one choice
# of channel decides.
MADE_UP = {"uplinkId", "context", "nsTime", "frequency", "channel", "deduplicationId"}


def _recorded(name: str) -> dict[str, Any]:
    body = json.loads((VECTORS / f"derived-{name}.json").read_text())
    assert isinstance(body, dict)
    return body


def _shape(value: Any) -> Any:
    """Keys and types, without the values; JSON knows one kind of number."""
    if isinstance(value, dict):
        return {key: _shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shape(inner) for inner in value]
    return float if type(value) is int else type(value)


def _compare(ours: Any, theirs: Any, path: str = "") -> None:
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs), path
        for key, value in theirs.items():
            if key not in MADE_UP or path.endswith("/context"):
                _compare(ours[key], value, f"{path}/{key}")
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), path
        for mine, value in zip(ours, theirs, strict=True):
            _compare(mine, value, path)
    elif path.endswith("/time"):
        assert ours[:26] == theirs[:26], path
        assert ours.endswith("+00:00"), path
    else:
        assert ours == theirs, path


@pytest.mark.parametrize("name", DERIVED)
def test_json_bodies_equal_the_servers_field_by_field(name: str) -> None:
    kind, body = json_body(DERIVED[name])
    assert kind == name.split("-", maxsplit=1)[0]
    _compare(json.loads(body), _recorded(name))


@pytest.mark.parametrize("name", DERIVED)
def test_json_bodies_have_the_servers_types_throughout(name: str) -> None:
    _, body = json_body(DERIVED[name])
    assert _shape(json.loads(body)) == _shape(_recorded(name))


@pytest.mark.parametrize("name", DERIVED)
def test_json_and_protobuf_bodies_say_the_same(name: str) -> None:
    messages = {
        "up": integration_pb2.UplinkEvent,
        "join": integration_pb2.JoinEvent,
        "txack": integration_pb2.TxAckEvent,
        "ack": integration_pb2.AckEvent,
        "log": integration_pb2.LogEvent,
        "location": integration_pb2.LocationEvent,
    }
    kind, binary = protobuf_body(DERIVED[name])
    from_binary = messages[kind]()
    from_binary.ParseFromString(binary)
    from_json = Parse(json_body(DERIVED[name])[1], messages[kind]())
    assert from_binary == from_json


def test_protobuf_of_a_txack_equals_the_recorded_stream_entry() -> None:
    entries = json.loads((VECTORS / "redis-stream-entries.json").read_text())
    by_name = {entry["same_as"]: bytes.fromhex(entry["value_hex"]) for entry in entries}
    for name in ("ack-negative-timeout", "log-expired"):
        ours, theirs = (
            _parsed(name, protobuf_body(DERIVED[name])[1]),
            _parsed(name, by_name[f"derived-{name}.json"]),
        )
        theirs.time.nanos -= theirs.time.nanos % 1000
        assert ours == theirs


def _parsed(name: str, body: bytes) -> Any:
    message = integration_pb2.AckEvent() if name.startswith("ack") else integration_pb2.LogEvent()
    message.ParseFromString(body)
    return message


@pytest.mark.parametrize("name", DERIVED)
def test_bodies_come_back_as_the_event_that_went_in(name: str) -> None:
    event = DERIVED[name]
    kind, body = json_body(event)
    assert _same(decode_json(kind, body), event)
    kind, body = protobuf_body(event)
    assert _same(decode_protobuf(kind, body), event)


def test_a_device_status_comes_back() -> None:
    for battery in (None, 88.25):
        event = DeviceStatus(
            DEVICE, AT, margin_db=10, external_power=False, battery_percent=battery
        )
        kind, body = json_body(event)
        assert kind == "status"
        assert _same(decode_json(kind, body), event)
        assert _same(decode_protobuf(*protobuf_body(event)), event)


def test_every_event_of_a_stormy_day_comes_back() -> None:
    events: list[Event] = []
    world = World.build(5, lights=6, gateways=2, profile=STORM, sink=events.append)
    for n in range(200):
        dev_eui = list(world.stations)[n % 6]
        world.network.inject(
            dev_eui, bytes((n, 0, 0, 255, 0, 1)), expires_at=world.kernel.now_at + 60.0
        )
        world.advance(120.0)
    assert {type(event) for event in events} >= {Uplink, Join, TxAck, Log}
    for event in events:
        assert _same(decode_json(*json_body(event)), event)
        assert _same(decode_protobuf(*protobuf_body(event)), event)


def _same(decoded: Event, event: Event) -> bool:
    """Equal but for the last digits of the time, which the wire cuts at the microsecond. The body
    of a join has no time of the server's."""
    assert type(decoded) is type(event)
    if isinstance(decoded, Join):
        assert decoded.at is None
    else:
        assert decoded.at == pytest.approx(event.at, abs=2e-6)
    if isinstance(decoded, Join | Uplink) and isinstance(event, Join | Uplink):
        gateway_at = event.at if event.gateway_at is None else event.gateway_at
        assert decoded.gateway_at == pytest.approx(gateway_at, abs=2e-6)
    fields = [name for name in event.__struct_fields__ if name not in {"at", "gateway_at"}]
    for name in fields:
        assert getattr(decoded, name) == getattr(event, name), name
    return True
