"""What the gateways sent counts over a restart, also where no txack ever told of it.

Found by the simulation: a silent gateway, and a service that was killed, together
sent more than 360 s within an hour.
"""

import pytest
import trio
from trio.testing import MockClock

from lorawan.kuando import LightState
from simulation.world.gateway import GatewayMode
from simulation.world.world import World
from store.memory import MemoryDisk
from store.port import Table
from tests.support.host import Host
from tests.support.running_application import RunningApplication, make_world, running_application

RED, GREEN = LightState(255, 0, 0), LightState(0, 255, 0)


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world(lights=1, gateways=1)
    await nursery.start(world.run)
    return world


def used_s(home: RunningApplication) -> float:
    [gateway_id] = home.world.gateways
    return home.parts.fleetwide.dispatcher.airtime(gateway_id, home.now())[0]


async def test_what_no_txack_told_of_counts_after_a_restart(
    world: World, autojump_clock: MockClock
) -> None:
    disk, dev_eui = MemoryDisk(), next(iter(world.stations))
    [gateway_id] = world.gateways
    async with running_application(world, disk) as home:
        await home.settled()
        before_s = used_s(home)
        world.set_gateway_mode(gateway_id, GatewayMode.SILENT)
        await home.command(dev_eui, RED)
        await trio.sleep(70)  # sent again and again, expired, and nobody said a word
        silent_s = used_s(home)
        assert silent_s > before_s + 0.5
        await home.parts.store_writer.read(
            Table.META, ""
        )  # what is on its way to the disk is there
    async with running_application(world, disk, seed=9) as home:
        assert used_s(home) >= silent_s


async def test_what_may_be_in_flight_when_the_service_dies_counts_when_it_starts(
    world: World, autojump_clock: MockClock
) -> None:
    disk, dev_eui = MemoryDisk(), next(iter(world.stations))
    [gateway_id] = world.gateways
    async with running_application(world, disk) as home:
        await home.settled()
        before_s = used_s(home)
        world.set_gateway_mode(gateway_id, GatewayMode.SILENT)
        await home.command(dev_eui, GREEN)
        await trio.sleep(12)
        assert world.stations[dev_eui].light.shown == GREEN
        assert used_s(home) == pytest.approx(before_s, abs=0.3), "set aside, and not yet charged"
    async with running_application(world, disk, seed=9) as home:
        worst_s = home.parts.policies.dispatch.sends_most(10.0) * 0.18
        assert used_s(home) == pytest.approx(before_s + worst_s, rel=0.2)


@pytest.mark.parametrize("ahead_s", [300.0, 1_800.0, 86_400.0])
async def test_a_clock_that_is_ahead_gives_no_item_a_longer_life_though_no_txack_tells(
    ahead_s: float, world: World, autojump_clock: MockClock
) -> None:
    dev_eui, [gateway_id] = next(iter(world.stations)), world.gateways
    world.set_gateway_mode(gateway_id, GatewayMode.SILENT)
    lives_s = []
    async with running_application(world, clock=Host(world, set_s=ahead_s).clock()):
        for _ in range(120):
            await trio.sleep(5)
            lives_s += [
                item.expires_at - world.kernel.epoch_at - world.kernel.now
                for item in world.rules.devices[dev_eui].queue
                if item.expires_at is not None
            ]
    assert len(lives_s) > 10, "items wait in the queue, and are sent again and again"
    assert max(lives_s) < 45.0, "by ChirpStack's clock, which is right"


@pytest.mark.parametrize("set_s", [-86_400.0, 1_800.0, 3e7])
async def test_what_was_sent_counts_after_a_restart_though_the_date_was_set(
    set_s: float, world: World, autojump_clock: MockClock
) -> None:
    disk, host = MemoryDisk(), Host(world)
    async with running_application(world, disk, clock=host.clock()) as home:
        await home.settled()
        sent_s = used_s(home)
        assert sent_s > 0.2
        host.set_s = set_s / 2  # while it runs
        await home.command(next(iter(world.stations)), RED)
        await trio.sleep(30)
        sent_s = used_s(home)
        await home.parts.store_writer.read(Table.META, "")
    host.set_s = set_s  # while it is down
    async with running_application(world, disk, clock=host.clock(), seed=9) as home:
        assert used_s(home) == pytest.approx(sent_s, abs=0.1)
