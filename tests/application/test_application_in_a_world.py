"""The whole application in a pretend world: what an operator relies on, hours in seconds."""

import pytest
import trio
from trio.testing import MockClock

from actors.device.command import CommandStatus
from actors.device.model import Phase
from lorawan.kuando import LightState
from simulation.world.answer_delay import PROMPT
from simulation.world.forwarder import CONCENTRATORD_4_5_2
from simulation.world.profile import CALM, Profile
from simulation.world.world import World
from store.memory import MemoryDisk
from tests.support.running_application import make_world, running_application

RED, GREEN, BLUE = LightState(255, 0, 0), LightState(0, 255, 0), LightState(0, 0, 255)
LOSSY = Profile(
    name="lossy",
    answer_delay=PROMPT,
    forwarders=(CONCENTRATORD_4_5_2,),
    uplink_loss=0.15,
    downlink_loss=0.15,
    event_lost=0.02,
)


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world()
    await nursery.start(world.run)
    return world


async def test_lights_are_found_set_up_and_commanded(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        for dev_eui, light in zip(world.stations, (RED, GREEN, BLUE, RED), strict=True):
            command = await home.command(dev_eui, light)
            done = await home.final(command.id, 120)
            assert done.status is CommandStatus.VERIFIED
            assert world.showing(dev_eui) == light
            assert done.attempts == 1


async def test_a_command_sent_while_all_gateways_are_down_is_verified_after_they_return(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        for gateway_id in world.gateways:
            world.stop_gateway(gateway_id)
        await trio.sleep(120)
        assert not any(view.online for view in home.board.gateways.values())
        dev_eui = next(iter(world.stations))
        command = await home.command(dev_eui, RED)
        seen = await home.application.commands.wait_settled(command.id, 60)
        assert seen is not None
        assert seen.status is CommandStatus.HELD
        assert "offline" in (seen.reason or "")
        await trio.sleep(3_600)
        assert home.devices[dev_eui].phase is Phase.AWAITING_VERIFY
        for gateway_id in world.gateways:
            world.start_gateway(gateway_id)
        done = await home.final(command.id, 120)
        assert done.status is CommandStatus.VERIFIED
        assert done.attempts == 1
        assert world.showing(dev_eui) == RED


async def test_a_light_that_lost_power_is_brought_back(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        dev_eui = next(iter(world.stations))
        command = await home.command(dev_eui, BLUE)
        await home.final(command.id, 120)
        world.restart_light(dev_eui)
        await trio.sleep(300)
        assert world.showing(dev_eui) == BLUE
        assert home.devices[dev_eui].phase is Phase.IDLE


async def test_the_newest_wins_and_the_older_is_told(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        dev_eui = next(iter(world.stations))
        first = await home.command(dev_eui, RED)
        second = await home.command(dev_eui, GREEN)
        third = await home.command(dev_eui, BLUE)
        assert (await home.final(first.id)).superseded_by == second.id
        assert (await home.final(second.id)).superseded_by == third.id
        assert (await home.final(third.id, 120)).status is CommandStatus.VERIFIED
        assert world.showing(dev_eui) == BLUE


async def test_after_a_crash_at_any_moment_open_commands_go_on(
    world: World, autojump_clock: MockClock
) -> None:
    disk = MemoryDisk()
    dev_eui = next(iter(world.stations))
    async with running_application(world, disk) as home:
        await home.settled()
        command = await home.command(dev_eui, RED)
        await trio.sleep(0.5)  # on its way
    await trio.sleep(30)
    async with running_application(world, disk, seed=8) as home:
        done = await home.final(command.id, 300)
        assert done.status is CommandStatus.VERIFIED
        assert world.showing(dev_eui) == RED


async def test_on_a_lossy_radio_every_command_is_verified_in_the_end(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    world = make_world(lights=12, gateways=2, profile=LOSSY)
    await nursery.start(world.run)
    async with running_application(world) as home:
        await home.settled(7_200)
        commands = {}
        for dev_eui in world.stations:
            commands[dev_eui] = await home.command(dev_eui, GREEN)
        for dev_eui, command in commands.items():
            done = await home.final(command.id, 7_200)
            assert done.status is CommandStatus.VERIFIED
            assert world.showing(dev_eui) == GREEN


async def test_an_idempotency_key_makes_one_command(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        dev_eui = next(iter(world.stations))
        once = await home.command(dev_eui, RED, idempotency_key="k", fingerprint="f")
        again = await home.command(dev_eui, RED, idempotency_key="k", fingerprint="f")
        assert once.id == again.id


class Steps(trio.abc.Instrument):
    """Counts how often any task is given its turn, which is what idle actors cost."""

    def __init__(self) -> None:
        self.taken = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.taken += 1


async def test_quiet_hours_cost_no_frames_and_hardly_anybody_wakes(
    world: World, autojump_clock: MockClock
) -> None:
    world.set_profile(CALM)
    async with running_application(world) as home:
        await home.settled()
        before = sum(gateway.frames_sent for gateway in world.statistics().gateways)
        trio.lowlevel.add_instrument(steps := Steps())
        await trio.sleep(8 * 3_600)
        trio.lowlevel.remove_instrument(steps)
        after = sum(gateway.frames_sent for gateway in world.statistics().gateways)
        assert after == before
        # The list of gateways every 30 s, its way there and back, and who hears of it: a third.
        assert steps.taken < 8 * 3_000, "once a second would be a poll"
        assert all(device.phase is Phase.IDLE for device in home.devices.values())
