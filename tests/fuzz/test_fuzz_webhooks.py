"""Hostile webhooks against the real application: nothing crashes, and refusals say what is wrong.

An event that is taken is also dealt with, so a body that only kills a light's actor is noticed,
too. After each round there is no dead letter and no restart.
"""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from quart.typing import TestClientProtocol as Client

from actors.device.model import Device
from api.http.app import create_app
from tests.api.conftest import settings_with
from tests.fuzz.conftest import SEEKS, restarts, rounds
from tests.support.clock_and_threads import in_virtual_time
from tests.support.event_vectors import DATA
from tests.support.lorawan_strategies import spoilt
from tests.support.running_application import RunningApplication, make_world, running_application

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


def protobuf_of(body: dict[str, Any], dev_eui: str) -> bytes:
    """A real uplink in Protobuf, told to be of this light."""
    from chirpstack_api.integration import integration_pb2
    from google.protobuf import json_format

    said = {**body, "deviceInfo": {**body["deviceInfo"], "devEui": dev_eui}}
    message = integration_pb2.UplinkEvent()
    json_format.ParseDict(said, message, ignore_unknown_fields=True)
    message.device_info.device_profile_name = "kuando"
    return message.SerializeToString()


@st.composite
def protobuf_deliveries(draw: st.DrawFn, dev_euis: list[str]) -> Delivery:
    """Bytes near a real uplink of a known light: cut, flipped, twice, with more, of another kind.

    Most bits that flip leave a message that can be read and whose DevEUI is still the light's, so
    that it reaches the light's actor.
    """
    uplinks = [body for kind, body in BODIES if kind == "up"]
    whole = protobuf_of(draw(st.sampled_from(uplinks)), draw(st.sampled_from(dev_euis)))
    match draw(st.sampled_from(["flip", "flip", "flip", "cut", "longer", "twice", "kind"])):
        case "flip":
            said = bytearray(whole)
            for _ in range(draw(st.integers(1, 3))):
                said[draw(st.integers(0, len(whole) - 1))] ^= draw(st.integers(1, 255))
            return "event=up", PROTOBUF, bytes(said)
        case "cut":
            return "event=up", PROTOBUF, whole[: draw(st.integers(0, len(whole)))]
        case "longer":
            return "event=up", PROTOBUF, whole + draw(st.binary(max_size=40))
        case "twice":
            # Protobuf merges the two: repeated fields get longer, the others are the last.
            return "event=up", PROTOBUF, whole + whole
        case _:
            return f"event={draw(st.sampled_from(KINDS))}", PROTOBUF, whole


@asynccontextmanager
async def served() -> AsyncIterator[tuple[RunningApplication, Client]]:
    """The real service with its lights set up, and a client of its HTTP."""
    world = make_world(lights=2)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        async with running_application(world) as home:
            await home.settled()
            yield home, create_app(home.application, settings_with()).test_client()
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
                protobuf_deliveries(list(home.devices)),
                protobuf_deliveries(list(home.devices)),
                st.tuples(queries, types, raw),
            )
            deliveries = data.draw(st.lists(lights, min_size=10, max_size=25))
        statuses = set()
        for delivery in deliveries:
            statuses.add(await send(client, delivery))
            await trio.sleep(1.0)
        await trio.sleep(60.0)
        assert home.application.dead_letters.recent(10) == []
        assert restarts(home.application.supervisor.report()) == 0
        for path in ("/api/v1/devices", "/api/v1/gateways", "/api/v1/supervisor", "/metrics"):
            assert (await client.get(path)).status_code == 200
        for dev_eui in home.devices:
            seen = await client.get(f"/api/v1/devices/{dev_eui}/events?since=0&until=1e11")
            assert seen.status_code == 200
        return statuses


@settings(
    max_examples=rounds(12),
    deadline=None,
    derandomize=not SEEKS,
    database=None,
    # Each round runs a service for minutes of its time; to shrink takes longer than a test may, and
    # what is found is told at once, before `make fuzz` runs out of time.
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
    print_blob=True,
)
@given(st.data())
def test_no_delivery_hurts_the_house(data: st.DataObject) -> None:
    in_virtual_time(deliver_all, None, data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("media_type", [JSON, PROTOBUF])
def test_hostile_bodies_of_every_kind(kind: str, media_type: str) -> None:
    statuses = in_virtual_time(
        deliver_all, [(f"event={kind}", media_type, body) for body in HOSTILE]
    )
    assert statuses <= {400, 413}


def test_the_real_bodies_are_taken() -> None:
    statuses = in_virtual_time(
        deliver_all, [(f"event={k}", JSON, json.dumps(b).encode()) for k, b in BODIES]
    )
    assert len(BODIES) > 20
    assert statuses <= {202, 204}


def test_the_real_uplinks_in_protobuf_reach_their_light() -> None:
    """What the mutations start from does get to an actor; else they would prove nothing."""

    def heard(device: Device) -> int:
        return device.uplinks + device.stale + device.duplicates

    async def reach() -> None:
        async with served() as (home, client):
            dev_eui = next(iter(home.devices))
            for kind, body in BODIES:
                if kind == "up":
                    before = heard(home.devices[dev_eui])
                    delivery = ("event=up", PROTOBUF, protobuf_of(body, dev_eui))
                    assert await send(client, delivery) == 204
                    await trio.sleep(1.0)
                    # More than one where the light's actor asks the network about it.
                    assert heard(home.devices[dev_eui]) > before

    in_virtual_time(reach)
