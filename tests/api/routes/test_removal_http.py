"""A light is taken off, and its queue emptied, by an operator; and what everybody is told of it."""

import pytest
from quart.typing import TestClientProtocol as Client

from actors.board.changes import Change, DeviceRemoved
from actors.refusal import Refusal
from api.live.protocol import Encoder, Filter
from tests.support.fake_application import DEV_EUI, GATEWAY, NOW, FakeApplication, a_light

LIGHT_URL = f"/api/v1/devices/{DEV_EUI}"
GONE = DeviceRemoved(DEV_EUI, "Desk 02", "by hand")


async def test_a_removed_light_is_gone_and_its_history_stays(
    client: Client, application: FakeApplication
) -> None:
    assert (await client.delete(LIGHT_URL)).status_code == 204
    for method in (client.get, client.delete):
        response = await method(LIGHT_URL)
        assert response.status_code == 404
        assert (await response.get_json())["type"].endswith(":unknown-device")
    assert (await client.get("/api/v1/devices")).status_code == 200


async def test_a_queue_is_flushed(client: Client, application: FakeApplication) -> None:
    assert (await client.delete(f"{LIGHT_URL}/queue")).status_code == 204
    assert application.flusher.flushed == [DEV_EUI]
    assert (await client.delete("/api/v1/devices/ffffffffffffffff/queue")).status_code == 404


@pytest.mark.parametrize("path", [LIGHT_URL, f"{LIGHT_URL}/queue"])
async def test_what_cannot_be_done_is_told(
    client: Client, application: FakeApplication, path: str
) -> None:
    application.refusal = Refusal.NETWORK_FAILING
    response = await client.delete(path)
    assert response.status_code == 503
    assert (await response.get_json())["type"].endswith(":network-unavailable")
    assert (await client.delete("/api/v1/devices/nonsense")).status_code == 422


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Filter(), True),
        (Filter(kinds=frozenset({"device"})), True),
        (Filter(kinds=frozenset({"command"})), False),
        (Filter(dev_euis=frozenset({DEV_EUI})), True),
        (Filter(dev_euis=frozenset({"00" * 8})), False),
        (Filter(gateways=frozenset({GATEWAY})), True),
    ],
)
def test_who_follows_lights_is_told(wanted: Filter, told: bool) -> None:
    assert wanted.admits(GONE, {}) is told


def test_what_the_websocket_says_of_it(application: FakeApplication) -> None:
    encoder = Encoder(application.board)
    encoder.subject(a_light())
    raw = bytes(encoder.change(Change(7, NOW, GONE)))
    assert b'"kind":"removed"' in raw
    assert b'"what":{"dev_eui":"' + DEV_EUI.encode() + b'","name":"Desk 02","why":"by hand"}' in raw
