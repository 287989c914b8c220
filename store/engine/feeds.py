"""How much a feed remembers."""

FEED_KEPT = 256
"""Commits that a feed remembers; a reader further behind takes a snapshot."""
FEED_BYTES = 4_000_000
"""Of them where they are large, two snapshots of a shard of 1,000 lights: a reader further behind
is served better by one. 65 such feeds are 260 MB; without this, 256 full commits of 48 records of
lights (88 kB) were 23 MB each, and 1.5 GB."""


def feed_kept(newest: bytes) -> int:
    """How many commits a feed remembers once this one is told: as many as fit if all are as large.

    Smaller ones after large ones may come to some more, until as many have followed."""
    return max(1, min(FEED_KEPT, FEED_BYTES // max(1, len(newest))))
