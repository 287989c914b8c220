"""The decision after a restore, by HTTP."""

from actors.refusal import Refusal
from actors.restored_store import RestoredStore, RestoredStoreDevice
from lorawan.kuando.light_state import LightState
from tests.api.conftest import Client
from tests.support.fake_application import FakeApplication

RED, BLUE = LightState(255, 0, 0), LightState(0, 0, 255)

FOUND = RestoredStore(
    at=5.0,
    cause="was restored from a copy of yesterday",
    copied_at=4.0,
    keep_shown=False,
    lights=[RestoredStoreDevice("aa", "Desk", RED, BLUE, heard_since=True)],
)


async def test_nothing_to_decide(client: Client) -> None:
    found = await (await client.get("/api/v1/restored-store")).get_json()
    assert (found["open"], found["lights"]) == (False, [])
    response = await client.post("/api/v1/restored-store", json={"decision": "resume"})
    assert response.status_code == 409


async def test_what_would_be_sent_again_and_the_decision(
    client: Client, application: FakeApplication
) -> None:
    application.restored_store.open = FOUND
    found = await (await client.get("/api/v1/restored-store")).get_json()
    assert (found["open"], found["cause"], found["total"]) == (True, FOUND.cause, 1)
    assert found["lights"][0]["wanted"]["red"] == 255
    assert found["lights"][0]["shown"]["blue"] == 255

    wrong = await client.post("/api/v1/restored-store", json={"decision": "perhaps"})
    assert wrong.status_code == 422
    application.refusal = Refusal.STORE_FAILING
    failing = await client.post("/api/v1/restored-store", json={"decision": "resume"})
    assert failing.status_code == 503
    application.refusal = None
    done = await client.post("/api/v1/restored-store", json={"decision": "keep_shown"})
    assert (done.status_code, (await done.get_json())["total"]) == (200, 1)
    assert application.restored_store.kept_shown is True
