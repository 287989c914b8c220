"""Times and identifiers survive the way to ChirpStack's messages and back."""

import math

import pytest
from chirpstack_api import api, common
from hypothesis import given
from hypothesis import strategies as st

from lorawan.chirpstack import wire
from lorawan.network import Encoding, HttpIntegration, NetworkInvalid


@given(st.integers(min_value=0, max_value=4_102_444_800_000_000))
def test_a_time_keeps_its_microseconds(micros: int) -> None:
    at = micros / 1_000_000
    timestamp = wire.to_timestamp(at)
    assert timestamp.seconds * 1_000_000 + timestamp.nanos / 1000 == micros
    assert wire.from_timestamp(timestamp) == at


@pytest.mark.parametrize("at", [math.nan, math.inf, -math.inf, 1e300])
def test_no_time_is_invalid(at: float) -> None:
    with pytest.raises(NetworkInvalid, match="Unix seconds"):
        wire.to_timestamp(at)


@pytest.mark.parametrize("eui", ["", "0102", "0102030405060708ff", "g102030405060708", " " * 16])
def test_a_wrong_dev_eui_does_not_leave(eui: str) -> None:
    with pytest.raises(NetworkInvalid, match="16 hexadecimal digits"):
        wire.canonical_eui(eui)


def test_a_dev_eui_is_lower_case() -> None:
    assert wire.canonical_eui("ABCDEF0102030405") == "abcdef0102030405"


@pytest.mark.parametrize("f_port", [-1, 0, 224, 256, 271])
def test_a_port_that_the_server_would_cut_does_not_leave(f_port: int) -> None:
    with pytest.raises(NetworkInvalid, match="f_port"):
        wire.enqueue_request("0102030405060708", f_port, b"", 0.0)


def test_an_item_is_unconfirmed_and_expires() -> None:
    item = wire.enqueue_request("ABCDEF0102030405", 15, b"\x01", 1.5).queue_item
    assert item.dev_eui == "abcdef0102030405"
    assert not item.confirmed
    assert item.HasField("expires_at")


def test_an_item_of_an_old_server_has_no_expiry() -> None:
    assert wire.queue_item(api.DeviceQueueItem(id="i", f_port=15)).expires_at is None


def test_a_device_that_never_joined_has_no_activation() -> None:
    assert wire.activation(api.GetDeviceActivationResponse()) is None


def test_the_downlink_counter_is_that_of_lorawan_1_0() -> None:
    session = api.DeviceActivation(
        dev_addr="01020304", f_cnt_up=3, n_f_cnt_down=7, a_f_cnt_down=99, app_s_key="secret"
    )
    activation = wire.activation(api.GetDeviceActivationResponse(device_activation=session))
    assert activation is not None
    assert (activation.f_cnt_up, activation.f_cnt_down) == (3, 7)
    assert "secret" not in repr(activation)


def test_a_gateway_at_zero_has_no_position_and_one_unseen_no_time() -> None:
    unplaced = wire.gateway(api.GatewayListItem(gateway_id="AA" * 8, location=common.Location()))
    assert (unplaced.latitude, unplaced.longitude, unplaced.last_seen_at) == (None, None, None)
    assert unplaced.gateway_id == "aa" * 8
    place = common.Location(latitude=0.0, longitude=9.5)
    placed = wire.gateway(api.GatewayListItem(gateway_id="aa" * 8, location=place))
    assert (placed.latitude, placed.longitude) == (0.0, 9.5)


@pytest.mark.parametrize("encoding", list(Encoding))
def test_an_integration_survives_both_ways(encoding: Encoding) -> None:
    integration = HttpIntegration("a", "http://h/x", {"k": "v"}, encoding)
    assert wire.http_integration(wire.http_integration_message(integration)) == integration
