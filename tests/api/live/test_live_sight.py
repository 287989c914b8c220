"""A live client that may see some lights only: what it is shown, and when that changes."""

import json
from typing import Any

import msgspec
import pytest
from quart.typing import TestWebsocketConnectionProtocol as Socket
from quart_trio import QuartTrio

from actors.board.changes import ActorView, AlertView, DeviceRemoved, GatewayView
from actors.board.rollout import Rollout
from actors.device.command import Command
from actors.supervision import ChildState
from api.http.app import create_app
from lorawan.kuando.light_state import LightState
from tests.api.conftest import OPERATOR, TOKENS, settings_with
from tests.support.fake_application import DEV_EUI, GATEWAY, NOW, FakeApplication, a_light

OTHER, FAR = "20202000000000b1", "0016c001f1500002"
LIMITED = "limited-token-0123456789abcdef"
RED = LightState(255, 0, 0)


@pytest.fixture
def app(application: FakeApplication) -> QuartTrio:
    tokens = {**TOKENS, "viewer": {"guest": LIMITED}}
    settings = settings_with(tokens=tokens, sight={"guest": {"tags": ["floor=2"]}})
    application.board.publish(a_light(OTHER, name="Beyond", tags={"floor": "3"}, hearings=()))
    application.board.publish(GatewayView(FAR, "Elsewhere"))
    return create_app(application, settings)


async def said(socket: Socket, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await socket.receive())
    assert found["type"] == kind, found
    return found


def token(of: str = LIMITED) -> dict[str, str]:
    return {"Authorization": f"Bearer {of}"}


async def test_the_snapshot_is_of_what_is_seen(
    app: QuartTrio, application: FakeApplication
) -> None:
    board = application.board
    for subject in (DEV_EUI, OTHER, f"device {OTHER}", "store"):
        board.publish(AlertView(f"of {subject}", "light_silent", subject, subject, NOW, NOW))
    board.publish(ActorView(f"device {OTHER}", ChildState.PARKED, 6))
    board.publish(ActorView("journal", ChildState.PARKED, 6))
    async with app.test_client().websocket("/api/v1/live", headers=token()) as socket:
        await said(socket, "hello")
        shown = await said(socket, "snapshot")
    assert [one["dev_eui"] for one in shown["devices"]] == [DEV_EUI]
    assert [one["gateway_id"] for one in shown["gateways"]] == [GATEWAY]
    assert [one["subject"] for one in shown["alerts"]] == [DEV_EUI]
    assert shown["actors"] == []
    assert "Beyond" not in json.dumps(shown)


async def test_a_light_comes_into_sight_and_goes_out_of_it(
    app: QuartTrio, application: FakeApplication
) -> None:
    board = application.board
    mine, other = board.devices[DEV_EUI], board.devices[OTHER]
    async with app.test_client().websocket("/api/v1/live", headers=token()) as socket:
        await said(socket, "hello")
        await said(socket, "snapshot")
        changed: list[Any] = [
            msgspec.structs.replace(other, joins=1),  # not told: out of sight
            msgspec.structs.replace(other, tags={"floor": "2"}),  # appears
            Command("c1", OTHER, RED, True, NOW, NOW + 9),  # told
            msgspec.structs.replace(mine, tags={"floor": "3"}),  # is told as removed
            msgspec.structs.replace(mine, tags={"floor": "4"}),  # not told again
            Command("c2", DEV_EUI, RED, True, NOW, NOW + 9),  # not told
            DeviceRemoved(DEV_EUI, "Desk", "by hand"),  # not told: long gone for it
            a_rollout("r1", by="somebody"),  # not told
            a_rollout("r2", by="guest"),  # told
            DeviceRemoved(OTHER, "Beyond", "by hand"),  # told
        ]
        for what in changed:
            board.publish(what)
        told: list[tuple[str, str]] = []
        while len(told) < 5:
            for change in (await said(socket, "changes"))["changes"]:
                what = change["what"]
                told.append((change["kind"], what.get("dev_eui") or what["id"]))
    assert told == [
        ("device", OTHER),
        ("command", OTHER),
        ("removed", DEV_EUI),
        ("rollout", "r2"),
        ("removed", OTHER),
    ]


def a_rollout(rollout_id: str, by: str) -> Rollout:
    return Rollout(
        id=rollout_id,
        name="",
        light=RED,
        keep=True,
        ttl_s=None,
        created_at=NOW,
        changed_at=NOW,
        pace_per_min=30.0,
        failures_most=5,
        total=2,
        waiting=2,
        by=by,
    )


async def test_a_filter_adds_nothing_to_what_is_seen(app: QuartTrio) -> None:
    asked = f"/api/v1/live?dev_eui={OTHER}&dev_eui={DEV_EUI}"
    async with app.test_client().websocket(asked, headers=token()) as socket:
        await said(socket, "hello")
        shown = await said(socket, "snapshot")
    assert [one["dev_eui"] for one in shown["devices"]] == [DEV_EUI]


async def test_it_begins_with_a_snapshot_wherever_it_was(app: QuartTrio) -> None:
    client = app.test_client()
    async with client.websocket("/api/v1/live", headers=token(OPERATOR)) as socket:
        hello = await said(socket, "hello")
    resume = f"/api/v1/live?resume={hello['boot']}:{hello['number']}"
    async with client.websocket(resume, headers=token(OPERATOR)) as socket:
        assert (await said(socket, "hello"))["resumed"] is True
    async with client.websocket(resume, headers=token()) as socket:
        assert (await said(socket, "hello"))["resumed"] is False
        await said(socket, "snapshot")
