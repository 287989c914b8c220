"""`POST /downlink`: verdicts, refusals, preferences, repetitions."""

import pytest
import trio
from quart.typing import TestClientProtocol as Client
from trio.testing import MockClock

from actors.device.command import CommandStatus
from actors.refusal import Refusal
from tests.support.fake_application import DEV_EUI, FakeApplication

URL = f"/api/v1/downlink/{DEV_EUI}"
RED = {"red": 255, "green": 0, "blue": 0}
ASYNC = {"Prefer": "respond-async"}
BOTH = "is another name of {}: give one of the two"


async def after_a_second(
    application: FakeApplication, status: CommandStatus, **changes: object
) -> None:
    await trio.sleep(1)
    application.commands.step("cmd-1", status, **changes)


@pytest.mark.parametrize(
    ("status", "changes", "answer", "problem"),
    [
        (CommandStatus.VERIFIED, {}, 200, None),
        (CommandStatus.HELD, {"reason": "all gateways are offline"}, 202, None),
        (CommandStatus.TRANSMITTED, {"overdue": True}, 202, None),
        (CommandStatus.SUPERSEDED, {"superseded_by": "cmd-2"}, 409, "superseded"),
        (CommandStatus.EXPIRED, {"reason": "never heard"}, 410, "expired"),
        (CommandStatus.WITHDRAWN, {"reason": "withdrawn by alice"}, 409, "withdrawn"),
        (CommandStatus.REJECTED, {"reason": "unknown there"}, 502, "rejected"),
    ],
)
async def test_the_verdict(
    client: Client,
    application: FakeApplication,
    autojump_clock: MockClock,
    status: CommandStatus,
    changes: dict[str, object],
    answer: int,
    problem: str | None,
) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: after_a_second(application, status, **changes))
        response = await client.post(URL, json=RED)
    assert trio.current_time() < 3
    body = await response.get_json()
    assert response.status_code == answer
    assert response.headers["Location"] == "/api/v1/commands/cmd-1"
    command = body if problem is None else body["command"]
    assert command["status"] == status.value
    assert command["light"] == {**RED, "on": 255, "off": 0}
    if problem is not None:
        assert body["type"] == f"urn:lamplighter:problem:{problem}"
        assert response.headers["Content-Type"] == "application/problem+json"
    if "reason" in changes:
        assert changes["reason"] in (body.get("reason"), body.get("detail"))


@pytest.mark.parametrize(
    ("body", "headers", "waited_s"),
    [
        ({}, {}, 120.0),
        ({"timeout_s": 7.5}, {}, 7.5),
        ({"timeout_s": 180}, {}, 180.0),
        ({}, {"Prefer": "wait=10"}, 10.0),
        ({}, {"Prefer": "respond-async, wait=3"}, 3.0),
        ({"timeout_s": 7.5}, {"Prefer": "wait=9999"}, 180.0),
        ({}, ASYNC, 0.0),
        ({}, {"Prefer": 'return="minimal"; x=1, Respond-Async'}, 0.0),
        ({"wait_for_verification": False}, {}, 0.0),
    ],
)
async def test_how_long_it_waits(
    client: Client,
    autojump_clock: MockClock,
    body: dict[str, object],
    headers: dict[str, str],
    waited_s: float,
) -> None:
    response = await client.post(URL, json={**RED, **body}, headers=headers)
    assert response.status_code == 202
    assert trio.current_time() == pytest.approx(waited_s, abs=0.01)
    assert (await response.get_json())["status"] == "accepted"
    applied = response.headers.get("Preference-Applied", "")
    assert ("respond-async" in applied) is ("espond" in headers.get("Prefer", "").lower())
    assert ("wait=" in applied) is ("wait=" in headers.get("Prefer", ""))
    assert "wait=" not in applied or f"wait={waited_s:g}" in applied, "what was done, not asked for"


@pytest.mark.parametrize(
    ("refusal", "status", "slug", "retry"),
    [
        (Refusal.UNKNOWN_DEVICE, 404, "unknown-device", None),
        (Refusal.MAILBOX_FULL, 503, "mailbox-full", "5"),
        (Refusal.PARKED, 503, "parked", "60"),
        (Refusal.NO_REPLY, 504, "no-reply", None),
        (Refusal.KEY_REUSED, 422, "key-reused", None),
        (Refusal.TOO_MANY, 409, "too-many-rollouts", None),
        (Refusal.STOPPING, 503, "stopping", "10"),
        (Refusal.UNREADABLE, 500, "unreadable-record", None),
        (Refusal.STORE_FAILING, 503, "store-unavailable", "5"),
        (Refusal.NETWORK_FAILING, 503, "network-unavailable", "10"),
    ],
)
async def test_refusals(
    client: Client,
    application: FakeApplication,
    refusal: Refusal,
    status: int,
    slug: str,
    retry: str | None,
) -> None:
    application.refusal = refusal
    response = await client.post(URL, json=RED)
    assert response.status_code == status
    assert (await response.get_json())["type"] == f"urn:lamplighter:problem:{slug}"
    assert response.headers.get("Retry-After") == retry


def test_every_refusal_is_tested() -> None:
    cases = test_refusals.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {case[0] for case in cases} == set(Refusal)


@pytest.mark.parametrize(
    ("body", "mistakes"),
    [
        ({}, {"red": "is missing", "green": "is missing", "blue": "is missing"}),
        ({**RED, "red": 256}, {"red": "must be less than or equal to 255"}),
        ({**RED, "red": -1}, {"red": "must be greater than or equal to 0"}),
        ({**RED, "red": "255"}, {"red": "must be a whole number"}),
        ({**RED, "red": 1.5}, {"red": "must be a whole number"}),
        ({**RED, "red": True}, {"red": "must be a whole number"}),
        ({**RED, "red": None}, {"red": "must be a whole number"}),
        ({**RED, "colour": "red"}, {"colour": "is not a known field"}),
        ({**RED, "keep": "yes"}, {"keep": "must be true or false"}),
        ({**RED, "ttl_s": 0}, {"ttl_s": "must be greater than 0"}),
        ({**RED, "timeout_s": 181}, {"timeout_s": "must be at most 180"}),
        ({**RED, "on_time": 256}, {"on_time": "must be less than or equal to 255"}),
        ({**RED, "off_time": None}, {"off_time": "must be a whole number"}),
        ({**RED, "on": None}, {"on": "must be a whole number"}),
        ({**RED, "on": 255, "on_time": 255}, {"on_time": BOTH.format("on")}),
        (
            {**RED, "on": 999, "on_time": 1, "off": 0, "off_time": 0},
            {
                "on": "must be less than or equal to 255",
                "on_time": BOTH.format("on"),
                "off_time": BOTH.format("off"),
            },
        ),
        ([], {"": "must be an object"}),
    ],
)
async def test_mistakes_are_told_all_at_once(
    client: Client, application: FakeApplication, body: object, mistakes: dict[str, str]
) -> None:
    response = await client.post(URL, json=body)
    told = await response.get_json()
    assert response.status_code == 422
    assert {m["field"]: m["problem"] for m in told["errors"]} == mistakes
    assert application.commands.given == {}


@pytest.mark.parametrize(
    ("data", "media_type", "status"),
    [
        (b'{"red": 255,', "application/json", 400),
        (b"", "application/json", 400),
        (b"[" * 200_000, "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"red": 1, "green": 2, "blue": 3}', "text/plain", 415),
        (b"red=1", "application/x-www-form-urlencoded", 415),
        (b"{}" + b" " * 256_000, "application/json", 413),
    ],
)
async def test_bodies_that_are_none(
    client: Client, data: bytes, media_type: str, status: int
) -> None:
    response = await client.post(URL, data=data, headers={"Content-Type": media_type})
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (await response.get_json())["status"] == status


@pytest.mark.parametrize("dev_eui", ["1", "202020390729090g", "2020203907290902ff", "2020-2039"])
async def test_a_dev_eui_is_sixteen_digits(client: Client, dev_eui: str) -> None:
    response = await client.post(f"/api/v1/downlink/{dev_eui}", json=RED)
    told = await response.get_json()
    assert response.status_code == 422
    assert told["errors"] == [{"field": "dev_eui", "problem": "must be 16 hexadecimal digits"}]


async def test_a_dev_eui_may_be_in_capitals(client: Client, application: FakeApplication) -> None:
    response = await client.post(
        URL.upper().replace("/API/V1/DOWNLINK", "/api/v1/downlink"), json=RED, headers=ASYNC
    )
    assert response.status_code == 202
    assert application.commands.given["cmd-1"].dev_eui == DEV_EUI


async def test_a_repetition_makes_no_second_command(
    client: Client, application: FakeApplication
) -> None:
    headers = {**ASYNC, "Idempotency-Key": "order-17"}
    first = await client.post(URL, json=RED, headers=headers)
    again = await client.post(URL, json={**RED, "timeout_s": 3}, headers=headers)
    other = await client.post(URL, json={**RED, "red": 1}, headers=headers)
    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 422)
    assert (await first.get_json())["id"] == (await again.get_json())["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert (await other.get_json())["type"] == "urn:lamplighter:problem:key-reused"
    assert len(application.commands.given) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "Köln", "a b"])
async def test_a_key_is_printable(client: Client, key: str) -> None:
    response = await client.post(URL, json=RED, headers={"Idempotency-Key": key})
    assert response.status_code == 422


async def test_the_request_id_goes_along(client: Client, application: FakeApplication) -> None:
    await client.post(URL, json=RED, headers={**ASYNC, "X-Request-ID": "panel-7"})
    response = await client.post(URL, json=RED, headers={**ASYNC, "X-Request-ID": "bad id\x7f"})
    assert application.commands.correlation_ids[0] == "panel-7"
    assert (
        application.commands.correlation_ids[1] == response.headers["X-Request-ID"] != "bad id\x7f"
    )


async def test_a_command_can_be_asked_for(client: Client, application: FakeApplication) -> None:
    await client.post(URL, json=RED, headers=ASYNC)
    application.commands.step("cmd-1", CommandStatus.QUEUED)
    command = await (await client.get("/api/v1/commands/cmd-1")).get_json()
    assert [step["kind"] for step in command["timeline"]] == ["accepted", "queued"]
    assert (await client.get("/api/v1/commands/nope")).status_code == 404
