"""The event bodies of tests/data/chirpstack-events, and what each of them says."""

import json
from pathlib import Path
from typing import Any

import msgspec

from lorawan.events import (
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

DATA = Path(__file__).parents[1] / "data" / "chirpstack-events"

_DOCS = DeviceInfo(
    dev_eui="0101010101010101",
    device_name="Test device",
    application_id="17c82e96-be03-4f38-aef3-f83d48582d97",
    application_name="Test application",
    tenant_id="52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
    device_profile_id="14855bf7-d10d-4aee-b618-ebfcb64dc7ad",
    device_profile_name="Test device-profile",
    device_class="",
    tags={"key": "value"},
)
_DOCS_WITHOUT_TAGS = msgspec.structs.replace(_DOCS, tags={})
_DERIVED = DeviceInfo(
    dev_eui="0101010101010101",
    device_name="light-01",
    application_id="22222222-2222-4222-8222-222222222222",
    application_name="lights",
    tenant_id="11111111-1111-4111-8111-111111111111",
    device_profile_id="33333333-3333-4333-8333-333333333333",
    device_profile_name="kuando Busylight EU868",
    device_class="CLASS_C",
)
_NODE = DeviceInfo(
    dev_eui="9620853c959b5856",
    device_name="node-01",
    application_id="acb57b95-2c39-486e-a8e7-724d4d6343ac",
    application_name="ddd",
    tenant_id="52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
    device_profile_id="6a5e561f-17bd-4bee-a6ff-707a81e71008",
    device_profile_name="profile-01",
    device_class="CLASS_C",
)
_CO2 = DeviceInfo(
    dev_eui="2cf7f1c16100001a",
    device_name="Sensor_1",
    application_id="11744b65-5428-4ad2-b6df-03b13e547296",
    application_name="Co_2",
    tenant_id="52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
    device_profile_id="38607b09-4782-4b75-99d1-998b564ed43d",
    device_profile_name="Co_2",
    device_class="CLASS_C",
)
_TWO_GATEWAYS = DeviceInfo(
    dev_eui="ffffff200000b703",
    device_name="ffffff200000b703",
    application_id="3ef9e6b9-ec54-4eda-86b8-a5fb46899f39",
    application_name="all_sensor",
    tenant_id="af1374c6-87f5-4986-93cd-57857e412930",
    device_profile_id="758152b6-0462-4467-b1c7-9d7dfdbdd753",
    device_profile_name="AN-303_CN470_OTAA_ClassA",
    device_class="CLASS_A",
)

_AT = 1767323045.678901234
"""2026-01-02T03:04:05.678901234+00:00."""
_ITEM = "9b2f4c1e-6d7a-4b6f-9f0a-0c1d2e3f4a5b"
_DEDUPLICATION = "5f0c7f2e-0f7c-4b0e-8a55-3b1f6b0f7a10"


def _log(
    code: str,
    description: str,
    context: dict[str, str] | None = None,
    level: str = "ERROR",
) -> Log:
    context = context or {}
    item = context.get("queue_item_id")
    return Log(_DERIVED, _AT, level, code, description, item, context)


def _refused(status: str) -> Log:
    return _log("DOWNLINK_GATEWAY", status)


EXPECTED: dict[str, tuple[str, Event]] = {
    "docs-ack": (
        "ack",
        Ack(_DOCS, 1658137129.235700766, "1bbcab1d-6ec6-4136-b3f5-d63be1dc08de", True, 3),
    ),
    "docs-join": (
        "join",
        Join(_DOCS, None, "00189440", "c9dbe358-2578-4fb7-b295-66b44edc45a6", 1658136808.823500726),
    ),
    "docs-location": (
        "location",
        Location(_DOCS, 1658138111.059481003, 37.344214, -8.839375, 2.0),
    ),
    "docs-log": (
        "log",
        Log(
            _DOCS,
            1658137197.311414029,
            "ERROR",
            "UPLINK_MIC",
            "MIC of join-request is invalid, make sure keys are correct",
            None,
            {"deduplication_id": "4e91db13-5ce3-4c8c-ab0f-dfc626cf0771"},
        ),
    ),
    "docs-status": (
        "status",
        DeviceStatus(_DOCS_WITHOUT_TAGS, 1658136906.927172638, 10, False, 88.3),
    ),
    "docs-txack": (
        "txack",
        TxAck(
            device=_DOCS,
            at=1658137068.929184085,
            queue_item_id="42cb6459-a640-46ec-9623-bdff39dc4736",
            gateway_id="0016c001f153a14c",
            f_cnt_down=2,
            downlink_id=3461958127,
            modulation=Modulation(7, 125_000),
            frequency_hz=867_900_000,
            rx_delay_s=1.0,
        ),
    ),
    "docs-up": (
        "up",
        Uplink(
            device=_DOCS,
            at=None,
            gateway_at=1658136855.775023242,
            dev_addr="00189440",
            f_cnt=0,
            f_port=1,
            data=b"\xaa",
            deduplication_id="3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
            dr=1,
            receptions=(Reception("0016c001f153a14c", -36, 10.5),),
            modulation=Modulation(11, 125_000),
            frequency_hz=867_100_000,
        ),
    ),
    "capture-http-up-two-gateways-extra-field": (
        "up",
        Uplink(
            device=_TWO_GATEWAYS,
            at=1768898863.311799857,
            gateway_at=1768898863.457927819,
            dev_addr="3610bd78",
            f_cnt=18230,
            f_port=210,
            data=bytes.fromhex("000103040E157D007701100A0812023F0301"),
            deduplication_id="5d9a3908-c0d9-4feb-bf6d-a61ca48b9ebf",
            confirmed=True,
            dr=5,
            receptions=(
                Reception("0010502df4563610", -60, 14.0),
                Reception("0011502df4563610", -66, 13.5),
            ),
            modulation=Modulation(7, 125_000),
            frequency_hz=482_100_000,
        ),
    ),
    "capture-join-class-c": (
        "join",
        Join(_NODE, None, "06b0b667", "feef733a-bd99-4b54-b0f9-ed045d03f898", 1741330475.594623020),
    ),
    "capture-log-uplink-codec": (
        "log",
        Log(
            _CO2,
            1745210718.015654971,
            "ERROR",
            "UPLINK_CODEC",
            "JS error: Error: decodeUplink is not defined\n    at <eval> (eval_script:42:1)\n",
            None,
            {"deduplication_id": "12f6d36d-7860-4dca-bcf0-297ad1a6db39"},
        ),
    ),
    "capture-status-class-c": (
        "status",
        DeviceStatus(_NODE, 1741335375.688878229, 10, False, 100.0),
    ),
    "capture-txack-class-c-immediately": (
        "txack",
        TxAck(
            device=_NODE,
            at=1741335327.302565414,
            queue_item_id="98b73db8-4631-479c-a315-aa9d1b58b35a",
            gateway_id="0016c001f10550c9",
            f_cnt_down=2,
            downlink_id=2677400421,
            modulation=Modulation(12, 500_000),
            frequency_hz=923_300_000,
        ),
    ),
    "capture-up-class-c": (
        "up",
        Uplink(
            device=_NODE,
            at=1741335033.035682529,
            gateway_at=1741335033.292943009,
            dev_addr="06b0b667",
            f_cnt=79,
            f_port=51,
            data=b"\xee\xee\xee",
            deduplication_id="ce397905-f943-45af-8ab5-cebb371b2a3a",
            dr=1,
            receptions=(Reception("0016c001f10550c9", -12, 12.25),),
            modulation=Modulation(9, 125_000),
            frequency_hz=903_100_000,
        ),
    ),
    "capture-up-class-c-v4.11": (
        "up",
        Uplink(
            device=_CO2,
            at=1745210717.786811151,
            gateway_at=1745210718.005217982,
            dev_addr="26011a00",
            f_cnt=1175,
            f_port=8,
            data=bytes.fromhex("01037faa43"),
            deduplication_id="12f6d36d-7860-4dca-bcf0-297ad1a6db39",
            confirmed=True,
            receptions=(Reception("2cf7f11154600043", -96, -17.0),),
            modulation=Modulation(10, 125_000),
            frequency_hz=905_100_000,
        ),
    ),
    "derived-ack-positive": ("ack", Ack(_DERIVED, _AT, _ITEM, True, 7)),
    "derived-ack-negative-timeout": ("ack", Ack(_DERIVED, _AT, _ITEM, False, 7)),
    "derived-ack-negative-defaults-omitted-v4.0": ("ack", Ack(_DERIVED, _AT, _ITEM, False, 7)),
    "derived-join-v4.11": ("join", Join(_DERIVED, None, "00189440", _DEDUPLICATION, _AT)),
    "derived-location": ("location", Location(_DERIVED, _AT, 37.344214, -8.839375, 2.0)),
    "derived-log-downlink-gateway-collision-packet": ("log", _refused("COLLISION_PACKET")),
    "derived-log-downlink-gateway-duty-cycle-overflow": ("log", _refused("DUTY_CYCLE_OVERFLOW")),
    "derived-log-downlink-gateway-queue-full": ("log", _refused("QUEUE_FULL")),
    "derived-log-downlink-gateway-too-late": ("log", _refused("TOO_LATE")),
    "derived-log-downlink-payload-size": (
        "log",
        _log(
            "DOWNLINK_PAYLOAD_SIZE",
            "Device queue-item discarded because it exceeds the max. payload size",
            {"max_payload_size": "51", "item_size": "60", "queue_item_id": _ITEM},
        ),
    ),
    "derived-log-expired": (
        "log",
        _log(
            "EXPIRED",
            "Device queue-item discarded because it has expired",
            {"queue_item_id": _ITEM},
        ),
    ),
    "derived-log-f-cnt-down": (
        "log",
        _log(
            "F_CNT_DOWN",
            "Device queue-item discarded because the frame-counter is invalid",
            {"device_f_cnt_down": "8", "queue_item_f_cnt_down": "5", "queue_item_id": _ITEM},
        ),
    ),
    "derived-log-otaa-devnonce": (
        "log",
        _log(
            "OTAA",
            "DevNonce has already been used",
            {
                "deduplication_id": _DEDUPLICATION,
                "join_eui": "0000000000000000",
                "dev_nonce": "258",
            },
        ),
    ),
    "derived-log-uplink-f-cnt-reset": (
        "log",
        _log(
            "UPLINK_F_CNT_RESET",
            "Frame-counter reset or rollover detected",
            {"deduplication_id": _DEDUPLICATION, "f_cnt_up": "0"},
            level="WARNING",
        ),
    ),
    "derived-log-uplink-f-cnt-retransmission": (
        "log",
        _log(
            "UPLINK_F_CNT_RETRANSMISSION",
            "Uplink was flagged as re-transmission / frame-counter did not increment",
            {"deduplication_id": _DEDUPLICATION, "f_cnt_up": "12"},
            level="WARNING",
        ),
    ),
    "derived-txack-class-c-eu868": (
        "txack",
        TxAck(
            device=_DERIVED,
            at=_AT,
            queue_item_id=_ITEM,
            gateway_id="0016c001f153a14c",
            f_cnt_down=0,
            downlink_id=3461958127,
            modulation=Modulation(12, 125_000),
            frequency_hz=869_525_000,
        ),
    ),
    "derived-up-empty-payload-v4.11": (
        "up",
        Uplink(
            device=_DERIVED,
            at=1767323045.478901234,
            gateway_at=_AT,
            dev_addr="00189440",
            f_cnt=0,
            f_port=0,
            data=b"",
            deduplication_id=_DEDUPLICATION,
            dr=5,
            receptions=(Reception("0016c001f153a14c", -36, 10.5),),
            modulation=Modulation(7, 125_000),
            frequency_hz=868_100_000,
        ),
    ),
}
"""The kind and the event of each file, by its name without `.json`."""


def body(name: str) -> dict[str, Any]:
    """The JSON body of a file, parsed."""
    document: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text())
    return document["body"] if "request" in document else document


def body_bytes(name: str) -> bytes:
    """The JSON body of a file as it comes over the wire."""
    path = DATA / f"{name}.json"
    document = json.loads(path.read_text())
    return json.dumps(document["body"]).encode() if "request" in document else path.read_bytes()
