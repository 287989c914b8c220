"""Bugs of a cluster put into the production code, or into the engine's scripts, on purpose."""

import math
import random
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import msgspec
import trio

from actors.cluster.confirmed_desk import ConfirmedDesk
from actors.cluster.follower import Follower
from actors.cluster.inbox_shard import InboxShard
from actors.cluster.keeper import core, leases
from actors.cluster.keeper.keeper import Keeper
from actors.cluster.unconfirmed import Unconfirmed
from actors.cluster.watermark import Watermark
from actors.storage.store_writer import StoreWriter
from simulation.harness.cluster.faults import ClusterFaults, in_parts
from simulation.harness.cluster.ledger_house import LedgerHouse
from simulation.harness.cluster.scenario import cluster_crashes
from simulation.harness.scenario import Scenario
from store.engine.epochs import Leaps
from store.engine.memory import MemoryEngine
from store.engine.memory.data import Data
from store.engine.places import id_order
from store.engine.port import Applied, FeedEntry, Result
from store.errors import StoreUnavailable
from store.shards.acceptor import Acceptor
from store.shards.shard_log import Answer, ShardLog
from store.shards.shard_store import ShardStore
from tests.simulation.planting import planted_in_a_cluster, planted_in_a_ledger

replace = msgspec.structs.replace


def _committing(known: Any) -> Any:
    """The script of a commit, with `known` in place of its check: True for a repetition, False for
    what is to be carried out, an `Applied` for a refusal."""

    def commit(self: Data, asked: Any, ring: Any) -> Result:
        shard = self.shard(asked.shard)
        lease, told = shard.lease, known(shard.lease, asked)
        if isinstance(told, Applied):
            return Result(told, lease)
        left = asked.outcome
        shard.disk.apply([*left.puts, *left.deletes, *left.appends])
        shard.lease = replace(
            lease,
            beat=lease.beat + 1,
            seq=asked.seq,
            inbox_mark=asked.inbox_mark,
            source_mark=asked.source_mark,
        )
        shard.inbox.trim(asked.inbox_mark)
        shard.feed.append(FeedEntry(lease.epoch, asked.seq, asked.feed))
        ring(asked.shard)
        return Result(Applied.DONE, shard.lease)

    return commit


def _numbered(lease: Any, asked: Any) -> Applied | None:
    if lease.seq >= asked.seq:
        return Applied.REPEATED
    return None if lease.seq + 1 == asked.seq else Applied.GAP


# ------------------------------------------------------------------ leases and commits


@planted_in_a_ledger("a commit is conditioned on its epoch only")
def epoch_only() -> Iterator[None]:
    def known(lease: Any, asked: Any) -> Applied | None:
        return None if lease.token == asked.token else Applied.FENCED

    with patch.object(Data, "_commit", _committing(known)):
        yield


@planted_in_a_ledger("a token passes that is not below the stored one")
def token_not_below() -> Iterator[None]:
    def known(lease: Any, asked: Any) -> Applied | None:
        epoch = int(asked.token.partition(".")[0])
        return Applied.FENCED if epoch < lease.epoch else _numbered(lease, asked)

    with patch.object(Data, "_commit", _committing(known)):
        yield


@planted_in_a_ledger("a take counts without WAIT")
def take_without_wait() -> Iterator[None]:
    with _without_wait("take"):
        yield


@planted_in_a_ledger("a renewal counts without WAIT")
def renewal_without_wait() -> Iterator[None]:
    with _without_wait("renew"):
        yield


def _without_wait(method: str) -> Any:
    real = MemoryEngine.write

    async def write(self: Any, name: str, scripts: Any, *, need: int | None = None) -> Any:
        return await real(self, name, scripts, need=0 if name == method else need)

    return patch.object(MemoryEngine, "write", write)


@planted_in_a_ledger("a commit counts without WAIT")
def commit_without_wait() -> Iterator[None]:
    with _without_wait("commit"):
        yield


@planted_in_a_ledger("a lease expires by the wall clock")
def wall_clock() -> Iterator[None]:
    def elapsed(self: Any) -> float:
        """Every forty seconds somebody sets the clock of the first house back by as many."""
        now_s = trio.current_time()
        return now_s - (now_s // 40.0 * 40.0 if self.name == "a" else 0.0)

    with patch.object(LedgerHouse, "elapsed", elapsed):
        yield


@planted_in_a_ledger("an observer that slept goes on counting")
def no_new_start() -> Iterator[None]:
    real, observed = leases.looked, core._observed

    def looked(state: Any, told: Any, now: float, times: Any) -> Any:
        return real(replace(state, unbroken=True), told, now, replace(times, late_s=1e9))

    def kept(state: Any, told: Any, now: float, times: Any) -> Any:
        after, actions = observed(state, told, now, times)
        return replace(after, unbroken=True), actions

    with patch.object(leases, "looked", looked), patch.object(core, "_observed", kept):
        yield


@planted_in_a_ledger("an owner counts its lease from the answer")
def from_the_answer() -> Iterator[None]:
    real = leases.renewed

    def renewed(state: Any, told: Any, now: float, times: Any) -> Any:
        return real(state, replace(told, sent=now), now, times)

    with patch.object(leases, "renewed", renewed):
        yield


@planted_in_a_ledger("an owner believes in its lease until it is told otherwise")
def never_lapses() -> Iterator[None]:
    def may_begin(self: Any, shard: str) -> bool:
        return shard in self._state.held

    with patch.object(Keeper, "may_begin", may_begin):
        yield


@planted_in_a_ledger("what a failover lost is read anew, not sent again")
def reload_instead_of_redo() -> Iterator[None]:
    def stands_at(self: Any, found: Any) -> Answer:
        if found.token != self.lease.token:
            return self.fenced_by(found)
        if found.seq < self.confirmed:
            self._kept.clear()
            self._newest = found.seq
        return Answer.GOES_ON

    with patch.object(ShardLog, "stands_at", stands_at):
        yield


@planted_in_a_ledger("a lost epoch comes again")
def epoch_again() -> Iterator[None]:
    with patch.object(Leaps, "next", lambda self, boot: 0):
        yield


@planted_in_a_ledger("accepted commands are not remembered")
def accepts_forgotten() -> Iterator[None]:
    async def repeat_lost(self: Any) -> None:
        await trio.lowlevel.checkpoint()

    with patch.object(Acceptor, "repeat_lost", repeat_lost):
        yield


# ------------------------------------------------------------------ what goes between processes


@planted_in_a_cluster("a repeated command wins over a newer wish")
def repeated_wins() -> Iterator[None]:
    with patch("actors.clustered.marked_again", lambda accept: accept):
        yield


@planted_in_a_cluster("a gap in a feed is not noticed")
def gap_unnoticed() -> Iterator[None]:
    async def take_in(self: Any, shard: str, followed: Any, entries: Any) -> None:
        for entry in entries:
            followed.at = (entry.epoch, entry.seq)
            self._show(shard, entry)
        await trio.lowlevel.checkpoint()

    with (
        patch.object(Follower, "_take_in", take_in),
        patch.object(Follower, "looked", lambda self, leases: None),
        patch("store.engine.memory.data.FEED_KEPT", 1),  # two commits in 5 ms are a gap
    ):
        yield


@planted_in_a_cluster("a frame goes out whose record no replica has confirmed")
def unconfirmed_frame() -> Iterator[None]:
    with patch.object(ConfirmedDesk, "_waits", lambda self, device: False):
        yield


@planted_in_a_cluster("the mark moves before an entry is dealt with")
def mark_first() -> Iterator[None]:
    real = Watermark.begun

    def begun(self: Any, entry_id: str, line: str = "") -> None:
        real(self, entry_id, line)
        self.done(entry_id, line)

    with patch.object(Watermark, "begun", begun):
        yield


@planted_in_a_cluster("a command is handed on that no replica has")
def unconfirmed_command() -> Iterator[None]:
    async def sure(self: Any, found: Any, after: Any, most: int) -> list[str]:
        await trio.lowlevel.checkpoint()
        return list(found)

    with patch.object(Unconfirmed, "_sure", sure):
        yield


@planted_in_a_cluster("a command is applied each time it is read")
def applied_twice() -> Iterator[None]:
    from actors.device import requests

    async def known(self: Any, shard: str, command_ids: Any) -> set[str]:
        await trio.lowlevel.checkpoint()
        return set()

    with (
        patch.object(requests, "known_ids", lambda device: ()),
        patch("actors.cluster.flow.Flow.known", known),
    ):
        yield


@planted_in_a_cluster("an event for a parked light stays in its inbox")
def stays_before_a_parked_light() -> Iterator[None]:
    with patch("actors.cluster.inbox_handing.PARKED_S", math.inf):
        yield


@planted_in_a_cluster("what a silent part has unread holds up the feeds of all")
def unread_first() -> Iterator[None]:
    real = Follower._read

    async def read(self: Any, shards: Any) -> bool:
        for shard in shards:
            followed = self._shards.get(shard)
            if followed is not None and followed.at is None:
                try:
                    await self._snapshot(shard, followed)
                except StoreUnavailable:
                    self._rung.update(shards)
                    return True
        return await real(self, shards)

    with patch.object(Follower, "_read", read):
        yield


@planted_in_a_cluster("a look at leases fails where the list of members is away")
def look_with_members() -> Iterator[None]:
    real = MemoryEngine.look

    async def look(self: Any, shards: Any) -> Any:
        await self.members()
        return await real(self, shards)

    with patch.object(MemoryEngine, "look", look):
        yield


@planted_in_a_cluster("what is read waits for every part of the store")
def read_behind_all() -> Iterator[None]:
    real = StoreWriter._handed_in

    async def handed_in(self: Any, writes: Any, _after: Any = None) -> None:
        await real(self, writes)

    with patch.object(StoreWriter, "_handed_in", handed_in):
        yield


@planted_in_a_cluster("another server is no reason to look for what a failover took")
def new_server_unnoticed() -> Iterator[None]:
    real = ShardStore._make_good

    async def make_good(self: Any) -> None:
        self._connections = self.engine.connections
        await real(self)

    with patch.object(ShardStore, "_make_good", make_good):
        yield


@planted_in_a_cluster("an inbox is read again from a minute before its mark")
def a_minute_back() -> Iterator[None]:
    real = InboxShard.step_back

    def step_back(self: Any) -> None:
        real(self)
        self.after = self._from = f"{max(0, id_order(self.watermark.mark)[0] - 60_000)}-0"

    with patch.object(InboxShard, "step_back", step_back):
        yield


# ------------------------------------------------------------------ where they are looked for


def ledger_of(name: str, drawn: ClusterFaults) -> ClusterFaults:
    """Faults among which the bug shows, as `draw` gives them or worse."""
    match name:
        case "a commit is conditioned on its epoch only":
            return replace(drawn, late=0.02, late_s=(0.0, 5.0))
        case "a token passes that is not below the stored one":
            return replace(drawn, fail_over_every_s=20.0, lossy=1.0, replicas=2, kill_every_s=30.0)
        case "a lease expires by the wall clock":
            return replace(drawn, cut_every_s=15.0, cut_s=(8.0, 20.0), pause_every_s=0.0)
        case "an observer that slept goes on counting":
            return ClusterFaults(
                houses=drawn.houses, outage_every_s=20.0, outage_s=(7.0, 15.0), rate=drawn.rate
            )
        case "an owner counts its lease from the answer":
            return ClusterFaults(
                slow=0.5, slow_s=(0.5, 1.9), slow_back=1.0, cut_every_s=10.0, cut_s=(8.0, 20.0)
            )
        case "an owner believes in its lease until it is told otherwise":
            return replace(drawn, cut_every_s=20.0, cut_s=(8.0, 20.0), pause_every_s=0.0)
        case "what a failover lost is read anew, not sent again":
            return replace(_failing_over(drawn), kill_every_s=0.0, pause_every_s=0.0)
        case "a lost epoch comes again":
            drawn = replace(_failing_over(drawn), lossy_s=(0.01, 5.0), kill_every_s=15.0)
            return replace(drawn, clock_every_s=10.0, clock_off_s=3_600.0)
        case "accepted commands are not remembered":
            return replace(_failing_over(drawn), kill_every_s=0.0, pause_every_s=0.0)
        case _:
            return _split(drawn)


def _failing_over(drawn: ClusterFaults) -> ClusterFaults:
    return replace(drawn, fail_over_every_s=25.0, lossy=1.0, replicas=2, need=0, old_lives=0.0)


def _split(drawn: ClusterFaults) -> ClusterFaults:
    """An old master lives on, and some houses find it."""
    return replace(
        drawn,
        fail_over_every_s=25.0,
        replicas=2,
        need=1,
        lossy=0.0,
        old_lives=1.0,
        cut_every_s=20.0,
        cut_s=(0.5, 3.0),
        pause_every_s=0.0,
    )


AMONG_CRASHES = frozenset(
    {
        "another server is no reason to look for what a failover took",
        "an inbox is read again from a minute before its mark",
    }
)


def scene_of_cluster(name: str, drawn: Scenario) -> Scenario:
    """Likewise, for whole houses."""
    if name in AMONG_CRASHES:
        drawn = cluster_crashes(drawn.seed)
    faults = drawn.cluster
    assert faults is not None
    match name:
        case "a repeated command wins over a newer wish":
            faults = replace(_failing_over(faults), kill_every_s=0.0, pause_every_s=0.0)
            drawn = replace(drawn, people=replace(drawn.people, command_every_s=5.0))
        case "a gap in a feed is not noticed":
            drawn = replace(drawn, people=replace(drawn.people, command_every_s=5.0))
        case "a frame goes out whose record no replica has confirmed":
            faults = replace(faults, need=1, replicas=2, lag_s=0.05)
            drawn = replace(drawn, people=replace(drawn.people, command_every_s=5.0))
        case "the mark moves before an entry is dealt with":
            faults = replace(faults, kill_every_s=15.0, down_s=(0.5, 3.0), slow=0.1)
            drawn = replace(drawn, people=replace(drawn.people, command_every_s=5.0))
        case "a command is applied each time it is read":
            # killed after a command was stored, and before the mark beyond it was
            faults = replace(faults, kill_every_s=6.0, down_s=(0.2, 1.0), slow=0.3)
            drawn = replace(drawn, people=replace(drawn.people, command_every_s=3.0))
        case "a command is handed on that no replica has":
            faults = replace(_split(faults), lag_s=0.05)
            drawn = replace(drawn, people=replace(drawn.people, command_every_s=3.0))
        case "an event for a parked light stays in its inbox":
            faults = replace(faults, kill_every_s=0.0, leave_every_s=0.0, fail_over_every_s=0.0)
            drawn = replace(drawn, service=replace(drawn.service, light_crash=0.05))
        case "another server is no reason to look for what a failover took":
            faults = replace(faults, fail_over_every_s=6.0, fail_over_s=(0.1, 0.3), houses=4)
            faults = replace(faults, lossy_s=(0.3, 1.0), masters=1)
        case "an inbox is read again from a minute before its mark":
            faults = replace(faults, clock_every_s=10.0, clock_off_s=3_600.0)
        case (
            "what a silent part has unread holds up the feeds of all"
            | "a look at leases fails where the list of members is away"
        ):
            faults = in_parts(faults, random.Random(drawn.seed))
        case _:
            pass
    return replace(drawn, cluster=faults)
