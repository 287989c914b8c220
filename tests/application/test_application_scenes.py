"""Scenes and schedules by the real application in a pretend world, over crashes and restarts."""

from collections.abc import Sequence
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.board.rollout import Rollout
from actors.device.command import CommandStatus
from actors.scenes import repository
from actors.scenes.edits import Refused
from actors.scenes.model import Came, Part, Scene, Schedule
from actors.storage.audit import read as read_audit
from lorawan.kuando import LightState
from simulation.world.world import World
from store.errors import StoreRefused
from store.memory import MemoryDisk
from store.port import Put, Table, Write
from tests.support.running_application import RunningApplication, make_world, running_application

RED, BLUE = LightState(255, 0, 0), LightState(0, 0, 255)
EVERY_10_MIN = "*/10 * * * *"


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world(lights=2)
    await nursery.start(world.run)
    return world


async def keep(home: RunningApplication, asked: Scene | Schedule) -> Any:
    kept = await home.application.scenes.save(asked, None)
    assert isinstance(kept, Scene | Schedule), kept
    return kept


def scene(world: World) -> Scene:
    one, two = world.stations
    parts = (Part(RED, (one,)), Part(BLUE, (two, "ffffffffffffffff")))
    return Scene(id="night", name="Night", parts=parts, created_at=0.0, changed_at=0.0)


def schedule(cron: str = EVERY_10_MIN, **more: Any) -> Schedule:
    fields: dict[str, Any] = {"scene_id": "night", "pace_per_min": 600.0, "mark": 0.0}
    return Schedule(
        id="s", name="Evening", cron=cron, created_at=0.0, changed_at=0.0, **(fields | more)
    )


def rollouts(home: RunningApplication) -> list[Rollout]:
    return home.application.rollouts.repository.listed(100)


async def until_next(home: RunningApplication, minutes: int = 10) -> None:
    """To a few seconds past the next time."""
    await trio.sleep(minutes * 60 - home.now() % (minutes * 60) + 5)


async def test_a_schedule_applies_its_scene_each_time_and_every_light_gets_its_colour(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        await keep(home, scene(world))
        await keep(home, schedule())
        assert rollouts(home) == []
        await until_next(home)
        [made] = rollouts(home)
        assert (made.by, made.scene, made.total) == ("Evening", "Night", 2)
        last = home.application.scenes.schedules["s"].last
        assert last is not None
        assert (last.came, last.rollout_id, last.missing) == (Came.APPLIED, made.id, 1)
        for dev_eui in world.stations:
            ended = await home.final(f"{made.id}.{dev_eui}")
            assert (ended.status, ended.by) == (CommandStatus.VERIFIED, "Evening")
        assert [home.devices[eui].reported for eui in world.stations] == [RED, BLUE]
        await until_next(home)
        await until_next(home)
        assert len(rollouts(home)) == 3
        told = await read_audit(home.parts.environment.store, since=0.0, until=1e12, most=100)
        assert [one.by for one in told.entries if one.what == "scene_apply"] == ["Evening"] * 3


async def test_a_time_missed_while_down_is_applied_once_at_the_start_if_it_is_young(
    world: World, autojump_clock: MockClock
) -> None:
    disk = MemoryDisk()
    async with running_application(world, disk) as home:
        await home.settled()
        await keep(home, scene(world))
        await keep(home, schedule(late_most_s=1_800.0))
    await trio.sleep(3_000)  # five times
    async with running_application(world, disk, seed=8) as home:
        await trio.sleep(5)
        assert len(rollouts(home)) == 1
        last = home.application.scenes.schedules["s"].last
        assert last is not None
        assert (last.came, last.skipped) == (Came.APPLIED, 4)
    async with running_application(world, disk, seed=9) as home:
        await trio.sleep(5)
        assert len(rollouts(home)) == 1, "not again"


async def test_a_time_missed_for_too_long_is_told_and_not_applied(
    world: World, autojump_clock: MockClock
) -> None:
    disk = MemoryDisk()
    async with running_application(world, disk) as home:
        await home.settled()
        await keep(home, scene(world))
        await keep(home, schedule("0 * * * *", late_most_s=60.0))
        await until_next(home, 60)
        assert len(rollouts(home)) == 1
    await trio.sleep(3_600 * 1.5)
    async with running_application(world, disk, seed=8) as home:
        await trio.sleep(100)
        assert len(rollouts(home)) == 1
        last = home.application.scenes.schedules["s"].last
        assert last is not None
        assert last.came is Came.MISSED
        kinds = {alert.kind for alert in home.board.snapshot().alerts if alert.closed_at is None}
        assert "schedule_missed" in kinds
        await until_next(home, 60)
        await trio.sleep(60)
        assert len(rollouts(home)) == 2
        kinds = {alert.kind for alert in home.board.snapshot().alerts if alert.closed_at is None}
        assert "schedule_missed" not in kinds


class MortalDisk(MemoryDisk):
    """A disk whose process dies before a schedule's mark is stored."""

    mortal = False

    def __init__(self) -> None:
        super().__init__()
        self.died = trio.Event()

    def apply(self, writes: Sequence[Write]) -> None:
        """Carry it out, or die before it."""
        for put in writes:
            marks = isinstance(put, Put) and put.table is Table.META
            if self.mortal and marks and put.key.startswith(repository.SCHEDULE):
                self.died.set()
                raise StoreRefused("the process is dead")
        super().apply(writes)


async def test_a_crash_between_the_rollout_and_its_mark_applies_nothing_twice(
    world: World, autojump_clock: MockClock
) -> None:
    disk = MortalDisk()
    async with running_application(world, disk) as home:
        await home.settled()
        await keep(home, scene(world))
        await keep(home, schedule(late_most_s=300.0))
    with pytest.RaisesGroup(pytest.RaisesExc(Exception), flatten_subgroups=True):
        async with running_application(world, disk, seed=8) as home:
            disk.mortal = True
            await disk.died.wait()
            await trio.sleep(30)
    disk.mortal = False
    async with running_application(world, disk, seed=9) as home:
        await trio.sleep(30)
        assert len(rollouts(home)) == 1, "the same key leads to the same rollout"
        last = home.application.scenes.schedules["s"].last
        assert last is not None
        assert last.rollout_id == rollouts(home)[0].id


async def test_a_scene_outlives_restarts_and_goes_with_its_revision(
    world: World, autojump_clock: MockClock
) -> None:
    disk = MemoryDisk()
    async with running_application(world, disk) as home:
        kept = await keep(home, scene(world))
    async with running_application(world, disk, seed=8) as home:
        assert home.application.scenes.scenes == {"night": kept}
        stale = await home.application.scenes.remove(Scene, "night", 7)
        assert isinstance(stale, Refused)
        assert await home.application.scenes.remove(Scene, "night", 1) == kept
    async with running_application(world, disk, seed=9) as home:
        assert home.application.scenes.scenes == {}


async def test_a_command_is_taken_back_by_the_real_light(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        dev_eui = next(iter(world.stations))
        first = await home.final((await home.command(dev_eui, RED)).id)
        assert first.status is CommandStatus.VERIFIED
        await trio.sleep(60)
        second = await home.command(dev_eui, BLUE)
        commands = home.application.commands
        taken = await commands.withdraw(second.id, by="alice")
        assert taken == await commands.withdraw(second.id, by="bob"), "the same answer"
        assert (await home.final(second.id)).status is CommandStatus.WITHDRAWN
        await trio.sleep(1_200)
        assert (await home.final(second.id)).status is CommandStatus.WITHDRAWN
        assert home.devices[dev_eui].reported == RED
        assert await commands.want_nothing(dev_eui) is None
        assert home.devices[dev_eui].wanted is None
