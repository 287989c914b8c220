"""What makes the epoch of each take its own where the server's clock is behind the epoch before.

Mostly an epoch is the clock of the server in milliseconds. After a failover that may be lower than
the newest epoch, and a take may have been lost: one more than what is stored could then be the very
epoch of the lost take. Commits are known by epoch and number, so whoever saw those of the lost one
would take the new ones for them. Each take therefore leaps by a number of its own.
"""

from zlib import crc32

from store.engine.port import Lease

LEAPS = 65_536
"""Milliseconds: an epoch is not further than a minute beyond what it needs to be. Two processes
leap equally far in one of so many cases, one process never in so many takes."""


class Leaps:
    """Those of one process."""

    def __init__(self) -> None:
        self._takes = 0

    def next(self, boot: str) -> int:
        """How far the next take of the process `boot` leaps."""
        leap = (crc32(boot.encode()) + self._takes) % LEAPS
        self._takes += 1
        return leap


FORGOTTEN_MOST_S = 60.0
"""A failover forgets seconds: a lease that was known for longer and is gone went in another way."""
DATA_LOST = "the engine has lost its data"


def is_lost(found: Lease, known_s: float) -> bool:
    """Whether the engine has lost data: it has no lease of a shard that had one for `known_s`
    seconds. Whoever goes on writing hides that everything else is gone as well."""
    return found.epoch == 0 and known_s > FORGOTTEN_MOST_S


def was_overtaken(found: Lease, before: int, ours: Lease) -> bool:
    """Whether somebody took a shard since our take of it was lost, though `found`, the lease that
    is stored, has a lower epoch than ours: the server's clock is behind the one before.

    `before` is the epoch that we took it from, 0 where that is not known. Nobody had taken it
    between the two, so whoever has an epoch between them did so later.
    """
    return bool(found.owner) and 0 < before < found.epoch < ours.epoch
