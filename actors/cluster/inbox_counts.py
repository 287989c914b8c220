"""What the reader of inboxes did, counted."""

from collections.abc import Iterable
from dataclasses import dataclass

from actors.cluster.inbox_shard import InboxShard


@dataclass(frozen=True, slots=True)
class InboxStatistics:
    """Counted since the start; what is `open` and waits is told as it is now."""

    read: int
    dropped: int
    """Events that found no room."""
    repeated: int
    """Entries that had been dealt with before."""
    poisoned: int
    """Entries that could not be read, or crashed their light or whoever took them."""
    open: int
    """Entries read and not dealt with."""
    waiting: int
    """Of these, such that wait for room at their light."""
    oldest_wait_s: float
    """How long the oldest of them has waited: a minute where its light is parked."""


@dataclass(slots=True)
class InboxCounts:
    """The counters; see `InboxStatistics`."""

    read: int = 0
    dropped: int = 0
    repeated: int = 0
    poisoned: int = 0

    def told(self, shards: Iterable[InboxShard], now: float) -> InboxStatistics:
        """With how these shards stand, at this time of Trio's."""
        states = list(shards)
        return InboxStatistics(
            self.read,
            self.dropped,
            self.repeated,
            self.poisoned,
            sum(len(state.watermark) for state in states),
            sum(state.waiting for state in states),
            max((now - one.since for state in states for one in state.heads), default=0.0),
        )
