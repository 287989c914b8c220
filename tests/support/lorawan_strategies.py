"""Random lights, payloads, events and frames for the tests of `lorawan` and of what uses it.

What a strategy calls valid is valid by the documents, not by our own code.
"""

import json
from typing import Any

from hypothesis import strategies as st

from lorawan.events.model import Modulation
from lorawan.kuando.frames import (
    AutoUplink,
    Frame,
    HighBrightness,
    RequestStatus,
    SetLight,
    StatusInterval,
)
from lorawan.kuando.light_state import LightState
from lorawan.kuando.status import Status

BYTES = st.integers(0, 255)
INT32 = st.integers(-(2**31), 2**31 - 1)
UINT32 = st.integers(0, 2**32 - 1)


def lights() -> st.SearchStrategy[LightState]:
    """Any five bytes."""
    return st.builds(LightState, red=BYTES, green=BYTES, blue=BYTES, on=BYTES, off=BYTES)


def frames() -> st.SearchStrategy[Frame]:
    """Any frame that may be sent."""
    return st.one_of(
        st.builds(SetLight, light=lights(), reply=st.booleans()),
        st.builds(AutoUplink, on=st.booleans()),
        st.builds(StatusInterval, minutes=st.integers(1, 255)),
        st.just(RequestStatus()),
        st.builds(HighBrightness, on=st.booleans()),
    )


def statuses() -> st.SearchStrategy[Status]:
    """Any status that fits its bytes."""
    return st.builds(
        Status,
        rssi_dbm=INT32,
        snr_raw=INT32,
        downlinks_received=UINT32,
        uplinks_sent=UINT32,
        light=lights(),
        sw_rev=BYTES,
        hw_rev=BYTES,
        adr=BYTES,
        high_brightness=st.none() | BYTES,
    )


def status_bytes(status: Status) -> bytes:
    """The payload that a light would send, written from the vendor's table byte by byte."""
    light = status.light
    payload = bytearray()
    for value in (status.rssi_dbm, status.snr_raw):
        payload += value.to_bytes(4, "little", signed=True)
    for value in (status.downlinks_received, status.uplinks_sent):
        payload += value.to_bytes(4, "little", signed=False)
    payload += bytes([light.red, light.blue, light.green, light.on, light.off])
    payload += bytes([status.sw_rev, status.hw_rev, status.adr])
    if status.high_brightness is not None:
        payload.append(status.high_brightness)
    return bytes(payload)


def modulations() -> st.SearchStrategy[Modulation]:
    """LoRa as the regional plans use it."""
    return st.builds(
        Modulation,
        spreading_factor=st.integers(7, 12),
        bandwidth_hz=st.sampled_from([125_000, 250_000, 500_000]),
    )


def json_values() -> st.SearchStrategy[Any]:
    """Any JSON value of a few levels."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    return st.recursive(
        leaves, lambda part: st.lists(part) | st.dictionaries(st.text(), part), max_leaves=20
    )


@st.composite
def spoilt(draw: st.DrawFn, body: dict[str, Any]) -> bytes:
    """A JSON body with one member somewhere in it replaced, removed, or added."""
    copy = json.loads(json.dumps(body))
    places: list[tuple[Any, Any]] = []
    _collect(copy, places)
    holder, key = draw(st.sampled_from(places))
    if isinstance(holder, dict) and draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = draw(json_values())
    return json.dumps(copy).encode()


def _collect(value: Any, places: list[tuple[Any, Any]]) -> None:
    if isinstance(value, dict):
        keys: Any = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    else:
        return
    for key in keys:
        places.append((value, key))
        _collect(value[key], places)
