"""Which shards to take and which to give: pure rules.

Everybody reckons alike: the fair share is the weight of all shards over the members that can serve.
Nobody takes what lives. Whoever has more than a fair share and one gives, one shard after the
other, so long as somebody has room; what is free or expired is taken by those who have room, each
in an order of its own, so that two seldom ask for the same one.
"""

import math
from collections.abc import Iterable
from zlib import crc32

from actors.cluster.keeper.leases import has_expired, with_held
from actors.cluster.keeper.messages import Action, Forget, Stop, Take
from actors.cluster.keeper.state import Seen, Stage, State, weight_of
from actors.cluster.keeper.times import KeeperTimes
from actors.replace import replace
from store.engine.shards import FLEET, LIGHT_SHARDS

OURS = (Stage.STARTING, Stage.RUNNING)


def cannot_serve(state: State, now: float, times: KeeperTimes) -> bool:
    """Whether something here has failed for longer than a lease, though the engine answers."""
    return state.unable_since is not None and now - state.unable_since >= times.ttl_s


def able_members(state: State, now: float, times: KeeperTimes) -> set[str]:
    """The boots of those, besides us, that can take shards."""
    expired = {s.lease.owner for s in state.seen.values() if has_expired(s, now, times)}
    return {
        boot
        for boot, seen in state.members.items()
        if now - seen.since < times.expired_s and not seen.member.leaving and boot not in expired
    }


def fair_share(state: State, now: float, times: KeeperTimes) -> int:
    """The weight that each should have; one more is no reason to move a shard."""
    here = not state.leaving and not cannot_serve(state, now, times)
    weight = sum(weight_of(shard) for shard in state.seen)
    return math.ceil(weight / max(1, len(able_members(state, now, times)) + here))


def own_load(state: State) -> int:
    """Our weight, with what we are about to have and without what we are about to give."""
    held = sum(weight_of(s) for s, h in state.held.items() if h.stage in OURS)
    return held + sum(weight_of(shard) for shard in state.taking)


def load_of(state: State, boot: str) -> int:
    """The weight of another member by the leases that it has."""
    return sum(weight_of(s) for s, seen in state.seen.items() if seen.lease.owner == boot)


def plan(state: State, now: float, times: KeeperTimes) -> tuple[State, list[Action]]:
    """What to take and to give now. Nothing while the engine does not answer, unless we leave."""
    if not state.reachable and not state.leaving:
        return state, []
    state, gives = _give(state, now, times)
    state, takes = _take(state, now, times)
    return state, [*gives, *takes]


def to_take(state: State, now: float, times: KeeperTimes) -> Iterable[tuple[str, Seen]]:
    """The shards that nobody has, in our order: the fleet shard first, for all depend on it."""
    for shard in sorted(
        state.seen, key=lambda s: (s != FLEET, crc32(f"{state.boot}:{s}".encode()))
    ):
        seen = state.seen[shard]
        ours = shard in state.held or shard in state.taking
        old = seen.asked_at < state.changed.get(shard, -math.inf)  # from before our own last call
        if ours or old or seen.lost or seen.since is None or state.avoid.get(shard, now) > now:
            continue
        if not seen.lease.token or seen.lease.owner == state.boot or has_expired(seen, now, times):
            yield shard, seen


def _take(state: State, now: float, times: KeeperTimes) -> tuple[State, list[Action]]:
    if state.leaving or cannot_serve(state, now, times) or not state.reachable:
        return state, []
    able, fair = able_members(state, now, times), fair_share(state, now, times)
    blind = state.blind_since is not None and any(
        state.members[boot].member.sees_network for boot in able
    )
    starting = sum(held.stage is Stage.STARTING for held in state.held.values())
    actions: list[Action] = []
    for shard, seen in to_take(state, now, times):
        waited_s = now - (seen.since or now) - (times.expired_s if seen.lease.token else 0.0)
        left_over = waited_s >= times.patience_s
        own = own_load(state)
        if shard == FLEET:
            # It does not wait for room: its owner gives light shards for it.
            fits = own <= fair and not (blind and waited_s < times.blind_s)
            fits = fits or (left_over and not blind)
        else:
            fits = own + 1 <= fair + 1 or left_over
            fits = fits and starting + len(state.taking) < times.starting_most
        if fits:
            state = replace(state, taking={**state.taking, shard: seen})
            actions.append(Take(shard, seen.lease))
    return state, actions


def _give(state: State, now: float, times: KeeperTimes) -> tuple[State, list[Action]]:
    actions: list[Action] = []
    each_s = give_each_s(state, now, times)
    for shard in wanted_gives(state, now, times):
        if now - state.gave_at < each_s:
            break
        held = state.held[shard]
        actions.append(Stop(shard, at_once=held.stage is Stage.STARTING))
        state = with_held(state, shard, replace(held, stage=Stage.DRAINING))
        state = replace(state, gave_at=max(state.gave_at + each_s, now - times.soon_s))
    return state, actions


def give_each_s(state: State, now: float, times: KeeperTimes) -> float:
    """The time between two gives; none where nobody would see to a shard meanwhile anyway."""
    if not state.leaving:
        return times.give_each_s
    return state.leave_each_s if able_members(state, now, times) else 0.0


def wanted_gives(state: State, now: float, times: KeeperTimes) -> list[str]:
    """The shards to give, in order: as many as may go now, however long it takes."""
    running = [shard for shard, held in state.held.items() if held.stage is Stage.RUNNING]
    lights = sorted((s for s in running if s != FLEET), key=lambda s: (_seq_at(state, s), s))
    if state.leaving:  # the fleet first: it takes longest
        starting = [s for s, held in state.held.items() if held.stage is Stage.STARTING]
        return [*(s for s in running if s == FLEET), *lights, *starting]
    able, fair = able_members(state, now, times), fair_share(state, now, times)
    gives: list[str] = []
    blind = state.blind_since is not None and now - state.blind_since >= times.blind_s
    if blind and FLEET in running:
        gives += [FLEET] if any(state.members[b].member.sees_network for b in able) else []
    over = own_load(state) - (fair + 1)
    roomy = any(load_of(state, boot) < fair for boot in able)
    if over > 0 and roomy and not _left_lying(state, now, times):
        gives += lights[:over]
    return gives


def _seq_at(state: State, shard: str) -> float:
    """When it last committed: the idle ones are given first."""
    seen = state.seen.get(shard)
    return -math.inf if seen is None else seen.seq_at


def _left_lying(state: State, now: float, times: KeeperTimes) -> bool:
    """Whether something that was given waits: nobody takes, so nothing more is given."""
    return any(
        not seen.lease.token and not seen.lost and now - seen.owner_at > times.look_s
        for shard, seen in state.seen.items()
        if shard in LIGHT_SHARDS and shard not in state.held
    )


def to_forget(state: State, now: float, times: KeeperTimes) -> list[Action]:
    """The members that gave no sign of life for so long that they are struck off the list."""
    return [
        Forget(boot) for boot, seen in state.members.items() if now - seen.since >= times.forget_s
    ]
