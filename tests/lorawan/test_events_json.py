import json

import pytest

from lorawan.events import (
    EventError,
    EventKind,
    MalformedEvent,
    UnknownEventKind,
    Uplink,
    decode_json,
)
from lorawan.events.refusal import BODY_BYTES_MOST
from tests.support.event_vectors import body

UP = "capture-http-up-two-gateways-extra-field"
DELETED = object()


def changed(name, **members):
    """A recorded body with members set, or removed; `__` in a name stands for a level."""
    document = body(name)
    for path, value in members.items():
        *outer, last = path.split("__")
        holder = document
        for key in outer:
            holder = holder[int(key) if key.isdigit() else key]
        if value is DELETED:
            del holder[last]
        else:
            holder[last] = value
    return json.dumps(document).encode()


def refused(kind, raw):
    with pytest.raises(MalformedEvent) as caught:
        decode_json(kind, raw)
    assert str(caught.value) == f"{caught.value.field}: {caught.value.problem}"
    return caught.value.field, caught.value.problem


def test_the_kinds():
    assert [str(kind) for kind in EventKind] == [
        "up", "join", "ack", "txack", "log", "status", "location",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name", "members", "field"),
    [
        ("up", UP, {"time": DELETED}, "time"),
        ("up", UP, {"time": None}, "time"),
        ("up", UP, {"time": 1768898863}, "time"),
        ("up", UP, {"time": "2026-01-20T08:47:43"}, "time"),
        ("up", UP, {"time": "2026-02-30T08:47:43Z"}, "time"),
        ("up", UP, {"deviceInfo": DELETED}, "deviceInfo"),
        ("up", UP, {"deviceInfo__devEui": DELETED}, "deviceInfo.devEui"),
        ("up", UP, {"deviceInfo__devEui": "0101"}, "deviceInfo.devEui"),
        ("up", UP, {"deviceInfo__devEui": "0101010101010101\n"}, "deviceInfo.devEui"),
        ("up", UP, {"deviceInfo__devEui": "010101010101010g"}, "deviceInfo.devEui"),
        ("up", UP, {"deviceInfo__tags": {"a": 1}}, "deviceInfo.tags[...]"),
        ("up", UP, {"devAddr": DELETED}, "devAddr"),
        ("up", UP, {"devAddr": "0018944"}, "devAddr"),
        ("join", "docs-join", {"devAddr": DELETED}, "devAddr"),
        ("up", UP, {"fPort": 256}, "fPort"),
        ("up", UP, {"fPort": "15"}, "fPort"),
        ("up", UP, {"fPort": True}, "fPort"),
        ("up", UP, {"fCnt": -1}, "fCnt"),
        ("up", UP, {"fCnt": 2**32}, "fCnt"),
        ("up", UP, {"dr": 16}, "dr"),
        ("up", UP, {"data": "AAE"}, "data"),
        ("up", UP, {"data": "/w=="[::-1]}, "data"),
        ("up", UP, {"data": "AAAA" * 86}, "data"),
        ("up", UP, {"rxInfo__0__rssi": "-60"}, "rxInfo[0].rssi"),
        ("up", UP, {"rxInfo__1__snr": "NaN"}, "rxInfo[1].snr"),
        ("up", UP, {"txInfo__frequency": 2**32}, "txInfo.frequency"),
        ("txack", "docs-txack", {"queueItemId": DELETED}, "queueItemId"),
        ("txack", "docs-txack", {"queueItemId": ""}, "queueItemId"),
        ("txack", "docs-txack", {"fCntDown": -1}, "fCntDown"),
        ("ack", "docs-ack", {"queueItemId": DELETED}, "queueItemId"),
        ("ack", "docs-ack", {"acknowledged": 1}, "acknowledged"),
        ("log", "docs-log", {"context": {"a": 1}}, "context[...]"),
        ("location", "docs-location", {"location": DELETED}, "location"),
        ("location", "docs-location", {"location__latitude": 90.1}, "location.latitude"),
        ("status", "docs-status", {"margin": 1.5}, "margin"),
    ],
)
def test_what_we_rely_on_is_checked(kind, name, members, field):
    assert refused(kind, changed(name, **members))[0] == field


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"[]", b"null", b"\xff", b'{"a": "\xff"}', b'{"time": NaN}', b"[" * 100_000),
        b'{"time":"2026-01-02T03:04:05Z","object":' + b"[" * 100_000,
        b'{"deduplicationId":"\xff"}',
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_what_is_no_event_at_all(raw):
    assert refused("up", raw)[0] in {"body", "time"}


def test_a_body_beyond_the_limit_is_not_read():
    assert refused("up", b" " * (BODY_BYTES_MOST + 1)) == (
        "body",
        "262145 bytes, at most 262144 are read",
    )


def test_a_missing_field_is_said_to_be_missing():
    assert refused("up", changed(UP, deviceInfo__devEui=DELETED)) == (
        "deviceInfo.devEui",
        "missing",
    )


@pytest.mark.parametrize("kind", ["", "UP", "integration", "up\n", "x" * 10_000])
def test_other_kinds_are_unknown(kind):
    with pytest.raises(UnknownEventKind) as caught:
        decode_json(kind, b"{}")
    assert caught.value.kind == kind
    assert len(str(caught.value)) < 100


def test_one_family_of_errors():
    assert issubclass(MalformedEvent, EventError)
    assert issubclass(UnknownEventKind, EventError)


def test_euis_and_addresses_take_one_spelling():
    raw = changed(
        UP,
        deviceInfo__devEui="FFFFFF200000B703",
        devAddr="3610BD78",
        rxInfo__0__gatewayId="0010502DF4563610",
    )
    event = decode_json("up", raw)
    assert event.device.dev_eui == "ffffff200000b703"
    assert event.dev_addr == "3610bd78"
    assert event.receptions[0].gateway_id == "0010502df4563610"
    txack = decode_json("txack", changed("docs-txack", gatewayId="0016C001F153A14C"))
    assert txack.gateway_id == "0016c001f153a14c"


def test_null_means_the_default():
    names = ("dr", "fCnt", "fPort", "confirmed", "data", "rxInfo", "txInfo", "deduplicationId")
    event = decode_json("up", changed(UP, **dict.fromkeys(names)))
    absent = decode_json("up", changed(UP, **dict.fromkeys(names, DELETED)))
    assert event == absent
    assert (event.dr, event.f_cnt, event.f_port, event.confirmed, event.data) == (
        0,
        0,
        0,
        False,
        b"",
    )
    assert (event.receptions, event.modulation, event.frequency_hz) == ((), None, 0)


def test_radio_parts_omit_their_defaults():
    raw = changed(UP, rxInfo=[{"gatewayId": "0010502df4563610"}])
    (heard,) = decode_json("up", raw).receptions
    assert (heard.rssi_dbm, heard.snr_db) == (0, 0.0)


def test_a_gateway_of_two_antennas_counts_once_by_its_best():
    gateway = {"gatewayId": "0010502df4563610"}
    raw = changed(
        UP,
        rxInfo=[
            gateway | {"rssi": -80, "snr": 1.5},
            {"gatewayId": "0011502df4563610", "rssi": -90, "snr": -2.0},
            gateway | {"rssi": -70, "snr": 9.5},
            gateway | {"rssi": -60, "snr": 9.0},
            {"rssi": -10, "snr": 10.0},
        ],
    )
    heard = decode_json("up", raw).receptions
    assert [(one.gateway_id, one.rssi_dbm, one.snr_db) for one in heard] == [
        ("0010502df4563610", -70, 9.5),
        ("0011502df4563610", -90, -2.0),
    ]


@pytest.mark.parametrize(
    "modulation",
    [
        {"fsk": {"datarate": 50000}},
        {},
        {"lora": {"bandwidth": 125000}},
        {"lora": {"spreadingFactor": 7}},
        {"lora": {"bandwidth": 812000, "spreadingFactor": 5}},
    ],
)
def test_what_is_no_lora_of_ours_has_no_modulation(modulation):
    event = decode_json("up", changed(UP, txInfo={"modulation": modulation}))
    assert event.modulation is None


@pytest.mark.parametrize(
    ("given", "meant"),
    [("CR_UNDEFINED", "CR_4_5"), (None, "CR_4_5"), ("CR_4_8", "CR_4_8")],
)
def test_the_code_rate(given, meant):
    event = decode_json("up", changed(UP, txInfo__modulation__lora__codeRate=given))
    assert event.modulation.code_rate == meant


@pytest.mark.parametrize(
    ("members", "external_power", "battery_percent"),
    [
        ({"batteryLevel": DELETED}, False, 0.0),
        ({"batteryLevelUnavailable": True}, False, None),
        ({"externalPowerSource": True}, True, None),
    ],
)
def test_the_battery(members, external_power, battery_percent):
    event = decode_json("status", changed("docs-status", **members))
    assert event.external_power is external_power
    assert event.battery_percent == battery_percent


def test_a_log_without_its_parts():
    gone = dict.fromkeys(("level", "code", "description", "context"), DELETED)
    event = decode_json("log", changed("docs-log", **gone))
    assert (event.level, event.code, event.description) == ("INFO", "UNKNOWN", "")
    assert (event.queue_item_id, event.context) == (None, {})


def test_an_empty_item_id_is_none():
    event = decode_json("log", changed("docs-log", context={"queue_item_id": ""}))
    assert event.queue_item_id is None


def test_names_are_cut_and_an_overlong_gateway_id_counts_as_none() -> None:
    body = {
        "time": "2026-01-02T03:04:05Z",
        "deviceInfo": {"devEui": "0101010101010101", "deviceName": "n" * 100_000},
        "devAddr": "01abcdef",
        "rxInfo": [{"gatewayId": "0" * 65}, {"gatewayId": "A" * 64}],
    }
    event = decode_json("up", json.dumps(body).encode())
    assert isinstance(event, Uplink)
    assert event.device.device_name == "n" * 200
    assert [heard.gateway_id for heard in event.receptions] == ["a" * 64]


def test_tags_are_few_and_short() -> None:
    tags = {f"{n:03d}" + "k" * 100: "v" * 600 for n in range(300)}
    event = decode_json("up", changed(UP, deviceInfo__tags=tags))
    assert list(event.device.tags) == [f"{n:03d}" + "k" * 61 for n in range(16)]
    assert set(event.device.tags.values()) == {"v" * 64}


def test_the_words_of_a_log_are_cut() -> None:
    words = {"level": "l" * 999, "code": "c" * 999, "description": "d" * 99_999}
    context = {"queue_item_id": "q" * 65, **{f"{n:03d}": "x" * 999 for n in range(99)}}
    event = decode_json("log", changed("docs-log", context=context, **words))
    assert (len(event.level), len(event.code), len(event.description)) == (64, 64, 200)
    assert event.queue_item_id is None, "cut, it might be another item's"
    assert len(event.context) == 16
    assert {len(text) for text in event.context.values()} == {200}


def test_of_too_many_gateways_the_best_are_kept() -> None:
    heard = [{"gatewayId": f"{n:016x}", "snr": n / 10} for n in range(300)]
    event = decode_json("up", changed(UP, rxInfo=heard))
    assert {one.gateway_id for one in event.receptions} == {f"{n:016x}" for n in range(250, 300)}


def test_ids_and_words_of_an_uplink_are_cut() -> None:
    long = "x" * 100_000
    members = {"deduplicationId": long, "txInfo__modulation__lora__codeRate": long}
    event = decode_json("up", changed(UP, **members))
    assert len(event.deduplication_id) == 64
    assert len(event.modulation.code_rate) == 64


@pytest.mark.parametrize(
    ("timing", "rx_delay_s"),
    [
        ({"delay": {"delay": "1s"}}, 1.0),
        ({"delay": {"delay": "2.500s"}}, 2.5),
        ({"immediately": {}}, None),
        ({"delay": {}}, None),
        ({"delay": {"delay": "0s"}}, None),
        ({"delay": {"delay": "17s"}}, None),
        ({"delay": {"delay": "a moment"}}, None),
        (None, None),
    ],
)
def test_a_txack_tells_the_class_a_slot_of_its_frame(timing, rx_delay_s):
    txack = decode_json("txack", changed("docs-txack", txInfo__timing=timing))
    assert txack.rx_delay_s == rx_delay_s
