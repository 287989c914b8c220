import pytest
from chirpstack_api.integration import integration_pb2
from google.protobuf.json_format import ParseDict

from lorawan.events import MalformedEvent, decode_json, decode_protobuf
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
