"""The probe through the real dispatcher, ChirpStack's rules and radio, in virtual time."""

import pytest
import trio
from trio.testing import MockClock

from actors.device.events import ProbeRequested
from actors.device.probing import ASKED
from actors.messaging.reply import Reply
from lorawan.kuando import LightState
from simulation.world.answer_delay import ONE_SECOND, PROMPT
from tests.actors.calibration.conftest import MakeWorld
from tests.support.running_application import RunningApplication, running_application

RED, BLUE = LightState(255, 0, 0), LightState(0, 0, 255)


async def probe(home: RunningApplication, dev_eui: str) -> str:
    reply: Reply[str] = Reply()
    home.parts.fleet.post(dev_eui, ProbeRequested("calibration", reply))
    return await reply.wait(5)


async def test_the_probe_measures_a_delay_of_a_second_and_nobody_sees_anything(
    a_world: MakeWorld, autojump_clock: MockClock
) -> None:
    world = await a_world(delay=ONE_SECOND)
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
        (facts,) = home.parts.fleetwide.forwarders.revisions()
    assert facts.delay is not None
    assert facts.delay.samples == 5
    assert facts.delay.median_s == pytest.approx(1.0, abs=0.02)
    assert not facts.delay.at_most


async def test_a_light_that_answers_at_once_speaks_when_its_windows_close(
    a_world: MakeWorld, autojump_clock: MockClock
) -> None:
    world = await a_world(delay=PROMPT)
    async with running_application(world) as home:
        await home.settled()
        await trio.sleep(60)
        for dev_eui in world.stations:
            await probe(home, dev_eui)
            await trio.sleep(30)
        (facts,) = home.parts.fleetwide.forwarders.revisions()
    assert facts.delay is not None
    assert facts.delay.at_most
    assert facts.delay.median_s == pytest.approx(0.92, abs=0.02)


async def test_an_operators_command_goes_first_and_ends_the_probe(
    a_world: MakeWorld, autojump_clock: MockClock
) -> None:
    world = await a_world(lights=1)
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
