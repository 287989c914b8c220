"""What a process shows of its cluster, from what it sees of leases, feeds and the engine."""

from collections.abc import Mapping

import msgspec
import trio

from actors.board.board import Board
from actors.clocks.clock import RunClock
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
from actors.cluster.shown import ClusterMode, ClusterShown, ShardShown
from actors.cluster.sight import COUNTED_S, ClusterWatch, SightPorts
from store.engine.shards import FLEET, shard_of
from tests.support.fake_application import DEV_EUI, a_light

START = 1_760_000_000.0
EPOCH = 1_760_000_000_000
OURS, THEIRS = "boot-a", "boot-b"


class Followed:
    """Feeds that stand still."""

    def __init__(self) -> None:
        self.at: dict[str, tuple[int, int]] = {}

    def positions(self) -> Mapping[str, tuple[int, int]]:
        return self.at

    def behind_s(self) -> float | None:
        return 0.25


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


class Process:
    """A process that sees what the test says."""

    def __init__(self, view: ClusterView) -> None:
        self.clock = RunClock(START)
        self.board = Board(self.clock, OURS)
        self.followed = Followed()
        self.problem: str | None = None
        ports = SightPorts(
            view=lambda: view,
            followed=self.followed,
            problem=lambda: self.problem,
            warnings=lambda: ("appendfsync is everysec",),
            need=1,
            lease_s=6.0,
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
