"""The strategies make what they promise, checked against bodies that we did not write."""

import json
from pathlib import Path

import pytest
from hypothesis import given

from lorawan.kuando.light_state import LightState
from lorawan.kuando.status import Status
from tests.support import lorawan_strategies as some

DATA = Path(__file__).parents[1] / "data"
VECTORS = json.loads((DATA / "kuando.json").read_text())
STATUSES = [vector for vector in VECTORS if vector["direction"] == "up" and vector["decoded"]]


@pytest.mark.parametrize("vector", STATUSES, ids=lambda vector: vector["hex"])
def test_status_bytes_are_those_of_the_documents(vector):
    decoded = vector["decoded"]
    status = Status(
        rssi_dbm=decoded["rssi"],
        snr_raw=decoded["snr"],
        downlinks_received=decoded["downlinks_received"],
        uplinks_sent=decoded["uplinks_sent"],
        light=LightState(**{name: decoded[name] for name in ("red", "green", "blue", "on", "off")}),
        sw_rev=decoded["sw_rev"],
        hw_rev=decoded["hw_rev"],
        adr=decoded["adr_state"],
        high_brightness=decoded["high_brightness"],
    )
    assert some.status_bytes(status).hex() == vector["hex"]


@given(some.statuses())
def test_a_status_has_24_or_25_bytes(status):
    assert len(some.status_bytes(status)) == (24 if status.high_brightness is None else 25)


@given(some.spoilt({"a": {"b": [1, 2]}, "c": "d"}))
def test_a_spoilt_body_is_json_and_still_an_object(body):
    assert isinstance(json.loads(body), dict)
