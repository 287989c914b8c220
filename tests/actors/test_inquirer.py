"""The inquirer: every question is answered, in time, and only the newest of a light waits."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import pytest
import trio

from actors.clocks.clock import RunClock
from actors.device.effects import Heard
from actors.device.events import (
    DeviceEvent,
    GatewayRefusedFrame,
    Inquired,
    Joined,
    Transmitted,
)
from actors.inquirer import Inquirer
from lorawan.events import Event
from lorawan.events.model import DeviceInfo, Join, Location, Log, TxAck
from lorawan.network import (
    Activation,
    DeviceState,
    NetworkError,
    NetworkForbidden,
    NetworkInvalid,
    NetworkTimeout,
    NetworkUnavailable,
    NetworkUnknown,
)
from tests.support.scripted_network import ScriptedNetwork

START = 1_800_000_000.0
Clock = trio.testing.MockClock
LIGHT = DeviceInfo("light-1")


def translate(event: Event) -> DeviceEvent | None:
    match event:
        case Join():
            return Joined(event.at, event.dev_addr)
        case TxAck():
            return Transmitted(event.at, event.queue_item_id, event.gateway_id, event.at + 1.0, 7)
        case Log():
            return GatewayRefusedFrame(event.at, event.description)
        case Location():
            raise ZeroDivisionError
        case _:
            return None


@dataclass
class Desk:
    """An inquirer, its network, and its answers."""

    network: ScriptedNetwork
    inquirer: Inquirer = field(init=False)
    answers: list[tuple[str, Inquired]] = field(default_factory=list)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)

    def post(self, dev_eui: str, event: DeviceEvent) -> None:
        assert isinstance(event, Inquired)
        self.answers.append((dev_eui, event))

    async def serve(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        with self.scope:
            await self.inquirer.run(task_status)


@asynccontextmanager
async def desk() -> AsyncIterator[tuple[Desk, trio.Nursery]]:
    network = ScriptedNetwork(RunClock(START), Random(1), latency_s=1.0)
    it = Desk(network)
    it.inquirer = Inquirer(network, it.post, translate)
    network.server.add("light-1", "gw-a")
    async with trio.open_nursery() as nursery:
        await nursery.start(it.serve)
        yield it, nursery
        nursery.cancel_scope.cancel(reason="the test is over")


def always(call: str, error: NetworkError) -> Callable[[str, str], NetworkError | None]:
    return lambda made, _dev_eui: error if made == call else None


async def test_everything_that_the_server_knows_in_one_answer(autojump_clock: Clock) -> None:
    async with desk() as (it, _):
        it.network.retained["light-1"] = [
            Join(LIGHT, START - 9.0, "01020304"),
            Log(LIGHT, START - 8.0, "ERROR", "DOWNLINK_GATEWAY", "QUEUE_FULL"),
            TxAck(LIGHT, START - 7.0, "item-0", "gw-a", 3),
        ]
        it.inquirer.ask("light-1", 4)
        await trio.sleep(1.5)
        assert it.answers == []
        await trio.sleep(1.0)  # the activation after the events, so that it is younger
        [(dev_eui, answer)] = it.answers
        assert (dev_eui, answer.number, answer.failure) == ("light-1", 4, None)
        assert [type(event) for event in answer.events] == [Joined, Transmitted]
        assert answer.activation == Activation("01020304", 5, 0)


@pytest.mark.parametrize(
    ("known", "replayed"),
    [
        (Heard("01020304", 4), False),  # the server expects 5: nothing of it is untold
        (Heard("01020304", 3), True),  # one more uplink reached the server
        (Heard("01020304", 5), True),  # its counter is behind: another session
        (Heard("0a0b0c0d", 4), True),  # the light has joined
        (None, True),
    ],
)
async def test_events_are_replayed_only_if_the_server_heard_more_than_we_were_told(
    autojump_clock: Clock, known: Heard | None, replayed: bool
) -> None:
    async with desk() as (it, _):
        it.network.retained["light-1"] = [Join(LIGHT, START - 9.0, "01020304")]
        it.inquirer.ask("light-1", 4, known)
        await trio.sleep(10.0)
        [(_, answer)] = it.answers
        assert answer.failure is None
        assert answer.activation == Activation("01020304", 5, 0)
        assert answer.disabled is False
        assert bool(answer.events) is replayed
        made = [call for _, call, _ in it.network.calls]
        assert ("replay" in made) is replayed
        assert made.count("activation") == 1 + (replayed and known is not None)


@pytest.mark.parametrize("call", ["activation", "replay"])
@pytest.mark.parametrize(
    "error", [NetworkUnavailable("away"), NetworkTimeout("away"), NetworkError("away")]
)
async def test_a_call_that_fails_makes_a_failure_and_nothing_else(
    autojump_clock: Clock, call: str, error: NetworkError
) -> None:
    async with desk() as (it, _):
        it.network.script = always(call, error)
        it.inquirer.ask("light-1", 1)
        await trio.sleep(10.0)
        [(_, answer)] = it.answers
        assert answer == Inquired(1, failure="ChirpStack could not be asked: away")
        assert it.inquirer.statistics().failed == 1


@pytest.mark.parametrize("error", [NetworkInvalid("x"), NetworkForbidden("x"), NetworkUnknown("x")])
async def test_a_server_that_never_replays_still_tells_its_counters(
    autojump_clock: Clock, error: NetworkError
) -> None:
    async with desk() as (it, _):
        it.network.script = always("replay", error)
        it.inquirer.ask("light-1", 1)
        await trio.sleep(10.0)
        [(_, answer)] = it.answers
        assert answer.failure is None
        assert answer.activation is not None
        assert answer.events == ()


@pytest.mark.parametrize("disabled", [False, True])
async def test_whether_the_light_is_disabled_is_a_part_of_the_answer(
    autojump_clock: Clock, disabled: bool
) -> None:
    async with desk() as (it, _):
        it.network.states["light-1"] = DeviceState("light-1", disabled=disabled)
        it.inquirer.ask("light-1", 1)
        await trio.sleep(10.0)
        assert it.answers[0][1].disabled is disabled


@pytest.mark.parametrize("error", [NetworkInvalid("x"), NetworkForbidden("x"), NetworkUnknown("x")])
async def test_a_server_that_does_not_tell_the_setting_still_tells_the_rest(
    autojump_clock: Clock, error: NetworkError
) -> None:
    async with desk() as (it, _):
        it.network.script = always("device", error)
        it.inquirer.ask("light-1", 1)
        await trio.sleep(10.0)
        [(_, answer)] = it.answers
        assert (answer.failure, answer.disabled) == (None, None)
        assert answer.activation is not None


async def test_a_deadline_and_an_error_of_ours_are_failures_too(autojump_clock: Clock) -> None:
    async with desk() as (it, _):
        it.network.retained["light-1"] = [Location(LIGHT, START, 0.0, 0.0)]
        it.inquirer.ask("light-1", 1)
        await trio.sleep(5.0)
        assert it.answers[0][1].failure == "internal error: ZeroDivisionError"
        it.network.slow.add("light-1")
        it.inquirer.ask("light-1", 2)
        await trio.sleep(7.9)
        assert len(it.answers) == 1
        await trio.sleep(0.2)
        assert it.answers[1][1].failure == "ChirpStack did not answer within 8 s"


async def test_eight_at_a_time_and_the_newest_question_of_each_light(
    autojump_clock: Clock,
) -> None:
    async with desk() as (it, _):
        lights = [f"light-{number}" for number in range(40)]
        for dev_eui in lights:
            it.network.server.add(dev_eui)
            it.inquirer.ask(dev_eui, 1)
        for dev_eui in lights:
            it.inquirer.ask(dev_eui, 2)
        await trio.sleep(0.5)
        seen = it.inquirer.statistics()
        assert (seen.in_hand, seen.waiting) == (8, 32)
        assert it.network.in_flight == 8
        await trio.sleep(10.0)
        assert sorted(it.answers, key=lambda one: lights.index(one[0])) == [
            (dev_eui, Inquired(2, (), Activation("01020304", 5, 0), disabled=False))
            for dev_eui in lights
        ]


async def test_slow_lights_leave_the_other_workers_free(autojump_clock: Clock) -> None:
    async with desk() as (it, _):
        for number in range(14):
            it.network.server.add(f"light-{number}")
            it.inquirer.ask(f"light-{number}", 1)
        it.network.slow.update(f"light-{number}" for number in range(7))
        await trio.sleep(7.5)
        assert len(it.answers) == 3, "one worker, two seconds each"


async def test_questions_cut_off_by_a_restart_are_answered(autojump_clock: Clock) -> None:
    async with desk() as (it, nursery):
        for number in range(9):
            it.network.server.add(f"light-{number}")
            it.inquirer.ask(f"light-{number}", 1)
        await trio.sleep(0.5)
        it.scope.cancel(reason="test")
        await trio.testing.wait_all_tasks_blocked()
        it.scope = trio.CancelScope()
        await nursery.start(it.serve)
        await trio.sleep(3.0)
        failures = [answer.failure for _, answer in it.answers]
        assert failures == ["the inquiry was cut off by a crash"] * 8 + [None]
