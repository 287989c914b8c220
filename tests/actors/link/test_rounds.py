"""The learner's rounds: what was learned reaches the lights at once, and the store now and then."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from trio.testing import MockClock

from actors.clocks.clock import RunClock
from actors.link.fleet_rates import Census
from actors.link.judgement import AttemptJudged
from actors.link.knowledge import Knowledge
from actors.link.learner import FLEET_KEY, REVISION_KEY, Learner
from actors.link.rounds import COUNT_S, STORE_S, LearnerPorts, LearnerRounds
from actors.storage.store_writer import StoreWriter
from store.memory import MemoryDisk, MemoryStore
from store.port import Table

START = 1_700_000_000.0
ANSWER = AttemptJudged(1, "a1", True, True, 0.9, 0.3, 0.3, sw_rev=61, spreading_factor=9)


class Service:
    """The learner in its rounds, on a disk that outlives it."""

    def __init__(self, disk: MemoryDisk) -> None:
        self.disk = disk
        self.learner = Learner()
        self.told: list[Knowledge] = []
        self.counts = 0

    async def count(self) -> Census:
        await trio.lowlevel.checkpoint()
        self.counts += 1
        return Census(light_s=1e9, silences=1, uplinks=1_000.0, uplinks_lost=300.0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[LearnerRounds]:
        store = MemoryStore(self.disk)
        await store.open()
        clock = RunClock(START)
        writer = StoreWriter(store, clock, random.Random(1))
        ports = LearnerPorts(self.count, self.told.append)
        self.learner.restore(await store.scan(Table.META))
        rounds = LearnerRounds(self.learner, writer, clock, ports)
        async with trio.open_nursery() as nursery:
            await nursery.start(writer.run)
            async with trio.open_nursery() as inner:
                await inner.start(rounds.run)
                yield rounds
                inner.cancel_scope.cancel()
            nursery.cancel_scope.cancel()
        await store.close()

    def stored(self) -> set[str]:
        return {record.key for record in self.disk.records(Table.META)}


async def test_a_new_snapshot_is_told_at_once_and_stored_soon(autojump_clock: MockClock) -> None:
    service = Service(MemoryDisk())
    async with service.running() as rounds:
        for _ in range(20):
            rounds.judged("light", ANSWER)
        (known,) = service.told
        assert known.answer_waits_s.keys() == {61}
        assert service.stored() == set()
        await trio.sleep(STORE_S + 1)
        assert f"{REVISION_KEY}61" in service.stored()


async def test_the_fleet_is_counted_every_ten_minutes(autojump_clock: MockClock) -> None:
    service = Service(MemoryDisk())
    async with service.running():
        await trio.sleep(COUNT_S + STORE_S)
        assert service.counts == 2, "once at the start, where nothing is learned of it"
        (known,) = service.told
        assert known.uplink_loss == 307 / 1_100
        await trio.sleep(COUNT_S)
        assert (service.counts, FLEET_KEY in service.stored()) == (3, True)


async def test_what_was_learned_last_is_stored_at_the_end_and_known_at_the_next_start(
    autojump_clock: MockClock,
) -> None:
    disk = MemoryDisk()
    first = Service(disk)
    async with first.running() as rounds:
        await trio.sleep(STORE_S + 1)
        for _ in range(100):
            rounds.judged("light", ANSWER)
    second = Service(disk)
    async with second.running():
        assert second.learner.knowledge == first.learner.knowledge
        assert second.learner.knowledge.spacing_proven == {61}
