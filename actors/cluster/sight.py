"""What is shown of a cluster: the keeper's view, how far this process is behind, and the engine."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client.core import Metric

from actors.alerts.finding import Finding
from actors.alerts.rules import (
    LostCommits,
    commits_finding,
    durability_finding,
    processes_finding,
    shards_finding,
)
from actors.board.board import Board
from actors.clocks.clock import Clock
from actors.cluster.keeper.view import (
    ClusterView,
    MemberSign,
    MemberView,
    Move,
    Owned,
    ShardView,
    Why,
)
from actors.cluster.messages import FailoverTook
from actors.cluster.scraped import cluster_metrics
from actors.cluster.shown import (
    ClusterMode,
    ClusterShown,
    MemberShown,
    MoveShown,
    ShardShown,
    StoreShown,
)
from store.engine.shards import FLEET, shard_of
from store.shards.shard_store import ShardStoreStatistics

TOLD_S = 3_600.0
"""What a fail-over took is an alert for so long: somebody is to see it, and nothing ends it."""
COUNTED_S = 5.0
"""Lights are counted by shard so often: 50,000 take 20 ms."""


class Followed(Protocol):
    """How much of the feeds this process shows."""

    def position(self, shard: str) -> tuple[int, int] | None:
        """(epoch, seq) of the newest commit that is shown; None of one that is not followed."""
        ...

    def behind_s(self) -> float:
        """How old at most what is shown of others may be; infinite before all of it was read."""
        ...


@dataclass(frozen=True, slots=True)
class AfterFailovers:
    """What fail-overs lost of the shards that this process owns, and what became of it."""

    replayed: int = 0
    """Commits sent again."""
    lost: int = 0
    """Commits that were kept no longer; the records in memory were put again."""
    accepts_repeated: int = 0
    """Accepted commands that were accepted once more."""
    unconfirmed: int = 0
    """Commits that wait to be confirmed, now."""


def after_failovers(store: ShardStoreStatistics) -> AfterFailovers:
    """The sums over all shards."""
    shards = store.shards.values()
    return AfterFailovers(
        replayed=sum(one.replayed for one in shards),
        lost=sum(one.lost for one in shards),
        accepts_repeated=store.accepts_repeated,
        unconfirmed=sum(one.unconfirmed for one in shards),
    )


@dataclass(frozen=True, slots=True)
class SightPorts:
    """Where it is read from."""

    view: Callable[[], ClusterView]
    """The keeper's."""
    followed: Followed
    problem: Callable[[], str | None]
    """Why the engine cannot be written, None where it can."""
    warnings: Callable[[], Sequence[str]]
    """Why an acknowledged commit may be lost."""
    need: int
    """Replicas that confirm each commit."""
    lease_s: float
    expected: int = 0
    """Processes that there should be; fewer are worth an alert."""
    after_failovers: Callable[[], AfterFailovers] = AfterFailovers
    """What fail-overs cost."""
    counted: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    """Statistics of parts by their names, for Prometheus."""


class ClusterWatch:
    """The whole as this process sees it."""

    def __init__(self, board: Board, clock: Clock, ports: SightPorts) -> None:
        self._board = board
        self._clock = clock
        self._ports = ports
        self._lights: Counter[str] = Counter()
        self._counted_at: float | None = None
        self._moves: Counter[Why] = Counter()
        self._took: dict[tuple[str, str], tuple[float, LostCommits]] = {}
        """By owner and shard, with its date: 65 for each process at most, dropped after TOLD_S."""
        self._newest: Move | None = None

    def shown(self, store_kind: str) -> ClusterShown:
        """As it is now."""
        ports = self._ports
        view, lights = ports.view(), self._counts()
        names = {one.boot: one.name for one in view.members}
        return ClusterShown(
            mode=ClusterMode.CLUSTER,
            at=self._clock.now(),
            looked_at=view.looked_at,
            answering=view.boot,
            shards_total=len(view.shards),
            shards_unowned=len(view.unowned),
            behind_s=self._behind_s(),
            lease_s=ports.lease_s,
            store=self._store(store_kind),
            members=[_member(one, lights) for one in view.members],
            shards=self._shards(view),
            moves=[_move(one, names) for one in view.moves],
        )

    def failover(self, told: FailoverTook) -> None:
        """A fail-over took commits of a shard, here or elsewhere."""
        key, now = (told.owner, told.shard), self._clock.steady()
        _, before = self._took.get(key, (now, LostCommits(*key, 0, 0)))
        again, put = before.again + told.again, before.put + told.put
        self._took[key] = now, LostCommits(*key, again, put)

    def findings(self) -> Sequence[Finding]:
        """Whether parts of the fleet have no owner, and the engine keeps what it acknowledges."""
        since = self._clock.steady() - TOLD_S
        self._took = {key: one for key, one in self._took.items() if one[0] > since}
        took = commits_finding([lost for _, lost in self._took.values()])
        view, lights = self._ports.view(), self._counts()
        unowned = [one for one in view.unowned if one.owned is not Owned.UNKNOWN]
        found = durability_finding(self._ports.warnings())
        alive = [one.name for one in view.members if one.sign is MemberSign.ALIVE]
        if not view.reachable:
            return (found, took)  # of others nothing is known then; that the store fails is told
        count = sum(lights[one.shard] for one in unowned)
        names = [one.shard for one in unowned]
        return (
            found,
            took,
            processes_finding(alive, self._ports.expected),
            shards_finding(names, count, _why_unowned(unowned)),
        )

    def metrics(self) -> Iterable[Metric]:
        """For Prometheus."""
        view = self._ports.view()
        self._count_moves(view.moves)
        return cluster_metrics(
            view,
            behind=[one.behind for one in self._shards(view)],
            behind_s=self._behind_s(),
            silent_s=None if view.looked_at is None else self._clock.now() - view.looked_at,
            moves=self._moves,
            counted={
                "store": self._ports.after_failovers(),
                **{name: read() for name, read in self._ports.counted.items()},
            },
        )

    def _store(self, kind: str) -> StoreShown:
        ports, cost = self._ports, self._ports.after_failovers()
        return StoreShown(
            kind=kind,
            need=ports.need,
            problem=ports.problem(),
            warnings=tuple(ports.warnings()),
            replayed=cost.replayed,
            lost=cost.lost,
        )

    def _shards(self, view: ClusterView) -> list[ShardShown]:
        lights, position = self._counts(), self._ports.followed.position
        return [_shard(one, lights, position(one.shard), view.boot) for one in view.shards]

    def _behind_s(self) -> float | None:
        behind_s = self._ports.followed.behind_s()
        return behind_s if math.isfinite(behind_s) else None

    def _count_moves(self, moves: Sequence[Move]) -> None:
        """Those that came since the last time; the newest are first."""
        for move in moves:
            if move == self._newest:
                break
            self._moves[move.why] += 1
        if moves:
            self._newest = moves[0]

    def _counts(self) -> Counter[str]:
        now = self._clock.steady()
        if self._counted_at is None or now >= self._counted_at + COUNTED_S:
            self._lights, self._counted_at = Counter(map(shard_of, self._board.devices)), now
        return self._lights


def _why_unowned(unowned: Sequence[ShardView]) -> str:
    if any(one.owned is Owned.LOST for one in unowned):
        return "the engine lost their leases, so it may have lost more; see `lamplighter doctor`"
    return "start a process, or see in the log of those that run why they do not take them"


def _member(one: MemberView, lights: Counter[str]) -> MemberShown:
    return MemberShown(
        boot=one.boot,
        name=one.name,
        version=one.version,
        state=one.sign,
        answering=one.here,
        shards=sum(shard != FLEET for shard in one.shards),
        fleet=FLEET in one.shards,
        lights=sum(lights[shard] for shard in one.shards),
        sees_network=one.sees_network,
        clock_ahead_s=one.clock_ahead_s,
        heard_at=one.moved_at,
    )


def _shard(
    one: ShardView,
    lights: Counter[str],
    position: tuple[int, int] | None,
    boot: str,
) -> ShardShown:
    return ShardShown(
        shard=one.shard,
        state=one.owned,
        owner=one.owner or None,
        epoch=one.epoch,
        seq=one.seq,
        here=one.here,
        lights=lights[one.shard],
        since=one.since,
        behind=0 if one.owner == boot else _behind(one, position),
    )


def _behind(one: ShardView, position: tuple[int, int] | None) -> int | None:
    """Commits that the engine has and the board has not; None across a change of owner, whose
    commits are not counted from the same beginning."""
    if position is None or one.owned in {Owned.LOST, Owned.UNKNOWN}:
        return None
    epoch, seq = position
    if epoch > one.epoch:
        return 0  # the feed is newer than the last look at the leases
    return max(0, one.seq - seq) if epoch == one.epoch else None


def _move(one: Move, names: Mapping[str, str]) -> MoveShown:
    return MoveShown(
        at=one.at,
        shard=one.shard,
        why=one.why,
        before=names.get(one.before, one.before) or None,
        after=names.get(one.after, one.after),
        dark_s=one.dark_s,
    )
