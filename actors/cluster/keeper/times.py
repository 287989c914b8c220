"""The times by which leases are held, judged and moved. All are seconds of a steady clock.

An owner believes in its lease for less time than everybody else does, whatever the clocks do: it
counts from before it asked, they count from after they were answered, and wait longer by what two
clocks may differ in their rates.
"""

import msgspec


class KeeperTimes(msgspec.Struct, frozen=True, kw_only=True):
    """The defaults are those of a cluster; an embedded service has no leases."""

    ttl_s: float = 6.0
    """A lease that was renewed counts for so long."""
    renew_s: float = 2.0
    """Two of three renewals may be lost."""
    look_s: float = 1.0
    """How often all leases and members are looked at."""
    soon_s: float = 0.2
    """Likewise, while a shard is about to be free for us."""
    rate: float = 1.02
    """Clocks of two machines differ by less than 2 % in their rates (quartz: 0.01 %)."""
    late_s: float = 2.0
    """A look that comes later than due by this says nothing of the time between."""
    patience_s: float = 3.0
    """A shard that nobody took for so long is taken by whoever sees it, full or not."""
    give_each_s: float = 0.3
    """Between two shards that are given to balance the load: each is dark for a moment."""
    leave_s: float = 10.0
    """All shards are given within this when the process ends."""
    drain_s: float = 5.0
    """Of one shard's actors when it is given: 1 s for its lights, 3 s for calls under way."""
    blind_s: float = 30.0
    """Without ChirpStack for so long the fleet shard is given to somebody who reaches it."""
    margin_s: float = 3.0
    """What cannot be taken back (an enqueue) is begun only in a lease that holds for so long: the
    deadline of such a call."""
    avoid_s: float = 30.0
    """A shard whose actors could not be started here is left to others for so long."""
    forget_s: float = 60.0
    """A process that gave no sign of life for so long is struck off the list."""
    starting_most: int = 8
    """Shards whose actors start at once: more would be dark while they wait for their turn, and
    another process could have them."""

    @property
    def expired_s(self) -> float:
        """So long an observer sees a lease unmoved until it may be taken."""
        return self.ttl_s * self.rate
