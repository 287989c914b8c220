"""What one server holds, and the scripts that change it: each at one instant, whole or not at all.

A script is a pure function of the data, its arguments and the server's clock, so that a replica
which carries out the same scripts in the same order holds the same.
"""

from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from store.engine.feeds import FEED_KEPT, feed_kept
from store.engine.places import id_order, line_after
from store.engine.port import (
    FEED_BELL,
    INBOX_MOST,
    Accept,
    Accepted,
    AcceptResult,
    Applied,
    Commit,
    FeedEntry,
    InboxEntry,
    Lease,
    Member,
    Result,
)
from store.memory import MemoryDisk
from store.port import ALL_STREAMS, Put, Streams, Table

REPLY_KEPT_MS = 60_000

Ring = Callable[[str], None]
Told = Callable[[str, str, object, object], None]
"""Of a script's name, its shard, what was asked and what was answered."""


class Stream:
    """Messages under rising ids `<ms>-<n>`: never below the newest, whatever the clock says."""

    def __init__(self) -> None:
        self.entries: deque[InboxEntry] = deque()
        self._newest = (0, 0)

    def add(self, message: bytes, now_ms: int, mark: str = "0-0", line: str = "") -> str:
        """One message more, above `mark`: at or below it, nobody would read it. Its id."""
        ms, number = self._newest
        self._newest = (now_ms, 0) if now_ms > ms else (ms, number + 1)
        if self._newest <= id_order(mark):
            self._newest = (id_order(mark)[0] + 1, 0)
        entry = InboxEntry(f"{self._newest[0]}-{self._newest[1]}", message, line)
        self.entries.append(entry)
        return entry.id

    def after(self, mark: str, most: int) -> list[InboxEntry]:
        """Up to `most` entries after this id, oldest first."""
        order = id_order(mark)
        return [entry for entry in self.entries if id_order(entry.id) > order][: max(most, 0)]

    def trim(self, mark: str) -> None:
        """Drop everything up to this id."""
        order = id_order(mark)
        while self.entries and id_order(self.entries[0].id) <= order:
            self.entries.popleft()

    def copy(self) -> "Stream":
        """As it is now."""
        copied = Stream()
        copied.entries, copied._newest = self.entries.copy(), self._newest
        return copied


class ShardData:
    """One shard: its lease, records and streams, inbox and feed."""

    def __init__(self) -> None:
        self.lease = Lease()
        self.taken: tuple[object, ...] = ()
        """By whom, from which lease, and which lease that made: the same call again is known."""
        self.line = ""
        """Which line of history it is (`places.py`), as far as an inbox entry had it named."""
        self.disk = MemoryDisk()
        self.inbox = Stream()
        self.feed: deque[FeedEntry] = deque(maxlen=FEED_KEPT)

    def copy(self) -> "ShardData":
        """As it is now."""
        copied = ShardData()
        copied.lease, copied.taken, copied.disk = self.lease, self.taken, self.disk.copy()
        copied.line = self.line
        copied.inbox, copied.feed = self.inbox.copy(), self.feed.copy()
        return copied


class Data:
    """Everything that one server holds. `now_ms` is its clock."""

    def __init__(self) -> None:
        self.told: Told = _untold
        """Who looks on; nobody at a replica."""
        self.master = ""
        """The name of the server whose scripts are carried out."""
        self.shards: dict[str, ShardData] = {}
        self.members: dict[str, Member] = {}
        self.replies: dict[str, Stream] = {}

    def copy(self) -> "Data":
        """As it is now: what a full resynchronisation carries over."""
        copied = Data()
        copied.shards = {name: shard.copy() for name, shard in self.shards.items()}
        copied.members = dict(self.members)
        copied.replies = {boot: stream.copy() for boot, stream in self.replies.items()}
        return copied

    def empty(self) -> None:
        """Lose everything, as FLUSHALL does."""
        self.shards, self.members, self.replies = {}, {}, {}

    def shard(self, name: str) -> ShardData:
        """One shard; empty where nothing was ever written to it."""
        found = self.shards.get(name)
        if found is None:
            found = self.shards[name] = ShardData()
        return found

    # ------------------------------------------------------- what is conditioned, and looked on at

    def take(self, name: str, seen: Lease, boot: str, leap: int, now_ms: int) -> Lease | None:
        """Give the shard to `boot`, unless its lease has moved since it was seen."""
        lease = self._take(name, seen, boot, leap, now_ms)
        self.told("take", name, boot, lease)
        return lease

    def renew(self, name: str, token: str) -> Result:
        """Show that the owner is alive."""
        result = self._renew(name, token)
        self.told("renew", name, token, result)
        return result

    def give(self, name: str, token: str, ring: Ring) -> bool:
        """Nobody owns it any more."""
        given = self._give(name, token, ring)
        self.told("give", name, token, given)
        return given

    def commit(self, commit: Commit, ring: Ring) -> Result:
        """Conditioned on token and number: the check comes first, and no error after it."""
        result = self._commit(commit, ring)
        self.told("commit", commit.shard, commit, result)
        return result

    def accept(self, accept: Accept, now_ms: int, ring: Ring) -> AcceptResult:
        """Store a command whoever owns its shard; idempotent by its id and by its key."""
        result = self._accept(accept, now_ms, ring)
        self.told("accept", accept.shard, accept, result)
        return result

    # --------------------------------------------------------------------- leases and members

    def _take(self, name: str, seen: Lease, boot: str, leap: int, now_ms: int) -> Lease | None:
        shard = self.shard(name)
        lease = shard.lease
        if shard.taken == (boot, seen.moved_by, lease.moved_by):
            return lease
        if lease.moved_by != seen.moved_by:
            return None
        epoch = now_ms if now_ms > lease.epoch else lease.epoch + 1 + leap
        shard.lease = msgspec.structs.replace(
            lease, token=f"{epoch}.{boot}", epoch=epoch, owner=boot, beat=0, seq=0
        )
        shard.taken = (boot, seen.moved_by, shard.lease.moved_by)
        return shard.lease

    def _renew(self, name: str, token: str) -> Result:
        shard = self.shard(name)
        if not token or shard.lease.token != token:
            return Result(Applied.FENCED, shard.lease)
        shard.lease = msgspec.structs.replace(shard.lease, beat=shard.lease.beat + 1)
        return Result(Applied.DONE, shard.lease)

    def _give(self, name: str, token: str, ring: Ring) -> bool:
        shard = self.shard(name)
        if not token or shard.lease.token != token:
            return False
        shard.lease = msgspec.structs.replace(shard.lease, token="", owner="")
        ring(name)
        return True

    # ---------------------------------------------------------------------------- commits

    def _commit(self, commit: Commit, ring: Ring) -> Result:
        shard = self.shard(commit.shard)
        lease = shard.lease
        if not commit.token or lease.token != commit.token:
            return Result(Applied.FENCED, lease)
        if lease.seq >= commit.seq:
            return Result(Applied.REPEATED, lease)
        if lease.seq + 1 != commit.seq:
            return Result(Applied.GAP, lease)
        left, mark = commit.outcome, _mark_in(commit.inbox_mark, shard.line)
        shard.disk.apply([*left.puts, *left.deletes, *left.appends])
        shard.lease = msgspec.structs.replace(
            lease,
            beat=lease.beat + 1,
            seq=commit.seq,
            inbox_mark=lease.inbox_mark if mark == "0-0" else mark,
            source_mark=commit.source_mark or lease.source_mark,
        )
        shard.inbox.trim(mark)
        shard.feed.append(FeedEntry(lease.epoch, commit.seq, commit.feed))
        while len(shard.feed) > feed_kept(commit.feed):
            shard.feed.popleft()
        if commit.rings:
            ring(FEED_BELL + commit.shard)
        return Result(Applied.DONE, shard.lease)

    def _accept(self, accept: Accept, now_ms: int, ring: Ring) -> AcceptResult:
        shard = self.shard(accept.shard)
        disk = shard.disk
        if disk.record(Table.COMMAND, accept.command_id) is not None:
            return AcceptResult(Accepted.KNOWN, accept.command_id)
        if accept.key is not None:
            used = disk.record(Table.IDEMPOTENCY, accept.key)
            if used is not None:
                try:
                    held = msgspec.json.decode(used.value, type=_Key)
                except msgspec.MsgspecError:
                    return AcceptResult(Accepted.REUSED, "")
                known = held.fingerprint == accept.fingerprint
                return AcceptResult(Accepted.KNOWN if known else Accepted.REUSED, held.command_id)
        if disk.record(Table.DEVICE, accept.dev_eui) is None:
            return AcceptResult(Accepted.UNKNOWN, accept.command_id)
        if len(shard.inbox.entries) >= INBOX_MOST:
            return AcceptResult(Accepted.FULL, accept.command_id)
        writes = [Put(Table.COMMAND, accept.command_id, accept.record, accept.at)]
        if accept.key is not None:
            writes.append(Put(Table.IDEMPOTENCY, accept.key, accept.key_record, accept.at))
        disk.apply(writes)
        before = shard.inbox.entries[-1].id if shard.inbox.entries else ""
        shard.line = line_after(shard.line, self.master)
        mark = shard.lease.inbox_mark
        entry = shard.inbox.add(accept.message, now_ms, mark, shard.line)
        if not accept.by or shard.lease.owner != accept.by:
            ring(accept.shard)
        return AcceptResult(Accepted.STORED, accept.command_id, entry, before, shard.line)

    def prune(
        self,
        name: str,
        token: str,
        tables: Sequence[Table],
        before: float,
        most: int,
        which: Streams = ALL_STREAMS,
    ) -> int | None:
        """How many went; None where the token is not the shard's any more."""
        shard = self.shard(name)
        if not token or shard.lease.token != token:
            return None
        return shard.disk.prune(tables, before, max(most, 0), which)

    # ---------------------------------------------------------------------- inboxes and replies

    def post(self, name: str, message: bytes, now_ms: int, ring: Ring) -> bool:
        """A message into an inbox; False where it is full."""
        shard = self.shard(name)
        inbox = shard.inbox
        if len(inbox.entries) >= INBOX_MOST:
            return False
        shard.line = line_after(shard.line, self.master)
        inbox.add(message, now_ms, shard.lease.inbox_mark, shard.line)
        ring(name)
        return True

    def reply(self, boot: str, message: bytes, now_ms: int, ring: Ring) -> None:
        """A message to one process; those of a minute ago are dropped."""
        stream = self.replies.setdefault(boot, Stream())
        stream.trim(f"{max(now_ms - REPLY_KEPT_MS, 0)}-0")
        stream.add(message, now_ms)
        ring(boot)


def _mark_in(mark: str, line: str) -> str:
    """The id of a mark; `0-0` for one in another line of history."""
    its, _, entry_id = mark.rpartition(" ")
    return "0-0" if its and its != line else entry_id


def _untold(_what: str, _shard: str, _asked: object, _answer: object) -> None:
    """Nobody looks on."""


class _Key(msgspec.Struct):
    """What must be read of a stored idempotency key."""

    fingerprint: str
    command_id: str
