"""Which light gets which colour of a scene, by what is known of the lights now. Pure.

A light that is named gets the colour under which it is named. Of the others each gets that of the
first part whose tag or application it has, or that is for all.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from actors.device.model import Device
from actors.scenes.model import Part
from lorawan.kuando.light_state import LightState


class Source(StrEnum):
    """What of the lights a scene is made from."""

    WANTED = "wanted"
    SHOWN = "shown"


class Resolved(msgspec.Struct, frozen=True):
    """Colours by DevEUI, in the order of these, and the lights named that nobody knows."""

    colours: Mapping[str, LightState]
    missing: tuple[str, ...] = ()


def resolved(parts: Sequence[Part], devices: Mapping[str, Device]) -> Resolved:
    """Which light gets which colour now."""
    named = {dev_eui: part.light for part in parts for dev_eui in part.dev_euis}
    found = {dev_eui: light for dev_eui, light in named.items() if dev_eui in devices}
    missing = tuple(sorted(dev_eui for dev_eui in named if dev_eui not in devices))
    wide = [part for part in parts if not part.dev_euis]
    if wide:
        for dev_eui, device in devices.items():
            if dev_eui in found:
                continue
            part = next((one for one in wide if means(one, device)), None)
            if part is not None:
                found[dev_eui] = part.light
    return Resolved(dict(sorted(found.items())), missing)


def most_frequent(colours: Mapping[str, LightState]) -> LightState:
    """The colour of most of the lights; there must be one."""
    return Counter(colours.values()).most_common(1)[0][0]


def as_now(devices: Iterable[Device], source: Source) -> tuple[Part, ...]:
    """What these lights should show, or show, as parts; lights of which that is not known, or that
    show it no longer for sure, are left out."""
    by_light: dict[LightState, list[str]] = {}
    for device in devices:
        if source is Source.WANTED:
            light = None if device.wanted is None else device.wanted.light
        else:
            light = device.reported
        if light is not None:
            by_light.setdefault(light, []).append(device.dev_eui)
    ranked = sorted(by_light.items(), key=lambda each: (-len(each[1]), each[1]))
    return tuple(Part(light, dev_euis=tuple(sorted(lights))) for light, lights in ranked)


def means(part: Part, device: Device) -> bool:
    """Whether a part finds this light, which it does not name."""
    if part.everything:
        return True
    if part.application is not None and part.application not in (
        device.application_id,
        device.application_name,
    ):
        return False
    if part.tag is None:
        return part.application is not None
    key, has_value, value = part.tag.partition("=")
    return key in device.tags and (not has_value or device.tags[key] == value)
