"""What is told of the processes that serve the fleet: one alone, or three of which one died."""

from collections.abc import Iterable, Sequence

import msgspec
from prometheus_client.core import Metric

from actors.alerts.finding import Finding
from actors.cluster.keeper.view import Here, MemberSign, Owned, Why
from actors.cluster.shown import (
    ClusterMode,
    ClusterShown,
    MemberShown,
    MoveShown,
    ShardShown,
    StoreShown,
)
from store.engine.shards import ALL_SHARDS, FLEET

NOW = 1_760_000_000.0
NAMES = ("north", "south", "west")
LEASE_S = 6.0
EPOCH = 1_760_000_000_000


class FakeCluster:
    """`now` is what it tells; one process alone unless the test says otherwise."""

    def __init__(self) -> None:
        self.now = alone()

    def findings(self) -> Sequence[Finding]:
        """Nothing is worth an alert."""
        return ()

    def metrics(self) -> Iterable[Metric]:
        """None."""
        return ()

    def shown(self, store_kind: str) -> ClusterShown:
        """What the test says, of the store that the settings name."""
        store = msgspec.structs.replace(self.now.store, kind=self.now.store.kind or store_kind)
        return msgspec.structs.replace(self.now, store=store)


def member(name: str, shards: int, *, fleet: bool = False, **changes: object) -> MemberShown:
    """A process that is well."""
    well = MemberShown(
        boot=f"boot-{name}",
        name=name,
        version="0.2.0",
        state=MemberSign.ALIVE,
        answering=name == NAMES[0],
        shards=shards,
        fleet=fleet,
        lights=shards * 3,
        sees_network=True,
        clock_ahead_s=0.002,
        heard_at=NOW - 1.0,
    )
    return msgspec.structs.replace(well, **changes)


def here(owner: str) -> Here:
    """What a shard of this owner is to the first process, which answers."""
    return Here.RUNNING if owner == f"boot-{NAMES[0]}" else Here.ELSEWHERE


def alone() -> ClusterShown:
    """A process with a store of its own."""
    one = member(NAMES[0], 64, fleet=True, boot="boot-1", clock_ahead_s=0.0, heard_at=NOW)
    return ClusterShown(
        mode=ClusterMode.EMBEDDED,
        at=NOW,
        looked_at=NOW,
        answering="boot-1",
        shards_total=65,
        shards_unowned=0,
        behind_s=0.0,
        lease_s=None,
        store=StoreShown("", None, None, ()),
        members=(one,),
        shards=(),
        moves=(),
    )


def three_processes() -> ClusterShown:
    """All is well: the fleet shard with the first, and the lights' shards shared out."""
    members = (
        member(NAMES[0], 18, fleet=True),
        member(NAMES[1], 23),
        member(NAMES[2], 23),
    )
    owners = [
        f"boot-{name}" for one, name in zip(members, NAMES, strict=True) for _ in range(one.shards)
    ]
    shards = tuple(
        ShardShown(
            shard, Owned.OWNED, owner, 1_760_000_000_000, 40 + n, here(owner), 3, NOW - 3_600.0, 0
        )
        for n, (shard, owner) in enumerate(
            zip(ALL_SHARDS, [*owners, f"boot-{NAMES[0]}"], strict=True)
        )
    )
    return ClusterShown(
        mode=ClusterMode.CLUSTER,
        at=NOW,
        looked_at=NOW - 0.4,
        answering=f"boot-{NAMES[0]}",
        shards_total=65,
        shards_unowned=0,
        behind_s=0.01,
        lease_s=LEASE_S,
        store=StoreShown("redis+sentinel", 1, None, ()),
        members=members,
        shards=shards,
        moves=(
            MoveShown(NOW - 3_600.0, "17", Why.GIVEN, NAMES[1], NAMES[2], 0.3),
            MoveShown(NOW - 3_660.0, FLEET, Why.EXPIRED, "west", NAMES[0], 7.1),
        ),
    )


def one_lost() -> ClusterShown:
    """The third process died four seconds ago, and half of its shards are taken."""
    whole = three_processes()
    lost, taken, left = f"boot-{NAMES[2]}", [], 0
    for shard in whole.shards:
        if shard.owner != lost:
            taken.append(shard)
        elif left < 11:
            left += 1
            change = {"state": Owned.EXPIRED, "since": NOW - 4.0, "behind": 0}
            taken.append(msgspec.structs.replace(shard, **change))
        else:
            change = {"owner": f"boot-{NAMES[1]}", "epoch": shard.epoch + 9_000, "seq": 1}
            taken.append(msgspec.structs.replace(shard, since=NOW - 1.0, behind=2, **change))
    moves = [
        MoveShown(NOW - 1.0, shard.shard, Why.EXPIRED, NAMES[2], NAMES[1], 6.4)
        for shard in taken
        if shard.seq == 1
    ]
    members = (
        whole.members[0],
        msgspec.structs.replace(whole.members[1], shards=35, lights=105),
        msgspec.structs.replace(
            whole.members[2], state=MemberSign.SILENT, shards=11, lights=33, heard_at=NOW - 10.0
        ),
    )
    return msgspec.structs.replace(
        whole,
        members=members,
        shards=tuple(taken),
        shards_unowned=left,
        behind_s=0.4,
        moves=(*moves, *whole.moves),
    )
