"""`DELETE /commands/{id}` and `DELETE /devices/{dev_eui}/wanted`."""

import pytest
import trio
from quart.typing import TestClientProtocol as Client
from trio.testing import MockClock

from actors.device.command import CommandStatus
from actors.refusal import Refusal
from tests.support.fake_application import DEV_EUI, FakeApplication

DOWNLINK = f"/api/v1/downlink/{DEV_EUI}"
COMMAND = "/api/v1/commands/cmd-1"
RED = {"red": 255, "green": 0, "blue": 0}


async def _given(client: Client) -> None:
    response = await client.post(DOWNLINK, json=RED, headers={"Prefer": "respond-async"})
    assert response.status_code == 202


async def test_a_command_is_taken_back_and_the_same_request_has_the_same_answer(
    client: Client, application: FakeApplication
) -> None:
    await _given(client)
    first = await client.delete(COMMAND)
    body = await first.get_json()
    assert (first.status_code, body["status"]) == (200, "withdrawn")
    assert body["reason"] == "nothing of it was sent"
    again = await client.delete(COMMAND)
    assert (again.status_code, await again.get_json()) == (200, body)


async def test_keep_nothing_reaches_the_light(client: Client) -> None:
    await _given(client)
    response = await client.delete(f"{COMMAND}?keep=nothing")
    assert (await response.get_json())["reason"] == "nothing is wanted"
    odd = await client.delete(f"{COMMAND}?keep=all")
    assert odd.status_code == 422


async def test_a_command_that_ended_otherwise_is_told_with_its_end(
    client: Client, application: FakeApplication
) -> None:
    await _given(client)
    application.commands.step("cmd-1", CommandStatus.VERIFIED)
    response = await client.delete(COMMAND)
    body = await response.get_json()
    assert (response.status_code, body["type"]) == (409, "urn:lamplighter:problem:ended")
    assert body["command"]["status"] == "verified"


async def test_what_is_not_known_is_told(client: Client, application: FakeApplication) -> None:
    assert (await client.delete("/api/v1/commands/none")).status_code == 404
    unknown = await client.delete("/api/v1/devices/2020200000009999/wanted")
    assert unknown.status_code == 404
    application.refusal = Refusal.NO_REPLY
    await _nothing_given(client)


async def _nothing_given(client: Client) -> None:
    response = await client.delete(COMMAND)
    assert response.status_code == 504


async def test_who_waits_for_the_verdict_is_told(
    client: Client, application: FakeApplication, autojump_clock: MockClock
) -> None:
    answers: list[tuple[int, str]] = []

    async def wait() -> None:
        response = await client.post(DOWNLINK, json=RED)
        answers.append((response.status_code, (await response.get_json())["type"]))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await application.commands.awaited.wait()
        assert (await client.delete(COMMAND)).status_code == 200
    assert answers == [(409, "urn:lamplighter:problem:withdrawn")]


@pytest.mark.parametrize("given", [True, False])
async def test_nothing_is_asked_of_a_light(client: Client, given: bool) -> None:
    if given:
        await _given(client)
    response = await client.delete(f"/api/v1/devices/{DEV_EUI}/wanted")
    body = await response.get_json()
    assert (response.status_code, body["dev_eui"]) == (200, DEV_EUI)
    assert (body["command"] or {}).get("status") == ("withdrawn" if given else None)
