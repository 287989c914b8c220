import os
import subprocess
import sys

import msgspec
import pytest
from chirpstack_api.integration import integration_pb2
from google.protobuf.json_format import ParseDict

from lorawan.events import (
    MalformedEvent,
    decode_json,
    decode_protobuf,
    protobuf_body,
    protobuf_uplink,
)
from tests.support.event_vectors import body, body_bytes


def uplink():
    return ParseDict(body("capture-up-class-c"), integration_pb2.UplinkEvent())


def decode(message, kind="up"):
    return decode_protobuf(kind, message.SerializeToString())


def refused(message, kind="up"):
    with pytest.raises(MalformedEvent) as caught:
        decode(message, kind)
    return caught.value.field, caught.value.problem


@pytest.mark.parametrize(
    ("clear", "field"), [("time", "time"), ("device_info", "deviceInfo"), ("dev_addr", "devAddr")]
)
def test_what_we_rely_on_must_be_there(clear, field):
    message = uplink()
    message.ClearField(clear)
    assert refused(message)[0] == field


def test_a_missing_message_is_said_to_be_missing():
    assert refused(integration_pb2.UplinkEvent(dev_addr="00189440")) == ("time", "missing")


def test_the_same_checks_as_for_json():
    message = uplink()
    message.f_port = 271
    assert refused(message)[0] == "fPort"
    message = uplink()
    message.device_info.dev_eui = "0102"
    assert refused(message)[0] == "deviceInfo.devEui"
    message = uplink()
    message.time.nanos = -1
    assert refused(message)[0] == "time"
    message = uplink()
    message.data = bytes(256)
    assert refused(message)[0] == "data"


def test_a_place_must_be_given():
    message = ParseDict(body("docs-location"), integration_pb2.LocationEvent())
    message.ClearField("location")
    assert refused(message, "location") == ("location", "missing")


@pytest.mark.parametrize("raw", [b"\xff", b"{}", body_bytes("capture-up-class-c"), b"\x12\xff\x01"])
def test_what_is_no_message_at_all(raw):
    with pytest.raises(MalformedEvent) as caught:
        decode_protobuf("up", raw)
    assert caught.value.field in {"body", "time"}


def test_numbers_that_json_cannot_carry_say_nothing():
    message = uplink()
    message.rx_info[0].snr = float("nan")
    assert decode(message).receptions[0].snr_db == 0.0
    status = ParseDict(body("docs-status"), integration_pb2.StatusEvent())
    status.battery_level = float("inf")
    assert decode(status, "status").battery_percent == 0.0


def test_fields_that_we_do_not_read_cannot_spoil_an_event():
    message = uplink()
    message.object.update({"temperature": float("nan")})
    message.rx_info[0].gw_time.seconds = 2**62
    assert decode(message) == decode_json("up", body_bytes("capture-up-class-c"))


def test_signal_strengths_are_those_of_the_json_form():
    message = uplink()
    for snr in (-17.25, 9.8, 12.3, -0.1):
        message.rx_info[0].snr = snr
        assert decode(message).receptions[0].snr_db == snr


@pytest.mark.parametrize(("seconds", "nanos"), [(2**63 - 1, 0), (0, -(2**31)), (1, -1)])
def test_a_delay_that_is_none_counts_as_not_told(seconds, nanos):
    message = ParseDict(
        body("docs-txack"), integration_pb2.TxAckEvent(), ignore_unknown_fields=True
    )
    told = decode(message, "txack")
    delay = message.tx_info.timing.delay.delay
    delay.seconds, delay.nanos = seconds, nanos
    assert decode(message, "txack") == msgspec.structs.replace(told, rx_delay_s=None)


def test_text_that_is_none_is_refused_also_where_protobuf_is_in_python():
    """As on machines for which there is no compiled one; it fails otherwise than that one does."""
    script = """
from google.protobuf.internal import api_implementation
from lorawan.events import MalformedEvent, decode_protobuf
assert api_implementation.Type() == "python"
try:
    decode_protobuf("join", bytes([0x22, 1, 0xff]))
except MalformedEvent as error:
    print(error.field)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("body\n", "")


def test_names_newer_than_our_definitions_are_numbers():
    message = ParseDict(body("docs-log"), integration_pb2.LogEvent())
    message.code = 99
    message.level = 98
    event = decode(message, "log")
    assert (event.code, event.level) == ("99", "98")


def test_no_radio_parts():
    message = uplink()
    message.ClearField("tx_info")
    event = decode(message)
    assert (event.modulation, event.frequency_hz) == (None, 0)
    message = uplink()
    message.tx_info.modulation.fsk.datarate = 50_000
    assert decode(message).modulation is None


def test_an_uplink_read_straight_is_the_one_read_closely(monkeypatch):
    """What the short way reads is what the checks of the long way make of the same message."""
    messages = [uplink() for _ in range(8)]
    messages[1].ClearField("rx_info")
    messages[2].ClearField("tx_info")
    messages[3].tx_info.modulation.ClearField("lora")
    messages[4].tx_info.modulation.lora.code_rate = 99
    messages[4].device_info.device_class_enabled = 77
    messages[5].rx_info[0].ClearField("ns_time")
    messages[5].rx_info[0].gateway_id = "x" * 65
    messages[5].rx_info[0].snr = float("nan")
    messages[6].device_info.tags.update({f"tag {n}": "v" * 300 for n in range(20)})
    messages[6].device_info.device_name = "n" * 300
    messages[6].dev_addr = messages[6].dev_addr.upper()
    messages[7].ClearField("data")
    straight = [decode(message) for message in messages]
    assert protobuf_uplink.wire_up(messages[4], lambda enum, number: "", None, None) is not None
    monkeypatch.setattr(protobuf_body, "wire_up", lambda *message_and_names: None)
    assert [decode(message) for message in messages] == straight


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda one: setattr(one, "dr", 16), "dr"),
        (lambda one: setattr(one, "dev_addr", "0018944g"), "devAddr"),
        (lambda one: setattr(one, "dev_addr", "001894400"), "devAddr"),
        (
            lambda one: setattr(one.device_info, "dev_eui", "0102030405060708\n"),
            "deviceInfo.devEui",
        ),
        (lambda one: setattr(one.rx_info[0].ns_time, "seconds", 2**40), "ns_time"),
    ],
)
def test_what_an_uplink_may_not_be_is_refused_with_its_field(change, field):
    message = uplink()
    change(message)
    assert refused(message)[0] == field
