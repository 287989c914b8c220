"""What Home Assistant is told of lights and gateways.

`home_assistant_discovery.json` has the descriptions of one light, one gateway and the bridge. They
were run through Home Assistant's own parsing, `_parse_device_payload` of its module
`homeassistant.components.mqtt.discovery` and the `DISCOVERY_SCHEMA` of each platform (package
`homeassistant` 2026.11.0, Python 3.14): all seven components were accepted, and no key was dropped.
Its MQTT integration, run over the bridge's broker, made of them three devices and seven entities
with the states that are right. Whoever changes a description runs that again.
"""

import json
from pathlib import Path
from typing import Any

from api.models import DeviceSummary
from api.mqtt.discovery import bridge_config, gateway_config, light_config
from api.mqtt.payloads import light_attributes, troubles_of
from api.mqtt.topics import Kind, Topics
from tests.support.fake_application import DEV_EUI, GATEWAY, FakeApplication, a_light

RECORDED = Path(__file__).parents[2] / "data" / "home_assistant_discovery.json"
TOPICS = Topics()
COMPONENT_KEYS = {
    # facts of homeassistant.components.mqtt, 2026.11.0: what these platforms must have
    "light": {"command_topic", "schema"},
    "binary_sensor": {"state_topic"},
    "sensor": {"state_topic"},
}


def a_summary(application: FakeApplication, **changes: Any) -> DeviceSummary:
    application.board.publish(a_light(**changes))
    device = application.board.devices[DEV_EUI]
    return DeviceSummary.of(device, application.board.reachability(device), None)


def described(**changes: Any) -> dict[str, Any]:
    application = FakeApplication()
    light = a_summary(application, **changes)
    gateway = application.board.gateways[GATEWAY]
    payloads = {
        TOPICS.config(Kind.BRIDGE): bridge_config(TOPICS),
        TOPICS.config(Kind.GATEWAY, GATEWAY): gateway_config(gateway, TOPICS),
        TOPICS.config(Kind.LIGHT, DEV_EUI): light_config(light, TOPICS, "room"),
    }
    return {topic: json.loads(payload) for topic, payload in payloads.items()}


def without_release(found: dict[str, Any]) -> dict[str, Any]:
    """Our own version changes with every release, and means nothing to the schema."""
    for payload in found.values():
        payload["origin"].pop("sw_version")
        if "bridge" in payload["device"]["identifiers"][0]:
            payload["device"].pop("sw_version")
    return found


def test_the_descriptions_are_those_that_home_assistant_accepted() -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    found = described(tags={"room": "Line 2", "floor": "2"})
    assert without_release(found) == without_release(recorded)


def test_every_component_has_what_its_platform_must_have_and_an_id_of_its_own() -> None:
    components = [
        each for payload in described().values() for each in payload["components"].values()
    ]
    assert all(COMPONENT_KEYS[each["platform"]] <= each.keys() for each in components)
    ids = [each["unique_id"] for each in components]
    assert len(set(ids)) == len(ids) == 7


def test_whom_a_device_is_reached_by_is_a_device_that_is_described() -> None:
    devices = [payload["device"] for payload in described().values()]
    known = {name for device in devices for name in device["identifiers"]}
    assert {device["via_device"] for device in devices if "via_device" in device} <= known


def test_a_light_without_the_tag_has_no_area_and_one_without_a_name_its_dev_eui() -> None:
    device = described(tags={}, name="")[TOPICS.config(Kind.LIGHT, DEV_EUI)]["device"]
    assert "suggested_area" not in device
    assert device["name"] == DEV_EUI


def test_a_hostile_name_is_made_harmless() -> None:
    device = described(name="Desk\n\u202e7" + "x" * 200)[TOPICS.config(Kind.LIGHT, DEV_EUI)][
        "device"
    ]
    assert "\n" not in device["name"]
    assert "\u202e" not in device["name"]
    assert len(device["name"]) <= 80


def test_a_light_that_is_well_has_no_trouble_and_one_that_is_not_reached_says_why() -> None:
    application = FakeApplication()
    light = a_summary(application)
    assert troubles_of(light) == []
    assert light_attributes(light)["problem"] is False
    lonely = a_summary(application, hearings=(), session=None, report=None)
    assert troubles_of(lonely) == ["it was not heard since it joined"]
    told = light_attributes(lonely)
    assert (told["problem"], told["reported"], told["rssi_dbm"]) == (True, None, None)
