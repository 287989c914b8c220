"""A light applies each entry of its shard's inbox once, and says when it has dealt with it."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio

from actors.clocks.clock import RunClock
from actors.device.actor import DeviceActor, DevicePorts
from actors.device.command import Command, CommandStatus
from actors.device.effects import Heard
from actors.device.events import CommandRequested, Entry, Joined, StatusRequested, Swept
from actors.device.machine import step
from actors.device.model import Attempt, Device, Hearing
from actors.device.policy import Policy
from actors.device.records import read_command, read_device
from actors.device.state_timeouts import StateTimeouts
from actors.messaging.reply import ToldReply
from actors.replace import replace
from lorawan.kuando import LightState
from store.port import Append, Put, Record, Table, Write

START = 1_750_000_000.0
RED, BLUE = LightState(255, 0, 0), LightState(0, 0, 255)
EUI = "2020200000000001"


class Around:
    """Everything that a light's actor talks to."""

    def __init__(self) -> None:
        self.commits: list[list[Write]] = []
        self.held: trio.Event | None = None

    async def commit(self, writes: list[Write]) -> None:
        await trio.lowlevel.checkpoint()
        if self.held is not None:
            await self.held.wait()
        self.commits.append(writes)

    async def read(self, table: Table, key: str) -> Record | None:
        await trio.lowlevel.checkpoint()
        return None

    def publish(self, subject: Device | Command) -> None:
        pass

    def submit(self, dev_eui: str, attempt: Attempt, hearings: tuple[Hearing, ...]) -> None:
        pass

    def withdraw(self, dev_eui: str) -> None:
        pass

    def ask(self, dev_eui: str, number: int, known: Heard | None = None) -> None:
        pass

    @property
    def stored(self) -> Device:
        put = next(one for one in reversed(self.commits) if isinstance(one[0], Put))[0]
        assert isinstance(put, Put)
        return read_device(Record(put.key, put.value, put.at))

    def commands(self) -> dict[str, Command]:
        puts = [one for writes in self.commits for one in writes if isinstance(one, Put)]
        return {
            put.key: read_command(Record(put.key, put.value, put.at))
            for put in puts
            if put.table is Table.COMMAND
        }


class Running:
    """An actor that runs, and entries for it."""

    def __init__(self, device: Device) -> None:
        self.around = around = Around()
        self.done: list[str] = []
        self.ended: dict[str, Command] = {}
        ports = DevicePorts(
            clock=RunClock(START),
            rng=random.Random(1),
            policy=Policy(),
            store_writer=around,
            board=around,
            dispatcher=around,
            inquirer=around,
            timeouts=StateTimeouts(),
            boot="boot",
            ended=lambda command: None,
            gateway_online=lambda gateway_id: None,
            ended_as=self.ended.get,
        )
        self.actor = DeviceActor(device, ports)

    async def give(self, inbox: str, event: Any, line: str = "") -> None:
        def told(reply: ToldReply[None], error: Exception | None) -> None:
            assert error is None
            assert reply.begun
            self.done.append(inbox)

        self.actor.mailbox.offer(Entry(event, ToldReply(told), inbox, line))
        await trio.sleep(0.01)


@asynccontextmanager
async def running(device: Device | None = None) -> AsyncIterator[Running]:
    kit = Running(device or Device(dev_eui=EUI))
    async with trio.open_nursery() as nursery:
        await nursery.start(kit.actor.run)
        await trio.sleep(0.01)
        yield kit
        nursery.cancel_scope.cancel()


def wish(command_id: str, light: LightState = RED, at: float = START, **more: Any) -> Any:
    return CommandRequested(command_id, light, True, 600.0, accepted_at=at, **more)


async def test_the_id_is_stored_in_the_commit_of_the_step_and_told_after_it(
    autojump_clock: object,
) -> None:
    async with running() as kit:
        kit.around.held = trio.Event()
        await kit.give("7-0", wish("c1"))
        assert kit.done == []
        kit.around.held.set()
        await trio.sleep(0.01)
        assert kit.done == ["7-0"]
        assert kit.around.stored.inbox == "7-0"
        assert kit.around.stored.command is not None
        assert kit.around.stored.command.accepted_at == START
        assert kit.around.stored.command.expires_at == START + 600.0


async def test_an_event_that_is_read_again_changes_nothing(autojump_clock: object) -> None:
    async with running() as kit:
        await kit.give("10-0", Joined(START, "01"))
        before = kit.actor.device
        for late in ("9-5", "10-0"):
            await kit.give(late, Joined(START + 1, "02"))
        assert kit.actor.device is before
        await kit.give("10-1", Joined(START + 1, "02"))
        assert kit.actor.device is not before
        assert kit.done == ["10-0", "9-5", "10-0", "10-1"]


async def test_what_a_promoted_server_has_under_lower_ids_is_not_taken_for_read_again(
    autojump_clock: object,
) -> None:
    before, after = "1:aaaaaaaa", "2:aaaaaaaa.bbbbbbbb"
    async with running() as kit:
        await kit.give("10-0", Joined(START, "01"), before)
        await kit.give("5-0", Joined(START + 1, "02"), after)
        assert kit.around.stored.session is not None
        assert kit.around.stored.session.dev_addr == "02"
        stored = kit.actor.device
        for again, line in (("5-0", after), ("4-0", after), ("10-0", before)):
            await kit.give(again, Joined(START + 2, "03"), line)
        assert kit.actor.device is stored


async def test_a_command_counts_whatever_its_entry_is_called_and_once(
    autojump_clock: object,
) -> None:
    async with running() as kit:
        await kit.give("10-0", wish("c1"))
        await kit.give("9-0", wish("c2", BLUE, START + 1))  # an engine that was set back
        assert kit.actor.device.command is not None
        assert kit.actor.device.command.id == "c2"
        commits = len(kit.around.commits)
        await kit.give("11-0", wish("c2", BLUE, START + 1))
        assert len(kit.around.commits) == commits
        assert kit.around.commands()["c1"].status is CommandStatus.SUPERSEDED


async def test_an_event_without_an_inbox_leaves_the_mark(autojump_clock: object) -> None:
    async with running() as kit:
        await kit.give("10-0", wish("c1"))
        await kit.give("", StatusRequested("by hand"))
        kit.actor.mailbox.offer(Swept())
        await trio.sleep(0.01)
        assert kit.actor.device.inbox == "10-0"
        assert kit.done == ["10-0", ""]


def test_an_older_wish_that_was_accepted_again_ends_superseded_and_changes_nothing_else() -> None:
    newer, _ = step(Device(dev_eui=EUI), wish("new", BLUE, START + 5), START + 6, 0.5, Policy())
    after, effects = step(newer, wish("old", RED, START, again=True), START + 9, 0.5, Policy())
    assert after.wanted == newer.wanted
    assert after.command == newer.command
    [changed] = [effect.command for effect in effects]  # type: ignore[union-attr]
    assert (changed.id, changed.status, changed.superseded_by) == (
        "old",
        CommandStatus.SUPERSEDED,
        "new",
    )
    assert changed.ended_at == START + 9


def test_a_newer_wish_that_was_accepted_again_is_pursued() -> None:
    older, _ = step(Device(dev_eui=EUI), wish("old", RED, START), START + 6, 0.5, Policy())
    after, _ = step(older, wish("new", BLUE, START + 5, again=True), START + 9, 0.5, Policy())
    assert after.command is not None
    assert after.command.id == "new"


def test_a_wish_that_came_later_by_the_inbox_is_newer_whatever_the_clocks_say() -> None:
    first, _ = step(Device(dev_eui=EUI), wish("one", RED, START + 5), START + 6, 0.5, Policy())
    after, _ = step(first, wish("two", BLUE, START), START + 7, 0.5, Policy())
    assert after.command is not None
    assert after.command.id == "two"


async def test_a_command_that_ended_stays_as_it_ended_whatever_the_light_was_told_since(
    autojump_clock: object,
) -> None:
    """A fail-over took it, and its acceptor repeats it behind a newer one."""
    async with running() as kit:
        place = "2:aa.bb"
        await kit.give("7-0", wish("c1", place=f"{place} 7-0", line=place), place)
        verified = replace(
            kit.around.commands()["c1"], status=CommandStatus.VERIFIED, ended_at=START
        )
        kit.ended["c1"] = verified
        await kit.give("8-0", wish("c2", BLUE, place=f"{place} 8-0", line=place), place)
        before = kit.actor.device
        commits = len(kit.around.commits)
        await kit.give("9-0", wish("c1", place=f"{place} 7-0", line=place), place)
        assert len(kit.around.commits) == commits, "read again: the engine has how it ended"
        await kit.give("9-1", wish("c1", place=f"{place} 7-0", line=place, again=True), place)
        assert kit.around.commands()["c1"] == verified
        streams = [one.stream for one in kit.around.commits[-1] if isinstance(one, Append)]
        assert streams, "with its verdict, by which hooks are told"
        assert kit.actor.device is before
        assert kit.done == ["7-0", "8-0", "9-0", "9-1"]
