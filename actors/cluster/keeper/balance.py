"""Which shards to take and which to give: pure rules.

Everybody reckons alike: the fair share is the weight of all shards over the members that can serve.
Nobody takes what lives. Whoever has more than a fair share and one gives, one shard after the
other, so long as somebody has room; what is free or expired is taken by those who have room, each
in an order of its own, so that two seldom ask for the same one.
"""

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from zlib import crc32

from actors.cluster.keeper.leases import has_expired, with_held
from actors.cluster.keeper.messages import Action, Forget, Stop, Take
from actors.cluster.keeper.state import Seen, Stage, State, weight_of
from actors.cluster.keeper.times import KeeperTimes
from actors.replace import replace
from store.engine.shards import ALL_SHARDS, FLEET

OURS = (Stage.STARTING, Stage.RUNNING)


class Reckoning:
    """Who can serve, what each has and should have, at one instant."""

    __slots__ = ("able", "blind", "fair", "here", "loads", "own", "to_take")

    def __init__(self, state: State, now: float, times: KeeperTimes) -> None:
        self.loads: dict[str, int] = {}
        """The weight of each process by its leases, by boot."""
        self.to_take: list[str] = []
        """The shards that nobody has, ours to be included where we did not know. Not what we gave
        and a failover gave back: whoever took it since, and lost that, comes first."""
        dead, weight = set(), 0
        for shard, seen in state.seen.items():
            one, owner = weight_of(shard), seen.lease.owner
            weight += one
            if owner:
                self.loads[owner] = self.loads.get(owner, 0) + one
            expired = bool(owner) and has_expired(seen, now, times)
            if expired:
                dead.add(owner)
            ours = owner == state.boot and seen.lease.token != state.gave.get(shard)
            if (expired or not owner or ours) and _can_be_taken(state, shard, now, times):
                self.to_take.append(shard)
        self.able = {
            boot
            for boot, other in state.members.items()
            if now - other.since < times.expired_s and not other.member.leaving and boot not in dead
        }
        """The boots of those, besides us, that can take shards."""
        self.here = not state.leaving and not cannot_serve(state, now, times)
        """Whether we can."""
        self.fair = math.ceil(weight / max(1, len(self.able) + self.here))
        """The weight that each should have; one more is no reason to move a shard."""
        self.own = own_load(state)
        self.blind = state.blind_since is not None and any(
            state.members[boot].member.sees_network for boot in self.able
        )
        """ChirpStack does not answer us, and does answer somebody else."""

    def gives(self, state: State, now: float, times: KeeperTimes) -> list[str]:
        """The shards to give, in order: as many as may go, however long it takes."""
        if state.leaving:  # the fleet shard first, for it takes longest
            return sorted(
                (s for s, held in state.held.items() if held.stage in OURS),
                key=lambda s: (s != FLEET, state.held[s].stage is Stage.STARTING, *_idle(state, s)),
            )
        gives = []
        blind_for_s = 0.0 if state.blind_since is None else now - state.blind_since
        if self.blind and blind_for_s >= times.blind_s and _runs(state, FLEET):
            gives.append(FLEET)
        over = self.own - (self.fair + 1)
        roomy = over > 0 and any(
            self.loads.get(boot, 0) < self.fair and state.members[boot].moves for boot in self.able
        )
        if roomy and not _left_lying(state, now, times):
            lights = [shard for shard in state.held if shard != FLEET and _runs(state, shard)]
            gives += sorted(lights, key=lambda s: _idle(state, s))[:over]
        return gives

    def awaits(self, state: State) -> bool:
        """Whether a shard is about to be ours: we have room, and somebody gives or none has it."""
        if self.own >= self.fair or not self.here:
            return False
        return bool(self.to_take) or any(
            load > 0 and (seen.member.leaving or (boot in self.able and load > self.fair + 1))
            for boot, seen in state.members.items()
            if (load := self.loads.get(boot, 0))
        )


def cannot_serve(state: State, now: float, times: KeeperTimes) -> bool:
    """Whether something here has failed for longer than a lease, though the engine answers."""
    return state.unable_since is not None and now - state.unable_since >= times.ttl_s


def own_load(state: State) -> int:
    """Our weight, with what we are about to have and without what we are about to give.

    Nor with what lies where we cannot look: others may have that by now, and whoever counted it
    would never take what is given to him.
    """
    held = sum(
        weight_of(s) for s, h in state.held.items() if h.stage in OURS and _is_seen(state, s)
    )
    return held + sum(weight_of(shard) for shard in state.taking)


def plan(state: State, now: float, times: KeeperTimes) -> tuple[State, list[Action]]:
    """What to take and to give now. Nothing while the engine does not answer, unless we leave."""
    if not state.reachable and not state.leaving:
        return state, []
    reckoning = Reckoning(state, now, times)
    state, gives = _give(state, reckoning, now, times)
    state, takes = _take(state, reckoning, now, times)
    return state, [*gives, *takes]


def _take(
    state: State, reckoning: Reckoning, now: float, times: KeeperTimes
) -> tuple[State, list[Action]]:
    if not reckoning.here or not state.reachable or not reckoning.to_take:
        return state, []
    # one whose lease has lapsed does not get on: its part of the engine is away
    starting = sum(
        held.stage is Stage.STARTING and now < held.valid_until for held in state.held.values()
    )
    own, taking = reckoning.own, dict(state.taking)
    actions: list[Action] = []
    for shard, seen in _in_our_order(state, reckoning):
        waited_s = now - (seen.since or now) - (times.expired_s if seen.lease.token else 0.0)
        left_over = waited_s >= times.patience_s
        if shard == FLEET:
            # It does not wait for room: its owner gives light shards for it.
            fits = (own <= reckoning.fair or left_over) and not reckoning.blind
            fits = fits or (own <= reckoning.fair and waited_s >= times.blind_s)
        else:
            fits = own <= reckoning.fair or left_over
            fits = fits and starting + len(taking) < times.starting_most
        if fits:
            own += weight_of(shard)
            taking[shard] = seen
            actions.append(Take(shard, seen.lease))
    return (replace(state, taking=taking) if actions else state), actions


def _give(
    state: State, reckoning: Reckoning, now: float, times: KeeperTimes
) -> tuple[State, list[Action]]:
    actions: list[Action] = []
    each_s = give_each_s(state, reckoning, times)
    for shard in reckoning.gives(state, now, times):
        if now - state.gave_at < each_s:
            break
        held = state.held[shard]
        actions.append(Stop(shard, at_once=held.stage is Stage.STARTING))
        state = with_held(state, shard, replace(held, stage=Stage.DRAINING))
        state = replace(state, gave_at=max(state.gave_at + each_s, now - times.soon_s))
    return state, actions


def give_each_s(state: State, reckoning: Reckoning, times: KeeperTimes) -> float:
    """The time between two gives; none where nobody would see to a shard meanwhile anyway."""
    if not state.leaving:
        return times.give_each_s
    return state.leave_each_s if reckoning.able else 0.0


def to_forget(state: State, now: float, times: KeeperTimes) -> list[Action]:
    """The members that gave no sign of life for so long that they are struck off the list."""
    return [
        Forget(boot) for boot, seen in state.members.items() if now - seen.since >= times.forget_s
    ]


def _can_be_taken(state: State, shard: str, now: float, times: KeeperTimes) -> bool:
    """Whether what is seen of it, that nobody has it, can be acted upon here."""
    seen = state.seen[shard]
    ours = shard in state.held or shard in state.taking
    old = seen.asked_at < state.changed.get(shard, -math.inf)  # from before our own last call
    avoided = state.avoid.get(shard, now) > now
    refused = now - state.refused.get(shard, -math.inf) < times.look_s
    # whoever had it takes it again: they know what else the failover took
    theirs = now - seen.back_at < times.expired_s
    return not (ours or old or avoided or refused or theirs or seen.lost or seen.since is None)


def _in_our_order(state: State, reckoning: Reckoning) -> Iterator[tuple[str, Seen]]:
    """The fleet shard first, for all depend on it; the others in an order of our own, those last
    whose take was not answered: where a part of the engine is away others have their turn."""
    order = _order_of(state.boot)
    for shard in sorted(
        reckoning.to_take,
        key=lambda s: (s != FLEET, state.refused.get(s, -math.inf), order.get(s, 0)),
    ):
        yield shard, state.seen[shard]


@lru_cache(maxsize=16)  # one process has one boot; a simulation some more
def _order_of(boot: str) -> Mapping[str, int]:
    return {shard: crc32(f"{boot}:{shard}".encode()) for shard in ALL_SHARDS}


def _is_seen(state: State, shard: str) -> bool:
    seen = state.seen.get(shard)
    return seen is None or seen.since is not None


def _runs(state: State, shard: str) -> bool:
    held = state.held.get(shard)
    return held is not None and held.stage is Stage.RUNNING


def _idle(state: State, shard: str) -> tuple[float, str]:
    """Least for the shard that has committed nothing for longest."""
    seen = state.seen.get(shard)
    return (-math.inf if seen is None else seen.seq_at), shard


def _left_lying(state: State, now: float, times: KeeperTimes) -> bool:
    """Whether something that was given waits: nobody takes, so nothing more is given."""
    return any(
        not seen.lease.token and not seen.lost and now - seen.owner_at > times.look_s
        for shard, seen in state.seen.items()
        if shard != FLEET and shard not in state.held
    )
