"""What is seen of leases and members, and what becomes of ours: pure rules.

An observer judges by its own clock alone: a lease that was not seen to move for longer than it
holds has expired, if every look between was answered in time. After a look that failed or came late
all clocks start anew, those of members as well: so whoever slept takes nothing on waking, and after
an outage of the engine the owners have time to renew.
"""

import math
from collections.abc import Sequence

from actors.cluster.keeper.messages import Action, Fence, Looked, Renewed, SetBack, Tell
from actors.cluster.keeper.state import Held, Seen, SeenMember, Stage, State
from actors.cluster.keeper.times import KeeperTimes
from actors.cluster.keeper.view import Why
from actors.replace import replace
from store.engine.epochs import is_lost, was_overtaken
from store.engine.port import Applied, Lease, Member


def has_expired(seen: Seen, now: float, times: KeeperTimes) -> bool:
    """Whether its owner was not seen to be alive for longer than the lease holds."""
    waited = seen.since is not None and now - seen.since >= times.expired_s
    return waited and bool(seen.lease.token)


def _members(
    state: State, told: Sequence[Member] | None, unbroken: bool, now: float
) -> dict[str, SeenMember]:
    """The others. Where nothing was told of them nobody is thought to be gone: their times begin
    anew."""
    if told is None:
        return {boot: replace(one, since=now) for boot, one in state.members.items()}
    members: dict[str, SeenMember] = {}
    for member in told:
        if member.boot != state.boot:
            before = state.members.get(member.boot)
            moved = before is None or before.member.beat != member.beat
            members[member.boot] = SeenMember(
                member=member,
                since=now if before is None or moved or not unbroken else before.since,
                moved_at=now if before is None or moved else before.moved_at,
                moves=before is not None and (moved or before.moves),
            )
    return members


def looked(
    state: State, told: Looked, now: float, times: KeeperTimes
) -> tuple[State, list[Action]]:
    """The engine answered a look at `now`."""
    most_s = times.look_s + times.late_s
    late = state.looked_at is None or told.sent - state.looked_at > most_s
    late = late or now - told.sent > most_s  # the answer is from before we slept, perhaps
    unbroken = state.unbroken and not late
    seen: dict[str, Seen] = {}
    actions: list[Action] = []
    for shard in {**state.seen, **told.leases}:
        old, lease = state.seen.get(shard), told.leases.get(shard)
        if lease is None and old is not None:
            seen[shard] = replace(old, since=None)
        elif old is not None and _too_old(state, shard, told.sent):
            seen[shard] = old
        elif lease is not None:
            seen[shard] = _see(old, lease, unbroken, told.sent, now)
            actions += _moved(state.boot, shard, old, lease, now, times)
    members = _members(state, told.members, unbroken, now)
    state = replace(state, seen=seen, members=members, looked_at=now, reachable=True, unbroken=True)
    for shard, lease in told.leases.items():
        if shard in state.held and not _too_old(state, shard, told.sent):
            state, more = displaced(state, shard, lease, now)
            actions += more
    return state, actions


def renewed(
    state: State, told: Renewed, now: float, times: KeeperTimes
) -> tuple[State, list[Action]]:
    """The engine answered renewals. Each counts from when it was sent."""
    actions: list[Action] = []
    for shard, result in told.results.items():
        held = state.held.get(shard)
        if held is None or _too_old(state, shard, told.sent):
            continue
        if result.applied is Applied.FENCED:
            state, more = displaced(state, shard, result.lease, now)
            actions += more
        elif result.lease.token == held.lease.token and not held.set_back:
            until = max(held.valid_until, told.sent + times.ttl_s)
            state = with_held(state, shard, replace(held, valid_until=until))
    return state, actions


def displaced(state: State, shard: str, stored: Lease, now: float) -> tuple[State, list[Action]]:
    """The engine has this lease for a shard that we hold. Nothing happens where it is ours.

    Epochs only rise, so a lower one says that the engine was set back to before our take: what we
    know is newer than what is stored, and the store takes the shard again at once. Likewise where
    the stored lease was made by a take of ours whose answer never came. A lower one that is above
    what we took from was made since our take was lost.
    """
    held = state.held[shard]
    if stored.token == held.lease.token or held.set_back:
        return state, []
    newer = stored.epoch >= held.lease.epoch
    newer = newer or was_overtaken(stored, held.before.epoch, held.lease)
    if held.stage is Stage.GIVING:  # its answer is on its way: nothing of it runs here any more
        return given(state, shard, stored, now), []
    if newer and stored.owner != state.boot:
        seen = as_seen(stored, now, state.seen.get(shard))
        return without(replace(state, seen={**state.seen, shard: seen}), shard, now), [Fence(shard)]
    lapsed = replace(held, valid_until=-math.inf)
    gone = stored.epoch == 0 and held.before.epoch > 0  # the whole lease, and the one before it
    if gone or is_lost(stored, known_s(state, shard, now)):
        return with_held(state, shard, lapsed), []
    return with_held(state, shard, replace(lapsed, set_back=True)), [SetBack(shard)]


def with_held(state: State, shard: str, held: Held) -> State:
    """The state with one of our shards changed."""
    return replace(state, held={**state.held, shard: held})


def given(state: State, shard: str, lease: Lease, now: float) -> State:
    """The state after one of our shards was given; the engine has this lease of it."""
    seen = as_seen(lease, now, state.seen.get(shard))
    gave = {**state.gave, shard: state.held[shard].lease.token}
    return without(replace(state, seen={**state.seen, shard: seen}, gave=gave), shard, now)


def without(state: State, shard: str, now: float) -> State:
    """The state without one of our shards; looks that were begun before say nothing of it."""
    held = {name: one for name, one in state.held.items() if name != shard}
    return replace(state, held=held, changed={**state.changed, shard: now})


def as_seen(lease: Lease, now: float, old: Seen | None) -> Seen:
    """A lease that we were told of outside a look."""
    asked_at = -math.inf if old is None else old.asked_at
    return _see(old, lease, False, asked_at, now)


def known_s(state: State, shard: str, now: float) -> float:
    """For how long we know that this shard has had an owner."""
    return _known_s(state.seen.get(shard), now)


def _known_s(seen: Seen | None, now: float) -> float:
    return 0.0 if seen is None or seen.known_at is None else now - seen.known_at


def _too_old(state: State, shard: str, sent: float) -> bool:
    """Whether what was asked for at `sent` may be from before our own last change."""
    return shard in state.taking or state.changed.get(shard, -math.inf) > sent


def _see(
    old: Seen | None,
    lease: Lease,
    unbroken: bool,
    asked_at: float,
    now: float,
) -> Seen:
    known = now if lease.epoch > 0 else None
    if old is None:
        return Seen(
            lease=lease,
            asked_at=asked_at,
            since=now,
            moved_at=now,
            owner_at=now,
            seq_at=now,
            known_at=known,
        )
    moved = lease.moved_by != old.lease.moved_by
    gone = lease.epoch == 0 and old.known_at is not None
    lost = gone and (old.lost or is_lost(lease, _known_s(old, now)))
    return Seen(
        lease=lease,
        asked_at=asked_at,
        since=now if moved or not unbroken or old.since is None else old.since,
        moved_at=now if moved else old.moved_at,
        owner_at=now if lease.token != old.lease.token else old.owner_at,
        seq_at=now if (lease.token, lease.seq) != (old.lease.token, old.lease.seq) else old.seq_at,
        known_at=old.known_at if old.known_at is not None else known,
        back_at=now if lease.epoch < old.lease.epoch and old.lease.owner else old.back_at,
        last_owner=old.lease.owner or old.last_owner,
        lost=lost,
    )


def _moved(
    boot: str, shard: str, old: Seen | None, lease: Lease, now: float, times: KeeperTimes
) -> list[Action]:
    """What is told of another process that became the owner."""
    if old is None or lease.token in ("", old.lease.token) or lease.owner == boot:
        return []
    dark_s = now - dark_from(old)
    before = old.lease.owner or old.last_owner
    return [Tell(shard, why_of(old.lease, lease, dark_s, times), before, lease.owner, dark_s)]


def dark_from(seen: Seen) -> float:
    """When somebody was last seen to have the shard."""
    return seen.moved_at if seen.lease.token else seen.owner_at


def why_of(before: Lease, after: Lease, dark_s: float, times: KeeperTimes) -> Why:
    """Why the owner is another one."""
    if before.epoch == 0:
        return Why.NEW
    if before.token and before.owner == after.owner:
        return Why.FORGOTTEN
    return Why.EXPIRED if before.token and dark_s >= times.ttl_s else Why.GIVEN
