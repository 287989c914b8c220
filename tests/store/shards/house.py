"""One process's store, and what it was told."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypedDict, TypeVar

import trio

from store.engine.memory import MemoryEngine
from store.engine.port import Lease
from store.engine.shards import shard_of
from store.errors import StoreUnavailable
from store.port import Append, Put, Table, Write
from store.shards import ShardStore

A, B = "0018b200000000a1", "0018b200000000b2"
"""Two lights in different shards."""
IN_A, IN_B = shard_of(A), shard_of(B)
T = TypeVar("T")


class Range(TypedDict):
    since: float
    until: float


EVER = Range(since=0.0, until=1e12)


def light(dev_eui: str, value: bytes = b"1") -> Put:
    return Put(Table.DEVICE, dev_eui, value, 1.0)


def step(dev_eui: str, number: int) -> list[Write]:
    """What one step of a light writes: its record, and a line of history."""
    value = str(number).encode()
    return [light(dev_eui, value), Append(dev_eui, f"e{number}", float(number), value)]


@dataclass
class House:
    engine: MemoryEngine
    store: ShardStore
    fenced: list[str] = field(default_factory=list)
    retaken: list[str] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    replayed: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store.listen(
            fenced=self.fenced.append,
            retaken=lambda shard, _lease: self.retaken.append(shard),
            lost=lambda _shard, commits: self.lost.append(commits),
            replayed=lambda _shard, commits: self.replayed.append(commits),
        )

    async def take(self, *shards: str) -> None:
        """Become the owner, whoever it was."""
        await self.store.open()
        for shard, seen in (await again(lambda: self.engine.look(shards))).items():
            lease = await self.engine.take(shard, seen, self.store.boot)
            assert lease is not None
            self.store.own(shard, lease)

    async def lease(self, shard: str) -> Lease:
        return (await again(lambda: self.engine.look([shard])))[shard]

    async def value(self, dev_eui: str) -> bytes | None:
        record = await again(lambda: self.store.get(Table.DEVICE, dev_eui))
        return None if record is None else record.value

    async def in_engine(self, dev_eui: str) -> bytes | None:
        """Whatever is there now, also where an owner would not go on from it."""
        wanted = [(shard_of(dev_eui), Table.DEVICE, dev_eui)]
        [record] = await again(lambda: self.engine.get(wanted))
        return None if record is None else record.value

    async def lines(self, stream: str) -> list[str]:
        found = await again(
            lambda: self.store.entries(stream, **EVER, most=9_999, newest_first=False)
        )
        return [entry.entry for entry in found]

    async def until_written(self, writes: Sequence[Write]) -> None:
        """Repeat a request as the store's writer does: the very same one."""
        await again(lambda: self._written(writes))

    async def _written(self, writes: Sequence[Write]) -> None:
        (failure,) = await self.store.commit_each([writes])
        if failure is not None:
            raise failure


async def again(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until there is an answer, for half a minute."""
    with trio.fail_after(30.0):
        while True:
            try:
                return await ask()
            except StoreUnavailable:
                await trio.sleep(0.2)
