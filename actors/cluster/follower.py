"""Follows the feeds of the shards that others own, so that the board shows the whole fleet.

A feed has an entry for each commit, numbered by the epoch of the owner and the commit. The next one
must be the next number of the same epoch; anything else (a new owner, a reader that fell behind, a
lease that was set back) means that the shard is read anew as a whole, at one instant.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

import msgspec
import structlog
import trio

from actors.cluster.feed_board import TABLES, FeedBoard
from actors.cluster.stored_since import ReadEngine, stored_since
from actors.supervision import Backoff
from store.engine.epochs import DATA_LOST, is_lost
from store.engine.port import FeedEntry, Lease, Snapshot
from store.errors import StoreError, StoreUnavailable
from store.port import Table
from store.shards.feed import decode_feed

log = structlog.get_logger()

READ_MOST = 100
"""Commits of a shard in one call: 200 kB."""
POLL_S = 1.0
"""Bells may be lost."""
PATIENCE_S = 1.0
"""A node that is silent takes 2 s for each shard that is to be read as a whole: whoever waited so
long leaves the rest of them to the next poll, which begins with those that were not tried."""
GATHER_S = 0.005
"""Between two reads: the bells of many commits, often of one shard, are answered by one call. The
first after a quiet moment is answered at once, for a frame may wait for it."""
RETRY = Backoff(first_s=0.1, factor=2.0, most_s=1.0, jitter=0.2)
"""Sooner than the next poll, at first: after a failover others wait for what is shown here."""

Position = tuple[int, int]
"""Epoch and number of a commit."""


class FollowEngine(ReadEngine, Protocol):
    """What is needed of the engine."""

    async def read_feeds(
        self, after: Mapping[str, Position], most: int
    ) -> Mapping[str, Sequence[FeedEntry]]:
        """Of each of these shards up to `most` entries after this position, oldest first."""
        ...

    async def snapshot(self, shard: str, tables: Sequence[Table]) -> Snapshot:
        """These tables of a shard and its lease, at one instant."""
        ...


@dataclass(slots=True)
class _Followed:
    at: Position | None = None
    """None: to be read as a whole."""
    before_look: Position | None = None
    """`at` when the leases were asked for: those of an answer that is older were set back."""
    read_at: float = -math.inf
    """When it was last known to be shown as it is stored."""
    tried_at: float = -math.inf
    """When it was last begun to be read as a whole."""


@dataclass(frozen=True, slots=True)
class FollowerStatistics:
    """Counted since the start; `following` is now."""

    following: int
    changes: int
    snapshots: int
    gaps: int
    """Snapshots that a feed's entry did not spare."""
    failures: int


class Follower:
    """One for each process; `run` is its task. `known_s(shard)`: for how long it is known here that
    a shard has had an owner."""

    def __init__(
        self,
        engine: FollowEngine,
        board: FeedBoard,
        rng: Random,
        known_s: Callable[[str], float] = lambda _: 0.0,
    ) -> None:
        self._engine = engine
        self._known_s = known_s
        self._board = board
        self._rng = rng
        self._shards: dict[str, _Followed] = {}
        self._rung: set[str] = set()
        self._known: set[str] = set()
        """Those that were read as a whole at least once: their lights are on the board."""
        self._silent: set[str] = set()
        """Those that could not be read when they were last tried."""
        self._wake = trio.Event()
        self._progress = trio.Event()
        self._changes = self._snapshots = self._gaps = self._failures = 0

    # ---------------------------------------------------------------- which shards

    def follow(self, shards: Iterable[str], at: Position | None = None) -> None:
        """Others own these, or nobody: show what they store after `at`, if that is shown."""
        for shard in shards:
            read_at = -math.inf if at is None else trio.current_time()
            self._shards[shard] = _Followed(at, read_at=read_at)
            self.ring(shard)

    def drop(self, shard: str) -> Position | None:
        """This process owns it now, and shows it by itself. Up to where it is shown already."""
        followed = self._shards.pop(shard, None)
        self._progress.set()
        return None if followed is None else followed.at

    def follows(self, shard: str) -> bool:
        """Whether others own it, or nobody."""
        return shard in self._shards

    def position(self, shard: str) -> Position | None:
        """Up to where it is shown; None for one that is not followed, or not read yet."""
        followed = self._shards.get(shard)
        return None if followed is None else followed.at

    def looking(self) -> None:
        """The leases are about to be asked for."""
        for followed in self._shards.values():
            followed.before_look = followed.at

    def looked(self, leases: Mapping[str, Lease]) -> None:
        """The leases as they were since `looking`: one that was set back is read anew.

        What was read of the feed since then may be newer than the answer.
        """
        for shard, lease in leases.items():
            followed = self._shards.get(shard)
            if followed is None or followed.at is None:
                continue
            before = followed.before_look
            if before is not None and (lease.epoch, lease.seq) < before:
                followed.at = None
                self._gaps += 1
            if followed.at is None or (lease.epoch, lease.seq) > followed.at:
                self.ring(shard)

    def behind_s(self) -> float:
        """How old at most what is shown of others' shards may be; infinite before all is read."""
        now = trio.current_time()
        return max((now - one.read_at for one in self._shards.values()), default=0.0)

    def late(self, limit_s: float) -> Sequence[str]:
        """The shards of which what is shown may be older than this."""
        oldest = trio.current_time() - limit_s
        return [shard for shard, one in self._shards.items() if one.read_at < oldest]

    def follows_any_but(self, shards: Sequence[str]) -> bool:
        """Whether others own more than these."""
        return not self._shards.keys() <= set(shards)

    def complete(self) -> bool:
        """Whether each was read at least once, also before this process owned it for a while."""
        return self._shards.keys() <= self._known

    async def wait_fresh(self, limit_s: float) -> None:
        """Wait until everything is shown that others had stored when this was called.

        No longer than `limit_s`: parts that cannot be read hold up their own lights only.
        """
        since = trio.current_time()
        for shard in list(self._shards):
            self.ring(shard)
        with trio.move_on_after(limit_s) as limit:
            while any(one.read_at < since for one in self._shards.values()):
                if self._progress.is_set():  # else somebody waits for this one
                    self._progress = trio.Event()
                await self._progress.wait()
        if limit.cancelled_caught:
            log.warning("parts of the fleet cannot be read; the others do not wait for them")
        await trio.lowlevel.checkpoint()

    # ---------------------------------------------------------------- its life

    def ring(self, shard: str) -> None:
        """Something was committed, perhaps."""
        if shard in self._shards:
            self._rung.add(shard)
            self._wake.set()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Read and show, until cancelled."""
        task_status.started()
        failures, poll_at, read_at = 0, trio.current_time(), -math.inf
        while True:
            with trio.move_on_at(poll_at):
                await self._wake.wait()
                await trio.sleep_until(read_at + GATHER_S)
            self._wake = trio.Event()
            read_at = trio.current_time()
            if read_at >= poll_at:
                poll_at = read_at + POLL_S
                self._rung.update(self._shards)
            rung, self._rung = self._rung, set()
            if await self._read(sorted(rung)):
                failures += 1
                retry_at = trio.current_time() + RETRY.delay_s(failures, self._rng.random())
                poll_at = min(poll_at, retry_at)
            elif not self._silent:
                failures = 0

    def statistics(self) -> FollowerStatistics:
        """Counters, now."""
        return FollowerStatistics(
            len(self._shards), self._changes, self._snapshots, self._gaps, self._failures
        )

    # ---------------------------------------------------------------- how

    async def _read(self, shards: Sequence[str]) -> bool:
        """Whether some could not be read: they are tried again at the next poll, and hold up no
        other one."""
        await trio.lowlevel.checkpoint()
        here = {shard: one for shard in shards if (one := self._shards.get(shard)) is not None}
        after = {shard: one.at for shard, one in here.items() if one.at is not None}
        unread = [shard for shard in here if shard not in after]
        trouble: StoreUnavailable | None = None
        silent: set[str] = set()
        if after:
            try:
                silent = after.keys() - await self._read_feeds(after)
            except StoreUnavailable as error:
                trouble, silent = error, set(after)
        began_at = trio.current_time()
        for shard in sorted(unread, key=lambda one: here[one].tried_at):
            followed = here[shard]
            followed.tried_at = trio.current_time()
            try:
                await self._snapshot(shard, followed)
            except StoreUnavailable as error:
                trouble = error
                silent.add(shard)
                if trio.current_time() > began_at + PATIENCE_S:
                    break
        was_silent = bool(self._silent)
        self._silent = ((self._silent - here.keys()) | silent) & self._shards.keys()
        if not silent:
            return False
        self._failures += 1
        if not was_silent:
            why = "a part does not answer" if trouble is None else str(trouble)
            log.warning("what others store cannot be read", shards=len(silent), error=why)
        return True

    async def _read_feeds(self, after: Mapping[str, Position]) -> set[str]:
        """Which were answered. Raises StoreUnavailable where none was."""
        asked_at = trio.current_time()
        found = await self._engine.read_feeds(after, READ_MOST)
        for shard, entries in found.items():
            followed = self._shards.get(shard)
            if followed is None or followed.at != after[shard]:
                continue  # taken, or read anew, meanwhile
            await self._take_in(shard, followed, entries)
            if len(entries) < READ_MOST and followed.at is not None:
                followed.read_at = asked_at
                self._progress.set()
            else:
                self.ring(shard)
        return set(found)

    async def _take_in(self, shard: str, followed: _Followed, entries: Sequence[FeedEntry]) -> None:
        for entry in entries:
            assert followed.at is not None  # noqa: S101 - it was read after a position
            epoch, seq = followed.at
            if (entry.epoch, entry.seq) != (epoch, seq + 1):
                followed.at = None
                self._gaps += 1
                return
            followed.at = (entry.epoch, entry.seq)
            self._show(shard, entry)
        if entries:  # mostly there are none, in any of 64 shards
            await trio.lowlevel.checkpoint()

    def _show(self, shard: str, entry: FeedEntry) -> None:
        try:
            changes = decode_feed(entry.body)
        except msgspec.MsgspecError as error:
            log.warning("a feed's entry cannot be read", shard=shard, error=str(error))
            return
        for change in changes:
            self._changes += 1
            self._board.show(change)

    async def _snapshot(self, shard: str, followed: _Followed) -> None:
        asked_at = trio.current_time()
        try:
            snapshot = await self._engine.snapshot(shard, TABLES)
        except StoreUnavailable:
            raise
        except StoreError as error:
            log.warning("a shard cannot be read", shard=shard, error=str(error))
            return
        if self._shards.get(shard) is not followed:
            return  # taken meanwhile
        if is_lost(snapshot.lease, self._known_s(shard)):  # what was there stays on the board
            raise StoreUnavailable(f"shard {shard}: {DATA_LOST}")
        self._snapshots += 1
        doubtful = await self._board.show_all(
            shard, snapshot.tables, still=lambda: self._shards.get(shard) is followed
        )
        # Before the position is known: without an answer the shard is read anew as a whole.
        found = await stored_since(self._engine, shard, doubtful, snapshot.lease)
        if self._shards.get(shard) is not followed:
            return
        for command_id, record in zip(doubtful, found, strict=True):
            self._board.show_command(command_id, record)
        self._known.add(shard)
        followed.at = (snapshot.lease.epoch, snapshot.lease.seq)
        followed.read_at = asked_at
        self._progress.set()
        self.ring(shard)
