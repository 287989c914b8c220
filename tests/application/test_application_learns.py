"""What the air taught one run of the service is known to the next before a light goes on."""

import pytest
import trio
from trio.testing import MockClock

from actors.link.judgement import AttemptJudged
from actors.link.learner import REVISION_KEY
from simulation.world.world import World
from store.memory import MemoryDisk
from store.port import Put, Table
from tests.support.running_application import make_world, running_application


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
            home.parts.learning.judged(dev_eui, answer)
        known = home.parts.learning.taught.knowledge
        assert known.answer_waits_s[77] > 2.0
        text = home.parts.metrics.render().decode()
        assert 'lamplighter_answer_samples{software="7.7"} 120.0' in text
    async with running_application(world, disk, seed=9) as home:
        assert home.parts.learning.taught.knowledge.answer_waits_s[77] == known.answer_waits_s[77]


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
