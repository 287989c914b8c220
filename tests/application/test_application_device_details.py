"""What an operator's window reads, from the real application in a pretend world, over restarts."""

import pytest
import trio
from trio.testing import MockClock

from actors.device.command import CommandStatus
from actors.refusal import Refusal
from lorawan.kuando import LightState
from simulation.world.world import World
from store.memory import MemoryDisk
from tests.support.running_application import make_world, running_application

RED, GREEN, BLUE = LightState(255, 0, 0), LightState(0, 255, 0), LightState(0, 0, 255)


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world(lights=2, seed=2)
    await nursery.start(world.run)
    return world


async def test_commands_and_signal_of_a_light_are_read_even_after_a_restart(
    world: World, autojump_clock: MockClock
) -> None:
    disk, dev_eui = MemoryDisk(), next(iter(world.stations))
    async with running_application(world, disk) as home:
        await home.settled()
        first = await home.command(dev_eui, RED)
        second = await home.command(dev_eui, GREEN)
        await home.final(second.id, 300)
        third = await home.command(dev_eui, BLUE)
        listed = await home.application.commands.of_device(dev_eui, 10)
        assert [one.id for one in listed] == [third.id, second.id, first.id]
        assert [one.status.final for one in listed] == [False, True, True]
        assert all(one.timeline for one in listed)
        await home.final(third.id, 300)
        assert [one.id for one in await home.application.commands.of_device(dev_eui, 1)] == [
            third.id
        ]
    async with running_application(world, disk, seed=9) as home:
        again = await home.application.commands.of_device(dev_eui, 10)
        assert [one.id for one in again] == [third.id, second.id, first.id]
        assert again[0].status is CommandStatus.VERIFIED
        until = home.now() + 1
        found = await home.application.queries.signal(dev_eui, since=0, until=until)
        assert found.complete
        assert {point.gateway_id for point in found.points} <= set(world.gateways)
        assert len({point.gateway_id for point in found.points}) == 2
        assert [point.at for point in found.points] == sorted(point.at for point in found.points)
        figures = await home.application.queries.reliability(24.0)
        assert (figures.commands, figures.verified) == (3, 2)
        heard = [gateway.lights_heard for gateway in home.board.gateways.values()]
        assert max(heard) == 2


async def test_a_status_is_asked_for_by_hand(world: World, autojump_clock: MockClock) -> None:
    async with running_application(world) as home:
        await home.settled()
        dev_eui = next(iter(world.stations))
        before = home.devices[dev_eui].uplinks
        assert await home.application.commands.ask_status(dev_eui) == "asked"
        await trio.sleep(30)
        assert home.devices[dev_eui].uplinks == before + 1
        await home.command(dev_eui, RED)
        assert await home.application.commands.ask_status(dev_eui) == "busy"
        assert await home.application.commands.ask_status("00" * 8) is Refusal.UNKNOWN_DEVICE


async def test_an_outage_of_a_gateway_is_told_over_a_restart(
    world: World, autojump_clock: MockClock
) -> None:
    disk, gateway_id = MemoryDisk(), next(iter(world.gateways))
    async with running_application(world, disk) as home:
        await home.settled()
        world.stop_gateway(gateway_id)
        await trio.sleep(300)
        past = await home.application.queries.gateway_past(gateway_id, since=0, until=home.now())
        (running,) = past.outages
        assert running.until is None
        (alert,) = [a for a in home.board.alerts() if a.kind == "gateway_offline"]
        known = await home.application.alerter.acknowledge(alert.id, "Ana")
        assert not isinstance(known, Refusal)
        assert known is not None
    async with running_application(world, disk, seed=9) as home:
        await trio.sleep(120)
        (alert,) = [a for a in home.board.alerts() if a.kind == "gateway_offline"]
        assert alert.acknowledged_by == "Ana"
        world.start_gateway(gateway_id)
        await trio.sleep(300)
        past = await home.application.queries.gateway_past(gateway_id, since=0, until=home.now())
        (over,) = past.outages
        assert over.since == running.since
        assert over.until is not None
        assert over.until - over.since > 300
