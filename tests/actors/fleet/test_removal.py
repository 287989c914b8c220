"""A light that is taken off goes whole, whoever waits for it, and keeps none of the others."""

import random
from collections.abc import Sequence
from unittest.mock import patch

import pytest
import trio

from actors.board.board import Board
from actors.clocks.clock import RunClock
from actors.device.events import Message, Tick
from actors.device.model import Device
from actors.fleet import Fleet, FleetPorts
from actors.fleet.ears import NetworkEars
from actors.fleet.removal import REMOVALS_MOST, REMOVE_S, Removals
from actors.messaging.dead_letters import DeadLetters
from actors.messaging.mailbox import Mailbox, Offer
from actors.messaging.reply import ActorError
from actors.refusal import Refusal
from actors.supervision import Supervisor
from store.errors import StoreTaken
from store.port import Delete, Write

START = 1_700_000_000.0
ONE, TWO = "00000000000000a1", "00000000000000a2"


class Light:
    """An actor that does nothing."""

    due_at: float | None = None

    def __init__(self, device: Device) -> None:
        self.device = device
        self.mailbox: Mailbox[Message] = Mailbox(device.dev_eui, 4)

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.sleep_forever()


class Kit:
    """Lights, and a store that answers when the test says so; `taken` is another process's."""

    def __init__(self, *dev_euis: str) -> None:
        clock = RunClock(START)
        self.devices = [Device(dev_eui=one) for one in dev_euis]
        self.supervisor = Supervisor(
            "lights", clock=clock, rng=random.Random(1), dead_letters=DeadLetters()
        )
        self.fleet = Fleet(Light, self.supervisor, _ports(), clock)
        self.board = Board(clock, "boot")
        self.removals = Removals(self.fleet, self.board, self, clock, ended=lambda command: None)
        self.answers = trio.Event()
        self.taken: set[str] = set()

    async def commit(self, writes: Sequence[Write]) -> None:
        """Return when the writes are durable."""
        [deleted] = [one.key for one in writes if isinstance(one, Delete)]
        await self.answers.wait()
        if deleted in self.taken:
            raise StoreTaken("another process's")

    async def open(self, nursery: trio.Nursery) -> None:
        await nursery.start(self.supervisor.run)
        await self.fleet.restore(self.devices)
        for device in self.devices:
            self.board.publish(device)
        await nursery.start(self.removals.run)


def _ports() -> FleetPorts:
    return FleetPorts(lambda writes: None, lambda event: event, ears=NetworkEars())


async def test_who_leaves_or_waits_for_long_cuts_nothing_off(
    autojump_clock: object, nursery: trio.Nursery
) -> None:
    kit = Kit(ONE, TWO)
    await kit.open(nursery)
    with trio.move_on_after(1.0):
        await kit.removals.by_hand(ONE)
    began = trio.current_time()
    assert await kit.removals.by_hand(TWO) is Refusal.NO_REPLY
    assert trio.current_time() - began == pytest.approx(REMOVE_S)
    assert sorted(kit.board.devices) == sorted(kit.fleet.actors) == [ONE, TWO]
    kit.answers.set()
    assert await kit.removals.remove(TWO, "again") is True
    assert not kit.board.devices
    assert not kit.fleet.actors
    assert await kit.removals.by_hand(TWO) is Refusal.UNKNOWN_DEVICE


async def test_a_light_that_is_another_process_s_by_now_keeps_none_of_the_others(
    autojump_clock: object, nursery: trio.Nursery
) -> None:
    kit = Kit(ONE, TWO)
    await kit.open(nursery)
    kit.taken.add(ONE)
    answers: list[Refusal | None] = []

    async def remove(dev_eui: str) -> None:
        answers.append(await kit.removals.by_hand(dev_eui))

    async with trio.open_nursery() as asking:
        for dev_eui in (ONE, TWO):
            asking.start_soon(remove, dev_eui)
        await trio.testing.wait_all_tasks_blocked()
        kit.answers.set()
    assert sorted(answers, key=str) == [None, Refusal.NO_REPLY]
    assert list(kit.board.devices) == [ONE]
    with pytest.raises(StoreTaken):
        await kit.removals.remove(ONE, "again")


async def test_a_light_that_came_back_while_its_actor_ended_is_left_alone(
    autojump_clock: object, nursery: trio.Nursery
) -> None:
    """Its shard was lost and taken again."""
    kit = Kit(ONE)
    await kit.open(nursery)
    kit.answers.set()

    async def leave_and_take(dev_eui: str, _why: str) -> None:
        await kit.fleet.let_go([dev_eui], drain_s=0.0)
        await kit.fleet.restore(kit.devices)

    with patch.object(kit.fleet, "stop_actor", leave_and_take), pytest.raises(ActorError):
        await kit.removals.remove(ONE, "why")
    assert kit.fleet.report(ONE) is not None
    assert list(kit.board.devices) == [ONE]


async def test_no_more_are_carried_out_at_once_than_are_allowed(
    autojump_clock: object, nursery: trio.Nursery
) -> None:
    names = [f"{number:016x}" for number in range(REMOVALS_MOST + 1)]
    kit = Kit(*names)
    await kit.open(nursery)
    async with trio.open_nursery() as asking:
        for dev_eui in names[:-1]:
            asking.start_soon(kit.removals.by_hand, dev_eui)
        await trio.testing.wait_all_tasks_blocked()
        assert await kit.removals.by_hand(names[-1]) is Refusal.NO_REPLY
        assert kit.fleet.post(names[-1], Tick()) is Offer.ACCEPTED
        kit.answers.set()
    assert list(kit.board.devices) == names[-1:]
