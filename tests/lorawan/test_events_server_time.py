"""When ChirpStack received an uplink: by its own clock, never by a gateway's."""

import json
from typing import Any

import pytest

from lorawan.events import Join, Uplink, decode_json, decode_protobuf
from simulation.world.bodies import protobuf_body
from tests.support.event_vectors import body_bytes

NAME = "capture-up-class-c"
SERVER_AT = 1741335033.035682529
NS_TIME = "2025-03-07T08:10:33.035682529+00:00"


def _up(*ns_times: str | None, time: str = "2025-03-07T08:10:33.292943009+00:00") -> Uplink:
    body: dict[str, Any] = json.loads(body_bytes(NAME))
    heard = body["rxInfo"][0]
    body["rxInfo"] = [heard | {"gatewayId": f"{n:016x}"} for n in range(len(ns_times))]
    for copy, ns_time in zip(body["rxInfo"], ns_times, strict=True):
        copy.pop("nsTime")
        if ns_time is not None:
            copy["nsTime"] = ns_time
    event = decode_json("up", json.dumps(body | {"time": time}).encode())
    assert isinstance(event, Uplink)
    return event


@pytest.mark.parametrize(
    "gateway", ["2025-03-07T08:10:08+00:00", "2025-03-07T09:10:33+00:00", "2005-07-22T08:10:33Z"]
)
def test_the_gateways_clock_has_no_say(gateway: str) -> None:
    # from the field: 25 s behind, an hour ahead, 1024 weeks behind
    event = _up(NS_TIME, time=gateway)
    assert event.at == SERVER_AT
    assert event.gateway_at is not None
    assert event.gateway_at != SERVER_AT


def test_the_earliest_copy_counts_in_whatever_order_they_are_listed() -> None:
    later = "2025-03-07T08:10:33.235682529+00:00"
    assert _up(later, NS_TIME).at == _up(NS_TIME, later).at == SERVER_AT


def test_a_copy_with_another_clocks_time_is_passed_over() -> None:
    later, partner = "2025-03-07T08:10:33.135682529+00:00", "2025-03-07T07:00:00+00:00"
    assert _up(partner, NS_TIME, later).at == SERVER_AT


@pytest.mark.parametrize("ns_times", [(), (None,), (None, None)])
def test_without_a_time_of_the_server_it_is_unknown(ns_times: tuple[None, ...]) -> None:
    assert _up(*ns_times).at is None


def test_one_that_is_missing_leaves_the_others() -> None:
    assert _up(None, NS_TIME).at == SERVER_AT


def test_both_encodings_say_the_same() -> None:
    event = _up(NS_TIME)
    again = decode_protobuf(*protobuf_body(event))
    assert isinstance(again, Uplink)
    assert again.at == pytest.approx(event.at, abs=2e-6)
    assert again.gateway_at == pytest.approx(event.gateway_at, abs=2e-6)


def test_a_join_has_no_time_of_the_servers() -> None:
    event = decode_json("join", body_bytes("capture-join-class-c"))
    assert isinstance(event, Join)
    assert event.at is None
    assert event.gateway_at == 1741330475.594623020
