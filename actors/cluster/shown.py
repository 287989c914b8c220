"""What is shown of the processes that serve a fleet: members, shards, moves.

Every process shows what it sees itself: one that is cut off from the engine shows an old picture,
and says how old (`looked_at`).
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec
from prometheus_client.core import Metric

from actors.alerts.finding import Finding
from actors.cluster.keeper.view import Here, MemberSign, Owned, Why


class ClusterMode(StrEnum):
    """How the fleet is served."""

    EMBEDDED = "embedded"
    """By this process alone, with a store of its own."""
    CLUSTER = "cluster"
    """By any number of processes on one engine."""


class MemberShown(msgspec.Struct, frozen=True):
    """A process that takes part."""

    boot: str
    """Of this run of the process."""
    name: str
    version: str
    state: MemberSign
    answering: bool
    """Whether it is the one that gave this answer."""
    shards: int
    """Light shards that it owns."""
    fleet: bool
    """Whether it owns the fleet shard: it hands downlinks to ChirpStack, and sends the alerts."""
    lights: int
    """In its shards."""
    sees_network: bool
    """Whether ChirpStack answers it."""
    clock_ahead_s: float
    """Of its machine's clock before the engine's, at its start."""
    heard_at: float
    """When it was last seen to give a sign of life."""


class ShardShown(msgspec.Struct, frozen=True):
    """A part of the fleet; `fleet` is what concerns it as a whole."""

    shard: str
    state: Owned
    owner: str | None
    """The boot of the process; null where nobody owns it."""
    epoch: int
    """Rises with each owner."""
    seq: int
    """Commits of this owner."""
    here: Here
    """What it is to the answering process."""
    lights: int
    since: float
    """Since when this owner has it, or nobody, as far as was seen."""
    behind: int | None
    """Commits that the answering process has not shown yet; null where that is not known."""


class MoveShown(msgspec.Struct, frozen=True):
    """A shard came to another owner."""

    at: float
    shard: str
    why: Why
    before: str | None
    """The name of its owner before; null where that is not known."""
    after: str
    """The name of its owner since."""
    dark_s: float
    """For how long nobody saw to it, as far as was seen."""


class StoreShown(msgspec.Struct, frozen=True):
    """Where everything is kept, and whether it can be relied on."""

    kind: str
    """The scheme of the setting `store.url`: `sqlite`, `redis`, `redis+sentinel` and so on."""
    need: int | None
    """Replicas that have a commit before it counts; null where there are none."""
    problem: str | None
    """Why it cannot be written now, in words."""
    warnings: Sequence[str]
    """Why an acknowledged command may be lost here."""
    replayed: int = 0
    """Commits that a fail-over had lost, and that the answering process sent again from memory,
    of the shards that it owns."""
    lost: int = 0
    """Such commits that it no longer had; the records as it knows them were put again."""


class ClusterShown(msgspec.Struct, frozen=True):
    """Who serves the fleet, as the answering process sees it.

    Embedded there is one member, and nothing is divided: no shards, no moves.
    """

    mode: ClusterMode
    at: float
    """Now, by the clock of the process that gave this answer."""
    looked_at: float | None
    """When the engine answered last; null before the first time."""
    answering: str
    """The boot of the process that gave this answer."""
    shards_total: int
    shards_unowned: int
    """Nobody sees to them now: those that are not `owned`."""
    behind_s: float | None
    """How old at most what the answering process shows of others may be; null before it has read
    all of it."""
    lease_s: float | None
    """After so long without a sign of life another process takes a shard."""
    store: StoreShown
    members: Sequence[MemberShown]
    """By name."""
    shards: Sequence[ShardShown]
    moves: Sequence[MoveShown]
    """The newest first, at most 256, since this process began."""


class ClusterSight(Protocol):
    """Whoever can tell it."""

    def shown(self, store_kind: str) -> ClusterShown:
        """As it is now."""
        ...

    def findings(self) -> Sequence[Finding]:
        """What is worth an alert, or is not any more."""
        ...

    def metrics(self) -> Iterable[Metric]:
        """For Prometheus."""
        ...
