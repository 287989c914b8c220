"""The host's clock is wrong, is set, or stands still: everything goes on within a timer round.

From the field: boards without a battery-backed clock start with an old time and are set by NTP
after the service has started; hosts are suspended and resumed.
"""

import pytest
import trio
from trio.testing import MockClock

from actors.board.rollout import Rollout
from actors.device.command import CommandStatus
from actors.device.model import Phase
from actors.rollouts.model import Order
from lorawan.kuando import LightState
from simulation.world.world import World
from tests.support.host import Host
from tests.support.running_application import RunningApplication, make_world, running_application

RED, BLUE = LightState(255, 0, 0), LightState(0, 0, 255)
YEAR_S = 365 * 86_400.0
OFF = [-120.0, -45.0, 45.0, 3_600.0, -2 * YEAR_S]


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world()
    await nursery.start(world.run)
    return world


@pytest.mark.parametrize("off_s", OFF)
async def test_a_service_that_starts_with_a_wrong_clock_sends_all_the_same(
    off_s: float, world: World, autojump_clock: MockClock
) -> None:
    host = Host(world, set_s=off_s)
    async with running_application(world, clock=host.clock()) as home:
        await home.settled(600)
        dev_eui = next(iter(world.stations))
        command = await home.command(dev_eui, RED)
        done = await home.final(command.id, 120)
        assert done.status is CommandStatus.VERIFIED
        assert done.attempts == 1
        assert world.showing(dev_eui) == RED


@pytest.mark.parametrize("off_s", OFF)
async def test_a_clock_that_is_set_right_after_the_start_loses_nothing(
    off_s: float, world: World, autojump_clock: MockClock
) -> None:
    host = Host(world, set_s=off_s)
    async with running_application(world, clock=host.clock()) as home:
        await trio.sleep(15)
        host.set_s = 0.0
        await home.settled(600)
        dev_eui = next(iter(world.stations))
        command = await home.command(dev_eui, BLUE)
        done = await home.final(command.id, 120)
        assert done.status is CommandStatus.VERIFIED
        assert home.now() == pytest.approx(host.wall(), abs=0.5)
        assert done.ended_at == pytest.approx(host.wall(), abs=120)


@pytest.mark.parametrize("by_s", [-3_600.0, -90.0, 90.0, 3_600.0, YEAR_S, -YEAR_S])
async def test_a_step_while_a_command_is_on_its_way_costs_no_more_than_a_timer_round(
    by_s: float, world: World, autojump_clock: MockClock
) -> None:
    host = Host(world)
    async with running_application(world, clock=host.clock()) as home:
        await home.settled()
        dev_eui = next(iter(world.stations))
        began_s = trio.current_time()
        command = await home.command(dev_eui, RED)
        await trio.sleep(0.5)
        host.set_s = by_s
        done = await home.final(command.id, 120)
        assert done.status is CommandStatus.VERIFIED
        assert done.ended_at is not None
        took_s = done.ended_at - done.accepted_at
        assert took_s == pytest.approx(trio.current_time() - began_s, abs=1.0)
        assert [one.at for one in done.timeline] == sorted(one.at for one in done.timeline)


@pytest.mark.parametrize("by_s", [-3_600.0, 3_600.0, -YEAR_S])
async def test_a_light_that_loses_its_colour_after_a_step_is_brought_back(
    by_s: float, world: World, autojump_clock: MockClock
) -> None:
    host = Host(world)
    async with running_application(world, clock=host.clock()) as home:
        await home.settled()
        dev_eui = next(iter(world.stations))
        command = await home.command(dev_eui, RED)
        await home.final(command.id, 120)
        host.set_s = by_s
        await trio.sleep(2)
        world.restart_light(dev_eui)
        await trio.sleep(300)
        assert world.showing(dev_eui) == RED
        assert home.devices[dev_eui].phase is Phase.IDLE


@pytest.mark.parametrize("slept_s", [40.0, 600.0, 8 * 3_600.0])
async def test_a_host_that_slept_goes_on_within_a_timer_round(
    slept_s: float, world: World, autojump_clock: MockClock
) -> None:
    host = Host(world)
    async with running_application(world, clock=host.clock()) as home:
        await home.settled()
        dev_eui, other = list(world.stations)[:2]
        command = await home.command(dev_eui, RED)
        await trio.sleep(0.5)
        host.sleep(slept_s)
        done = await home.final(command.id, 120)
        assert done.status is CommandStatus.VERIFIED
        later = await home.command(other, BLUE)
        assert (await home.final(later.id, 60)).status is CommandStatus.VERIFIED


async def test_what_came_due_while_the_host_slept_is_dealt_with_within_seconds_of_its_waking(
    world: World, autojump_clock: MockClock
) -> None:
    host = Host(world)
    async with running_application(world, clock=host.clock()) as home:
        await home.settled()
        for gateway_id in world.gateways:
            world.stop_gateway(gateway_id)
        await trio.sleep(400)
        commands = [await home.command(one, RED, ttl_s=4 * 3_600.0) for one in world.stations]
        await trio.sleep(60)
        began_s = trio.current_time()
        host.sleep(8 * 3_600.0)
        for command in commands:
            ended = await home.final(command.id, 30)
            assert ended.status is CommandStatus.EXPIRED
        assert trio.current_time() - began_s <= 1.5


async def test_the_airtime_of_an_hour_does_not_change_with_the_clock(
    world: World, autojump_clock: MockClock
) -> None:
    host = Host(world)
    async with running_application(world, clock=host.clock()) as home:
        await home.settled()
        gateways = list(world.gateways)

        def spent() -> list[float]:
            now = home.now()
            return [home.parts.fleetwide.dispatcher.airtime(one, now)[0] for one in gateways]

        before = spent()
        assert max(before) > 0
        for set_s in (7_200.0, -7_200.0, YEAR_S, 0.0):
            host.set_s = set_s
            await trio.sleep(1.5)
            assert spent() == pytest.approx(before, abs=2.0)


@pytest.mark.parametrize("by_s", [-3_600.0, 3_600.0, YEAR_S, -YEAR_S])
async def test_no_gateway_is_away_because_a_clock_was_set(
    by_s: float, world: World, autojump_clock: MockClock
) -> None:
    host = Host(world)
    async with running_application(world, clock=host.clock()) as home:
        await home.settled()
        await trio.sleep(60)
        gone: list[str] = []
        announcer = home.parts.fleetwide.watcher._announcer
        announcer._on_change = (  # after the start: what is told from here on
            *announcer._on_change,
            lambda gateway_id, online: None if online else gone.append(gateway_id),
        )
        host.set_s = by_s
        await trio.sleep(300)
        assert gone == []
        for view in home.board.gateways.values():
            assert view.online
            assert view.since <= host.wall()


@pytest.mark.parametrize("by_s", [-3_600.0, 3_600.0, -YEAR_S])
async def test_no_light_is_silent_because_a_clock_was_set(
    by_s: float, world: World, autojump_clock: MockClock
) -> None:
    host = Host(world)
    async with running_application(world, clock=host.clock()) as home:
        await home.settled()
        host.set_s = by_s
        await trio.sleep(900)
        assert [one.summary for one in home.board.alerts() if one.kind == "light_silent"] == []
        for device in home.devices.values():
            assert device.heard_at is not None
            assert 0 <= host.wall() - device.heard_at < 1_800


@pytest.mark.parametrize("by_s", [-3_600.0, 3_600.0])
async def test_of_two_wishes_the_newer_one_wins_whatever_the_clock_says(
    by_s: float, world: World, autojump_clock: MockClock
) -> None:
    host = Host(world)
    async with running_application(world, clock=host.clock()) as home:
        await home.settled()
        last = list(world.stations)[-1]
        order = Order(
            dev_euis=tuple(world.stations),
            light=RED,
            keep=True,
            ttl_s=None,
            name="",
            pace_per_min=2.0,
            failures_most=5,
        )
        rollout = await home.application.rollouts.create(order)
        assert isinstance(rollout, Rollout)
        await trio.sleep(1)
        host.set_s = by_s
        await trio.sleep(2)
        newer = await home.command(last, BLUE)
        assert (await home.final(newer.id, 120)).status is CommandStatus.VERIFIED
        await trio.sleep(300)
        assert world.showing(last) == BLUE
        assert [world.showing(one) for one in list(world.stations)[:-1]] == [RED] * 3


def opened(home: RunningApplication, kind: str) -> list[str]:
    return [one.summary for one in home.board.alerts() if one.kind == kind and not one.closed_at]


async def test_people_are_told_of_a_clock_that_was_set_and_of_a_sleep(
    world: World, autojump_clock: MockClock
) -> None:
    host = Host(world)
    async with running_application(world, clock=host.clock()) as home:
        await home.settled()
        host.set_s = -3_600.0
        await trio.sleep(3)
        assert opened(home, "clock_set") == ["this machine's clock was set back by 60 min"]
        await trio.sleep(1_000)
        assert opened(home, "clock_set") == []
        host.sleep(600)
        await trio.sleep(3)
        (told,) = opened(home, "clock_set")
        assert told == "this machine slept for 10 min: nothing was heard or sent meanwhile"


@pytest.mark.parametrize("off_s", [-92.0, 92.0])
async def test_people_are_told_that_the_clocks_differ_until_they_do_not(
    off_s: float, world: World, autojump_clock: MockClock
) -> None:
    host = Host(world, set_s=off_s)
    async with running_application(world, clock=host.clock()) as home:
        await home.settled()
        (told,) = opened(home, "clocks_differ")
        assert ("ahead of" if off_s < 0 else "behind") in told
        shown = home.application.timekeeper.statistics()
        assert shown.server_ahead_s == pytest.approx(-off_s, abs=1.5)
        host.set_s = 0.0
        await trio.sleep(120)
        assert opened(home, "clocks_differ") == []
        assert home.application.readiness.check().ready
