"""The probe through the real dispatcher, ChirpStack's rules and radio, in virtual time."""

import msgspec
import pytest
import trio
from trio.testing import MockClock

from actors.device.events import ProbeRequested
from actors.device.probing import ASKED
from actors.messaging.reply import Reply
from lorawan.events.model import Modulation
from lorawan.kuando import LightState
from simulation.world.profile import CALM
from simulation.world.world import World
from tests.support.running_application import RunningApplication, make_world, running_application

RED, BLUE = LightState(255, 0, 0), LightState(0, 0, 255)


async def a_world(
    nursery: trio.Nursery,
    delay_s: tuple[float, float],
    *,
    lights: int = 5,
    spreading_factor: int = 9,
) -> World:
    profile = msgspec.structs.replace(CALM, answer_delay_s=delay_s)
    world = make_world(lights=lights, gateways=1, profile=profile)
    for station in world.stations.values():
        station.light.sw_rev = 61
        station.modulation = Modulation(spreading_factor, 125_000)
    await nursery.start(world.run)
    return world


async def probe(home: RunningApplication, dev_eui: str) -> str:
    reply: Reply[str] = Reply()
    home.parts.fleet.post(dev_eui, ProbeRequested("calibration", reply))
    return await reply.wait(5)


@pytest.mark.parametrize("delay_s", [1.0, 1.7])
async def test_the_probe_measures_the_answer_delay(
    nursery: trio.Nursery, autojump_clock: MockClock, delay_s: float
) -> None:
    world = await a_world(nursery, (delay_s, delay_s))
    async with running_application(world) as home:
        await home.settled()
        await trio.sleep(60)
        for dev_eui in world.stations:
            shown, frames = world.showing(dev_eui), home.devices[dev_eui].attempts_made
            assert await probe(home, dev_eui) == ASKED
            await trio.sleep(30)
            assert world.showing(dev_eui) == shown
            device = home.devices[dev_eui]
            assert device.at_rest
            assert device.attempts_made == frames + 2
    (facts,) = [one for one in home.parts.forwarders.revisions() if one.delay is not None]
    assert facts.delay is not None
    assert facts.delay.samples == 5
    assert facts.delay.median_s == pytest.approx(delay_s, abs=0.02)
    assert not facts.delay.at_most


async def test_a_light_that_answers_at_once_shows_only_when_its_windows_close(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    world = await a_world(nursery, (0.05, 0.3))
    async with running_application(world) as home:
        await home.settled()
        await trio.sleep(60)
        for dev_eui in world.stations:
            await probe(home, dev_eui)
            await trio.sleep(30)
        (gateway,) = home.parts.forwarders.gateways()
        delays = [one.delay for one in home.parts.forwarders.revisions() if one.delay is not None]
    assert all(delay.at_most for delay in delays)
    assert gateway.basics_station is False
    assert gateway.lag is not None
    assert gateway.lag.lag_s == pytest.approx(0.08, abs=0.02)


async def test_an_operators_command_goes_first_and_ends_the_probe(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    world = await a_world(nursery, (1.0, 1.0), lights=1)
    async with running_application(world) as home:
        await home.settled()
        await trio.sleep(60)
        (dev_eui,) = world.stations
        for wait_s in (0.0, 0.3, 1.2, 2.5, 4.0, 6.0):
            await trio.sleep(120)
            wanted = BLUE if world.showing(dev_eui) == RED else RED
            await probe(home, dev_eui)
            await trio.sleep(wait_s)
            command = await home.command(dev_eui, wanted)
            done = await home.final(command.id, 60)
            assert done.status == "verified"
            assert done.attempts == 1
            assert world.showing(dev_eui) == wanted
