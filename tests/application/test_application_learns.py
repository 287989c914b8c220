"""What the air teaches a service is used at once, and known to its next run from the start."""

import pytest
import trio
from trio.testing import MockClock

from actors.device.command import CommandStatus
from actors.link.judgement import AttemptJudged
from actors.link.learner import REVISION_KEY
from lorawan.kuando import LightState
from simulation.world.answer_delay import Uniform
from simulation.world.world import World
from store.memory import MemoryDisk
from store.port import Put, Table
from tests.support.running_application import make_world, running_application

RED = LightState(255, 0, 0)


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world(lights=1, gateways=1)
    await nursery.start(world.run)
    return world


async def test_what_was_learned_is_known_after_a_restart_and_shown(
    world: World, autojump_clock: MockClock
) -> None:
    disk, dev_eui = MemoryDisk(), next(iter(world.stations))
    async with running_application(world, disk) as home:
        await home.settled()
        for _ in range(120):
            answer = AttemptJudged(1, "a1", True, True, 0.9, 2.0, 2.0, sw_rev=77)
            home.parts.fleetwide.learning.judged(dev_eui, answer)
        known = home.parts.fleetwide.learning.taught.knowledge
        assert known.answer_waits_s[77] > 2.0
        text = home.parts.metrics.render().decode()
        assert 'lamplighter_answer_samples{software="7.7"} 120.0' in text
    async with running_application(world, disk, seed=9) as home:
        assert (
            home.parts.fleetwide.learning.taught.knowledge.answer_waits_s[77]
            == known.answer_waits_s[77]
        )


async def test_a_record_of_it_that_cannot_be_read_is_told_and_kept(
    world: World, autojump_clock: MockClock
) -> None:
    disk = MemoryDisk()
    key = f"{REVISION_KEY}61"
    async with running_application(world, disk) as home:
        await home.settled()
        await home.parts.store_writer.commit([Put(Table.META, key, b"odd", home.now())])
    async with running_application(world, disk, seed=9) as home:
        await home.settled()
        assert home.parts.unreadable.holds(Table.META, key)
    assert disk.record(Table.META, key).value == b"odd"  # type: ignore[union-attr]


async def test_a_service_learns_from_its_own_commands_how_soon_its_lights_answer(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    world = make_world(lights=4, gateways=1)
    await nursery.start(world.run)
    world.set_answer_delay(Uniform(1.0, 1.0))
    async with running_application(world) as home:
        await home.settled()
        for number in range(40):
            for dev_eui in world.stations:
                command = await home.command(dev_eui, LightState(number, 7, 9))
                await home.final(command.id)
                await trio.sleep(11)
        waits = home.parts.fleetwide.learning.taught.knowledge.answer_waits_s
        revisions = {one.report.sw_rev for one in home.devices.values() if one.report is not None}
        assert waits.keys() == revisions
        assert all(1.1 < wait_s < 2.5 for wait_s in waits.values())
        [gateway_id] = world.gateways
        delays = [
            one
            for revision in revisions
            for one in home.parts.fleetwide.learning.learner.answer_delays_s(revision, gateway_id)
        ]
        assert 0.9 < min(delays) <= max(delays) < 1.3


async def test_where_a_gateway_takes_frames_and_brings_none_to_a_light_its_lights_wait(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    world = make_world(lights=12, gateways=1)
    await nursery.start(world.run)
    async with running_application(world) as home:
        await home.settled()
        await trio.sleep(60)
        world.set_loss(downlink=1.0)
        commands = [(await home.command(one, RED)).id for one in world.stations]
        await trio.sleep(180)
        held = [
            one.reason
            for one in home.board.open_commands.values()
            if one.reason is not None and one.reason.startswith("no light answers through gateway")
        ]
        assert len(held) >= 6
        await trio.sleep(120)
        [gateway_id] = world.gateways
        sent = len(world.gateways[gateway_id].ledger)
        await trio.sleep(120)
        probes = len(world.gateways[gateway_id].ledger) - sent
        assert 8 <= probes <= 13, "one in ten seconds"
        world.set_loss(downlink=0.0)
        for command_id in commands:
            command = await home.final(command_id, 120.0)
            assert command.status is CommandStatus.VERIFIED
        assert home.parts.fleetwide.dispatcher.statistics().gateways_unproven == 0
