"""The state of the keeper as it is shown."""

from collections.abc import Callable, Sequence

from actors.cluster.keeper import balance, core
from actors.cluster.keeper.leases import has_expired
from actors.cluster.keeper.state import Seen, Stage, State, weight_of
from actors.cluster.keeper.times import KeeperTimes
from actors.cluster.keeper.view import (
    ClusterView,
    Here,
    MemberSign,
    MemberView,
    Move,
    Owned,
    ShardView,
)
from store.engine.port import Member
from store.engine.shards import ALL_SHARDS

Dated = Callable[[float], float]
"""A steady time as a date, in Unix seconds."""


def view_of(
    state: State,
    me: Member,
    moves: Sequence[Move],
    now: float,
    times: KeeperTimes,
    dated: Dated,
) -> ClusterView:
    """What is seen at `now`, in steady seconds."""
    members = [_member(state, me, now, True, MemberSign.ALIVE, dated)]
    if state.leaving or balance.cannot_serve(state, now, times):
        members = [_member(state, me, now, True, MemberSign.LEAVING, dated)]
    for seen in state.members.values():
        sign = MemberSign.LEAVING if seen.member.leaving else MemberSign.ALIVE
        if now - seen.since >= times.expired_s:
            sign = MemberSign.SILENT
        members.append(_member(state, seen.member, seen.moved_at, False, sign, dated))
    return ClusterView(
        boot=state.boot,
        looked_at=None if state.looked_at is None else dated(state.looked_at),
        reachable=state.reachable,
        fair=balance.Reckoning(state, now, times).fair,
        leaving=state.leaving,
        members=sorted(members, key=lambda member: (member.name, member.boot)),
        shards=[_shard(state, shard, now, times, dated) for shard in ALL_SHARDS],
        moves=list(moves),
    )


def _member(
    state: State, member: Member, moved_at: float, here: bool, sign: MemberSign, dated: Dated
) -> MemberView:
    shards = [s for s in ALL_SHARDS if s in state.seen and state.seen[s].lease.owner == member.boot]
    return MemberView(
        boot=member.boot,
        name=member.name,
        version=member.version,
        sign=sign,
        here=here,
        load=sum(weight_of(shard) for shard in shards),
        shards=shards,
        sees_network=member.sees_network,
        clock_ahead_s=member.clock_ahead_s,
        moved_at=dated(moved_at),
    )


def _shard(state: State, shard: str, now: float, times: KeeperTimes, dated: Dated) -> ShardView:
    seen = state.seen.get(shard)
    valid_for_s = core.valid_for_s(state, shard, now)
    return ShardView(
        shard=shard,
        owned=_owned(state, seen, now, times),
        owner="" if seen is None else seen.lease.owner,
        epoch=0 if seen is None else seen.lease.epoch,
        seq=0 if seen is None else seen.lease.seq,
        inbox_mark="0-0" if seen is None else seen.lease.inbox_mark,
        since=dated(now if seen is None else seen.owner_at),
        here=_here(state, shard, valid_for_s),
        valid_for_s=valid_for_s,
    )


def _owned(state: State, seen: Seen | None, now: float, times: KeeperTimes) -> Owned:
    if seen is None:
        return Owned.UNKNOWN
    if seen.lost:
        return Owned.LOST
    if not seen.lease.token:
        return Owned.FREE
    expired = has_expired(seen, now, times) and seen.lease.owner != state.boot
    return Owned.EXPIRED if expired else Owned.OWNED


def _here(state: State, shard: str, valid_for_s: float) -> Here:
    held = state.held.get(shard)
    if held is None:
        return Here.ELSEWHERE
    if held.stage in (Stage.DRAINING, Stage.GIVING):
        return Here.LEAVING
    if not valid_for_s:
        return Here.LAPSED
    return Here.STARTING if held.stage is Stage.STARTING else Here.RUNNING
