"""The calibration over the pretend world: what it finds, what it leaves alone, and how often."""

import dataclasses

import pytest
import trio
from trio.testing import MockClock

from actors.calibration.calibrator import Calibrator
from actors.calibration.model import (
    CalibrationPolicy,
    CalibrationRun,
    Kind,
    Outcome,
    RunState,
    Wish,
)
from actors.refusal import Refusal
from lorawan.kuando import LightState
from simulation.world.answer_delay import ONE_SECOND, PROMPT, AnswerDelay
from simulation.world.forwarder import (
    BASICS_STATION,
    CONCENTRATORD_4_5_1,
    CONCENTRATORD_4_5_2,
    PACKET_FORWARDER_4,
    SX1302_HAL_2,
    Forwarder,
)
from store.memory import MemoryDisk
from tests.actors.calibration.conftest import MakeWorld
from tests.support.running_application import POLICIES, RunningApplication, running_application

RED, BLUE = LightState(255, 0, 0), LightState(0, 0, 255)
BY_ITSELF = dataclasses.replace(POLICIES, calibration=CalibrationPolicy())
HOUR_S = 3_600.0


async def calibrated(calibrator: Calibrator, wish: Wish | None = None) -> CalibrationRun:
    """Start a run and wait for its end."""
    begun = calibrator.start(wish or Wish())
    assert isinstance(begun, CalibrationRun), begun
    with trio.fail_after(2 * HOUR_S):
        while (run := calibrator.run_now) is None or run.state is RunState.RUNNING:  # noqa: ASYNC110 - virtual time
            await trio.sleep(1)
    return run


def frames(home: RunningApplication) -> int:
    return sum(device.attempts_made for device in home.devices.values())


@pytest.mark.parametrize(
    ("forwarder", "lag_s"),
    [
        (SX1302_HAL_2, 0.08),
        (CONCENTRATORD_4_5_2, 0.08),
        (CONCENTRATORD_4_5_1, 1.0),
        (PACKET_FORWARDER_4, 1.0),
        (BASICS_STATION, 0.0),
    ],
    ids=lambda value: value.name if isinstance(value, Forwarder) else "",
)
@pytest.mark.parametrize("delay", [PROMPT, ONE_SECOND], ids=["prompt", "1 s"])
async def test_it_tells_the_forwarders_apart(
    a_world: MakeWorld,
    autojump_clock: MockClock,
    forwarder: Forwarder,
    lag_s: float,
    delay: AnswerDelay,
) -> None:
    world = await a_world(forwarder=forwarder, delay=delay)
    async with running_application(world) as home:
        await home.settled()
        await trio.sleep(60)
        calibrator = home.parts.fleetwide.calibrator
        plan = calibrator.plan(Wish())
        assert {need.kind for need in plan.needs} == {Kind.FIRMWARE, Kind.FORWARDER} or (
            plan.needs[0].kind is Kind.FIRMWARE
        )
        assert plan.frames == 2 * len(plan.lights) == 10
        before = frames(home)
        run = await calibrated(calibrator)
        assert run.state is RunState.DONE, run
        assert [one.outcome for one in run.results] == [Outcome.MEASURED] * 5
        assert frames(home) == before + plan.frames
        (gateway,) = home.parts.fleetwide.forwarders.gateways()
        assert gateway.basics_station is (forwarder is BASICS_STATION)
        assert gateway.lag is not None
        assert gateway.lag.lag_s == pytest.approx(lag_s, abs=0.1)
        if delay is ONE_SECOND:
            (facts,) = home.parts.fleetwide.forwarders.revisions()
            assert facts.delay is not None
            assert facts.delay.median_s == pytest.approx(1.0, abs=0.02)
        assert calibrator.unknown() == []


async def test_the_service_calibrates_by_itself_once_all_is_quiet_and_never_again(
    a_world: MakeWorld, autojump_clock: MockClock
) -> None:
    world = await a_world(forwarder=CONCENTRATORD_4_5_1)
    async with running_application(world, policies=BY_ITSELF) as home:
        await home.settled()
        before = frames(home)
        await trio.sleep(1_200)
        run = home.parts.fleetwide.calibrator.run_now
        assert run is not None
        assert run.automatic
        assert run.state is RunState.DONE
        assert home.parts.fleetwide.calibrator.unknown() == []
        assert home.parts.fleetwide.forwarders.lag_s(
            run.results[0].gateway_id or ""
        ) == pytest.approx(1.0, abs=0.1)
        assert frames(home) == before + 10
        await trio.sleep(3 * HOUR_S)
        assert frames(home) == before + 10


IMPATIENT = dataclasses.replace(
    POLICIES, calibration=CalibrationPolicy(lights=2, pauses_s=(300.0, 300.0, 300.0))
)


async def test_what_cannot_be_found_out_is_tried_four_times_and_no_restart_makes_it_more(
    a_world: MakeWorld, autojump_clock: MockClock
) -> None:
    """Nothing is ever learned, as where each answer is lost."""
    world = await a_world(lights=2)
    disk = MemoryDisk()
    async with running_application(world, disk, policies=IMPATIENT) as home:
        learns_nothing(home)
        await home.settled()
        before = frames(home)
        await trio.sleep(HOUR_S)
        assert [one.tried for one in home.parts.fleetwide.calibrator.unknown()] == [4, 4]
        assert all(one.next_at is None for one in home.parts.fleetwide.calibrator.unknown())
        spent = frames(home) - before
        assert 0 < spent <= 2 * 4 * 2 * 2  # frames, tries, probes, needs
    async with running_application(world, disk, policies=IMPATIENT) as home:
        learns_nothing(home)
        await home.settled()
        before = frames(home)
        await trio.sleep(HOUR_S)
        assert frames(home) == before


def learns_nothing(home: RunningApplication) -> None:
    """Whatever passes teaches nothing."""
    for name in ("heard", "ordered", "taken"):
        setattr(home.parts.fleetwide.forwarders, name, lambda *_: None)


async def test_nothing_is_probed_by_itself_where_that_is_forbidden(
    a_world: MakeWorld, autojump_clock: MockClock
) -> None:
    world = await a_world()
    async with running_application(world) as home:
        await home.settled()
        before = frames(home)
        await trio.sleep(2 * HOUR_S)
        assert frames(home) == before
        assert home.parts.fleetwide.calibrator.run_now is None
        assert [one.next_at for one in home.parts.fleetwide.calibrator.unknown()] != []
        assert all(one.next_at is None for one in home.parts.fleetwide.calibrator.unknown())


async def test_nothing_is_probed_by_itself_while_commands_wait(
    a_world: MakeWorld, autojump_clock: MockClock
) -> None:
    world = await a_world(lights=3)
    async with running_application(world, policies=BY_ITSELF) as home:
        await home.settled()
        for _ in range(60):  # every light is busy, again and again
            for dev_eui in world.stations:
                wanted = BLUE if world.showing(dev_eui) == RED else RED
                await home.command(dev_eui, wanted)
            await trio.sleep(20)
            run = home.parts.fleetwide.calibrator.run_now
            assert run is None or all(
                one.outcome in {Outcome.COMMANDED, Outcome.NOT_BEGUN} for one in run.results
            )


async def test_a_command_in_the_middle_ends_a_run_that_began_by_itself(
    a_world: MakeWorld, autojump_clock: MockClock
) -> None:
    world = await a_world()
    async with running_application(world, policies=BY_ITSELF) as home:
        await home.settled()
        calibrator = home.parts.fleetwide.calibrator
        with trio.fail_after(1_800):
            while calibrator.run_now is None:  # noqa: ASYNC110 - virtual time
                await trio.sleep(0.5)
        await trio.sleep(2)
        probed = next(eui for eui, device in home.devices.items() if device.attempt is not None)
        done = await home.final((await home.command(probed, RED)).id, 60)
        assert done.status == "verified"
        assert world.showing(probed) == RED
        await trio.sleep(5)
        run = calibrator.run_now
        assert run.state is RunState.STOPPED
        assert run.results[-1].outcome is Outcome.COMMANDED
        assert len(run.results) == 1


async def test_two_runs_at_once_are_refused(a_world: MakeWorld, autojump_clock: MockClock) -> None:
    world = await a_world()
    async with running_application(world) as home:
        await home.settled()
        await trio.sleep(60)
        assert isinstance(home.parts.fleetwide.calibrator.start(Wish()), CalibrationRun)
        assert home.parts.fleetwide.calibrator.start(Wish()) is Refusal.TOO_MANY


async def test_a_run_without_a_light_to_probe_is_over_and_says_so(
    a_world: MakeWorld, autojump_clock: MockClock
) -> None:
    world = await a_world(lights=1)
    async with running_application(world) as home:
        await home.settled()
        await trio.sleep(60)
        (dev_eui,) = world.stations
        world.stop_gateway(next(iter(world.gateways)))
        await trio.sleep(120)
        plan = home.parts.fleetwide.calibrator.plan(Wish(dev_euis=(dev_eui, "0000000000000001")))
        assert plan.lights == ()
        assert plan.left_out == (
            f"{dev_eui}: no gateway that hears it is online",
            "0000000000000001: it is not known",
        )
        run = home.parts.fleetwide.calibrator.start(Wish(dev_euis=(dev_eui,)))
        assert isinstance(run, CalibrationRun)
        assert run.state is RunState.STOPPED


async def test_what_was_found_survives_a_crash_and_nothing_of_the_probe_is_left(
    a_world: MakeWorld, autojump_clock: MockClock
) -> None:
    world = await a_world()
    disk = MemoryDisk()
    async with running_application(world, disk) as home:
        await home.settled()
        await trio.sleep(60)
        await calibrated(home.parts.fleetwide.calibrator)
        known = home.parts.fleetwide.forwarders.gateways()
    async with running_application(world, disk) as home:
        assert [one.lag for one in home.parts.fleetwide.forwarders.gateways()] == [
            one.lag for one in known
        ]
        await home.settled()
        await trio.sleep(60)
        home.parts.fleetwide.calibrator.start(Wish(again=True))
        await trio.sleep(1.0)
        assert any(device.attempt is not None for device in home.devices.values())
    async with running_application(world, disk) as home:
        await trio.sleep(90)
        assert all(device.at_rest for device in home.devices.values())
        assert home.parts.fleetwide.calibrator.run_now is None
        done = await home.final((await home.command(next(iter(world.stations)), BLUE)).id, 60)
        assert done.attempts == 1
