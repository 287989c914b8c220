"""What is known of a shard that this process owns, and of the requests handed in for it."""

from collections.abc import Sequence

import msgspec

from store.engine.port import Lease
from store.errors import StoreUnavailable
from store.port import Write
from store.shards.shard_log import Kept, ShardLog

RETRY_FIRST_S, RETRY_MOST_S = 0.05, 1.0
SILENT_S = 20.0
"""A failover takes 15 s at most: whoever had no answer for longer was cut off, and others were
not."""
WAITS_S = 3.0
"""Whoever gave a shard looks at it every two seconds; after six somebody else may take it."""


class ShardStatistics(msgspec.Struct, frozen=True):
    """One shard that is owned here. Counted since it was taken."""

    epoch: int
    seq: int
    unconfirmed: int
    kept: int
    kept_bytes: int
    replayed: int
    """Commits that a failover had lost, sent again."""
    lost: int
    """Such commits that were kept no longer; the records in memory were put again."""


class Pending:
    """A request that is part of a commit, until whoever made it has been told."""

    __slots__ = ("kept", "writes")

    def __init__(self, writes: Sequence[Write], kept: Kept) -> None:
        self.writes = writes
        self.kept = kept


class Owned:
    """What is known of one shard of ours."""

    def __init__(self, shard_log: ShardLog, now: float, before: tuple[int, int] = (0, 0)) -> None:
        self.log = shard_log
        self.before = before
        """Epoch and number that the owner before had come to, as they were when it was taken."""
        self.taken_at = now
        self.waits_until: float | None = None
        """For that owner, to send again what a failover took of its commits."""
        self.pending: dict[int, Pending] = {}
        """By identity: whoever repeats a request passes the very same one."""
        self.trouble: StoreUnavailable | None = None
        self.tries = 0
        self.retry_at = now
        self.rested = False
        """We slept, and have not heard since that it is still ours."""
        self.heard_at = now
        """When the engine told us last that it is ours."""
        self.marks = ("0-0", "")
        self.source_at = now

    def failed(self, error: StoreUnavailable, now: float) -> None:
        """It was not written, or not confirmed; the next try is later."""
        self.trouble = error
        self.retry_at = now + min(RETRY_FIRST_S * 2.0**self.tries, RETRY_MOST_S)
        self.tries = min(self.tries + 1, 10)

    def is_ours(self, now: float) -> None:
        """The engine says so."""
        self.rested, self.heard_at = False, now

    def is_behind(self, found: Lease, now: float) -> bool:
        """Whether the engine, set back to before our take, was so long ago that the owner before
        has gone on since: what it did is newer than what we have."""
        gone_on = self.before != (0, 0) and (found.epoch, found.seq) > self.before
        return gone_on and now - self.heard_at > SILENT_S

    def waits_for(self, found: Lease, now: float) -> bool:
        """Whether the engine, set back to before our take, lacks commits of the owner before, who
        may still send them: they come before ours."""
        if (found.epoch, found.seq) >= self.before or found.epoch != self.before[0]:
            return False
        if self.waits_until is None:
            self.waits_until = now + WAITS_S
        return now < self.waits_until

    def answers(self) -> None:
        """Its server can be reached: what failed is worth a try now."""
        self.retry_at = float("-inf")
        if not self.log.unsettled:
            self.worked()

    def worked(self) -> None:
        """There is no trouble any more."""
        self.trouble, self.tries, self.retry_at = None, 0, float("-inf")


class HandedIn(list[Write]):
    """A request, and the ownership of its shard when it was made; None: it was not ours.

    A process may lose a shard and take it again while a request of its first ownership still waits.
    That request rests on a state that others have changed since, and must not be carried out.
    """

    __slots__ = ("owned",)

    def __init__(self, writes: Sequence[Write], owned: Owned | None) -> None:
        super().__init__(writes)
        self.owned = owned


def statistics_of(shard_log: ShardLog) -> ShardStatistics:
    """Counters, now."""
    return ShardStatistics(
        epoch=shard_log.lease.epoch,
        seq=shard_log.newest,
        unconfirmed=shard_log.newest - shard_log.confirmed,
        kept=shard_log.kept,
        kept_bytes=shard_log.kept_bytes,
        replayed=shard_log.replayed,
        lost=shard_log.lost,
    )
