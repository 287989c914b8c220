"""A light's actor that crashes around its commit: the next incarnation finishes the step or not.

Found by the simulation (swarm seed 2, storm seed 1): it went on from the record before the commit,
and the next commit overwrote an accepted command.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.device.actor import DeviceActor
from actors.device.command import Command
from actors.device.events import CommandRequested
from actors.device.model import Device
from actors.device.records import read_device
from actors.messaging.reply import ActorCrashed, Reply
from lorawan.kuando import LightState
from store.port import Put, Record, Table, Write
from tests.support.running_application import RunningApplication, make_world, running_application

RED = LightState(255, 0, 0)


class CrashedHereError(Exception):
    """What the test makes fail."""


class Between:
    """A port that fails once, where it is told to."""

    def __init__(self, port: Any, name: str, when: str) -> None:
        self._port, self._name, self._when = port, name, when
        self.left = 1

    def __getattr__(self, name: str) -> Any:
        there = getattr(self._port, name)
        if name != self._name:
            return there
        return self._wrapped_async(there) if name == "commit" else self._wrapped(there)

    def _fail(self, when: str) -> None:
        if self.left and when == self._when:
            self.left -= 1
            raise CrashedHereError(f"{when} {self._name}")

    def _wrapped(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any) -> Any:
            self._fail("before")
            answer = call(*args)
            self._fail("after")
            return answer

        return wrapped

    def _wrapped_async(self, call: Callable[..., Any]) -> Callable[..., Any]:
        async def wrapped(*args: Any) -> Any:
            self._fail("before")
            answer = await call(*args)
            self._fail("after")
            return answer

        return wrapped


def strike(home: RunningApplication, dev_eui: str, port: str, name: str, when: str) -> None:
    """From now on this port of this light fails once."""
    actor = home.parts.fleet.actors[dev_eui]
    assert isinstance(actor, DeviceActor)
    there = getattr(home.parts.light_ports, port)
    actor._ports = replace(home.parts.light_ports, **{port: Between(there, name, when)})


async def accept(home: RunningApplication, dev_eui: str) -> str:
    """Ask for a colour as the edge does; whether it was answered is another matter."""
    reply: Reply[str] = Reply()
    request = CommandRequested("the-command", RED, True, 3_600.0, reply=reply)
    home.parts.fleet.post(dev_eui, request)
    try:
        return await reply.wait(30.0)
    except ActorCrashed:
        return "crashed"


def assert_superseded(home: RunningApplication, older: Command) -> None:
    """It is shown as ended by the command after it."""
    assert older.id not in home.parts.board.open_commands
    shown = home.parts.board.command(older.id)
    assert shown is not None
    assert shown.status.value == "superseded"


async def stored(home: RunningApplication, dev_eui: str) -> Device:
    record = await home.parts.environment.store.get(Table.DEVICE, dev_eui)
    assert record is not None
    return read_device(record)


@pytest.mark.parametrize(
    ("port", "name", "when", "happens"),
    [
        ("store_writer", "commit", "before", False),
        ("store_writer", "commit", "after", True),
        ("board", "publish", "before", True),
        ("board", "publish", "after", True),
        ("dispatcher", "submit", "before", True),
        ("dispatcher", "submit", "after", True),
    ],
)
async def test_what_was_stored_is_carried_out_and_what_was_not_never_was(
    port: str, name: str, when: str, happens: bool, autojump_clock: MockClock
) -> None:
    world = make_world(lights=2)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        async with running_application(world) as home:
            await home.settled()
            dev_eui = next(iter(world.stations))
            strike(home, dev_eui, port, name, when)
            assert await accept(home, dev_eui) == "crashed"
            await trio.sleep(120)
            assert len(home.application.dead_letters.recent(10)) == 1
            command = await home.application.commands.find("the-command")
            if happens:
                assert command is not None
                assert command.status.value == "verified"
                assert world.showing(dev_eui) == RED
            else:
                assert command is None
                assert world.showing(dev_eui) != RED
            assert home.devices[dev_eui] == await stored(home, dev_eui)
        nursery.cancel_scope.cancel(reason="the test ends")


async def test_whoever_waits_for_a_stored_verdict_hears_of_it(autojump_clock: MockClock) -> None:
    world = make_world(lights=1)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        async with running_application(world) as home:
            await home.settled()
            dev_eui = next(iter(world.stations))
            command = await home.command(dev_eui, RED)
            actor = home.parts.fleet.actors[dev_eui]
            assert isinstance(actor, DeviceActor)
            actor._ports = replace(home.parts.light_ports, board=VerdictCrash(home.parts.board))
            done: Command = await home.final(command.id, 60)
            assert done.status.value == "verified"
        nursery.cancel_scope.cancel(reason="the test ends")


async def test_what_ended_is_shown_although_its_step_crashes_twice(
    autojump_clock: MockClock,
) -> None:
    world = make_world(lights=1)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        async with running_application(world) as home:
            await home.settled()
            dev_eui = next(iter(world.stations))
            older = await home.command(dev_eui, LightState(0, 255, 0))
            strike(home, dev_eui, "dispatcher", "submit", "before")
            actor = home.parts.fleet.actors[dev_eui]
            assert isinstance(actor, DeviceActor)
            between: Any = actor._ports.dispatcher
            between.left = 2
            await accept(home, dev_eui)
            await trio.sleep(120)
            assert between.left == 0
            assert_superseded(home, older)
        nursery.cancel_scope.cancel(reason="the test ends")


class StepCrash:
    """A board that fails some times after it has shown a light with its new command."""

    def __init__(self, board: Any, times: int) -> None:
        self._board, self.left = board, times

    def publish(self, subject: Device | Command) -> None:
        self._board.publish(subject)
        new = isinstance(subject, Device) and subject.command is not None and subject.command.id
        if new == "the-command" and self.left:
            self.left -= 1
            raise CrashedHereError("the light is shown")


async def test_what_ended_is_shown_although_to_show_its_light_crashes_again_and_again(
    autojump_clock: MockClock,
) -> None:
    world = make_world(lights=1)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        async with running_application(world) as home:
            await home.settled()
            dev_eui = next(iter(world.stations))
            older = await home.command(dev_eui, LightState(0, 255, 0))
            board = StepCrash(home.parts.board, 3)
            actor = home.parts.fleet.actors[dev_eui]
            assert isinstance(actor, DeviceActor)
            actor._ports = replace(home.parts.light_ports, board=board)
            await accept(home, dev_eui)
            await trio.sleep(120)
            assert board.left == 0
            assert_superseded(home, older)
        nursery.cancel_scope.cancel(reason="the test ends")


class ForgetfulStore:
    """Fails after one commit; finds the light once as it was stored then, and never again."""

    def __init__(self, store_writer: Any) -> None:
        self._store_writer, self._fails, self.asked = store_writer, True, 0

    async def commit(self, writes: list[Write]) -> None:
        await self._store_writer.commit(writes)
        if self._fails:
            self._fails = False
            raise CrashedHereError("it is stored")

    async def read(self, table: Table, key: str) -> Record | None:
        self.asked += 1
        found: Record | None = await self._store_writer.read(table, key)
        return found if self.asked == 1 else None


async def test_a_step_that_was_found_stored_is_not_asked_for_again(
    autojump_clock: MockClock,
) -> None:
    """Between two crashes an engine may be set back, and the answer may be another one. Found by
    the simulation (cluster seed 1012563): the end of the command before was never shown."""
    world = make_world(lights=1)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        async with running_application(world) as home:
            await home.settled()
            dev_eui = next(iter(world.stations))
            older = await home.command(dev_eui, LightState(0, 255, 0))
            board = StepCrash(home.parts.board, 3)
            store_writer = ForgetfulStore(home.parts.store_writer)
            actor = home.parts.fleet.actors[dev_eui]
            assert isinstance(actor, DeviceActor)
            ports = home.parts.light_ports
            actor._ports = replace(ports, board=board, store_writer=store_writer)
            await accept(home, dev_eui)
            await trio.sleep(120)
            assert (board.left, store_writer.asked) == (0, 1)
            assert_superseded(home, older)
        nursery.cancel_scope.cancel(reason="the test ends")


class VerdictCrash:
    """A board that fails at the first verdict it is to show."""

    def __init__(self, board: Any) -> None:
        self._board, self._left = board, 1

    def publish(self, subject: object) -> None:
        if isinstance(subject, Command) and subject.status.final and self._left:
            self._left = 0
            raise CrashedHereError("the verdict")
        self._board.publish(subject)


async def test_news_of_a_gateway_outlive_a_crash_over_them(autojump_clock: MockClock) -> None:
    # found by the simulation (swarm seed 9202906): the light took its gateway for offline for ever,
    # and repeated its first setting every ten seconds
    world = make_world(lights=1, gateways=1)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        async with running_application(world) as home:
            await home.settled()
            dev_eui, gateway_id = next(iter(world.stations)), next(iter(world.gateways))
            world.stop_gateway(gateway_id)
            await trio.sleep(600)
            assert home.devices[dev_eui].unreachable
            strike(home, dev_eui, "store_writer", "commit", "before")
            world.start_gateway(gateway_id)
            await trio.sleep(60)
            assert len(home.application.dead_letters.recent(10)) == 1
            assert not home.devices[dev_eui].unreachable
        nursery.cancel_scope.cancel(reason="the test ends")


async def test_a_read_comes_after_all_that_was_handed_in(autojump_clock: MockClock) -> None:
    world = make_world(lights=1)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        async with running_application(world) as home:
            await home.settled()
            store_writer = home.parts.store_writer
            store_writer.offer([Put(Table.META, "one", b"1", 0.0)])
            record = await store_writer.read(Table.META, "one")
            assert record is not None
            assert record.value == b"1"
            assert await store_writer.read(Table.META, "nobody") is None
        nursery.cancel_scope.cancel(reason="the test ends")
