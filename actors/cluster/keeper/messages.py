"""What the keeper observes, and what it does about it."""

from collections.abc import Mapping, Sequence

import msgspec

from actors.cluster.keeper.view import Why
from store.engine.port import Lease, Member, Result

# ------------------------------------------------------------------------------ observations


class Looked(msgspec.Struct, frozen=True):
    """The engine showed its leases and members; it was asked at `sent` (steady seconds).

    `members` is None where the part of it that has them did not answer: nothing is known of them
    then, while the leases of the other parts count.
    """

    sent: float
    leases: Mapping[str, Lease]
    members: Sequence[Member] | None


class LookFailed(msgspec.Struct, frozen=True):
    """It did not."""


class Renewed(msgspec.Struct, frozen=True):
    """Renewals that were sent at `sent` are answered; of a missing one nothing is known."""

    sent: float
    results: Mapping[str, Result]


class TakeAnswered(msgspec.Struct, frozen=True):
    """The engine gave us the shard, or None: it had moved."""

    shard: str
    sent: float
    lease: Lease | None


class TakeUnknown(msgspec.Struct, frozen=True):
    """The engine did not say in time whether we have it, or not enough copies confirmed it."""

    shard: str


class Started(msgspec.Struct, frozen=True):
    """The actors of a shard run."""

    shard: str


class StartFailed(msgspec.Struct, frozen=True):
    """They cannot here, and are stopped."""

    shard: str


class Stopped(msgspec.Struct, frozen=True):
    """The actors of a shard that is to be given have ended."""

    shard: str


class Gave(msgspec.Struct, frozen=True):
    """The engine was told, or cannot be: the lease ends by itself then."""

    shard: str


class SetBackEnded(msgspec.Struct, frozen=True):
    """The store has looked after a shard that the engine had set back, or cannot."""

    shard: str


class Retaken(msgspec.Struct, frozen=True):
    """The store took one of our shards again, under this lease."""

    shard: str
    lease: Lease


class FenceTold(msgspec.Struct, frozen=True):
    """The store found one of our shards to be another's, and writes it no more."""

    shard: str


class Able(msgspec.Struct, frozen=True):
    """What this process can do now."""

    sees_network: bool
    can_serve: bool


class LeaveAsked(msgspec.Struct, frozen=True):
    """The process is about to end."""


Observation = (
    Looked
    | LookFailed
    | Renewed
    | TakeAnswered
    | TakeUnknown
    | Started
    | StartFailed
    | Stopped
    | Gave
    | SetBackEnded
    | Retaken
    | FenceTold
    | Able
    | LeaveAsked
)

# ----------------------------------------------------------------------------------- actions


class Take(msgspec.Struct, frozen=True):
    """Ask for the shard, if it has not moved since it was `seen`."""

    shard: str
    seen: Lease


class Start(msgspec.Struct, frozen=True):
    """Start its actors under this lease."""

    shard: str
    lease: Lease


class SetBack(msgspec.Struct, frozen=True):
    """The engine forgot our take: have the store take the shard again, and send what is missing."""

    shard: str


class Fence(msgspec.Struct, frozen=True):
    """Stop its actors at once."""

    shard: str


class Stop(msgspec.Struct, frozen=True):
    """Drain and end its actors, then say so; `at_once` where they only start."""

    shard: str
    at_once: bool


class Give(msgspec.Struct, frozen=True):
    """Tell the engine that it is ours no more."""

    shard: str


class Forget(msgspec.Struct, frozen=True):
    """Strike a process off the list."""

    boot: str


class Tell(msgspec.Struct, frozen=True):
    """A shard came to an owner; `dark_s` for how long nobody had it, as far as was seen."""

    shard: str
    why: Why
    before: str
    after: str
    dark_s: float


Action = Take | Start | SetBack | Fence | Stop | Give | Forget | Tell
