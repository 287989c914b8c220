"""The actor of plans over a store in memory: stored before it is shown, read again at a start."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio
from trio.testing import MockClock

from actors.board.board import Board
from actors.board.plan import Picture, PlanHead
from actors.clocks.clock import RunClock
from actors.plans.actor import Plans
from actors.plans.model import Change, Create, Edited, Plan, PlanRefusal, Remove, SetPicture, Take
from actors.refusal import Refusal
from actors.storage.store_writer import StoreWriter
from store.memory import MemoryDisk, MemoryStore
from store.port import Table, Write

START = 1_700_000_000.0
PICTURE = Picture("f" * 64, "image/png", 4, 3, 5)


class Site:
    """Plans with their store."""

    def __init__(self, disk: MemoryDisk, known: tuple[PlanHead, ...] = ()) -> None:
        self.disk = disk
        self.store = MemoryStore(disk)
        clock = RunClock(START, wall=lambda: START + trio.current_time())
        self.board = Board(clock, "boot")
        for head in known:
            self.board.publish(head)
        self.writer = StoreWriter(self.store, clock, random.Random(1))
        self.plans = Plans(
            self.writer, clock, self.board.publish, lambda: self.board.plans, lambda: "p1"
        )


@asynccontextmanager
async def site(disk: MemoryDisk, known: tuple[PlanHead, ...] = ()) -> AsyncIterator[Site]:
    here = Site(disk, known)
    await here.store.open()
    async with trio.open_nursery() as nursery:
        await nursery.start(here.writer.run)
        await nursery.start(here.plans.run)
        yield here
        nursery.cancel_scope.cancel(reason="the test ends")
    await here.store.close()


async def test_a_plan_is_shown_once_it_is_stored_and_there_after_a_start(
    autojump_clock: MockClock,
) -> None:
    disk = MemoryDisk()
    async with site(disk) as here:
        made = await here.plans.edit(Create("Hall"), by="anna")
        assert isinstance(made, Edited)
        await here.plans.edit(SetPicture("p1", PICTURE, b"bytes"))
        await here.plans.edit(Change("p1", lights={"l1": (0.5, 0.5)}), revision=2, by="ben")
        assert await here.plans.edit(Change("p1"), revision=2) is PlanRefusal.CHANGED
        [head] = here.board.plans
        assert (head.name, head.revision, head.picture, head.by) == ("Hall", 3, PICTURE, "ben")
        assert [r.value for r in disk.records(Table.PICTURE)] == [b"bytes"]
    gone = PlanHead(id="gone", name="Gone", order=1, revision=1)
    async with site(disk, (gone,)) as again:
        assert again.board.plans == [head], "as stored; what a board had besides is taken back"
        assert isinstance(await again.plans.edit(Remove("p1")), Edited)
        assert again.board.plans == []
        assert disk.records(Table.PLAN) == disk.records(Table.PICTURE) == []


async def test_a_file_of_plans_is_one_commit(autojump_clock: MockClock) -> None:
    disk = MemoryDisk()
    async with site(disk) as here:
        commits, commit = [], here.writer.commit

        async def counted(writes: Sequence[Write]) -> None:
            commits.append(len(writes))
            assert here.board.plans == [], "shown is what is stored"
            await commit(writes)

        here.writer.commit = counted  # type: ignore[method-assign]
        shown = Plan(id="b", name="Yard", order=2, revision=9, picture=PICTURE)
        file = [Take(Plan(id="a", name="Hall", order=1, revision=3), None), Take(shown, b"bytes")]
        made = await here.plans.take(file, by="anna")
        assert isinstance(made, tuple)
        assert [(plan.id, plan.revision, plan.by) for plan in here.board.plans] == [
            ("a", 1, "anna"),
            ("b", 1, "anna"),
        ]
        assert commits == [3]
        assert len(disk.records(Table.PLAN)) == 2
        assert await here.plans.take([]) == ()


async def test_whoever_asks_is_answered_though_the_store_hangs(autojump_clock: MockClock) -> None:
    disk = MemoryDisk()
    async with site(disk) as here:
        held = trio.Event()

        async def hang(writes: object) -> None:
            await held.wait()

        here.writer.commit = hang  # type: ignore[method-assign]
        assert await here.plans.edit(Create("Hall")) is Refusal.NO_REPLY
        assert here.board.plans == [], "nothing is shown that is not stored"
        full = []

        async def ask() -> None:
            full.append(await here.plans.edit(Create("Yard")))

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(ask)
        assert full.count(Refusal.MAILBOX_FULL) == 2
        held.set()
