"""A store over an engine that takes any writes in one commit, for the tests that all stores share.

In the service every request names one light, or the fleet; these tests know nothing of that.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

import trio

from store.engine.redis.engine import RedisEngine
from store.engine.redis.url import target_of
from store.engine.shards import ALL_SHARDS
from store.errors import StoreError
from store.port import Append, Delete, Table, Write
from store.shards import ShardStore, shard_of_request
from store.shards.taking import give_all, take_all

SIBLING = Delete(Table.DEVICE, "a light without a record")
"""Of a command that stands alone: it names the shard, and changes nothing."""


class SplitStore(ShardStore):
    """Owns every shard, and makes a request of each shard's part of a commit."""

    async def open(self) -> None:
        await super().open()
        if len(self.owned) < len(ALL_SHARDS):
            await take_all(self, patience_s=0.0)

    async def close(self) -> None:
        """Give everything, so that nobody waits for a dead process."""
        with trio.move_on_after(2.0, shield=True):
            with suppress(StoreError):  # it never was open, or is away: then it is waited for
                await give_all(self)
        await super().close()

    async def commit(self, writes: Sequence[Write]) -> None:
        parts: dict[str, list[Write]] = {}
        for write in writes:
            alone = not isinstance(write, Append) and write.table is Table.COMMAND
            whole = [SIBLING, write] if alone else [write]
            parts.setdefault(shard_of_request(whole), []).extend(whole)
        failures = await self.commit_each(list(parts.values()))
        for failure in failures:
            if failure is not None:
                raise failure


def split_store(url: str) -> Callable[[], SplitStore]:
    """Makes an unopened store on what this URL of Redis names; each call on the same data."""
    return lambda: SplitStore(RedisEngine(target_of(url)), "boot")
