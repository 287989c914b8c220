"""Equal texts of many lights are kept once, whichever way they come in."""

import msgspec

from actors.device.model import Device, Hearing
from actors.device.records import read_device
from lorawan.events import Uplink, decode_json
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
