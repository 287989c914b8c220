"""Hooks over HTTP: kept, changed against lost updates, tested, shown to whom they may be."""

from typing import Any

import pytest
from quart.typing import TestClientProtocol as Client

from actors.refusal import Refusal
from api.http.app import create_app
from tests.api.conftest import OPERATOR, TOKENS, settings_with
from tests.support.fake_application import DEV_EUI, FakeApplication

URL = "/api/v1/hooks"
FEW = "limited-token-0123456789abcdef"
BOARD = {"name": "Board", "url": "https://board.example/hook"}


async def kept(client: Client, **more: Any) -> Any:
    response = await client.post(URL, json=BOARD | more)
    made = await response.get_json()
    assert response.status_code == 201, made
    assert response.headers["ETag"] == '"1"'
    assert response.headers["Location"] == f"{URL}/{made['hook']['id']}"
    return made


async def problem(response: Any) -> tuple[int, str]:
    return response.status_code, (await response.get_json())["type"].rpartition(":")[2]


async def test_a_hook_is_kept_and_its_secret_shown_once(
    client: Client, application: FakeApplication
) -> None:
    made = await kept(client, kinds=["alerts", "verdicts"], dev_euis=[DEV_EUI.upper()])
    assert made["secret"].startswith("whsec_")
    hook = made["hook"]
    assert (hook["kinds"], hook["dev_euis"]) == (["alerts", "verdicts"], [DEV_EUI])
    for path in (URL, f"{URL}/board", f"{URL}/{hook['id']}", f"{URL}/board/deliveries"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert made["secret"] not in (await answer.get_data()).decode()
    assert made["secret"] not in str(application.audited)
    assert "/hook" not in str(application.audited), "an address may hold a secret, too"
    rotated = await (await client.post(f"{URL}/board/secret")).get_json()
    assert rotated["secret"] != made["secret"]
    assert (await client.delete(f"{URL}/board")).status_code == 204
    assert await problem(await client.get(f"{URL}/board")) == (404, "unknown-hook")
    assert [one.what for one in application.audited] == ["hook_save", "hook_secret", "hook_delete"]


async def test_a_change_names_its_revision_and_leaves_the_rest(client: Client) -> None:
    await kept(client, tags=["floor=1"], kinds=["states"])
    first = {"If-Match": '"1"'}
    assert (await client.patch(f"{URL}/board", json={})).status_code == 428
    done = await client.patch(f"{URL}/board", json={"enabled": False}, headers=first)
    hook = await done.get_json()
    assert (hook["enabled"], hook["tags"], hook["kinds"]) == (False, ["floor=1"], ["states"])
    assert done.headers["ETag"] == '"2"'
    stale = await client.patch(f"{URL}/board", json={"name": "Other"}, headers=first)
    assert await problem(stale) == (412, "edited-meanwhile")


async def test_a_test_and_a_replay_are_asked_for(
    client: Client, application: FakeApplication
) -> None:
    await kept(client)
    line = await (await client.post(f"{URL}/board/test")).get_json()
    assert (line["status"], line["error"], line["type"]) == (200, None, "hook.test")
    tries = await (await client.get(f"{URL}/board/deliveries?limit=1")).get_json()
    assert tries["deliveries"] == [line]
    replay = await client.post(f"{URL}/board/replay", json={"since": "2026-01-01T00:00:00Z"})
    assert replay.status_code == 200
    assert application.outgoing.replayed == [("hook-1", 1_767_225_600.0)]
    application.refusal = Refusal.TOO_MANY
    assert await problem(await client.post(f"{URL}/board/test")) == (503, "too-many-tests")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "http://board.example/"}, "https"),
        ({"url": "https://127.0.0.1/hook"}, "public"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "public"),
        ({"url": "https://user:pw@board.example/"}, "user or password"),
        ({"kinds": []}, "kinds"),
        ({"kinds": ["everything"]}, "kinds"),
        ({"name": " "}, "name"),
        ({"dev_euis": ["x"]}, "dev_euis"),
        ({"unknown": 1}, "unknown"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(
    client: Client, wrong: dict[str, Any], said: str
) -> None:
    answer = await client.post(URL, json=BOARD | wrong)
    assert answer.status_code == 422
    assert said in (await answer.get_data()).decode()


async def test_two_of_a_name_are_a_conflict(client: Client) -> None:
    await kept(client)
    twin = await client.post(URL, json=BOARD | {"name": "BOARD"})
    assert await problem(twin) == (409, "conflict")


async def test_who_may_see_some_lights_has_hooks_of_its_own_and_viewers_none() -> None:
    application = FakeApplication()
    tokens = {**TOKENS, "operator": {"caretaker": FEW, "boss": OPERATOR}}
    settings = settings_with(tokens=tokens, sight={"caretaker": {"dev_euis": [DEV_EUI]}})
    client = create_app(application, settings).test_client()

    def by(token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    made = await client.post(URL, json=BOARD, headers=by(OPERATOR))
    assert made.status_code == 201
    own = await client.post(URL, json=BOARD | {"name": "Own"}, headers=by(FEW))
    assert own.status_code == 201
    assert application.outgoing.hooks["hook-2"].sight.dev_euis == (DEV_EUI,)
    assert not application.outgoing.hooks["hook-1"].sight.limited
    listed = await (await client.get(URL, headers=by(FEW))).get_json()
    assert [one["name"] for one in listed["hooks"]] == ["Own"]
    for method, path in (
        ("GET", "board"),
        ("DELETE", "board"),
        ("POST", "board/test"),
        ("POST", "board/secret"),
        ("GET", "board/deliveries"),
    ):
        answer = await client.open(f"{URL}/{path}", method=method, headers=by(FEW))
        assert await problem(answer) == (404, "unknown-hook")
    viewer = next(iter(TOKENS["viewer"]))
    assert (await client.get(URL, headers=by(viewer))).status_code == 403
