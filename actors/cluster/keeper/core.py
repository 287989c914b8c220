"""The keeper as a pure function of (state, observation, now) to (state, actions).

No clock, no chance and no waiting: the shell in `keeper.py` measures the time, asks the engine and
carries the actions out. `now` is steady seconds and never goes back.
"""

import math
from collections.abc import Mapping
from typing import assert_never

from actors.cluster.keeper import balance, leases
from actors.cluster.keeper.messages import (
    Able,
    Action,
    Fence,
    FenceTold,
    Gave,
    Give,
    LeaveAsked,
    Looked,
    LookFailed,
    Observation,
    Renewed,
    Retaken,
    SetBackEnded,
    Start,
    Started,
    StartFailed,
    Stopped,
    TakeAnswered,
    TakeUnknown,
    Tell,
)
from actors.cluster.keeper.state import Held, Stage, State
from actors.cluster.keeper.times import KeeperTimes
from actors.cluster.keeper.view import Why
from actors.replace import replace
from store.engine.port import Lease

SOONEST_S = 0.02
"""Between two looks at least."""


def step(
    state: State, told: Observation, now: float, times: KeeperTimes
) -> tuple[State, list[Action]]:
    """What follows from one observation, and what is to be taken and given now."""
    before = state
    state, actions = _observed(state, told, now, times)
    calm = isinstance(told, Renewed) and not actions
    if state is before or calm:  # what time alone brings about, the next look will see
        return state, actions
    state, more = balance.plan(state, now, times)
    return state, [*actions, *more]


def valid_for_s(state: State, shard: str, now: float) -> float:
    """For how long our lease of this shard surely holds; 0 where there is none or it has lapsed."""
    held = state.held.get(shard)
    if held is None or held.set_back or held.stage is Stage.GIVING:
        return 0.0
    return max(0.0, held.valid_until - now)


def to_renew(state: State, now: float, times: KeeperTimes) -> Mapping[str, str]:
    """The tokens to renew. Whoever cannot serve lets its leases go to somebody who can."""
    if balance.cannot_serve(state, now, times):
        return {}
    return {
        shard: held.lease.token
        for shard, held in state.held.items()
        if held.stage is not Stage.GIVING and not held.set_back
    }


def next_look(state: State, now: float, times: KeeperTimes) -> tuple[float, bool]:
    """When to look next, and whether a shard is about to be ours.

    Every second, when a lease expires, and soon where a shard is awaited.
    """
    at = now + times.look_s
    reckoning = balance.Reckoning(state, now, times)
    awaits = reckoning.awaits(state)
    if not state.reachable:
        return at, awaits
    for seen in state.seen.values():
        if seen.since is not None and seen.lease.token and seen.lease.owner != state.boot:
            expires_at = seen.since + times.expired_s
            at = expires_at if now < expires_at < at else at
    if reckoning.gives(state, now, times):
        at = min(at, state.gave_at + balance.give_each_s(state, reckoning, times))
    if state.leaving or awaits:
        at = min(at, now + times.soon_s)
    return max(at, now + SOONEST_S), awaits


def _observed(
    state: State, told: Observation, now: float, times: KeeperTimes
) -> tuple[State, list[Action]]:
    match told:
        case Looked():
            state, actions = leases.looked(state, told, now, times)
            return state, [*actions, *balance.to_forget(state, now, times)]
        case LookFailed():
            return replace(state, reachable=False, unbroken=False, unable_since=None), []
        case Renewed():
            return leases.renewed(state, told, now, times)
        case TakeAnswered():
            return _take_answered(state, told, now, times)
        case TakeUnknown(shard=shard):
            state = replace(state, refused={**state.refused, shard: now})
            return _asked_no_more(state, shard, now), []
        case SetBackEnded() | Retaken() | FenceTold():
            return _told_by_store(state, told, now) if told.shard in state.held else (state, [])
        case Started(shard=shard):
            return _started(state, shard, now, times)
        case StartFailed(shard=shard):
            state = replace(state, avoid={**state.avoid, shard: now + times.avoid_s})
            return _give(state, shard)
        case Stopped(shard=shard):
            held = state.held.get(shard)
            draining = held is not None and held.stage is Stage.DRAINING
            return _give(state, shard) if draining else (state, [])
        case Gave(shard=shard):
            return _gave(state, shard, now), []
        case Able():
            return _able(state, told, now), []
        case LeaveAsked():
            each_s = min(times.give_each_s, 0.6 * times.leave_s / max(1, len(state.held)))
            return replace(state, leaving=True, leave_each_s=each_s), []
        case _:
            assert_never(told)


def _take_answered(
    state: State, told: TakeAnswered, now: float, times: KeeperTimes
) -> tuple[State, list[Action]]:
    shard, lease, asked = told.shard, told.lease, state.taking.get(told.shard)
    state = _asked_no_more(state, shard, now)
    if lease is None or asked is None:
        return state, []
    seen = leases.as_seen(lease, now, state.seen.get(shard))
    state = replace(state, seen={**state.seen, shard: seen})
    held = Held(
        lease=lease,
        before=asked.lease,
        owner_before=asked.lease.owner or asked.last_owner,
        valid_until=told.sent + times.ttl_s,
        dark_since=leases.dark_from(asked) if asked.lease.epoch else now,
    )
    state = leases.with_held(state, shard, held)
    return _give(state, shard) if state.leaving else (state, [Start(shard, lease)])


def _asked_no_more(state: State, shard: str, now: float) -> State:
    """A take is over: what was asked for before it ended says nothing of the lease."""
    taking = {name: seen for name, seen in state.taking.items() if name != shard}
    return replace(state, taking=taking, changed={**state.changed, shard: now})


def _started(
    state: State, shard: str, now: float, times: KeeperTimes
) -> tuple[State, list[Action]]:
    held = state.held.get(shard)
    if held is None or held.stage is not Stage.STARTING:
        return state, []
    state = leases.with_held(state, shard, replace(held, stage=Stage.RUNNING))
    dark_s = 0.0 if math.isnan(held.dark_since) else now - held.dark_since
    why = leases.why_of(held.before, held.lease, dark_s, times)
    return state, [Tell(shard, why, held.owner_before, state.boot, dark_s)]


def _told_by_store(
    state: State, told: SetBackEnded | Retaken | FenceTold, now: float
) -> tuple[State, list[Action]]:
    """The store, which commits under our lease, has seen what the engine has of it."""
    shard, held = told.shard, state.held[told.shard]
    match told:
        case SetBackEnded():
            return leases.with_held(state, shard, replace(held, set_back=False)), []
        case FenceTold():
            return leases.without(state, shard, now), [Fence(shard)]
        case Retaken(lease=lease):
            # It counts from the next renewal on: when the store had asked is not known here.
            held = replace(held, lease=lease, valid_until=-math.inf, set_back=False)
            state = leases.with_held(state, shard, held)
            state = replace(
                state,
                seen={**state.seen, shard: leases.as_seen(lease, now, state.seen.get(shard))},
                changed={**state.changed, shard: now},
            )
            return state, [Tell(shard, Why.FORGOTTEN, state.boot, state.boot, 0.0)]


def _give(state: State, shard: str) -> tuple[State, list[Action]]:
    held = state.held.get(shard)
    if held is None or held.stage is Stage.GIVING:
        return state, []
    state = leases.with_held(state, shard, replace(held, stage=Stage.GIVING))
    return state, [Give(shard)]


def _gave(state: State, shard: str, now: float) -> State:
    held = state.held.get(shard)
    if held is None or held.stage is not Stage.GIVING:
        return state
    seen = state.seen.get(shard)
    last = held.lease if seen is None else seen.lease
    free = Lease(epoch=last.epoch, beat=last.beat, seq=last.seq)
    return leases.given(state, shard, free, now)


def _able(state: State, told: Able, now: float) -> State:
    blind, unable = state.blind_since, state.unable_since
    if told.sees_network:
        blind = None
    elif blind is None:
        blind = now
    if told.can_serve or not state.reachable:  # nobody can serve while the engine is away
        unable = None
    elif unable is None:
        unable = now
    if (blind, unable) == (state.blind_since, state.unable_since):
        return state
    return replace(state, blind_since=blind, unable_since=unable)
