"""What is to be expected, from the air to what people are shown: through the production actors."""

import pytest
import trio
from trio.testing import MockClock

from actors.quality.model import Rule
from lorawan.kuando.light_state import LightState
from simulation.world.world import World
from store.memory import MemoryDisk
from tests.support.running_application import RunningApplication, make_world, running_application

HOUR = 3_600.0
pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world(lights=3, gateways=1)
    await nursery.start(world.run)
    return world


def open_alerts(home: RunningApplication) -> list[tuple[str, str]]:
    return [(one.kind, one.subject) for one in home.board.alerts() if one.closed_at is None]


async def test_a_fleet_that_is_well_has_chances_and_grades_and_no_warning(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        for dev_eui in world.stations:
            await home.final((await home.command(dev_eui, LightState(9, 0, 0))).id)
        await trio.sleep(6 * HOUR)
        assert set(home.board.risks) == set(world.stations)
        assert all((risk.chance_30s or 0) > 0.9 for risk in home.board.risks.values())
        assert open_alerts(home) == []
        [gateway] = home.board.gateways.values()
        assert gateway.grade in {"A", "B", "C"}, gateway.grade_line
        one = next(iter(world.stations))
        seen = home.application.queries.device(one)
        assert seen is not None
        assert seen.quality is not None
        assert seen.quality.uplinks_counted > 15
        told = home.board.risks[one].chance_30s
        assert told == pytest.approx(seen.quality.chance_30s, abs=0.02)
        assert seen.days[-1].uplinks_counted > 15
        text = home.parts.metrics.render().decode()
        assert 'lamplighter_devices_by_chance{chance="unknown"} 0.0' in text
        assert f'lamplighter_gateway_grade{{gateway_id="{gateway.gateway_id}"}}' in text


async def test_a_light_that_joins_again_and_again_is_warned_of_and_alerted_after_an_hour(
    world: World, autojump_clock: MockClock
) -> None:
    flaps, disk = next(iter(world.stations)), MemoryDisk()
    async with running_application(world, disk) as home:
        await home.settled()
        for _ in range(4):
            world.restart_light(flaps)
            await trio.sleep(0.3 * HOUR)
        assert home.board.risks[flaps].rules == [Rule.FLAPPING]
        await trio.sleep(1.1 * HOUR)
        assert open_alerts(home) == [("light_at_risk", flaps)]
        [alert] = home.board.alerts()
        assert alert.summary.endswith("joins again and again, as if its power came and went")
    async with running_application(world, disk, seed=9) as home:
        await trio.sleep(120)
        assert home.board.risks[flaps].rules == [Rule.FLAPPING]
        assert open_alerts(home) == [("light_at_risk", flaps)]  # neither closed nor told anew
