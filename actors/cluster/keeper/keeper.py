"""Keeps this process a member of the cluster, and its shards under leases."""

from collections.abc import Sequence

import trio

from actors.clocks.clock import Clock
from actors.cluster.keeper.ports import KeeperPorts
from actors.cluster.keeper.times import KeeperTimes
from actors.cluster.keeper.view import ClusterView
from store.engine.port import Engine, Lease, Member


class Keeper:
    """Owns what it may, gives what it must, and says for how long a lease holds."""

    def __init__(
        self,
        engine: Engine,
        member: Member,
        ports: KeeperPorts,
        clock: Clock,
        times: KeeperTimes | None = None,
    ) -> None:
        raise NotImplementedError

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Take part until cancelled; `started` after the first look, or its failure."""
        raise NotImplementedError

    async def leave(self) -> None:
        """Give every shard to the others and leave, within `leave_s`. `run` must be running."""
        raise NotImplementedError

    @property
    def owned(self) -> Sequence[str]:
        """The shards that are ours, those included whose actors are still starting."""
        raise NotImplementedError

    def valid_for_s(self, shard: str) -> float:
        """For how long our lease of a shard surely holds; 0 where it is not ours or has lapsed.

        What cannot be taken back begins only where this is at least `margin_s`.
        """
        raise NotImplementedError

    def may_begin(self, shard: str) -> bool:
        """Whether something that cannot be taken back may begin now."""
        raise NotImplementedError

    def told_fenced(self, shard: str, lease: Lease) -> None:
        """A commit was refused because the shard has another token: `lease` is what is stored."""
        raise NotImplementedError

    def rang(self, shard: str) -> None:
        """A bell of this shard: it may have been given."""
        raise NotImplementedError

    def view(self) -> ClusterView:
        """What is seen of the cluster now."""
        raise NotImplementedError
