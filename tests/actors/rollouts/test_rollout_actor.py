"""The actor of rollouts with lights and a store that behave as badly as can be, in virtual time."""

import dataclasses
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest
import trio
from trio.testing import MockClock

from actors.board.board import Board
from actors.board.rollout import Rollout, State
from actors.clocks.clock import RunClock
from actors.commands import Accepted, CommandOrder
from actors.device.command import Command, CommandStatus
from actors.device.model import Device, Newest, Wanted
from actors.refusal import Refusal
from actors.rollouts import decisions
from actors.rollouts.actor import Rollouts
from actors.rollouts.model import Order, Part, PartState, Wish
from actors.rollouts.ports import RolloutPorts
from actors.rollouts.repository import piece_puts, read_rollouts, rollout_put
from actors.storage.idempotency import IdempotencyKeys, KeyUse
from actors.storage.store_writer import StoreWriter
from actors.storage.unreadable_records import UnreadableRecord
from actors.supervision import ChildSpec
from lorawan.kuando.light_state import LightState
from store.errors import StoreUnavailable
from store.memory import MemoryDisk, MemoryStore
from store.port import Record, Table, Write

START = 1_700_000_000.0
RED = LightState(255, 0, 0)


class MoodyStore(MemoryStore):
    """A store that cannot be read for a while."""

    down = False

    async def scan(self, table: Table) -> list[Record]:
        if self.down:
            raise StoreUnavailable("away")
        return await super().scan(table)


class Street:
    """Lights that take commands, or not, by a script of refusals for each."""

    def __init__(self) -> None:
        self.set_s, began = 0.0, trio.current_time()
        self.clock = RunClock(START, wall=lambda: START + trio.current_time() - began + self.set_s)
        self.board = Board(self.clock, "boot")
        self.store = MoodyStore(MemoryDisk())
        self.script: dict[str, list[Refusal]] = {}
        self.given: list[str] = []
        self.tries = 0
        self.away = False
        self.keys = IdempotencyKeys()
        ids = iter(range(1_000))
        self.store_writer = StoreWriter(self.store, self.clock, random.Random(1), drain_s=1.0)
        self.rollouts = Rollouts(
            RolloutPorts(
                board=self.board,
                store_writer=self.store_writer,
                clock=self.clock,
                keys=self.keys,
                give=self._give,
                find=self._find,
                new_id=lambda: f"r{next(ids)}",
            ),
            retention_s=7 * 86_400.0,
        )

    async def _give(self, order: CommandOrder) -> Accepted | Refusal:
        await trio.lowlevel.checkpoint()
        self.tries += 1
        if self.script.get(order.dev_eui):
            return self.script[order.dev_eui].pop(0)
        assert order.light == RED
        assert order.command_id is not None
        now, command_id = self.clock.now(), order.command_id
        self.given.append(command_id)
        command = Command(command_id, order.dev_eui, order.light, True, now, now + 3_600)
        self.board.publish(command)
        return Accepted(command)

    async def _find(self, command_id: str) -> Command | None:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise StoreUnavailable("away")
        return self.board.command(command_id)

    def step(self, command_id: str, status: CommandStatus, *, overdue: bool = False) -> None:
        command = self.board.command(command_id)
        assert command is not None
        self.board.publish(msgspec.structs.replace(command, status=status, overdue=overdue))

    async def begin(self, *dev_euis: str, **more: object) -> str:
        for dev_eui in dev_euis:
            if dev_eui not in self.board.devices:
                self.board.publish(Device(dev_eui=dev_eui))
        fields: dict[str, object] = {
            "dev_euis": dev_euis,
            "light": RED,
            "keep": True,
            "ttl_s": None,
            "name": "",
            "pace_per_min": 60.0,
            "failures_most": 5,
        }
        made = await self.rollouts.create(Order(**(fields | more)))  # type: ignore[arg-type]
        assert isinstance(made, Rollout)
        return made.id

    def now(self, rollout_id: str) -> Rollout:
        return self.rollouts.repository.kept[rollout_id].rollout

    def part(self, rollout_id: str, number: int) -> Part:
        return self.rollouts.repository.kept[rollout_id].parts[number]


class SlowJournal:
    """A journal whose commits take two seconds before they are handed in and after."""

    def __init__(self, street: Street) -> None:
        self._street = street

    async def commit(self, writes: Sequence[Write]) -> None:
        await trio.sleep(2.0)
        await self._street.store_writer.commit(writes)
        await trio.sleep(2.0)

    async def scan(self, table: Table) -> Sequence[Record]:
        return await self._street.store_writer.scan(table)


@asynccontextmanager
async def opened(street: Street) -> AsyncIterator[trio.Nursery]:
    await street.store.open()
    async with trio.open_nursery() as nursery:
        await nursery.start(street.store_writer.run)
        await nursery.start(street.board.run)
        yield nursery
        nursery.cancel_scope.cancel()


async def test_a_full_mailbox_is_tried_again_and_given_up_in_the_end(
    autojump_clock: MockClock,
) -> None:
    street = Street()
    street.script = {"d0": [Refusal.MAILBOX_FULL] * 4, "d1": [Refusal.MAILBOX_FULL] * 9}
    async with opened(street) as nursery:
        await nursery.start(street.rollouts.run)
        rollout_id = await street.begin("d0", "d1", "d2")
        await trio.sleep(120)
        assert [street.part(rollout_id, n).state for n in range(3)] == [
            PartState.OPEN,
            PartState.FAILED,
            PartState.OPEN,
        ]
        assert street.part(rollout_id, 1).reason == "no command could be given: mailbox full"
        assert street.tries == 11
        assert street.given == [f"{rollout_id}.d0", f"{rollout_id}.d2"]


async def test_a_command_that_appears_after_no_answer_is_followed(
    autojump_clock: MockClock,
) -> None:
    street = Street()
    street.script = {"d0": [Refusal.NO_REPLY] * 5}
    async with opened(street) as nursery:
        await nursery.start(street.rollouts.run)
        rollout_id = await street.begin("d0")
        await trio.sleep(120)
        assert street.now(rollout_id).failed == 1
        command_id, now = f"{rollout_id}.d0", street.clock.now()
        street.board.publish(Command(command_id, "d0", RED, True, now, now + 60))
        await trio.sleep(1)
        street.step(command_id, CommandStatus.VERIFIED)
        await trio.sleep(1)
        end = street.now(rollout_id)
        assert (end.state, end.verified, end.failed) == (State.DONE, 1, 0)


async def test_a_store_that_is_away_is_waited_for(autojump_clock: MockClock) -> None:
    street = Street()
    async with opened(street) as nursery:
        await nursery.start(street.rollouts.run)
        street.away = True
        rollout_id = await street.begin("d0")
        await trio.sleep(300)
        assert street.now(rollout_id).waiting == 1
        street.away = False
        await trio.sleep(10)
        assert street.now(rollout_id).open == 1


async def test_an_overdue_light_fails_and_is_verified_after_all(
    autojump_clock: MockClock,
) -> None:
    street = Street()
    async with opened(street) as nursery:
        await nursery.start(street.rollouts.run)
        rollout_id = await street.begin("d0", "d1", failures_most=0, pace_per_min=1.0)
        await trio.sleep(5)
        street.step(f"{rollout_id}.d0", CommandStatus.TRANSMITTED, overdue=True)
        await trio.sleep(600)
        stopped = street.now(rollout_id)
        assert (stopped.state, stopped.failed, stopped.waiting) == (State.STOPPED, 1, 1)
        street.step(f"{rollout_id}.d0", CommandStatus.VERIFIED)
        await trio.sleep(1)
        now = street.now(rollout_id)
        assert (now.state, now.failed, now.verified) == (State.STOPPED, 0, 1)


async def test_a_new_incarnation_goes_on_and_sees_what_happened_meanwhile(
    autojump_clock: MockClock,
) -> None:
    street = Street()
    async with opened(street) as nursery:
        async with trio.open_nursery() as first:
            await first.start(street.rollouts.run)
            rollout_id = await street.begin("d0", "d1", pace_per_min=1.0)
            await trio.sleep(5)
            first.cancel_scope.cancel()
        street.step(f"{rollout_id}.d0", CommandStatus.VERIFIED)
        await trio.sleep(120)
        assert street.now(rollout_id).open == 1
        await nursery.start(street.rollouts.run)
        await trio.sleep(5)
        street.step(f"{rollout_id}.d1", CommandStatus.VERIFIED)
        await trio.sleep(1)
        assert street.now(rollout_id).state is State.DONE
        assert street.given == [f"{rollout_id}.d0", f"{rollout_id}.d1"]


async def test_a_pause_that_comes_while_a_light_is_tried_is_kept(
    autojump_clock: MockClock,
) -> None:
    street = Street()
    street.script = {"d0": [Refusal.MAILBOX_FULL] * 3}
    async with opened(street) as nursery:
        await nursery.start(street.rollouts.run)
        rollout_id = await street.begin("d0")
        await trio.sleep(1)
        await street.rollouts.change(rollout_id, Wish(State.PAUSED))
        await trio.sleep(60)
        assert (street.now(rollout_id).waiting, street.tries) == (1, 1)
        await street.rollouts.change(rollout_id, Wish(State.RUNNING))
        await trio.sleep(60)
        assert street.now(rollout_id).open == 1


async def test_an_order_whose_maker_crashed_is_made_once_when_it_is_repeated(
    autojump_clock: MockClock,
) -> None:
    street = Street()
    async with opened(street) as nursery:
        assert street.keys.claim("rollout k", "f", "before", street.clock.now()) is KeyUse.NEW
        await nursery.start(street.rollouts.run)
        again = {"idempotency_key": "k", "fingerprint": "f"}
        assert await street.begin("d0", **again) == "before"
        assert await street.begin("d0", **again) == "before"
        await trio.sleep(5)
        assert street.given == ["before.d0"]


async def test_an_order_near_the_full_hour_of_pruning_is_dealt_with_whole(
    autojump_clock: MockClock,
) -> None:
    """The hour bounds the waiting for an order, never the order itself."""
    street = Street()

    street.rollouts.repository._store_writer = SlowJournal(street)
    async with opened(street) as nursery:
        await nursery.start(street.rollouts.run)
        await trio.sleep(3_600.0 - 1.0)
        rollout_id = await street.begin("aa")
        await trio.sleep(30.0)
        assert street.given == [f"{rollout_id}.aa"]
        assert rollout_id in street.rollouts.repository.kept


@pytest.mark.parametrize("crash_after_s", [1.0, 3.0])
async def test_an_order_that_was_cut_off_is_known_exactly_where_it_was_stored(
    crash_after_s: float, autojump_clock: MockClock
) -> None:
    """The caller got no reply; what stands in the store is carried out, what does not never was."""
    street = Street()
    slow = SlowJournal(street)
    async with opened(street) as nursery:
        async with trio.open_nursery() as first:
            street.rollouts.repository._store_writer = slow
            await first.start(street.rollouts.run)
            first.start_soon(street.begin, "aa", "bb")
            await trio.sleep(crash_after_s)
            first.cancel_scope.cancel()
        street.rollouts.mailbox.crash()
        await nursery.start(street.rollouts.run)
        stored = crash_after_s > 2.0
        assert list(street.rollouts.repository.kept) == (["r0"] if stored else [])
        assert [one.id for one in street.rollouts.repository.listed(10)] == (
            ["r0"] if stored else []
        )
        await trio.sleep(60.0)
        assert street.given == (["r0.aa", "r0.bb"] if stored else [])


@pytest.mark.parametrize("crash_after_s", [1.0, 3.0])
async def test_a_change_that_was_cut_off_stands_exactly_where_it_was_stored(
    crash_after_s: float, autojump_clock: MockClock
) -> None:
    street = Street()
    async with opened(street) as nursery:
        async with trio.open_nursery() as first:
            await first.start(street.rollouts.run)
            rollout_id = await street.begin("aa", "bb", "cc", pace_per_min=1.0)
            await trio.sleep(5.0)
            street.rollouts.repository._store_writer = SlowJournal(street)
            first.start_soon(street.rollouts.change, rollout_id, Wish(State.PAUSED))
            await trio.sleep(crash_after_s)
            first.cancel_scope.cancel()
        street.rollouts.mailbox.crash()
        await nursery.start(street.rollouts.run)
        stored = crash_after_s > 2.0
        assert street.now(rollout_id).state is (State.PAUSED if stored else State.RUNNING)
        await trio.sleep(600.0)
        assert len(street.given) == (1 if stored else 3)


async def test_the_order_of_wishes_holds_over_a_clock_that_is_set_and_a_crash(
    autojump_clock: MockClock,
) -> None:
    """The dates in the store are of before the step, also those of a change that was under way."""
    street = Street()
    async with opened(street) as nursery:
        async with trio.open_nursery() as first:
            await first.start(street.rollouts.run)
            ids = [await street.begin(one, "zz", pace_per_min=1.0) for one in ("aa", "bb")]
            await trio.sleep(5.0)
            made_at = [street.now(one).created_at for one in ids]
            street.rollouts.repository._store_writer = SlowJournal(street)
            first.start_soon(street.rollouts.change, ids[1], Wish(State.PAUSED))
            await trio.sleep(1.0)
            street.set_s = -3_600.0
            street.clock.look()
            assert [street.now(one).created_at for one in ids] == pytest.approx(
                [at - 3_600.0 for at in made_at]
            )
            await trio.sleep(2.0)
            first.cancel_scope.cancel()
        street.rollouts.mailbox.crash()
        await nursery.start(street.rollouts.run)
        assert street.now(ids[1]).state is State.PAUSED
        for rollout_id, at in zip(ids, made_at, strict=True):
            assert street.now(rollout_id).created_at == pytest.approx(at - 3_600.0)


async def test_a_new_incarnation_waits_for_a_store_that_is_away(autojump_clock: MockClock) -> None:
    street = Street()
    async with opened(street):
        async with trio.open_nursery() as first:
            await first.start(street.rollouts.run)
            await street.begin("aa", "bb", pace_per_min=6.0)
            await trio.sleep(1.0)
            first.cancel_scope.cancel()
        street.store.down = True
        async with trio.open_nursery() as second:
            with trio.fail_after(ChildSpec("rollouts", street.rollouts.run).start_timeout_s / 2):
                await second.start(street.rollouts.run)  # else the supervisor would call it crashed
            await trio.sleep(60.0)
            assert street.given == ["r0.aa"]
            street.store.down = False
            await trio.sleep(60.0)
            assert len(street.given) == 2
            second.cancel_scope.cancel()


async def test_a_clock_that_is_set_back_does_not_stop_a_rollout(autojump_clock: MockClock) -> None:
    street = Street()
    ahead_s = [0.0]
    clock = RunClock(START, wall=lambda: START + trio.current_time() + ahead_s[0] - began)
    began = trio.current_time()
    street.clock = clock
    street.rollouts._ports = dataclasses.replace(street.rollouts._ports, clock=clock)
    async with opened(street) as nursery:
        await nursery.start(street.rollouts.run)
        rollout_id = await street.begin("aa", "bb", "cc", pace_per_min=6.0)
        await trio.sleep(5.0)
        ahead_s[0] = -365 * 86_400.0
        clock.look()  # nobody tells the rollouts: the pace holds all the same
        await trio.sleep(30.0)
        assert street.given == [f"{rollout_id}.{one}" for one in ("aa", "bb", "cc")]


async def test_a_command_that_cannot_be_read_fails_its_light_and_nothing_else(
    autojump_clock: MockClock,
) -> None:
    """Neither the actor, nor with it the service: it would be restarted into the same record."""
    street = Street()
    find = street.rollouts._ports.find

    async def odd(command_id: str) -> Command | None:
        if command_id.endswith(".bb"):
            raise UnreadableRecord(f"command {command_id}")
        return await find(command_id)

    street.rollouts._ports = dataclasses.replace(street.rollouts._ports, find=odd)
    async with opened(street) as nursery:
        await nursery.start(street.rollouts.run)
        rollout_id = await street.begin("aa", "bb", "cc")
        await trio.sleep(10.0)
        assert street.given == [f"{rollout_id}.{one}" for one in ("aa", "cc")]
        part = street.part(rollout_id, 1)
        assert (part.state, part.reason) == (
            PartState.FAILED,
            "the record of its command cannot be read",
        )
        await street.rollouts._look_up_all()


@pytest.mark.parametrize("clock_s", [-3_600.0, 3_600.0])
async def test_a_wish_is_newer_by_its_place_and_not_by_the_clock_of_who_accepted_it(
    autojump_clock: MockClock, clock_s: float
) -> None:
    """One wish came after the rollout began, another was there; both were accepted by a process
    whose clock differs by an hour."""
    street = Street()

    def wish(dev_eui: str, command_id: str, entry: int) -> Device:
        newest = Newest(command_id, f"4:aa.bb {entry}-0")
        since = START + trio.current_time() + clock_s
        return Device(dev_eui=dev_eui, wanted=Wanted(RED, command_id, since), newest=newest)

    async with opened(street) as nursery:
        await nursery.start(street.rollouts.run)
        lights = [wish("d1", "before", 7), wish("d2", "before", 7), Device(dev_eui="d3")]
        for light in lights:
            street.board.publish(light)
        rollout_id = await street.begin("d0", "d1", "d2", "d3")
        await trio.sleep(0.5)
        street.board.publish(wish("d2", "after", 8))
        street.board.publish(wish("d3", "after", 8))
        await trio.sleep(10)
        assert [street.part(rollout_id, n).state for n in range(4)] == [
            PartState.OPEN,
            PartState.OPEN,
            PartState.SUPERSEDED,
            PartState.SUPERSEDED,
        ]
        assert street.given == [f"{rollout_id}.d0", f"{rollout_id}.d1"]
        read = read_rollouts(await street.store.scan(Table.ROLLOUT))
        assert [part.asked for _, parts in read for part in parts][2:] == ["4:aa.bb 7-0", ""]


async def test_a_new_rollout_is_newer_than_one_that_a_clock_ahead_of_ours_dated(
    autojump_clock: MockClock,
) -> None:
    """Its colour stands though the one before comes to the light later."""
    street = Street()
    async with opened(street) as nursery:
        ahead = Order(
            dev_euis=("d0",), light=RED, keep=True, ttl_s=None, name="", pace_per_min=1.0,
            failures_most=5,
        )  # fmt: skip
        made, parts = decisions.begun("ahead", ahead, START + 3_600.0)
        made = msgspec.structs.replace(made, state=State.PAUSED)
        await street.store_writer.commit([rollout_put(made), *piece_puts(made, parts, [0])])
        await nursery.start(street.rollouts.run)
        newer = await street.begin("d0")
        await trio.sleep(61)
        assert street.given == [f"{newer}.d0"]
        wanted = Wanted(RED, f"{newer}.d0", START)
        street.board.publish(Device(dev_eui="d0", wanted=wanted))
        await street.rollouts.change("ahead", Wish(state=State.RUNNING))
        await trio.sleep(120)
        assert street.part("ahead", 0).state is PartState.SUPERSEDED
        assert street.given == [f"{newer}.d0"]
