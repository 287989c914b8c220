"""Rollouts over HTTP: what may be asked, what is told, and who may."""

import json

import msgspec
import pytest
from quart.typing import TestClientProtocol as Client

from actors.board.rollout import State
from actors.device.model import Phase
from actors.reasons import other
from actors.refusal import Refusal
from actors.rollouts import decisions
from actors.rollouts.model import Part, PartState
from api.http.app import create_app
from lorawan.kuando.light_state import LightState
from tests.api.conftest import OPERATOR, TOKENS, VIEWER, settings_with
from tests.support.fake_application import DEV_EUI, NOW, FakeApplication, a_light
from tests.support.web_server import get, post, read_answer, running

URL = "/api/v1/rollouts"
RED = {"red": 255, "green": 0, "blue": 0}
ORDER = {**RED, "dev_euis": [DEV_EUI]}


async def test_a_rollout_is_begun_listed_and_inspected(
    client: Client, application: FakeApplication
) -> None:
    application.board.publish(a_light("20202000000000a1"))
    asked = {**RED, "dev_euis": [DEV_EUI.upper(), "20202000000000a1", DEV_EUI], "name": "Night"}
    response = await client.post(URL, json=asked)
    made = await response.get_json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"{URL}/{made['id']}"
    assert made == {
        "id": "roll-1",
        "name": "Night",
        "state": "running",
        "reason": None,
        "reason_code": None,
        "reason_values": None,
        "light": {"red": 255, "green": 0, "blue": 0, "on": 255, "off": 0},
        "keep": True,
        "created_at": NOW,
        "ended_at": None,
        "changed_at": NOW,
        "pace_per_min": 30.0,
        "failures_most": 5,
        "total": 2,
        "waiting": 2,
        "open": 0,
        "verified": 0,
        "failed": 0,
        "superseded": 0,
        "withdrawn": 0,
        "cancelled": 0,
        "removed": 0,
        "by": "local",
        "colours": [],
        "again_of": None,
        "scene": None,
        "partly": False,
    }
    assert (application.rollouts.orders[0].light, application.rollouts.orders[0].ttl_s) == (
        LightState(255, 0, 0),
        None,
    )
    assert await (await client.get(URL)).get_json() == {"rollouts": [made]}
    seen = await (await client.get(f"{URL}/roll-1")).get_json()
    lights = seen.pop("lights")
    assert seen == made
    assert lights[0] == {
        "dev_eui": DEV_EUI,
        "state": "waiting",
        "command_id": None,
        "reason": None,
        "reason_code": None,
        "reason_values": None,
        "light": {**RED, "on": 255, "off": 0},
    }
    unknown = await client.get(f"{URL}/nobody")
    assert unknown.status_code == 404
    assert (await unknown.get_json())["type"] == "urn:lamplighter:problem:unknown-rollout"


async def test_a_filter_is_resolved_once(client: Client, application: FakeApplication) -> None:
    application.board.publish(a_light("20202000000000a1", phase=Phase.FAILED, tags={"floor": "9"}))
    application.board.publish(a_light("20202000000000a2", tags={"floor": "9"}))
    wanted = {**RED, "filter": {"tag": "floor=9", "phase": ["failed"]}, "pace_per_min": 6000}
    assert (await client.post(URL, json=wanted)).status_code == 201
    assert application.rollouts.orders[0].dev_euis == ("20202000000000a1",)
    every = await client.post(URL, json={**RED, "filter": {}, "failures_most": 0})
    assert (await every.get_json())["total"] == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (RED, ""),
        ({**ORDER, "filter": {}}, ""),
        ({**RED, "dev_euis": []}, "dev_euis"),
        ({**RED, "dev_euis": ["nope"]}, "dev_euis.0"),
        ({**RED, "dev_euis": [DEV_EUI, "ffffffffffffffff"]}, "dev_euis.1"),
        ({**RED, "filter": {"search": "nobody"}}, "filter"),
        ({**RED, "filter": {"floor": 9}}, "filter.floor"),
        ({**ORDER, "red": 256}, "red"),
        ({**ORDER, "name": "x" * 101}, "name"),
        ({**ORDER, "pace_per_min": 0}, "pace_per_min"),
        ({**ORDER, "pace_per_min": 6001}, "pace_per_min"),
        ({**ORDER, "failures_most": -1}, "failures_most"),
        ({**ORDER, "wait_for_verification": True}, "wait_for_verification"),
    ],
)
async def test_wrong_orders(
    client: Client, application: FakeApplication, body: dict[str, object], field: str
) -> None:
    response = await client.post(URL, json=body)
    assert response.status_code == 422
    assert [m["field"] for m in (await response.get_json())["errors"]] == [field]
    assert application.rollouts.orders == []


async def test_steering(client: Client, application: FakeApplication) -> None:
    await client.post(URL, json=ORDER)
    one = f"{URL}/roll-1"
    paused = await client.patch(one, json={"state": "paused", "pace_per_min": 1.5})
    shown = await paused.get_json()
    assert (paused.status_code, shown["state"], shown["pace_per_min"]) == (200, "paused", 1.5)
    more = await (await client.patch(one, json={"failures_most": 9})).get_json()
    assert (more["state"], more["failures_most"]) == ("paused", 9)
    cancelled = await (await client.patch(one, json={"state": "cancelled"})).get_json()
    assert (cancelled["state"], cancelled["ended_at"]) == ("cancelled", NOW)
    # from the field: a cancelled rollout with "9 waiting"
    total = cancelled["total"]
    assert (cancelled["waiting"], cancelled["cancelled"]) == (0, total)
    seen = await (await client.get(one)).get_json()
    assert {light["state"] for light in seen["lights"]} == {"cancelled"}
    late = await client.patch(one, json={"state": "running"})
    problem = await late.get_json()
    assert (late.status_code, problem["type"]) == (409, "urn:lamplighter:problem:conflict")
    assert "cancelled" in problem["detail"]
    assert (await client.patch(f"{URL}/nobody", json={"state": "paused"})).status_code == 404
    for wrong in ({}, {"state": "done"}, {"state": "stopped"}, {"pace": 1}, {"failures_most": 1.5}):
        assert (await client.patch(one, json=wrong)).status_code == 422, wrong


@pytest.mark.parametrize(
    ("refusal", "status", "slug"),
    [
        (Refusal.TOO_MANY, 409, "too-many-rollouts"),
        (Refusal.KEY_REUSED, 422, "key-reused"),
        (Refusal.MAILBOX_FULL, 503, "mailbox-full"),
        (Refusal.NO_REPLY, 504, "no-reply"),
    ],
)
async def test_refusals(
    client: Client, application: FakeApplication, refusal: Refusal, status: int, slug: str
) -> None:
    application.refusal = refusal
    response = await client.post(URL, json=ORDER)
    assert response.status_code == status
    assert (await response.get_json())["type"] == f"urn:lamplighter:problem:{slug}"


async def test_the_key_and_the_order_come_to_the_house(
    client: Client, application: FakeApplication
) -> None:
    for name in ("a", "a", "b"):
        await client.post(URL, json={**ORDER, "name": name}, headers={"Idempotency-Key": "k-1"})
    prints = [order.fingerprint for order in application.rollouts.orders]
    assert prints[0] == prints[1] != prints[2]
    assert application.rollouts.orders[0].idempotency_key == "k-1"
    wrong = await client.post(URL, json=ORDER, headers={"Idempotency-Key": "with space"})
    assert wrong.status_code == 422


async def test_a_viewer_reads_and_an_operator_changes(application: FakeApplication) -> None:
    client = create_app(application, settings_with(tokens=TOKENS)).test_client()
    viewer, operator = ({"Authorization": f"Bearer {token}"} for token in (VIEWER, OPERATOR))
    assert (await client.post(URL, json=ORDER, headers=viewer)).status_code == 403
    assert (await client.post(URL, json=ORDER, headers=operator)).status_code == 201
    one = f"{URL}/roll-1"
    assert (await client.get(one, headers=viewer)).status_code == 200
    assert (await client.patch(one, json={"state": "paused"}, headers=viewer)).status_code == 403
    assert (await client.get(URL)).status_code == 401


async def test_over_the_real_server(application: FakeApplication) -> None:
    async with (
        running(application, settings_with(port=0)) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(post(URL, json.dumps(ORDER).encode()))
        status, headers, body = await read_answer(stream)
        assert (status, headers["location"]) == (201, f"{URL}/roll-1")
        await stream.send_all(get(f"{URL}/roll-1"))
        status, _, body = await read_answer(stream)
        assert (status, json.loads(body)["lights"][0]["dev_eui"]) == (200, DEV_EUI)


async def test_followers_are_told(client: Client, application: FakeApplication) -> None:
    await client.post(URL, json=ORDER)
    async with client.websocket("/api/v1/live?kind=rollout") as socket:
        json.loads(await socket.receive())
        snapshot = json.loads(await socket.receive())
        assert [one["id"] for one in snapshot["rollouts"]] == ["roll-1"]
        assert "lights" not in snapshot["rollouts"][0]
        rollout = application.rollouts.rolled["roll-1"][0]
        application.board.publish(msgspec.structs.replace(rollout, state=State.PAUSED))
        change = json.loads(await socket.receive())["changes"][0]
        assert (change["kind"], change["what"]["state"]) == ("rollout", "paused")


async def test_a_light_in_any_state_is_shown(client: Client, application: FakeApplication) -> None:
    made = await (await client.post(URL, json=ORDER)).get_json()
    rollout, _ = application.rollouts.rolled[made["id"]]
    parts = tuple(Part(f"20202000000000{n:02x}", one) for n, one in enumerate(PartState))
    application.rollouts.rolled[made["id"]] = rollout, parts
    response = await client.get(f"{URL}/{made['id']}")
    seen = await response.get_json()
    assert [light["state"] for light in seen["lights"]] == [one.value for one in PartState]


async def test_the_failed_lights_are_tried_again(
    client: Client, application: FakeApplication
) -> None:
    made = await client.post(URL, json={**RED, "dev_euis": [DEV_EUI]})
    first = (await made.get_json())["id"]
    nothing = await client.post(f"{URL}/{first}/again")
    assert (nothing.status_code, (await nothing.get_json())["type"]) == (
        409,
        "urn:lamplighter:problem:conflict",
    )
    rollout, parts = application.rollouts.rolled[first]
    failed = decisions.failed(parts[0], other("expired"), 1.0)
    moved = decisions.moved(rollout, [(parts[0], failed)], 1.0)
    application.rollouts.rolled[first] = moved, (failed,)
    again = await client.post(f"{URL}/{first}/again", json={"pace_per_min": 5})
    body = await again.get_json()
    assert again.status_code == 201
    assert (body["again_of"], body["total"], body["pace_per_min"]) == (first, 1, 5.0)
    assert (await client.post(f"{URL}/none/again")).status_code == 404
