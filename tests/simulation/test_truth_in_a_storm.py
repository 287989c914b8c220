"""Nothing false: in a storm of lost, doubled and late things, every verdict is held against what
the pretend light really showed, and when the storm is over every light shows what is wanted.
"""

import random

import pytest
import trio
from trio.testing import MockClock

from actors.device.command import Command
from actors.device.model import Phase
from lorawan.kuando import LightState
from simulation.world.profile import CALM, PROFILES
from store.memory import MemoryDisk
from tests.simulation.extent import MANY
from tests.support.oracle import Oracle
from tests.support.running_application import RunningApplication, make_world, running_application

COLOURS = [LightState(255, 0, 0), LightState(0, 255, 0), LightState(0, 0, 255), LightState(0, 0, 0)]
STORM_S = 2 * 3_600.0
SCENES = (("city", 1), ("storm", 3), *((("city", 2), ("storm", 4)) if MANY else ()))


async def command_at_random(home: RunningApplication, rng: random.Random, until: float) -> None:
    lights = list(home.world.stations)
    while trio.current_time() < until:
        await trio.sleep(rng.expovariate(1 / 40))
        dev_eui = rng.choice(lights)
        if dev_eui in home.devices:
            await home.command(dev_eui, rng.choice(COLOURS))


@pytest.mark.parametrize(("name", "seed"), SCENES)
async def test_no_verdict_is_false_and_in_the_end_every_light_is_as_wanted(
    name: str, seed: int, autojump_clock: MockClock
) -> None:
    world = make_world(lights=8, gateways=3, seed=seed, profile=PROFILES[name])
    rng = random.Random(seed)
    disk, accepted = MemoryDisk(), dict[str, Command]()
    verified = 0
    async with trio.open_nursery() as outer:
        await outer.start(world.run)
        for life in range(2):  # the service is killed once, in the midst of it
            async with (
                running_application(world, disk, seed=seed + life) as home,
                trio.open_nursery() as nursery,
            ):
                oracle = Oracle(home, world, accepted)
                await nursery.start(oracle.run)
                await trio.sleep(600)
                await command_at_random(home, rng, trio.current_time() + STORM_S)
                if life == 1:
                    world.set_profile(CALM)
                    for gateway_id in world.gateways:
                        world.start_gateway(gateway_id)
                    for dev_eui in world.stations:
                        world.plug(dev_eui)
                    await trio.sleep(3 * 3_600)
                    await check_the_end(home, accepted)
                verified += oracle.verified
                nursery.cancel_scope.cancel(reason="this life is over")
        outer.cancel_scope.cancel(reason="the test ends")
    assert verified > 20


async def check_the_end(home: RunningApplication, accepted: dict[str, Command]) -> None:
    """After the storm: no command open, every light as wanted, in truth and on the board."""
    for command_id in accepted:
        command = await home.application.commands.find(command_id)
        assert command is not None, f"{command_id} was lost"
        assert command.status.final, f"{command.dev_eui}: {command.status} {command.reason}"
    for dev_eui, device in home.devices.items():
        assert device.phase is Phase.IDLE, f"{dev_eui} is {device.phase}: {device.last_error}"
        if device.wanted is not None:
            assert home.world.showing(dev_eui) == device.wanted.light
            assert device.reported == device.wanted.light
