"""Who owns which shard: members, leases, takes, gives and balance.

Theory. A shard has one owner, who holds a lease: a token in the engine on which each of its
commits is conditioned. A lease is a counter that its owner raises every two seconds. Whoever sees
it unmoved for longer than it holds, over an unbroken series of looks and by a clock of its own, may
take it, which makes a new token. So no clock is ever compared with another, and an outage of the
engine moves nothing. Nobody takes a live lease: who has more than a fair share gives.

What cannot be fenced (a downlink handed to ChirpStack) begins only while the owner's own count of
its lease holds for longer than such a call lasts.
"""

from actors.cluster.keeper.keeper import Keeper
from actors.cluster.keeper.ports import KeeperPorts
from actors.cluster.keeper.times import KeeperTimes
from actors.cluster.keeper.view import ClusterView

__all__ = ["ClusterView", "Keeper", "KeeperPorts", "KeeperTimes"]
