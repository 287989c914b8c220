"""What the keeper knows: its own leases, everybody's leases as last seen, and the members.

Plain frozen values, changed by `core.step` only. Times are steady seconds of this process.
"""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from store.engine.port import Lease, Member
from store.engine.shards import FLEET

FLEET_WEIGHT: Final = 8
"""Of the fleet shard, whose owner also hands out every downlink; a light shard counts 1."""


def weight_of(shard: str) -> int:
    """What a shard adds to the load of its owner."""
    return FLEET_WEIGHT if shard == FLEET else 1


class Stage(StrEnum):
    """Where one of our shards is."""

    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"
    """To be given: its actors end."""
    GIVING = "giving"
    """Its actors are gone; the engine is told. Not renewed any more."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A shard that is ours."""

    lease: Lease
    """As we took it."""
    before: Lease
    """As it was when we took it."""
    owner_before: str = ""
    valid_until: float
    """By our own count; after it the lease has lapsed, which is not lost."""
    stage: Stage = Stage.STARTING
    set_back: bool = False
    """The engine forgot our take, and the store is looking after it."""
    dark_since: float = math.nan
    """When the owner before us was last seen to be alive."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A lease as the engine showed it."""

    lease: Lease
    asked_at: float
    """When the look began that showed it."""
    since: float | None
    """Since when it was not seen to move, over an unbroken series of looks; None where broken."""
    moved_at: float
    """When it was last seen to move, however many looks failed since."""
    owner_at: float
    """When its owner, or that it has none, was first seen."""
    seq_at: float
    """When a commit was last seen."""
    known_at: float | None = None
    """When it was first seen to have had an owner; None before."""
    back_at: float = -math.inf
    """When a failover was last seen to have taken somebody's take of it back."""
    last_owner: str = ""
    """Who had it last, where nobody has."""
    lost: bool = False
    """It was there, and is gone: the engine lost data."""


class SeenMember(msgspec.Struct, frozen=True, kw_only=True):
    """A process as it last showed itself; the times are as in `Seen`."""

    member: Member
    since: float
    moved_at: float
    moves: bool = False
    """It was seen to be alive, not just to be on the list: nobody gives a shard to the dead."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Everything. Mappings are by shard, `members` by boot; none is ever changed in place."""

    boot: str
    held: Mapping[str, Held] = msgspec.field(default_factory=dict)
    taking: Mapping[str, Seen] = msgspec.field(default_factory=dict)
    """Asked for, not answered yet; as it was seen then."""
    seen: Mapping[str, Seen] = msgspec.field(default_factory=dict)
    members: Mapping[str, SeenMember] = msgspec.field(default_factory=dict)
    """The others."""
    changed: Mapping[str, float] = msgspec.field(default_factory=dict)
    """When we last changed a lease: a look that was begun before says nothing of it."""
    avoid: Mapping[str, float] = msgspec.field(default_factory=dict)
    """Until when a shard is left to others, since its actors did not start here."""
    refused: Mapping[str, float] = msgspec.field(default_factory=dict)
    """When a take of a shard was last not answered, as where its part of the engine is away."""
    looked_at: float | None = None
    """When the engine answered last."""
    reachable: bool = False
    unbroken: bool = False
    """The last look was answered, so that the next one goes on from it."""
    gave: Mapping[str, str] = msgspec.field(default_factory=dict)
    """The token of a shard that we gave last: seen again, a failover took that back."""
    gave_at: float = -math.inf
    blind_since: float | None = None
    """Since when ChirpStack does not answer us."""
    unable_since: float | None = None
    """Since when we cannot serve although the engine answers."""
    leaving: bool = False
    leave_each_s: float = 0.0
    """Between two gives when leaving: all are given within some 60 % of the time for it."""
