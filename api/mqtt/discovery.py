"""The devices that Home Assistant makes by itself: one description each, on a retained topic. Pure.

Facts: Home Assistant's documentation, "MQTT", "Discovery payload" (of devices, since 2024.11), and
module `homeassistant.components.mqtt.schemas` of home-assistant/core. Short keys are not used: the
payload is read by people, too.
"""

from typing import Any

import msgspec

from actors.board.changes import GatewayView
from actors.cluster.release import installed_version
from actors.plain_text import NAME_MOST, one_line
from api.models import DeviceSummary
from api.mqtt.colours import EFFECTS
from api.mqtt.topics import GatewayLeaf, LightLeaf, Topics

MANUFACTURER = "Plenom"
ORIGIN = "Lamplighter"


def light_config(light: DeviceSummary, topics: Topics, area_tag: str) -> bytes:
    """The device of a light: the light itself, whether there is a problem, signal, last heard."""
    dev_eui, node = light.dev_eui, topics.node
    attributes = topics.light(dev_eui, LightLeaf.ATTRIBUTES)
    unique = f"{node}_{dev_eui}"
    bridge = _available(topics.availability)
    both = [bridge, _available(topics.light(dev_eui, LightLeaf.AVAILABILITY))]
    device: dict[str, Any] = {
        "identifiers": [unique],
        "name": one_line(light.name, NAME_MOST) or dev_eui,
        "manufacturer": MANUFACTURER,
        "model": "Kuando Busylight LoRaWAN",
        "serial_number": dev_eui,
        "via_device": f"{node}_bridge",
    }
    if light.software_rev is not None:
        device["sw_version"] = f"{light.software_rev:g}"
    if area := one_line(light.tags.get(area_tag, ""), NAME_MOST):
        device["suggested_area"] = area
    lamp: dict[str, Any] = {
        "platform": "light",
        "schema": "json",
        "unique_id": f"{unique}_light",
        "name": None,
        "state_topic": topics.light(dev_eui, LightLeaf.STATE),
        "command_topic": topics.set(dev_eui),
        "json_attributes_topic": attributes,
        "availability": both,
        "availability_mode": "all",
        "supported_color_modes": ["rgb"],
        "brightness": True,
        "effect": True,
        "effect_list": list(EFFECTS),
        "flash": False,
        "transition": False,
        "optimistic": False,
        "qos": 1,
    }
    components: dict[str, Any] = {
        "light": lamp,
        "problem": {
            "platform": "binary_sensor",
            "unique_id": f"{unique}_problem",
            "name": "Problem",
            "device_class": "problem",
            "entity_category": "diagnostic",
            "state_topic": attributes,
            "value_template": "{{ 'ON' if value_json.problem else 'OFF' }}",
            "availability": [bridge],
            "qos": 1,
        },
        "rssi": _measured(unique, "rssi", "Signal", "dBm", "rssi_dbm", attributes, both),
        "snr": _measured(unique, "snr", "Signal to noise", "dB", "snr_db", attributes, both),
        "last_heard": {
            "platform": "sensor",
            "unique_id": f"{unique}_last_heard",
            "name": "Last heard",
            "device_class": "timestamp",
            "entity_category": "diagnostic",
            "state_topic": attributes,
            "value_template": "{{ value_json.last_heard }}",
            "availability": [bridge],
            "qos": 1,
        },
    }
    return _described(device, components)


def gateway_config(gateway: GatewayView, topics: Topics) -> bytes:
    """The device of a gateway: whether it is connected."""
    unique = f"{topics.node}_gateway_{gateway.gateway_id}"
    device = {
        "identifiers": [unique],
        "name": one_line(gateway.name, NAME_MOST) or gateway.gateway_id,
        "model": "LoRaWAN gateway",
        "serial_number": gateway.gateway_id,
        "via_device": f"{topics.node}_bridge",
    }
    connectivity = {
        "platform": "binary_sensor",
        "unique_id": f"{unique}_connectivity",
        "name": "Connection",
        "device_class": "connectivity",
        "state_topic": topics.gateway(gateway.gateway_id, GatewayLeaf.STATE),
        "json_attributes_topic": topics.gateway(gateway.gateway_id, GatewayLeaf.ATTRIBUTES),
        "availability": [_available(topics.availability)],
        "qos": 1,
    }
    return _described(device, {"connectivity": connectivity})


def bridge_config(topics: Topics) -> bytes:
    """The device of the bridge, by which the others are reached."""
    unique = f"{topics.node}_bridge"
    device = {
        "identifiers": [unique],
        "name": ORIGIN if topics.prefix == "lamplighter" else f"{ORIGIN} {topics.prefix}",
        "model": "MQTT bridge",
        "sw_version": installed_version(),
    }
    connectivity = {
        "platform": "binary_sensor",
        "unique_id": f"{unique}_connectivity",
        "name": "Connection",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": topics.availability,
        "payload_on": "online",
        "payload_off": "offline",
        "qos": 1,
    }
    return _described(device, {"connectivity": connectivity})


def _measured(
    unique: str,
    key: str,
    name: str,
    unit: str,
    member: str,
    attributes: str,
    available: list[dict[str, str]],
) -> dict[str, Any]:
    """A figure of the newest uplink, which is worth nothing once the light is not heard."""
    return {
        "platform": "sensor",
        "unique_id": f"{unique}_{key}",
        "name": name,
        "device_class": "signal_strength",
        "state_class": "measurement",
        "unit_of_measurement": unit,
        "entity_category": "diagnostic",
        "state_topic": attributes,
        "value_template": f"{{{{ value_json.{member} }}}}",
        "availability": available,
        "availability_mode": "all",
        "qos": 1,
    }


def _available(topic: str) -> dict[str, str]:
    return {"topic": topic}


def _described(device: dict[str, Any], components: dict[str, Any]) -> bytes:
    origin = {"name": ORIGIN, "sw_version": installed_version()}
    return msgspec.json.encode({"device": device, "origin": origin, "components": components})
