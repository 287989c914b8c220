"""A store that was set back: the service says what it would command again, and asks first."""

import copy
from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock

from actors.device.command import CommandStatus
from actors.refusal import Refusal
from actors.storage.store_writer import StoreWriter
from lorawan.kuando.light_state import LightState
from simulation.world.world import World
from store.mark import MARK_KEY, SetBackMark, mark_put, read_mark
from store.memory import MemoryDisk, MemoryStore
from store.port import Record, Table, Write
from tests.support.running_application import RunningApplication, make_world, running_application

RED, BLUE, GREEN = LightState(255, 0, 0), LightState(0, 0, 255), LightState(0, 255, 0)


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world()
    nursery.start_soon(world.run)
    return world


def set_back(disk: MemoryDisk, now: float) -> None:
    """As `restore` leaves a store."""
    mark = SetBackMark(at=now, cause="was restored from a copy of yesterday", copied_at=now - 9)
    disk.apply([mark_put(mark)])


async def show(home: RunningApplication, dev_eui: str, light: LightState) -> None:
    command = await home.command(dev_eui, light)
    assert (await home.final(command.id)).status is CommandStatus.VERIFIED


async def copied_red_then_blue(world: World) -> tuple[MemoryDisk, list[str]]:
    """A disk of when two lights were red; since then the first was made blue."""
    disk = MemoryDisk()
    async with running_application(world, disk) as home:
        await home.settled()
        first, second, *_ = world.stations
        await show(home, first, RED)
        await show(home, second, RED)
        old = copy.deepcopy(disk)
        await show(home, first, BLUE)
        set_back(old, home.now())
    return old, [first, second]


async def test_what_was_wanted_before_is_held_and_said_and_resumed(
    world: World, autojump_clock: MockClock
) -> None:
    disk, (first, second) = await copied_red_then_blue(world)
    async with running_application(world, disk, seed=8) as home:
        await trio.sleep(3 * 3_600)  # each light was heard a few times
        assert world.showing(first) == BLUE, "nothing was sent again"
        device = home.devices[first]
        assert device.attempt is not None
        assert "was restored from a copy of yesterday" in str(device.attempt.reason)
        found = home.application.restored_store.view()
        assert found is not None
        assert [(one.dev_eui, one.wanted, one.shown, one.heard_since) for one in found.lights] == [
            (first, RED, BLUE, True)
        ]
        (alert,) = [one for one in home.board.alerts() if one.kind == "store_set_back"]
        assert alert.closed_at is None

        await show(home, second, GREEN)  # what is wanted now is not held

        assert await home.application.restored_store.decide(keep_shown=False) == found
        await trio.sleep(600)
        assert world.showing(first) == RED
        assert home.application.restored_store.view() is None
        assert all(one.closed_at for one in home.board.alerts() if one.kind == "store_set_back")
        assert disk.record(Table.META, MARK_KEY) is None
        assert await home.application.restored_store.decide(keep_shown=False) is None


async def test_what_the_lights_show_is_kept(world: World, autojump_clock: MockClock) -> None:
    disk, (first, second) = await copied_red_then_blue(world)
    async with running_application(world, disk, seed=8) as home:
        await trio.sleep(60)
        assert await home.application.restored_store.decide(keep_shown=True) is not None
    async with running_application(
        world, disk, seed=9
    ) as home:  # the decision outlives the process
        await trio.sleep(3 * 3_600)
        assert home.application.restored_store.view() is None
        wanted = {name: home.devices[name].wanted for name in (first, second)}
        assert {name: one and one.light for name, one in wanted.items()} == {
            first: BLUE,
            second: RED,
        }
        assert (world.showing(first), world.showing(second)) == (BLUE, RED)
        assert disk.record(Table.META, MARK_KEY) is None


async def test_it_still_asks_after_a_restart(world: World, autojump_clock: MockClock) -> None:
    disk, (first, _) = await copied_red_then_blue(world)
    for seed in (8, 9):
        async with running_application(world, disk, seed=seed) as home:
            await trio.sleep(3_600)
            assert world.showing(first) == BLUE
            assert home.application.restored_store.view() is not None


async def test_an_open_command_of_before_says_why_it_is_held(
    world: World, autojump_clock: MockClock
) -> None:
    disk = MemoryDisk()
    async with running_application(world, disk) as home:
        await home.settled()
        dev_eui = next(iter(world.stations))
        for gateway_id in world.gateways:
            world.stop_gateway(gateway_id)
        await trio.sleep(400)
        command = await home.command(dev_eui, RED)
        set_back(disk, home.now())
        for gateway_id in world.gateways:
            world.start_gateway(gateway_id)
    async with running_application(world, disk, seed=8) as home:
        await trio.sleep(3_600)
        found = await home.application.commands.find(command.id)
        assert found is not None
        assert found.status is CommandStatus.HELD
        assert "lamplighter restored" in str(found.reason)
        newer = await home.command(dev_eui, GREEN)
        assert (await home.final(newer.id)).status is CommandStatus.VERIFIED
        assert (await home.final(command.id)).status is CommandStatus.SUPERSEDED


class SlowDisk:
    """Commits that take a while, once a test wants them to."""

    def __init__(self) -> None:
        self.slow_s = 0.0

    async def __call__(self, writes: Sequence[Write]) -> None:
        await trio.sleep(self.slow_s)


@pytest.mark.parametrize("keep_shown", [False, True])
async def test_a_decision_is_carried_out_though_whoever_asked_did_not_wait(
    keep_shown: bool, world: World, autojump_clock: MockClock
) -> None:
    disk, _ = await copied_red_then_blue(world)
    slow = SlowDisk()
    store = MemoryStore(disk, before_commit=slow)
    async with running_application(world, disk, seed=8, store=store) as home:
        await trio.sleep(60)
        slow.slow_s = 15.0
        answer = await home.application.restored_store.decide(keep_shown=keep_shown)
        assert isinstance(answer, Refusal)
        assert home.application.cause_of(answer) is Refusal.STORE_FAILING
        slow.slow_s = 0.0
        await trio.sleep(60)
        mark = home.parts.fleetwide.restored_store.mark
        assert mark is None if not keep_shown else mark is not None and mark.keep_shown
        record = disk.record(Table.META, MARK_KEY)
        assert mark == (None if record is None else read_mark(record))


@pytest.mark.parametrize("keep_shown", [False, True])
async def test_a_decision_over_which_the_actor_crashed_stands_where_it_was_stored(
    keep_shown: bool, world: World, autojump_clock: MockClock
) -> None:
    disk, (first, _) = await copied_red_then_blue(world)
    async with running_application(world, disk, seed=8) as home:
        await trio.sleep(60)
        home.parts.fleetwide.restored_store._store_writer = CrashOnce(home.parts.store_writer)
        answer = await home.application.restored_store.decide(keep_shown=keep_shown)
        assert answer is Refusal.NO_REPLY
        await trio.sleep(3 * 3_600)
        assert home.application.restored_store.view() is None
        assert disk.record(Table.META, MARK_KEY) is None
        assert world.showing(first) == (BLUE if keep_shown else RED)


class CrashOnce:
    """A journal after whose first commit the caller crashes."""

    def __init__(self, store_writer: StoreWriter) -> None:
        self._store_writer, self._left = store_writer, 1

    async def commit(self, writes: Sequence[Write]) -> None:
        await self._store_writer.commit(writes)
        if self._left:
            self._left = 0
            raise OSError("crashed after the commit")

    async def read(self, table: Table, key: str) -> Record | None:
        return await self._store_writer.read(table, key)
