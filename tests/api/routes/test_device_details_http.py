"""A closer look: commands, signal, outages, reliability, acknowledgements, a status on demand."""

import json

import msgspec
import pytest
from quart.typing import TestClientProtocol as Client

from actors.board.changes import AlertView
from actors.gateways.observed import Outage
from actors.refusal import Refusal
from actors.storage.signal_history import SignalPoint
from api.http.app import create_app
from tests.api.conftest import TOKENS, VIEWER, settings_with
from tests.support.fake_application import DEV_EUI, GATEWAY, NOW, FakeApplication
from tests.support.web_server import get, post, read_answer, running

DEVICE = f"/api/v1/devices/{DEV_EUI}"
RED = {"red": 255, "green": 0, "blue": 0, "wait_for_verification": False}
NOBODY = "/api/v1/devices/ffffffffffffffff"


async def test_the_commands_of_a_light(client: Client) -> None:
    for _ in range(3):
        await client.post(f"/api/v1/downlink/{DEV_EUI}", json=RED)
    page = await (await client.get(f"{DEVICE}/commands?limit=2")).get_json()
    assert [one["id"] for one in page["commands"]] == ["cmd-3", "cmd-2"]
    assert page["commands"][0]["timeline"][0]["kind"] == "accepted"
    assert (await client.get(f"{DEVICE}/commands?limit=101")).status_code == 422
    assert (await client.get(f"{NOBODY}/commands")).status_code == 404


async def test_what_was_missed_and_what_was_healed_is_shown(
    client: Client, application: FakeApplication
) -> None:
    known = application.board.devices[DEV_EUI]
    application.board.publish(msgspec.structs.replace(known, missed=3, healed=1))
    seen = await (await client.get(DEVICE)).get_json()
    assert (seen["missed"], seen["healed"]) == (3, 1)


async def test_the_command_of_a_light_that_cannot_answer_says_so(
    client: Client, application: FakeApplication
) -> None:
    await client.post(f"/api/v1/downlink/{DEV_EUI}", json=RED)
    (command,) = (await (await client.get(f"{DEVICE}/commands")).get_json())["commands"]
    assert command["heartbeat_only"] is False
    known = application.commands.given[command["id"]]
    application.commands.given[known.id] = msgspec.structs.replace(known, heartbeat_only=True)
    seen = await (await client.get(f"/api/v1/commands/{command['id']}")).get_json()
    assert seen["heartbeat_only"] is True


async def test_the_signal_of_a_light(client: Client, application: FakeApplication) -> None:
    application.queries.points = [
        SignalPoint(NOW - 7_200, GATEWAY, -100, -5.0, 1),
        SignalPoint(NOW - 60, GATEWAY, -97, 7.25, 2),
    ]
    seen = await (await client.get(f"{DEVICE}/signal?hours=1")).get_json()
    assert seen == {
        "dev_eui": DEV_EUI,
        "hours": 1.0,
        "complete": True,
        "points": [
            {
                "at": NOW - 60,
                "gateway_id": GATEWAY,
                "rssi_dbm": -97,
                "snr_db": 7.25,
                "f_cnt": 2,
            }
        ],
    }
    assert (await client.get(f"{DEVICE}/signal?hours=169")).status_code == 422
    assert (await client.get(f"{NOBODY}/signal")).status_code == 404


@pytest.mark.parametrize("outcome", ["asked", "busy"])
async def test_a_status_on_demand(
    client: Client, application: FakeApplication, outcome: str
) -> None:
    application.commands.status_answer = outcome
    response = await client.post(f"{DEVICE}/status")
    assert response.status_code == 202
    assert await response.get_json() == {"dev_eui": DEV_EUI, "outcome": outcome}
    assert (await client.post(f"{NOBODY}/status")).status_code == 404
    application.refusal = Refusal.PARKED
    assert (await client.post(f"{DEVICE}/status")).status_code == 503


async def test_outages_of_a_gateway(client: Client, application: FakeApplication) -> None:
    application.queries.away = [
        Outage(NOW - 60, None),
        Outage(NOW - 9_000, NOW - 8_000),
        Outage(NOW - 3 * 86_400, NOW - 2 * 86_400),
    ]
    url = f"/api/v1/gateways/{GATEWAY.upper()}/outages"
    page = await (await client.get(f"{url}?days=1")).get_json()
    assert page["outages"] == [
        {"since": NOW - 60, "until": None},
        {"since": NOW - 9_000, "until": NOW - 8_000},
    ]
    assert page["observed"] == [{"since": NOW - 3_600, "until": NOW + 1}]
    assert (page["observed_s"], page["away_s"]) == (3_601, 61)
    assert page["availability"] == pytest.approx(1 - 61 / 3_601)
    assert len((await (await client.get(url)).get_json())["outages"]) == 3
    assert (await client.get(f"{url}?days=8")).status_code == 422
    assert (await client.get("/api/v1/gateways/nope/outages")).status_code == 404


async def test_reliability(client: Client) -> None:
    seen = await (await client.get("/api/v1/metrics/reliability?hours=6")).get_json()
    assert (seen["hours"], seen["commands"], seen["verified"]) == (6.0, 3, 2)
    assert {b["most"]: b["count"] for b in seen["time_to_verify_s"] if b["count"]} == {5: 1, 120: 1}
    assert {b["most"]: b["count"] for b in seen["attempts_per_success"] if b["count"]} == {
        1: 1,
        3: 1,
    }
    (worst,) = seen["worst"]
    assert (worst["dev_eui"], worst["name"], worst["failed"]) == (DEV_EUI, "Desk 02", 1)
    assert worst["why"].startswith("1 of 3 commands expired; 3.5 attempts for each success")
    assert (await client.get("/api/v1/metrics/reliability?hours=0")).status_code == 422


async def test_acknowledging_an_alert(client: Client, application: FakeApplication) -> None:
    application.board.publish(AlertView("a1", "light_failed", DEV_EUI, "Red", NOW - 9, NOW - 9))
    application.board.publish(
        AlertView("a2", "light_failed", DEV_EUI, "Red", NOW - 9, NOW - 9, closed_at=NOW - 1)
    )
    response = await client.post("/api/v1/alerts/a1/acknowledge", json={"by": "Ana"})
    shown = await response.get_json()
    assert response.status_code == 200
    assert (shown["acknowledged_at"], shown["acknowledged_by"]) == (NOW, "Ana")
    listed = await (await client.get("/api/v1/alerts?open=true")).get_json()
    assert listed["alerts"] == [shown]
    nameless = await client.post("/api/v1/alerts/a1/acknowledge")
    assert (await nameless.get_json())["acknowledged_by"] == "local"
    over = await client.post("/api/v1/alerts/a2/acknowledge")
    assert (await over.get_json())["type"] == "urn:lamplighter:problem:conflict"
    assert (await client.post("/api/v1/alerts/a3/acknowledge")).status_code == 404
    wrong = await client.post("/api/v1/alerts/a1/acknowledge", json={"by": ""})
    assert wrong.status_code == 422
    application.refusal = Refusal.NO_REPLY
    assert (await client.post("/api/v1/alerts/a1/acknowledge")).status_code == 504


async def test_a_viewer_reads_only(application: FakeApplication) -> None:
    client = create_app(application, settings_with(tokens=TOKENS)).test_client()
    viewer = {"Authorization": f"Bearer {VIEWER}"}
    for path in (f"{DEVICE}/commands", f"{DEVICE}/signal", "/api/v1/metrics/reliability"):
        assert (await client.get(path, headers=viewer)).status_code == 200
        assert (await client.get(path)).status_code == 401
    for path in (f"{DEVICE}/status", "/api/v1/alerts/a1/acknowledge"):
        assert (await client.post(path, headers=viewer)).status_code == 403


async def test_over_the_real_server(application: FakeApplication) -> None:
    async with (
        running(application, settings_with(port=0)) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(post(f"{DEVICE}/status", b""))
        assert (await read_answer(stream))[0] == 202
        await stream.send_all(get("/api/v1/metrics/reliability"))
        status, _, body = await read_answer(stream)
        assert (status, len(json.loads(body)["worst"])) == (200, 1)
