"""What is shown of a service that serves its fleet alone."""

import random
from collections.abc import Sequence

import trio
from trio.testing import MockClock

from actors.board.board import Board
from actors.clocks.clock import RunClock
from actors.cluster.embedded import EmbeddedSight
from actors.cluster.keeper.view import MemberSign
from actors.cluster.shown import ClusterMode, ClusterShown
from actors.storage.store_writer import StoreWriter
from store.errors import StoreUnavailable
from store.memory import MemoryDisk, MemoryStore
from store.port import Put, Table, Write
from tests.support.fake_application import a_light

START = 1_760_000_000.0


class Alone:
    """A service without its actors."""

    def __init__(self, store: MemoryStore) -> None:
        clock = RunClock(START)
        self.board = Board(clock, "boot-7")
        self.network = True
        self.writer = StoreWriter(store, clock, random.Random(1))
        self.sight = EmbeddedSight(
            self.board, clock, self.writer, store, sees_network=lambda: self.network
        )

    def shown(self) -> ClusterShown:
        return self.sight.shown("memory")


async def test_it_is_one_member_that_owns_every_shard(autojump_clock: MockClock) -> None:
    alone = Alone(MemoryStore(MemoryDisk()))
    alone.board.publish(a_light())
    shown = alone.shown()
    (member,) = shown.members
    assert shown.mode is ClusterMode.EMBEDDED
    assert shown.answering == member.boot == "boot-7"
    assert (member.state, member.answering, member.fleet) == (MemberSign.ALIVE, True, True)
    assert (member.shards, member.lights, shown.shards_unowned) == (64, 1, 0)


async def test_it_says_whether_chirpstack_answers(autojump_clock: MockClock) -> None:
    alone = Alone(MemoryStore(MemoryDisk()))
    assert alone.shown().members[0].sees_network
    alone.network = False
    assert not alone.shown().members[0].sees_network


async def disk_full(_writes: Sequence[Write]) -> None:
    raise StoreUnavailable("the disk is full")


async def test_it_says_why_the_store_cannot_be_written(autojump_clock: MockClock) -> None:
    store = MemoryStore(MemoryDisk(), before_commit=disk_full)
    await store.open()
    alone = Alone(store)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alone.writer.run)
        alone.writer.offer([Put(Table.META, "key", b"value", START)])
        await trio.sleep(5.0)
        assert alone.shown().store.problem == "the disk is full"
        nursery.cancel_scope.cancel()
