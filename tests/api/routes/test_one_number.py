"""Figures of one thing are the same on every page and verb: each has one source."""

import msgspec
import pytest
from quart.typing import TestClientProtocol as Client

from actors.board.changes import GatewayView
from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.model import Attempt, Hearing
from api.models.commands import CommandSummary, CommandView, attempt_numbers
from lorawan.kuando.frames import SetLight, StatusInterval
from lorawan.kuando.light_state import LightState
from tests.support.fake_application import DEV_EUI, GATEWAY, NOW, FakeApplication, a_light

RED = LightState(255, 0, 0)


def pursued(*attempts: int | None) -> Command:
    """A command whose steps are of these frames of its light."""
    kinds = [StepKind.QUEUED] * len(attempts)
    steps = [Step(NOW, kind, one) for kind, one in zip(kinds, attempts, strict=True)]
    timeline = (Step(NOW, StepKind.ACCEPTED), *steps)
    return Command("c1", DEV_EUI, RED, True, NOW, NOW + 60, CommandStatus.QUEUED, timeline=timeline)


@pytest.mark.parametrize(
    ("frames", "shown"),
    [((4, 4), [1, 1]), ((4, None, 4, 7, 7, 9), [1, None, 1, 2, 2, 3]), ((), [])],
)
def test_the_attempts_of_a_command_are_numbered_from_one(
    frames: tuple[int | None, ...], shown: list[int | None]
) -> None:
    """From the field: attempt 4 for the first attempt of a command, whose light had got three
    settings before."""
    command = pursued(*frames)
    view = CommandView.of(command)
    assert [step.attempt for step in view.timeline[1:]] == shown
    newest = CommandSummary.of(command).step
    assert newest is not None
    assert newest.attempt == (shown[-1] if shown else None), "as the websocket tells it"


async def test_the_attempt_on_its_way_has_the_number_of_its_step(
    client: Client, application: FakeApplication
) -> None:
    command = pursued(4, 7)
    frame = SetLight(RED, reply=True)
    for number, frame_of, expected in (
        (7, frame, 2),
        (8, frame, 3),
        (8, StatusInterval(15), None),
    ):
        attempt = Attempt(number, frame_of, 0, NOW, NOW, retry=False)
        application.board.publish(a_light(command=command, attempt=attempt))
        seen = await (await client.get(f"/api/v1/devices/{DEV_EUI}")).get_json()
        assert seen["attempt"]["number"] == expected
    assert attempt_numbers(command) == {4: 1, 7: 2}


async def test_a_gateway_hears_as_many_lights_as_its_filter_finds(
    client: Client, application: FakeApplication
) -> None:
    """From the field: "Garage 2 lights" beside 23."""
    yard = "00000000000000aa"
    application.board.publish(GatewayView(yard, "Yard", since=NOW - 9_000, lights_heard=99))
    both = tuple(Hearing(one, NOW, -97, 7.0, 20.0, latest=True) for one in (GATEWAY, yard))

    async def agree() -> list[int]:
        counts = []
        for gateway_id in (GATEWAY, yard):
            listed = await (await client.get("/api/v1/gateways")).get_json()
            one = await (await client.get(f"/api/v1/gateways/{gateway_id}/status")).get_json()
            found = await (await client.get(f"/api/v1/devices?gateway={gateway_id}")).get_json()
            by_id = {each["gateway_id"]: each["lights_heard"] for each in listed["gateways"]}
            assert by_id[gateway_id] == one["lights_heard"] == found["total"]
            counts.append(found["total"])
        return counts

    assert await agree() == [1, 0]
    for number in range(23):
        application.board.publish(a_light(f"{number:016x}", hearings=both))
    assert await agree() == [24, 23]
    for number in range(20):
        application.board.publish(a_light(f"{number:016x}", hearings=both[:1]))
    application.board.publish(msgspec.structs.replace(a_light(), hearings=()))
    assert await agree() == [23, 3]
