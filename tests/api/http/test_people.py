"""People whom a proxy signs in, and tokens that are known by their hash."""

from typing import Any

import pytest
from quart.testing.connections import WebsocketDisconnectError
from werkzeug.datastructures import Headers

from api.http.app import create_app, replace_tokens
from api.http.tokens import hash_of, token_from
from tests.api.conftest import OPERATOR, TOKENS, VIEWER, WEBHOOK, settings_with
from tests.support.fake_application import DEV_EUI, FakeApplication

READS, ACTS = "/api/v1/caller", f"/api/v1/devices/{DEV_EUI}/status"
PROXY = {
    "trusted_proxies": ["10.0.0.0/8"],
    "trusted_user_header": "X-Forwarded-User",
    "users": {"alice": "operator", "bob": "viewer"},
}
MADE = token_from(bytes(range(32)))


async def asked(
    headers: list[tuple[str, str]],
    path: str = READS,
    *,
    method: str = "GET",
    address: str = "10.0.0.7",
    **web: Any,
) -> tuple[int, Any]:
    client = create_app(FakeApplication(), settings_with(**web)).test_client()
    scope = {"client": (address, 1)}
    answer = await client.open(path, method=method, headers=Headers(headers), scope_base=scope)
    return answer.status_code, await answer.get_json()


@pytest.mark.parametrize(
    ("user", "path", "method", "status"),
    [
        ("alice", READS, "GET", 200),
        ("ALICE", ACTS, "POST", 202),
        ("bob", READS, "GET", 200),
        ("bob", ACTS, "POST", 403),
        ("carol", READS, "GET", 403),
        ("", READS, "GET", 401),
        ("alice, bob", READS, "GET", 401),
        ("operator 1", READS, "GET", 401),
        ("local", READS, "GET", 401),
        ("a\tb", READS, "GET", 401),
        ("x" * 65, READS, "GET", 401),
    ],
)
async def test_a_person_may_do_what_the_settings_say(
    user: str, path: str, method: str, status: int
) -> None:
    found, _ = await asked([("X-Forwarded-User", user)], path, method=method, **PROXY)
    assert found == status


async def test_the_header_of_anybody_else_is_as_if_it_were_not_there() -> None:
    shown = [("X-Forwarded-User", "alice")]
    assert (await asked(shown, address="192.0.2.1", **PROXY))[0] == 401
    assert (await asked(shown, address="192.0.2.1", **PROXY, tokens=TOKENS))[0] == 401
    with_token = [*shown, ("Authorization", f"Bearer {VIEWER}")]
    status, told = await asked(with_token, address="192.0.2.1", **PROXY, tokens=TOKENS)
    assert (status, told["name"]) == (200, "viewer 1")


async def test_a_header_that_came_twice_names_nobody() -> None:
    twice = [("X-Forwarded-User", "alice"), ("X-Forwarded-User", "bob")]
    status, told = await asked(twice, **PROXY)
    assert status == 401
    assert "set its header itself" in told["detail"]


async def test_a_token_counts_before_the_person_and_a_wrong_one_is_wrong() -> None:
    shown = ("X-Forwarded-User", "bob")
    status, told = await asked(
        [shown, ("Authorization", f"Bearer {OPERATOR}")], **PROXY, tokens=TOKENS
    )
    assert (status, told["name"], told["may_command"]) == (200, "operator 1", True)
    wrong = [shown, ("Authorization", f"Bearer {'x' * 30}")]
    assert (await asked(wrong, **PROXY, tokens=TOKENS))[0] == 401
    basic = [shown, ("Authorization", "Basic YTpi")]
    assert (await asked(basic, **PROXY, tokens=TOKENS))[1]["name"] == "bob"


async def test_a_page_of_another_origin_acts_for_no_person() -> None:
    shown = [("X-Forwarded-User", "alice"), ("Origin", "https://evil.example")]
    assert (await asked(shown, ACTS, method="POST", **PROXY))[0] == 403


async def test_what_a_person_does_bears_the_name() -> None:
    application = FakeApplication()
    client = create_app(application, settings_with(**PROXY)).test_client()
    scope = {"client": ("10.0.0.7", 1)}
    red = {"red": 255, "green": 0, "blue": 0, "wait_for_verification": False}
    headers = {"X-Forwarded-User": "Alice", "X-Forwarded-For": "203.0.113.9"}
    made = await client.post(
        f"/api/v1/downlink/{DEV_EUI}", json=red, headers=headers, scope_base=scope
    )
    assert (await made.get_json())["by"] == "alice"
    [entry] = application.audited
    assert (entry.by, entry.scope, entry.what, entry.on, entry.peer) == (
        "alice",
        "operator",
        "command",
        DEV_EUI,
        "203.0.113.9",
    )


async def test_a_hash_is_matched_by_a_token_of_our_making_alone() -> None:
    word = "correct-horse-battery-staple"
    operator = {"alice": hash_of(MADE), "bob": hash_of(word)}
    tokens = {"operator": operator, "webhook": [WEBHOOK]}
    for token, status in ((MADE, 200), (word, 401), (hash_of(MADE), 401)):
        found, told = await asked([("Authorization", f"Bearer {token}")], tokens=tokens)
        assert found == status
        assert status != 200 or told["name"] == "alice"


async def test_whoever_is_not_let_in_as_the_same_any_more_is_sent_away() -> None:
    application = FakeApplication()
    app = create_app(application, settings_with(tokens=TOKENS, **PROXY))
    limited = settings_with(
        tokens=TOKENS, **PROXY, sight={"viewer 1": {"tags": ["floor=2"]}, "bob": {"tags": ["x"]}}
    )
    viewer = {"Authorization": f"Bearer {VIEWER}"}
    operator = {"Authorization": f"Bearer {OPERATOR}"}
    bob = {"headers": {"X-Forwarded-User": "bob"}, "scope_base": {"client": ("10.0.0.7", 1)}}
    client = app.test_client()
    async with (
        client.websocket("/api/v1/live", headers=viewer) as one,
        client.websocket("/api/v1/live", headers=operator) as other,
        client.websocket("/api/v1/live", **bob) as person,
    ):
        for socket in (one, other, person):
            await socket.receive()
            await socket.receive()
        replace_tokens(app, limited)
        for socket in (one, person):
            with pytest.raises(WebsocketDisconnectError, match="4401"):
                await socket.receive()
        application.board.publish(application.board.devices[DEV_EUI])
        assert "changes" in await other.receive()
