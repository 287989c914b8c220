"""Equal texts of many lights are kept once, whichever way they come in."""

import msgspec

from actors.device.model import Device, Hearing, Report, Session, Wanted
from actors.device.records import read_device
from lorawan.events import Uplink, decode_json
from lorawan.kuando.light_state import LightState
from lorawan.shared_text import SHARED_MOST, shared
from store.port import Record

TAGS = {"building": "Head office", "floor": "12"}


def uplink(dev_eui: str) -> Uplink:
    body = {
        "time": "2026-01-01T00:00:00Z",
        "deviceInfo": {
            "devEui": dev_eui,
            "deviceName": f"Light {dev_eui}",
            "applicationName": "Lights of the head office",
            "deviceProfileName": "Kuando Busylight EU868",
            "tags": TAGS,
        },
        "devAddr": "01000000",
        "rxInfo": [{"gatewayId": "0016c001f1100000", "rssi": -90}],
    }
    event = decode_json("up", msgspec.json.encode(body))
    assert isinstance(event, Uplink)
    return event


def stored(dev_eui: str) -> Device:
    device = Device(
        dev_eui=dev_eui,
        application_name="Lights of the head office",
        profile_name="Kuando Busylight EU868",
        tags=TAGS,
        hearings=(Hearing("0016c001f1100000", 0.0, -90, 9.0, 7.5, latest=True),),
    )
    return read_device(Record(dev_eui, msgspec.json.encode(device), 0.0))


def test_two_lights_heard_and_two_read_from_the_store_share_what_is_equal() -> None:
    one, two = uplink("00" * 8), uplink("01" * 8)
    three, four = stored("02" * 8), stored("03" * 8)
    application = one.device.application_name
    for other in (two.device, three, four):
        assert other.application_name is application
        assert other.tags["building"] is one.device.tags["building"]
    for name in (two.device.device_profile_name, three.profile_name, four.profile_name):
        assert name is one.device.device_profile_name
    gateway_id = one.receptions[0].gateway_id
    assert two.receptions[0].gateway_id is gateway_id
    assert three.hearings[0].gateway_id is four.hearings[0].gateway_id is gateway_id


def test_a_record_is_read_as_it_was_written() -> None:
    device = stored("02" * 8)
    assert (device.application_name, device.profile_name, device.tags) == (
        "Lights of the head office",
        "Kuando Busylight EU868",
        TAGS,
    )
    assert stored("02" * 8) == device


def test_what_is_shared_has_a_bound() -> None:
    for number in range(2 * SHARED_MOST):
        shared(f"application {number}")
    assert shared.cache_info().currsize == SHARED_MOST


def test_the_parts_of_a_light_read_from_the_store_share_the_event_that_they_are_of() -> None:
    one, two = decoded_light(heard_at=1_000.5), decoded_light(heard_at=2_000.5)
    for device in (one, two):
        assert device.report is not None
        assert device.session is not None
        assert device.session.dev_addr is device.report.dev_addr
        assert device.session.heard_at is device.report.at
        assert device.hearings[0].heard_at is device.report.at
        assert device.hearings[1].heard_at == device.report.at - 60.0
    assert one.report is not None
    assert two.report is not None
    assert two.wanted is not None
    assert one.report.light is two.report.light is two.wanted.light


def decoded_light(heard_at: float) -> Device:
    light = LightState(red=1, green=2, blue=3)
    device = Device(
        dev_eui="04" * 8,
        session=Session(dev_addr="01000000", since=1.0, f_cnt=7, heard_at=heard_at),
        report=Report(
            at=heard_at,
            dev_addr="01000000",
            f_cnt=7,
            light=light,
            downlinks_received=3,
            uplinks_sent=7,
            sw_rev=60,
            hw_rev=15,
            rssi_dbm=-90,
            snr_raw=30,
        ),
        hearings=(
            Hearing("0016c001f1100000", heard_at, -90, 9.0, 7.5, latest=True),
            Hearing("0016c001f1100001", heard_at - 60.0, -90, 9.0, 7.5, latest=False),
        ),
        wanted=Wanted(light, "a command", 2.0),
    )
    read = read_device(Record(device.dev_eui, msgspec.json.encode(device), 0.0))
    assert read == device
    return read
