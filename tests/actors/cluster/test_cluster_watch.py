"""What a process shows of its cluster, from what it sees of leases, feeds and the engine."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec
import trio
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from actors.alerts.finding import Finding
from actors.board.board import Board
from actors.clocks.clock import RunClock
from actors.cluster.failover_told import FailoverTold
from actors.cluster.keeper.view import (
    ClusterView,
    Here,
    MemberSign,
    MemberView,
    Move,
    Owned,
    ShardView,
    Why,
)
from actors.cluster.messages import FailoverTook, Message
from actors.cluster.shown import ClusterMode, ClusterShown, ShardShown
from actors.cluster.sight import (
    COUNTED_S,
    AfterFailovers,
    ClusterWatch,
    SightPorts,
    after_failovers,
)
from store.engine.shards import FLEET, shard_of
from store.shards.shard_store import ShardStoreStatistics
from store.shards.shard_writer import ShardStatistics
from tests.support.fake_application import DEV_EUI, a_light

START = 1_760_000_000.0
EPOCH = 1_760_000_000_000
OURS, THEIRS = "boot-a", "boot-b"


class Followed:
    """Feeds that stand still."""

    def __init__(self) -> None:
        self.at: dict[str, tuple[int, int]] = {}
        self.age_s = 0.25

    def position(self, shard: str) -> tuple[int, int] | None:
        return self.at.get(shard)

    def behind_s(self) -> float:
        return self.age_s


def shard(name: str, owner: str, **changes: object) -> ShardView:
    here = Here.RUNNING if owner == OURS else Here.ELSEWHERE
    made = ShardView(name, Owned.OWNED, owner, EPOCH, 7, "0-0", START, here, 0.0)
    return msgspec.structs.replace(made, **changes)


def member(boot: str, name: str, *shards: str, **changes: object) -> MemberView:
    made = MemberView(
        boot, name, "0.2.0", MemberSign.ALIVE, boot == OURS, 1, shards, True, 0.0, START
    )
    return msgspec.structs.replace(made, **changes)


def view_of(*shards: ShardView, moves: tuple[Move, ...] = ()) -> ClusterView:
    def owned_by(boot: str) -> tuple[str, ...]:
        return tuple(one.shard for one in shards if one.owner == boot)

    members = (
        member(OURS, "north", *owned_by(OURS)),
        member(THEIRS, "south", *owned_by(THEIRS)),
    )
    return ClusterView(OURS, START, True, 1, False, members, shards, moves)


@dataclass
class Counted:
    """Statistics of a part."""

    read: int


class Process:
    """A process that sees what the test says."""

    def __init__(self, view: ClusterView) -> None:
        self.clock = RunClock(START)
        self.board = Board(self.clock, OURS)
        self.followed = Followed()
        self.problem: str | None = None
        self.warnings: tuple[str, ...] = ("appendfsync is everysec",)
        self.view = view
        self.cost = AfterFailovers()
        ports = SightPorts(
            view=lambda: self.view,
            followed=self.followed,
            problem=lambda: self.problem,
            warnings=lambda: self.warnings,
            need=1,
            expected=2,
            lease_s=6.0,
            after_failovers=lambda: self.cost,
            counted={"inbox": lambda: Counted(read=7)},
        )
        self.watch = ClusterWatch(self.board, self.clock, ports)

    def shown(self) -> ClusterShown:
        return self.watch.shown("redis+sentinel")

    def shard(self, name: str) -> ShardShown:
        return next(one for one in self.shown().shards if one.shard == name)


async def test_members_have_the_lights_of_their_shards() -> None:
    home = shard_of(DEV_EUI)
    process = Process(view_of(shard(home, THEIRS), shard(FLEET, OURS)))
    process.board.publish(a_light())
    ours, theirs = process.shown().members
    assert (ours.shards, ours.fleet, ours.lights, ours.answering) == (0, True, 0, True)
    assert (theirs.shards, theirs.fleet, theirs.lights, theirs.answering) == (1, False, 1, False)


async def test_it_says_which_mode_and_what_is_behind_it() -> None:
    process = Process(view_of(shard(FLEET, OURS)))
    process.problem = "no replica answers"
    shown = process.shown()
    assert shown.mode is ClusterMode.CLUSTER
    assert (shown.store.kind, shown.store.need) == ("redis+sentinel", 1)
    assert shown.store.problem == "no replica answers"
    assert shown.store.warnings == ("appendfsync is everysec",)
    assert (shown.behind_s, shown.lease_s) == (0.25, 6.0)


async def test_shards_without_a_live_owner_are_counted() -> None:
    process = Process(
        view_of(
            shard("00", OURS),
            shard("01", THEIRS, owned=Owned.EXPIRED),
            shard("02", "", owned=Owned.FREE),
        )
    )
    shown = process.shown()
    assert (shown.shards_total, shown.shards_unowned) == (3, 2)
    assert [one.owner for one in shown.shards] == [OURS, THEIRS, None]


async def test_a_foreign_shard_says_how_many_commits_are_not_shown_yet() -> None:
    process = Process(view_of(shard("00", OURS), shard("01", THEIRS), shard("02", THEIRS)))
    process.followed.at["01"] = (EPOCH, 4)
    assert process.shard("00").behind == 0
    assert process.shard("01").behind == 3
    assert process.shard("02").behind is None


async def test_before_all_was_read_nobody_knows_how_far_it_is_behind() -> None:
    process = Process(view_of(shard("01", THEIRS)))
    process.followed.age_s = math.inf
    assert process.shown().behind_s is None
    assert "lamplighter_cluster_behind_seconds" not in samples(process)


async def test_a_feed_that_is_newer_than_the_last_look_is_not_behind() -> None:
    process = Process(view_of(shard("01", THEIRS)))
    process.followed.at["01"] = (EPOCH, 9)
    assert process.shard("01").behind == 0
    process.followed.at["01"] = (EPOCH + 5, 1)
    assert process.shard("01").behind == 0


async def test_across_a_change_of_owner_nothing_is_counted() -> None:
    process = Process(view_of(shard("01", THEIRS)))
    process.followed.at["01"] = (EPOCH - 5, 70)
    assert process.shard("01").behind is None


async def test_moves_are_told_by_the_names_of_the_processes() -> None:
    moves = (
        Move(START, "01", Why.EXPIRED, THEIRS, OURS, 6.5),
        Move(START, "02", Why.EXPIRED, "boot-gone", OURS, 6.5),
        Move(START, "03", Why.NEW, "", OURS, 0.0),
    )
    process = Process(view_of(shard("01", OURS), moves=moves))
    assert [(one.before, one.after) for one in process.shown().moves] == [
        ("south", "north"),
        ("boot-gone", "north"),
        (None, "north"),
    ]


async def test_lights_are_counted_anew_after_some_seconds(autojump_clock: object) -> None:
    home = shard_of(DEV_EUI)
    process = Process(view_of(shard(home, OURS)))
    assert process.shown().members[0].lights == 0
    process.board.publish(a_light())
    assert process.shown().members[0].lights == 0
    await trio.sleep(COUNTED_S)
    assert process.shown().members[0].lights == 1


def findings(process: Process) -> dict[str, Finding]:
    return {one.kind.value: one for one in process.watch.findings()}


async def test_parts_that_nobody_sees_to_are_worth_an_alert_with_their_lights() -> None:
    home = shard_of(DEV_EUI)
    process = Process(view_of(shard(home, THEIRS, owned=Owned.EXPIRED), shard(FLEET, OURS)))
    process.board.publish(a_light())
    found = findings(process)["shard_unowned"]
    assert found.holds
    assert f"no process sees to 1 part of the fleet, with 1 light ({home})" in found.text


async def test_once_every_part_has_an_owner_the_alert_is_over() -> None:
    process = Process(view_of(shard("01", THEIRS), shard(FLEET, OURS)))
    assert not findings(process)["shard_unowned"].holds


async def test_while_the_engine_does_not_answer_nothing_is_said_of_the_parts() -> None:
    view = view_of(shard("01", THEIRS, owned=Owned.EXPIRED))
    process = Process(msgspec.structs.replace(view, reachable=False))
    assert "shard_unowned" not in findings(process)


async def test_parts_not_looked_at_yet_are_no_trouble() -> None:
    process = Process(view_of(shard("01", "", owned=Owned.UNKNOWN)))
    assert not findings(process)["shard_unowned"].holds


async def test_leases_that_the_engine_lost_send_the_reader_to_the_doctor() -> None:
    process = Process(view_of(shard("01", "", owned=Owned.LOST)))
    assert "lamplighter doctor" in findings(process)["shard_unowned"].text


async def test_fewer_processes_than_there_should_be_are_worth_an_alert() -> None:
    view = view_of(shard("01", OURS))
    process = Process(view)
    assert not findings(process)["process_missing"].holds
    gone = msgspec.structs.replace(view.members[1], sign=MemberSign.SILENT)
    process.view = msgspec.structs.replace(view, members=(view.members[0], gone))
    found = findings(process)["process_missing"]
    assert (found.holds, found.text) == (True, "1 of 2 processes serve the fleet: north")


async def test_an_engine_that_may_lose_what_it_acknowledged_is_worth_an_alert() -> None:
    process = Process(view_of(shard("01", OURS)))
    found = findings(process)["engine_not_durable"]
    assert (found.holds, found.text) == (True, "appendfsync is everysec")
    process.warnings = ()
    assert not findings(process)["engine_not_durable"].holds


async def test_commits_that_a_failover_took_are_an_alert_for_an_hour(
    autojump_clock: object,
) -> None:
    process = Process(view_of(shard("01", OURS)))
    assert not findings(process)["commits_lost"].holds

    def tell(told: Message) -> None:
        assert isinstance(told, FailoverTook)
        process.watch.failover(told)

    failovers = FailoverTold("south", "boot", tell)
    failovers.replayed("07", 3)
    failovers.replayed("07", 1)
    failovers.replayed("12", 1)
    found = findings(process)["commits_lost"]
    assert (found.holds, found.subject) == (True, "engine")
    assert "took 5 commits" in found.text
    assert "(shards 07, 12)" in found.text
    assert "south sent 5 of them again" in found.text
    assert "lost" not in found.text
    failovers.lost("12", 2)
    assert "of the other 2 put again what the lights are" in findings(process)["commits_lost"].text
    await trio.sleep(3_601.0)
    assert not findings(process)["commits_lost"].holds


def samples(process: Process) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(Scraped(process.watch.metrics))
    lines = generate_latest(registry).decode().splitlines()
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")
    }


class Scraped(Collector):
    """What Prometheus sees of a cluster."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return self._read()


async def test_prometheus_reads_members_shards_and_what_is_behind() -> None:
    process = Process(
        view_of(shard("00", OURS), shard("01", THEIRS, owned=Owned.EXPIRED), shard(FLEET, OURS))
    )
    process.followed.at["01"] = (EPOCH, 4)
    found = samples(process)
    assert found['lamplighter_cluster_members{state="alive"}'] == 2
    assert found['lamplighter_cluster_shards{state="owned"}'] == 2
    assert found['lamplighter_cluster_shards{state="expired"}'] == 1
    assert found["lamplighter_cluster_shards_here"] == 2
    assert found["lamplighter_cluster_fleet_here"] == 1
    assert found["lamplighter_cluster_behind_commits"] == 3
    assert found["lamplighter_cluster_behind_seconds"] == 0.25


async def test_what_failovers_cost_is_shown_and_counted() -> None:
    process = Process(view_of(shard("00", OURS)))
    process.cost = AfterFailovers(replayed=12, lost=1, accepts_repeated=2, unconfirmed=3)
    store = process.shown().store
    assert (store.replayed, store.lost) == (12, 1)
    found = samples(process)
    assert found["lamplighter_cluster_store_replayed"] == 12
    assert found["lamplighter_cluster_store_accepts_repeated"] == 2
    assert found["lamplighter_cluster_inbox_read"] == 7


def test_the_cost_of_failovers_is_the_sum_over_all_shards() -> None:
    one = ShardStatistics(EPOCH, 7, unconfirmed=1, kept=5, kept_bytes=100, replayed=4, lost=0)
    two = msgspec.structs.replace(one, replayed=3, lost=2)
    store = ShardStoreStatistics({"00": one, "01": two}, accepts_repeated=1)
    assert after_failovers(store) == AfterFailovers(7, 2, 1, 2)


async def test_each_move_is_counted_once_however_often_it_is_read() -> None:
    first = Move(START, "01", Why.EXPIRED, THEIRS, OURS, 6.5)
    process = Process(view_of(shard("01", OURS), moves=(first,)))
    assert samples(process)['lamplighter_cluster_moves_total{why="expired"}'] == 1
    assert samples(process)['lamplighter_cluster_moves_total{why="expired"}'] == 1
    second = Move(START + 9, "01", Why.GIVEN, OURS, THEIRS, 0.2)
    process.view = view_of(shard("01", THEIRS), moves=(second, first))
    found = samples(process)
    assert found['lamplighter_cluster_moves_total{why="expired"}'] == 1
    assert found['lamplighter_cluster_moves_total{why="given"}'] == 1
