"""Hostile webhooks against the real house: nothing crashes, and every refusal says what is wrong.

The rule it keeps: an event that is taken is also dealt with, so a body that only kills a light's
actor is noticed, too. After each round there is no dead letter and no restart.
"""

import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from quart.typing import TestClientProtocol as Client
from trio.testing import MockClock

from actors.supervision import ChildReport
from api.app import create_app
from tests.api.conftest import settings_with
from tests.fuzz.conftest import rounds
from tests.support.event_vectors import DATA
from tests.support.household import Household, housed, make_world
from tests.support.lorawan_strategies import spoilt

SEEKS = "FUZZ_FACTOR" in os.environ
URL = "/api/v1/webhooks/chirpstack"
KINDS = ("up", "join", "ack", "txack", "log", "status", "location")
JSON, PROTOBUF = "application/json", "application/octet-stream"
Delivery = tuple[str, str, bytes]
"""Query, Content-Type, body."""


def _bodies() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for path in sorted(DATA.glob("*.json")):
        named = [kind for kind in KINDS if kind in path.stem.split("-")]
        body = json.loads(path.read_bytes())
        if named and isinstance(body, dict) and "deviceInfo" in body:
            found.append((named[0], body))
    return found


BODIES = _bodies()
HOSTILE = [
    b"",
    b"\xff\xfe",
    b"\x1f\x8b\x08\x00",
    b"[" * 100_000,
    b'{"a":' * 40_000,
    b'{"time":NaN}',
    b'{"fCnt":1e400}',
    b'{"fCnt":' + b"9" * 5_000 + b"}",
    b'{"deviceInfo":{"deviceName":"\\ud800"}}',
    b'{"time":1,"time":"x"}',
    b"\x0a\xff\xff\xff\xff\x0f",
]
queries = st.one_of(
    st.sampled_from(KINDS).map(lambda kind: f"event={kind}"),
    st.sampled_from(["", "event=", "event=integration", "event=%ff", "event=%00", "&" * 30]),
    st.text("aev=nt&%;+", max_size=60),
)
types = st.sampled_from([JSON, PROTOBUF, "application/json; charset=latin-1", "text/plain", ""])
raw = st.one_of(st.sampled_from(HOSTILE), st.binary(max_size=400))


@st.composite
def plausible(draw: st.DrawFn, dev_euis: list[str]) -> Delivery:
    """An uplink of a light that is known, with numbers at and past their limits."""
    body = {
        "time": draw(
            st.sampled_from(
                ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2026-01-01T00:00:00Z"]
            )
        ),
        "deviceInfo": {
            "devEui": draw(st.sampled_from(dev_euis)),
            "deviceProfileName": "kuando",
            "deviceName": "x" * draw(st.sampled_from([0, 1, 100_000])),
        },
        "devAddr": draw(st.sampled_from(["00000000", "ffffffff", "01ABCDEF", "", "zz"])),
        "fCnt": draw(st.sampled_from([0, 1, 2**32 - 1, 2**32, -1])),
        "fPort": draw(st.integers(0, 256)),
        "data": draw(st.sampled_from([*range(30), 255, 256]).map(_base64_of)),
        "rxInfo": [
            {
                "gatewayId": draw(st.sampled_from(["", "0016c001f153a14c", "g" * 70])),
                "snr": draw(st.sampled_from([0, -1e308, 1e308, 3.4e38])),
                "rssi": draw(st.sampled_from([-(2**31), 0, 2**31 - 1])),
            }
        ]
        * draw(st.sampled_from([0, 1, 3_000])),
        "txInfo": {
            "frequency": 2**32 - 1,
            "modulation": {"lora": {"spreadingFactor": 7, "bandwidth": draw(st.integers(0, 9))}},
        },
    }
    return "event=up", JSON, json.dumps(body).encode()


def _base64_of(length: int) -> str:
    return base64.b64encode(b"\xff" * length).decode()


@st.composite
def mutated(draw: st.DrawFn, dev_euis: list[str]) -> Delivery:
    """A real body with something in it changed, perhaps told to be of a light that is known."""
    kind, body = draw(st.sampled_from(BODIES))
    if draw(st.booleans()):
        info = {**body["deviceInfo"], "devEui": draw(st.sampled_from(dev_euis))}
        body = {**body, "deviceInfo": info}
    said = draw(st.sampled_from([kind, kind, kind, *KINDS]))
    return f"event={said}", JSON, draw(spoilt(body))


def protobuf_deliveries() -> st.SearchStrategy[Delivery]:
    """Bytes near a real message: cut, flipped, with unknown fields, of another kind."""
    from chirpstack_api.integration import integration_pb2

    message = integration_pb2.UplinkEvent(dev_addr="01abcdef", f_cnt=7, f_port=15, data=b"\x01")
    message.device_info.dev_eui = "0101010101010101"
    message.time.seconds = 1_767_323_045
    whole = message.SerializeToString()
    cut = st.integers(0, len(whole)).map(lambda n: whole[:n])
    flipped = st.tuples(st.integers(0, len(whole) - 1), st.integers(1, 255)).map(
        lambda f: whole[: f[0]] + bytes([whole[f[0]] ^ f[1]]) + whole[f[0] + 1 :]
    )
    longer = st.binary(max_size=40).map(lambda tail: whole + tail)
    kinds = st.sampled_from(KINDS).map(lambda kind: f"event={kind}")
    return st.tuples(kinds, st.just(PROTOBUF), cut | flipped | longer)


def restarts(report: ChildReport) -> int:
    return report.restarts + sum(restarts(child) for child in report.children)


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Household, Client]]:
    """The real house with its lights set up, and a client of its HTTP."""
    world = make_world(lights=2)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        async with housed(world) as home:
            await home.settled()
            yield home, create_app(home.house, settings_with()).test_client()
        nursery.cancel_scope.cancel()


async def send(client: Client, delivery: Delivery) -> int:
    """Deliver it; the status, after the answer was found to be a proper one."""
    query, media_type, body = delivery
    headers = {"Content-Type": media_type}
    response = await client.post(f"{URL}?{query}", data=body, headers=headers)
    answer, status = await response.get_data(), response.status_code
    assert status in {202, 204, 400, 413, 415, 422}, (status, answer)
    if status < 400:
        assert answer == b""
    else:
        problem = json.loads(answer)
        assert response.content_type == "application/problem+json"
        assert problem["status"] == status
        assert problem.get("errors") or problem.get("detail") or status in {413, 415}, problem
    return status


async def deliver_all(deliveries: list[Delivery] | None, data: Any = None) -> set[int]:
    async with served() as (home, client):
        if deliveries is None:
            lights = st.one_of(
                mutated(list(home.devices)),
                plausible(list(home.devices)),
                protobuf_deliveries(),
                st.tuples(queries, types, raw),
            )
            deliveries = data.draw(st.lists(lights, min_size=10, max_size=25))
        statuses = set()
        for delivery in deliveries:
            statuses.add(await send(client, delivery))
            await trio.sleep(1.0)
        await trio.sleep(60.0)
        assert home.house.dead_letters(10) == []
        assert restarts(home.house.supervisor()) == 0
        for path in ("/api/v1/devices", "/api/v1/gateways", "/api/v1/supervisor", "/metrics"):
            assert (await client.get(path)).status_code == 200
        for dev_eui in home.devices:
            seen = await client.get(f"/api/v1/devices/{dev_eui}/events?since=0&until=1e11")
            assert seen.status_code == 200
        return statuses


def in_virtual_time(deliveries: list[Delivery] | None, data: Any = None) -> set[int]:
    clock = MockClock(autojump_threshold=0)
    return trio.run(deliver_all, deliveries, data, clock=clock)


@settings(
    max_examples=rounds(12),
    deadline=None,
    derandomize=not SEEKS,
    database=None,
    # Each round runs a house for minutes of its time; to shrink takes longer than a test may.
    phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if SEEKS else [])],
)
@given(st.data())
def test_no_delivery_hurts_the_house(data: st.DataObject) -> None:
    in_virtual_time(None, data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("media_type", [JSON, PROTOBUF])
def test_hostile_bodies_of_every_kind(kind: str, media_type: str) -> None:
    statuses = in_virtual_time([(f"event={kind}", media_type, body) for body in HOSTILE])
    assert statuses <= {400, 413}


def test_the_real_bodies_are_taken() -> None:
    statuses = in_virtual_time([(f"event={k}", JSON, json.dumps(b).encode()) for k, b in BODIES])
    assert len(BODIES) > 20
    assert statuses <= {202, 204}
