"""Webhooks that stop: noticed within minutes, while lights are commanded and proven by asking.

From the field: for 8 min nothing said so, although every inquiry found what none had told.
"""

import msgspec
import pytest
import trio
from trio.testing import MockClock

from actors.device.command import CommandStatus
from lorawan.kuando import LightState
from simulation.world.profile import CALM
from simulation.world.world import World
from store.memory import MemoryDisk
from tests.support.running_application import RunningApplication, make_world, running_application

RED, GREEN = LightState(255, 0, 0), LightState(0, 255, 0)


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world(lights=3)
    await nursery.start(world.run)
    return world


def told(home: RunningApplication) -> list[str]:
    opened = [one for one in home.board.alerts() if one.closed_at is None]
    return [one.summary for one in opened if one.kind == "webhooks_missing"]


async def test_webhooks_that_stop_are_told_within_three_minutes_and_their_return_too(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        await trio.sleep(120)
        sink, world.delivery.sink = world.delivery.sink, None
        began = trio.current_time()
        first, second, _ = sorted(world.stations)
        commands = [await home.command(one, RED) for one in (first, second)]
        for command in commands:
            assert (await home.final(command.id, 170)).status is CommandStatus.VERIFIED
        with trio.fail_after(180 - (trio.current_time() - began)):
            while not told(home):  # noqa: ASYNC110 - virtual time
                await trio.sleep(1)
        (text,) = told(home)
        assert "does not reach this service" in text
        assert "2 lights" in text
        readiness = home.application.readiness.check()
        assert readiness.ready, readiness.problems
        assert text in readiness.warnings
        missed = home.parts.webhooks.events_missed
        assert missed >= 4
        assert (
            f"lamplighter_events_missed_total {missed}.0"
            in home.application.metrics.render().decode()
        )
        world.delivery.sink = sink
        command = await home.command(first, GREEN)
        assert (await home.final(command.id, 170)).status is CommandStatus.VERIFIED
        await trio.sleep(60)
        assert told(home) == []
        assert home.application.readiness.check().warnings == ()


async def test_a_restart_after_an_hour_of_lost_webhooks_is_no_alert(
    world: World, autojump_clock: MockClock
) -> None:
    disk = MemoryDisk()
    async with running_application(world, disk) as home:
        await home.settled()
    await trio.sleep(3_600)
    async with running_application(world, disk) as home:
        await home.command(min(world.stations), RED)
        for _ in range(60):
            await trio.sleep(30)
            assert told(home) == []


async def test_one_webhook_of_twenty_lost_is_no_alert(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    world = make_world(lights=3, profile=msgspec.structs.replace(CALM, event_lost=0.05))
    await nursery.start(world.run)
    async with running_application(world) as home:
        await home.settled()
        for number in range(40):
            for dev_eui in sorted(world.stations):
                await home.command(dev_eui, GREEN if number % 2 else RED)
            await trio.sleep(90)
            assert told(home) == []
        assert world.delivery.counts["lost"] > 10
