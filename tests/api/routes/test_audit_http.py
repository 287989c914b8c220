"""Who did what is written down, and shown to who may see it."""

from typing import Any

import pytest
from quart.typing import TestClientProtocol as Client

from actors.board.changes import AlertView
from actors.restored_store import RestoredStore
from actors.storage.audit import Act
from api.http.app import create_app
from tests.api.conftest import OPERATOR, TOKENS, VIEWER, settings_with
from tests.support.fake_application import DEV_EUI, NOW, FakeApplication, a_light

OTHER = "20202000000000b1"
LIMITED = "limited-token-0123456789abcdef"
URL = "/api/v1/audit"
RED = {"red": 255, "green": 0, "blue": 0, "wait_for_verification": False}


@pytest.fixture
def client(application: FakeApplication) -> Client:
    application.board.publish(a_light(OTHER, name="Far away"))
    tokens = {**TOKENS, "operator": {"alice": OPERATOR, "caretaker": LIMITED}}
    sight = {"caretaker": {"dev_euis": [DEV_EUI]}}
    return create_app(application, settings_with(tokens=tokens, sight=sight)).test_client()


def bearer(token: str = OPERATOR) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def told(client: Client, query: str = "", token: str = OPERATOR) -> list[dict[str, Any]]:
    answer = await client.get(f"{URL}{query}", headers=bearer(token))
    assert answer.status_code == 200, await answer.get_data()
    return list((await answer.get_json())["entries"])


async def test_everything_that_is_done_is_written_down_with_who_did_it(
    client: Client, application: FakeApplication
) -> None:
    board = application.board
    board.publish(AlertView("a1", "light_failed", DEV_EUI, "Red", NOW - 9, NOW - 9))
    application.restored_store.open = RestoredStore(NOW, "was set back", None, False, [])
    for method, path, body in (
        ("POST", f"downlink/{DEV_EUI}", RED),
        ("POST", f"devices/{DEV_EUI}/status", None),
        ("POST", f"devices/{DEV_EUI}/initialize", None),
        ("POST", "devices/initialize", {"force": True}),
        ("DELETE", f"devices/{DEV_EUI}/queue", None),
        ("POST", "rollouts", {"red": 1, "green": 0, "blue": 0, "dev_euis": [DEV_EUI]}),
        ("PATCH", "rollouts/roll-1", {"state": "paused"}),
        ("POST", "alerts/a1/acknowledge", None),
        ("POST", "calibrations", {"dev_euis": [DEV_EUI]}),
        ("POST", "restored-store", {"decision": "keep_shown"}),
        ("DELETE", f"devices/{DEV_EUI}", None),
    ):
        sent = {} if body is None else {"json": body}
        done = await client.open(f"/api/v1/{path}", method=method, headers=bearer(), **sent)
        assert done.status_code < 300, (path, await done.get_data())
    entries = await told(client)
    assert {entry["by"] for entry in entries} == {"alice"}
    assert [(entry["what"], entry["on"]) for entry in reversed(entries)] == [
        ("command", DEV_EUI),
        ("ask", DEV_EUI),
        ("initialize", DEV_EUI),
        ("initialize", ""),
        ("flush", DEV_EUI),
        ("rollout", "roll-1"),
        ("rollout_change", "roll-1"),
        ("acknowledge", "a1"),
        ("calibrate", DEV_EUI),
        ("restored_store", ""),
        ("remove", DEV_EUI),
    ]
    assert entries[4]["detail"] == {"state": "paused"}
    assert application.commands.given["cmd-1"].by == "alice"
    assert application.rollouts.orders[0].by == "alice"
    assert {run.by for run, _, _ in application.initializer.runs} == {"alice"}


async def test_what_was_refused_or_repeated_is_not_told_as_done(
    client: Client, application: FakeApplication
) -> None:
    headers = {**bearer(), "Idempotency-Key": "one"}
    for _ in range(2):
        await client.post(f"/api/v1/downlink/{DEV_EUI}", json=RED, headers=headers)
    await client.post("/api/v1/downlink/2020200000000000", json=RED, headers=bearer())
    await client.post(f"/api/v1/downlink/{DEV_EUI}", json={}, headers=bearer())
    assert [one.what for one in application.audited] == [Act.COMMAND]


async def test_it_is_filtered_and_read_by_pages(
    client: Client, application: FakeApplication
) -> None:
    for number in range(5):
        application.clock.at += 10
        on = DEV_EUI if number % 2 else OTHER
        await client.post(f"/api/v1/devices/{on}/status", headers=bearer())
    await client.delete(f"/api/v1/devices/{DEV_EUI}/queue", headers=bearer(LIMITED))
    assert len(await told(client, f"?on={DEV_EUI.upper()}")) == 3
    assert len(await told(client, "?by=alice")) == 5
    assert len(await told(client, "?what=flush&by=caretaker")) == 1
    assert await told(client, "?by=nobody") == []
    assert len(await told(client, f"?since={NOW + 15}&until={NOW + 35}")) == 2
    seen, until = [], ""
    for _ in range(3):
        page = await (await client.get(f"{URL}?limit=2{until}", headers=bearer())).get_json()
        seen += [entry["id"] for entry in page["entries"]]
        until = f"&until={page['next_until']!r}"
    assert len(seen) == len(set(seen)) == 6
    assert page["next_until"] is None
    for wrong in ("?what=dance", "?limit=0", "?since=9&until=3", "?who=alice"):
        assert (await client.get(URL + wrong, headers=bearer())).status_code == 422


async def test_who_sees_some_lights_is_told_of_these_and_of_itself(
    client: Client, application: FakeApplication
) -> None:
    for on in (DEV_EUI, OTHER):
        await client.post(f"/api/v1/devices/{on}/status", headers=bearer())
    await client.post("/api/v1/devices/initialize", headers=bearer())
    await client.post("/api/v1/devices/initialize", headers=bearer(LIMITED))
    entries = await told(client, token=LIMITED)
    assert [(entry["by"], entry["on"]) for entry in entries] == [
        ("caretaker", DEV_EUI),  # all lights that there are for it
        ("alice", DEV_EUI),
    ]


async def test_refusals_of_somebody_known_are_written_down_some_of_them(
    client: Client, application: FakeApplication
) -> None:
    for _ in range(20):
        answer = await client.post(f"/api/v1/devices/{DEV_EUI}/status", headers=bearer(VIEWER))
        assert answer.status_code == 403
        assert (await client.get("/api/v1/supervisor", headers=bearer(LIMITED))).status_code == 403
        assert (await client.get(URL, headers=bearer("x" * 30))).status_code == 401
    refused = [(one.by, one.on, one.what) for one in application.audited]
    assert len(refused) == 10
    assert set(refused) == {
        ("viewer 1", f"/api/v1/devices/{DEV_EUI}/status", "refused"),
        ("caretaker", "/api/v1/supervisor", "refused"),
    }
    assert application.audited[0].detail == {"method": "POST", "why": "needs scope operator"}
