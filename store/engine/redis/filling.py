"""An engine that a fleet is moved or restored into: what is there is replaced.

Until the first record is removed nothing is changed but leases, so whatever ends a restore before,
the fleet is as it was and can be opened. From then on a mark closes it to whoever would open it,
until all is there. Two cannot replace one fleet at once: each watches the other's leases move, and
only one can set the mark.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from secrets import token_hex

import trio

from store.engine.port import Commit, Lease, Result, Snapshot
from store.engine.redis.engine import RedisEngine
from store.engine.redis.opening import change_mark, found_mark
from store.engine.redis.target import Target
from store.engine.shards import ALL_SHARDS
from store.errors import StoreError, StoreTaken, StoreUnavailable
from store.port import ALL_STREAMS, Streams, Table

RENEW_S = 2.0
"""As every owner does; others take a lease that did not move for 6 s."""
TAKE_BACK_S = 5.0


class Filling(StrEnum):
    """What replaces a fleet; the mark begins with it."""

    MOVE = "move"
    RESTORE = "restore"


class FilledEngine(RedisEngine):
    """Owned and closed to others while it is filled, by the calls that a restore makes anyway."""

    def __init__(self, target: Target, filling: Filling) -> None:
        super().__init__(target, is_moving=True)
        self.found_mark = ""
        """What closed it before us, by `open`: something that was cut off; empty for nothing."""
        self.has_begun = False
        """Whether records were removed, perhaps: it may be closed to all others."""
        self._mark = f"{filling} {token_hex(8)}"
        self._beats: Mapping[str, int] = {}
        self._tokens: dict[str, str] = {}
        self._renewed_at = 0.0

    async def open(self) -> None:
        """As `RedisEngine.open`, but makes no layout; every server has to answer."""
        await super().open()
        self.found_mark = await found_mark(self._lanes, self._keys)
        self._beats = {member.boot: member.beat for member in await self.members()}

    async def end_move(self) -> None:
        """All that was to be there is: from now on everybody can open the engine."""
        await self._change_mark(self._mark, "")

    async def take(self, shard: str, seen: Lease, boot: str) -> Lease | None:
        """As `RedisEngine.take`; it is renewed until it is given."""
        lease = await super().take(shard, seen, boot)
        if lease is not None:
            self._tokens[shard] = lease.token
            self._renewed_at = self._renewed_at or trio.current_time()
        return lease

    async def give(self, shard: str, token: str) -> bool:
        """As `RedisEngine.give`."""
        self._tokens.pop(shard, None)
        return await super().give(shard, token)

    async def snapshot(self, shard: str, tables: Sequence[Table]) -> Snapshot:
        """As `RedisEngine.snapshot`."""
        await self._stay_owner()
        return await super().snapshot(shard, tables)

    async def streams(self, shard: str) -> Sequence[str]:
        """As `RedisEngine.streams`."""
        await self._stay_owner()
        return await super().streams(shard)

    async def commit(self, commits: Sequence[Commit]) -> Sequence[Result | StoreError]:
        """As `RedisEngine.commit`."""
        await self._stay_owner()
        return await super().commit(commits)

    async def prune(
        self,
        shard: str,
        token: str,
        *,
        tables: Sequence[Table],
        before: float,
        most: int,
        which: Streams = ALL_STREAMS,
    ) -> int:
        """As `RedisEngine.prune`; before the first one the engine is closed to all others.

        Raises StoreTaken where another process is alive, or replaces the fleet as well.
        """
        if not self.has_begun:
            await self._begin()
        await self._stay_owner()
        return await super().prune(
            shard, token, tables=tables, before=before, most=most, which=which
        )

    async def _begin(self) -> None:
        """A process that opened the engine before it was closed has told of itself, or taken a
        shard: so one of the two is seen by the other."""
        self.has_begun = True
        try:
            await self._close_to_others()
        except BaseException:
            with trio.move_on_after(TAKE_BACK_S, shield=True), suppress(StoreError):
                await self._change_mark(self._mark, self.found_mark)
                self.has_begun = False
            raise

    async def _close_to_others(self) -> None:
        if not await self._change_mark(self.found_mark, self._mark):
            raise StoreTaken("redis: another process moves or restores something into it")
        for member in await self.members():
            if member.beat > self._beats.get(member.boot, 0):
                raise StoreTaken(f"redis: process {member.name} is alive: stop the service first")
        leases = await self.look(ALL_SHARDS)
        for shard in ALL_SHARDS:
            if shard not in leases:
                raise StoreUnavailable(f"redis: shard {shard} could not be looked at")
            if leases[shard].token != self._tokens.get(shard):
                raise StoreTaken(f"redis: shard {shard} was taken: stop the service first")

    async def _stay_owner(self) -> None:
        if self._tokens and trio.current_time() - self._renewed_at >= RENEW_S:
            self._renewed_at = trio.current_time()
            with suppress(StoreError):  # whoever lost a shard is told by its next change
                await self.renew(dict(self._tokens))

    async def _change_mark(self, seen: str, new: str) -> bool:
        self._check_open()
        return await change_mark(self._lanes, self._keys, seen, new, confirm=self._need)
