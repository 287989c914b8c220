"""The one interface of the engine by which many processes serve one fleet.

Every change is one script that the engine carries out at one instant, conditioned on what the
caller knows: of a shard's lease (`take`), of its token (`renew`, `give`), or of token and sequence
number (`commit`). So whoever was paused, cut off or believed dead can change nothing any more, and
a commit that was held on the way and arrives after its own repetition is refused.

A call returns only when as many replicas have confirmed it as `need` asks for. Otherwise it raises
StoreUnavailable: whether it was carried out is then unknown, and the very same call is repeated.

The shards of one engine may lie on several nodes, and one of these may be silent for some seconds.
It must not hold up the others: a call for many shards raises only where no node answered; else the
silent node's shards have the error as their outcome (`commit`, `accept`), None (`post`), or are
missing from the answer (`look`, `renew`, `read_inboxes`, `read_feeds`).
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec
import trio

from store.errors import StoreError
from store.port import ALL_STREAMS, Entry, Outcome, Record, Streams, Table

INBOX_MOST = 4_096
"""Entries of an inbox: 4,096 x 1 kB x 65 shards are 270 MB at the very worst, and minutes of the
busiest shard."""
COMMIT_WRITES_MOST = 96
"""Writes of one commit: the engine serves nobody else meanwhile (0.9 to 1.5 ms; 2 ms are allowed).
Only a request that is larger by itself goes beyond it, alone in its commit: a new rollout over
thousands."""


FEED_BELL = "feed:"
"""Begins the name of the bell of a shard's commits."""


class Lease(msgspec.Struct, frozen=True, gc=False):
    """Who owns a shard, as the engine has it. `token` and `owner` are empty where nobody does."""

    token: str = ""
    """`<epoch>.<boot>`; no two takes have the same, also where one was lost."""
    epoch: int = 0
    """Rises with each take: the server's clock in milliseconds, or beyond the one before where that
    is ahead of it (`epochs.py`)."""
    owner: str = ""
    """The boot of the process."""
    beat: int = 0
    """Raised by each renewal and each commit."""
    seq: int = 0
    """Of the newest commit under this token; 0 before the first."""
    inbox_mark: str = "0-0"
    """Every inbox entry up to this one is dealt with."""
    source_mark: str = ""
    """Likewise in ChirpStack's own stream of events; empty where that is not read."""

    @property
    def moved_by(self) -> tuple[str, int, int]:
        """While this stays the same, nobody was seen to be alive."""
        return (self.token, self.beat, self.seq)


class Commit(msgspec.Struct, frozen=True, gc=False):
    """One commit of one shard: `outcome` has COMMIT_WRITES_MOST writes at most, or one request.

    `feed` is what the commit tells everybody (see `store.shards`), under the id `<epoch>-<seq>`.
    A mark of `0-0` or an empty one leaves that of the lease as it is. `inbox_mark` is an id, or the
    place of one (`places.py`): where the shard's inbox is in another line of history by now it is
    left as well, for unread entries of that line may have lower ids.
    """

    shard: str
    token: str
    seq: int
    outcome: Outcome
    feed: bytes = b""
    inbox_mark: str = "0-0"
    source_mark: str = ""
    rings: bool = True
    """Whether the others are told at once; without it they find it when they look, within 1 s."""


class Applied(StrEnum):
    """What became of a commit or a renewal."""

    DONE = "done"
    REPEATED = "repeated"
    """It had been carried out before: the engine is at this number or a later one."""
    GAP = "gap"
    """The engine lacks a commit before this one."""
    FENCED = "fenced"
    """The token is not this shard's any more."""


class Result(msgspec.Struct, frozen=True, gc=False):
    """The answer to a commit or a renewal; `lease` is as the engine has it afterwards."""

    applied: Applied
    lease: Lease


class Accept(msgspec.Struct, frozen=True, gc=False):
    """A command for a light of `shard`, to be stored whoever owns it.

    `record` is the command as stored (Table.COMMAND), `key_record` the idempotency key
    (Table.IDEMPOTENCY), `message` the inbox entry. `at` is Unix seconds.
    """

    shard: str
    dev_eui: str
    command_id: str
    record: bytes
    message: bytes
    at: float
    key: str | None = None
    fingerprint: str = ""
    key_record: bytes = b""
    by: str = ""
    """The boot of the process that asks: where it owns the shard no bell rings, for it is told of
    the entry by the answer."""
    place: str = ""
    """Where it was stored, once it was (`places.py`); for whoever repeats it. Not sent."""


class Accepted(StrEnum):
    """What became of a command."""

    STORED = "stored"
    KNOWN = "known"
    """A command of this id, or an equal request with this key, was stored before."""
    REUSED = "reused"
    """The key was used for another request."""
    UNKNOWN = "unknown"
    """There is no such light."""
    FULL = "full"
    """The shard's inbox is full: nothing was stored."""


class AcceptResult(msgspec.Struct, frozen=True, gc=False):
    """`command_id` is that of the command which stands for the request, or has its key; empty where
    a key cannot be read."""

    accepted: Accepted
    command_id: str
    entry: str = ""
    """Where it was STORED the id of its inbox entry."""
    before: str = ""
    """The id of the entry before that; empty where the inbox was empty."""
    line: str = ""
    """Likewise: which line of history the engine wrote (`places.py`); empty where it cannot say."""

    def stands_for(self, accept: Accept) -> bool:
        """Whether this very command is in the engine: by this call, or by an earlier one of the
        same process whose answer did not come."""
        stored = self.accepted in {Accepted.STORED, Accepted.KNOWN}
        return stored and self.command_id == accept.command_id


class Post(msgspec.Struct, frozen=True, gc=False):
    """One message into the inbox of a shard."""

    shard: str
    message: bytes


class InboxEntry(msgspec.Struct, frozen=True, gc=False):
    """One message of an inbox. Ids rise within an inbox: `<ms>-<n>` (see `id_order`)."""

    id: str
    message: bytes
    line: str = ""
    """Which line of history the engine wrote then (`places.py`); empty where it cannot say."""


class FeedEntry(msgspec.Struct, frozen=True, gc=False):
    """What one commit told."""

    epoch: int
    seq: int
    body: bytes


class Snapshot(msgspec.Struct, frozen=True):
    """Tables of a shard and its lease, at one instant."""

    lease: Lease
    tables: Mapping[Table, Sequence[Record]]


class Reading(msgspec.Struct, frozen=True, gc=False):
    """Some records of a shard, None for those that are not there, and its lease, at one instant."""

    lease: Lease
    records: Sequence[Record | None]


class Member(msgspec.Struct, frozen=True):
    """A process that takes part. `beat` rises while it is alive."""

    boot: str
    name: str
    version: str
    beat: int
    load: int = 0
    """Weight of the shards that it owns."""
    sees_network: bool = True
    """Whether ChirpStack answers it."""
    leaving: bool = False
    clock_ahead_s: float = 0.0
    """Of its own clock before the engine's, at its start."""
    records: int = 0
    """The newest form of records that it can read."""


class Engine(Protocol):
    """Every method raises only StoreErrors, waits for at most some seconds, and may be cancelled:
    what is on its way may still be carried out then, though never after a later call of the same
    process that depends on it."""

    @property
    def durability_warnings(self) -> Sequence[str]:
        """Why an acknowledged commit may be lost here, in words for the operator; after `open`."""
        ...

    @property
    def connections(self) -> int:
        """How many were made to servers until now: before anything is read here that a fail-over
        has set back, there is a new one."""
        ...

    async def open(self) -> None:
        """Connect, check that the engine can keep the promise and that the layout is ours, create
        it where there is none; idempotent. Raises StoreRefused in words where it cannot."""
        ...

    async def close(self) -> None:
        """Release everything; idempotent, shields itself."""
        ...

    async def time(self) -> float:
        """The engine's clock, Unix seconds."""
        ...

    # --------------------------------------------------------------------- leases and members

    async def look(self, shards: Sequence[str]) -> Mapping[str, Lease]:
        """The leases of these shards; one that is missing could not be looked at."""
        ...

    async def confirm(self, shards: Sequence[str]) -> Mapping[str, Lease]:
        """The leases of these shards, with everything that was stored of them until now: `need`
        replicas have it when this returns. One that is missing may not be confirmed.

        What is read may be taken back by a fail-over; what was read before this, of the same epoch
        and up to this number, is not, as long as a copy that confirmed it lives.
        """
        ...

    async def take(self, shard: str, seen: Lease, boot: str) -> Lease | None:
        """Become the owner, if the lease has not moved since it was `seen`; else None.

        Repeated after an unknown outcome it gives the lease that this very call has made.
        """
        ...

    async def renew(self, tokens: Mapping[str, str]) -> Mapping[str, Result]:
        """Raise the beat of these shards, by token: DONE, or FENCED. All of them in one go.

        Whether that of a missing one was raised, and confirmed, is unknown: it does not count.
        """
        ...

    async def give(self, shard: str, token: str) -> bool:
        """Own it no more, and ring; False where the token is not the shard's any more."""
        ...

    async def tell_member(self, member: Member) -> None:
        """Show this process to the others. Not durable."""
        ...

    async def members(self) -> Sequence[Member]:
        """Every process that was told of and did not leave, dead ones too."""
        ...

    async def forget_member(self, boot: str) -> None:
        """It left, or is long dead."""
        ...

    # ---------------------------------------------------------------------------- commits

    async def commit(self, commits: Sequence[Commit]) -> Sequence[Result | StoreError]:
        """Carry out commits, of one shard in the order of their numbers; one answer for each.

        A failed one leaves the later ones of its shard with GAP.
        """
        ...

    async def accept(self, accepts: Sequence[Accept]) -> Sequence[AcceptResult | StoreError]:
        """Store commands and put them into inboxes, whoever owns the shards; one answer for each.

        The same command id again changes nothing and is KNOWN.
        """
        ...

    async def prune(
        self,
        shard: str,
        token: str,
        *,
        tables: Sequence[Table],
        before: float,
        most: int,
        which: Streams = ALL_STREAMS,
    ) -> int:
        """As `Store.prune`, of one shard. Raises StoreTaken where the token is not its any more."""
        ...

    # ---------------------------------------------------------------------- inboxes and feeds

    async def post(self, posts: Sequence[Post]) -> Sequence[bool | None]:
        """Put messages into inboxes: True for each that lies there, False for each that had no
        room, None where nobody knows. Waits for no replica."""
        ...

    async def read_inboxes(
        self, after: Mapping[str, str], most: int
    ) -> Mapping[str, Sequence[InboxEntry]]:
        """Of each of these shards up to `most` entries after this id, oldest first."""
        ...

    async def read_feeds(
        self, after: Mapping[str, tuple[int, int]], most: int
    ) -> Mapping[str, Sequence[FeedEntry]]:
        """Of each of these shards up to `most` entries after this (epoch, seq), oldest first."""
        ...

    async def reply(self, boot: str, message: bytes) -> None:
        """A message to one process; lost where it is dead. Kept for 60 s."""
        ...

    async def replies(self, boot: str, after: str, most: int) -> Sequence[InboxEntry]:
        """The messages to this process after this id, oldest first."""
        ...

    async def hear(
        self,
        ring: Callable[[str], None],
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Call `ring(shard)` after each inbox entry and give, `ring(FEED_BELL + shard)` after a
        commit (unless that does not ring) and `ring(boot)` after a reply, until cancelled. Bells
        may be lost: whoever listens looks every second as well.

        Raises nothing that passes by itself: it connects anew.
        """
        ...

    # ------------------------------------------------------------------------------ reading

    async def snapshot(self, shard: str, tables: Sequence[Table]) -> Snapshot:
        """These tables of a shard and its lease, at one instant."""
        ...

    async def read(self, shard: str, table: Table, keys: Sequence[str]) -> Reading:
        """A record of this table for each key, and the shard's lease, at one instant.

        The lease tells how old they are: after a fail-over the engine may lack what this process
        knows to be stored, until whoever stored it has sent it again.
        """
        ...

    async def get(self, keys: Sequence[tuple[str, Table, str]]) -> Sequence[Record | None]:
        """One record for each (shard, table, key), which may be of any shards."""
        ...

    async def streams(self, shard: str) -> Sequence[str]:
        """The names of a shard's streams that hold entries, in any order: for a backup."""
        ...

    async def entries(
        self,
        shards: Sequence[str],
        stream: str,
        *,
        since: float,
        until: float,
        most: int,
        newest_first: bool = True,
    ) -> Sequence[Entry]:
        """As `Store.entries`, merged over these shards."""
        ...
