"""Looks on at each lease that changes hands, and holds the keepers to what leases promise.

At most one house believes in a lease at a time. And who could not look for a while has seen nothing
of it: where only the engine was away, its owners are there and go on, and no shard moves.
"""

from collections.abc import Callable, Sequence

from simulation.harness.cluster.faults import ClusterFaults
from simulation.harness.cluster.ledger_house import LedgerHouse
from store.engine.memory import Master, MemoryServers


class LeaseWatch:
    """`breaks` is told what does not hold. An old master that lives on is not looked at: what it
    gives needs a replica, and those follow the new one."""

    def __init__(
        self,
        servers: MemoryServers,
        houses: Sequence[LedgerHouse],
        faults: ClusterFaults,
        breaks: Callable[[str, str], None],
    ) -> None:
        self._servers = servers
        self._houses = houses
        self._breaks = breaks
        self._sure = faults.need > 0 and not faults.lossy
        """No failover forgets a lease that somebody believes in."""
        self._only_outages = bool(faults.outage_every_s) and not any(
            (
                faults.kill_every_s,
                faults.leave_every_s,
                faults.pause_every_s,
                faults.cut_every_s,
                faults.late,
                faults.unanswered,
                faults.cut,
                faults.slow,
                faults.fail_over_every_s,
                faults.missing_every_s,
                faults.moving_every_s,
            )
        )
        self._owners: dict[str, str] = {}
        """By shard, the boot that took it and has not given it since."""

    def told(self, master: Master, what: str, shard: str, asked: object, answer: object) -> None:
        """A script was carried out."""
        if self._servers.masters[self._servers.part_of(shard)] is not master:
            return
        if what == "give" and answer:
            self._owners.pop(shard, None)
        elif what == "take" and answer is not None:
            self._taken(shard, str(asked))

    def _taken(self, shard: str, boot: str) -> None:
        before, self._owners[shard] = self._owners.get(shard), boot
        for house in self._houses:
            if house.boot == boot or house.keeper is None:
                continue
            left_s = house.keeper.valid_for_s(shard)
            if self._sure and left_s > 0.0:
                self._breaks(
                    "fleet", f"{boot} took {shard}, in whose lease {house.boot} believes: {left_s}"
                )
            if self._only_outages and house.boot == before:
                self._breaks("fleet", f"{boot} took {shard} from {before}, which is there")
