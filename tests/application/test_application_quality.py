"""Quality in the whole application: what it says of lights and gateways after some hours."""

import pytest
import trio
from trio.testing import MockClock

from actors.quality.model import Grade, Line
from lorawan.kuando import LightState
from simulation.world.answer_delay import PROMPT
from simulation.world.forwarder import CONCENTRATORD_4_5_2
from simulation.world.profile import Profile
from store.memory import MemoryDisk
from tests.support.running_application import make_world, running_application

COLOURS = [LightState(255, 0, 0), LightState(0, 255, 0)]
LOSSY = Profile(
    name="lossy",
    answer_delay=PROMPT,
    forwarders=(CONCENTRATORD_4_5_2,),
    uplink_loss=0.15,
    downlink_loss=0.1,
)
ANSWERING = ((0x5A, 1.0),)


@pytest.mark.timeout(120)
async def test_risks_grades_and_scores_come_from_what_happens_and_outlive_a_restart(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    world = make_world(lights=4, gateways=2, profile=LOSSY, firmware=ANSWERING)
    await nursery.start(world.run)
    disk = MemoryDisk()
    async with running_application(world, disk) as home:
        await home.settled(7_200)
        for number in range(8):
            given = [await home.command(one, COLOURS[number % 2]) for one in world.stations]
            for one in given:
                await home.final(one.id)
            await trio.sleep(600)
        await trio.sleep(3_600)
        quality = home.application.quality
        risks = quality.risks(10)
        assert {one.dev_eui for one in risks} == set(world.stations)
        for one in risks:
            assert one.chance_30s is not None
            assert 0.7 < one.chance_30s < 1.0
            assert one.uplinks_counted > 10
            assert one.downlinks_counted > 5
            assert "statuses" in one.sentence
        assert 0.02 < sum(one.uplink_loss or 0.0 for one in risks) / len(risks) < 0.35
        scores = quality.scores()
        assert 20 < scores.commands <= 32
        assert scores.brier is not None
        assert scores.light_months > 0.0
        lines = {
            line.line: line for grade in quality.gateways() for line in grade.lines if line.grade
        }
        assert lines[Line.AWAY].grade is Grade.A
        assert lines[Line.TAKEN].count >= 20
        assert lines[Line.AIRTIME].grade is Grade.A
        assert {Line.TAKEN, Line.LEAD, Line.ANSWERED, Line.UPLINKS} >= set(lines) - {
            Line.AWAY,
            Line.AIRTIME,
        }
        heard = sum(day.uplinks_counted for day in quality.days(risks[0].dev_eui))
    async with running_application(world, disk, seed=8) as home:
        await trio.sleep(300)
        again = home.application.quality
        assert again.scores().commands == pytest.approx(scores.commands)
        kept = sum(day.uplinks_counted for day in again.days(risks[0].dev_eui))
        assert kept >= heard
