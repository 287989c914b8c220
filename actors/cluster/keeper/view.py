"""What this process sees of the cluster: members, shards and how these came to their owners.

Everybody sees for themselves. One that is cut off from the engine sees an old picture, and
`looked_at` says how old. Times are Unix seconds by this process's clock.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

MOVES_MOST = 256
"""Moves that are remembered, some 200 bytes each: 50 kB, and three times all shards."""


class MemberSign(StrEnum):
    """What is known of a process."""

    ALIVE = "alive"
    LEAVING = "leaving"
    """It takes nothing and gives what it has: it ends, or cannot serve."""
    SILENT = "silent"
    """It gave no sign of life for longer than a lease lasts."""


class MemberView(msgspec.Struct, frozen=True):
    """A process that takes part."""

    boot: str
    name: str
    version: str
    sign: MemberSign
    here: bool
    """This process itself."""
    load: int
    """Weight of its shards, as it told: a light shard counts 1, the fleet shard 8."""
    shards: Sequence[str]
    """Those that it owns, by their leases."""
    sees_network: bool
    clock_ahead_s: float
    moved_at: float
    """When it was last seen to give a sign of life."""


class Owned(StrEnum):
    """Whether somebody sees to a shard."""

    OWNED = "owned"
    EXPIRED = "expired"
    """Its owner gave no sign of life for longer than a lease lasts."""
    FREE = "free"
    """It was given, or never taken."""
    LOST = "lost"
    """Its lease was there and is gone: the engine lost data. Nobody takes it; see `doctor`."""
    UNKNOWN = "unknown"
    """Not looked at yet."""


class Here(StrEnum):
    """What a shard is to this process."""

    ELSEWHERE = "elsewhere"
    STARTING = "starting"
    RUNNING = "running"
    LAPSED = "lapsed"
    """Ours, and not renewed in time: its actors go on, and nothing goes out that cannot be taken
    back."""
    LEAVING = "leaving"


class ShardView(msgspec.Struct, frozen=True):
    """One part of the fleet."""

    shard: str
    owned: Owned
    owner: str
    """The boot of the process; empty where there is none."""
    epoch: int
    seq: int
    inbox_mark: str
    since: float
    """Since when this owner has it, or nobody, as far as was seen."""
    here: Here
    valid_for_s: float
    """Of our own lease; 0 of others."""


class Why(StrEnum):
    """Why a shard came to another owner."""

    EXPIRED = "expired"
    """The one before gave no sign of life."""
    GIVEN = "given"
    """The one before had too many, left, or does not see ChirpStack."""
    NEW = "new"
    """It never had an owner."""
    FORGOTTEN = "forgotten"
    """The engine forgot the take (a failover): taken anew by the same process."""


class Move(msgspec.Struct, frozen=True):
    """A shard came to an owner."""

    at: float
    shard: str
    why: Why
    before: str
    """The boot of its owner before; empty where that is not known."""
    after: str
    dark_s: float
    """For how long nobody had it, as far as was seen; of our own until its actors ran."""


class ClusterView(msgspec.Struct, frozen=True):
    """The whole, at one instant."""

    boot: str
    looked_at: float | None
    """When the engine answered last; None before the first time."""
    reachable: bool
    """Whether it answered the last time it was asked."""
    fair: int
    """The weight that each member should have, one more at most."""
    leaving: bool
    members: Sequence[MemberView]
    """By name, then boot."""
    shards: Sequence[ShardView]
    """The light shards by number, then the fleet shard."""
    moves: Sequence[Move]
    """The newest first."""

    @property
    def unowned(self) -> Sequence[ShardView]:
        """Shards to which nobody sees now."""
        return [shard for shard in self.shards if shard.owned is not Owned.OWNED]
