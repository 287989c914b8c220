"""The newest commits of one shard: numbered, kept until they are safe, and sent again where needed.

Pure: no I/O, no clock; `now` is seconds on a clock that only rises.

Theory. A commit gets its number when it is made, and keeps it: after an unknown outcome the very
same commit is sent again, under conditions that make this harmless. A failover may set the engine
back behind what it had confirmed. Its answer (or a look at the lease) then tells a lower number,
and everything after it is sent once more from here, oldest first. Three things can be beyond that:

- the commits needed are kept no longer: all records in memory are put again, under a new lease
  (`Answer.TOO_FAR`), because a follower who saw the lost numbers must not take others for them;
- the lease itself was set back (`Answer.SET_BACK`: fenced by a lower epoch): it is taken once more,
  and all that is kept follows under new numbers, after all records in memory: what the owner before
  had written, and we had read, may be lost as well;
- somebody else has the shard (`Answer.FENCED`): nothing is sent any more.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from enum import Enum

from store.engine.port import COMMIT_WRITES_MOST, Applied, Commit, Lease, Result
from store.port import Append, Outcome, Put, Write, outcome
from store.shards.feed import encode_feed

KEPT_S = 30.0
"""How long a confirmed commit may be needed: a replica that lags further is not promoted where the
documented settings hold (max-lag 5 s), and everybody has seen a failover after it."""
KEPT_COMMITS = 64
KEPT_BYTES = 256 * 1024
"""Of a quiet shard's older ones this much is kept however old: 65 shards x 256 KiB are 17 MB."""
KEPT_BYTES_MOST = 16 * 1024 * 1024
"""Of one shard's confirmed commits: 30 s of some 300 writes a second, five times the busiest of 65
shards at 1,000 commands a second in all. Beyond it the oldest are dropped, and where they are
needed all records are put again."""
RECORD_BYTES = 200
"""What a write takes in memory beside its value."""


class Answer(Enum):
    """What the engine's answer means for the shard."""

    GOES_ON = "goes on"
    TOO_FAR = "too far"
    SET_BACK = "set back"
    FENCED = "fenced"


class Kept:
    """One commit: its number, what it writes, and whether it is known to be durable."""

    __slots__ = (
        "bytes",
        "confirmed",
        "confirmed_at",
        "inbox_mark",
        "outcome",
        "seq",
        "source_mark",
    )

    def __init__(self, seq: int, outcome: Outcome, marks: tuple[str, str]) -> None:
        self.seq = seq
        self.outcome = outcome
        self.inbox_mark, self.source_mark = marks
        self.confirmed = False
        self.confirmed_at: float | None = None
        """First; a commit that is sent again stays acknowledged."""
        self.bytes = RECORD_BYTES + sum(
            RECORD_BYTES + len(write.value)
            for writes in (outcome.puts, outcome.appends)
            for write in writes
        )


class ShardLog:
    """One shard that this process owns, under one lease after another."""

    def __init__(self, shard: str, lease: Lease) -> None:
        self.shard = shard
        self.lease = lease
        self.replayed = 0
        """Commits that had been acknowledged, were lost in the engine, and were sent again."""
        self.lost = 0
        """Such commits that were not kept any more; the records were put again."""
        self._newest = lease.seq
        self._kept: deque[Kept] = deque()
        self._confirmed_bytes = 0

    @property
    def newest(self) -> int:
        """The number of the newest commit, confirmed or not."""
        return self._newest

    @property
    def confirmed(self) -> int:
        """Every commit up to this number is known to be in the engine."""
        return self._newest - sum(1 for _ in self._unconfirmed())

    @property
    def acknowledged(self) -> int:
        """Up to this number somebody was told that it is durable, whatever became of it since."""
        told = (kept.seq for kept in reversed(self._kept) if kept.confirmed_at is not None)
        return next(told, self._newest - len(self._kept))

    def reaches(self, seq: int) -> bool:
        """Whether everything after this number is kept."""
        return seq + 1 >= (self._kept[0].seq if self._kept else self._newest + 1)

    @property
    def kept_bytes(self) -> int:
        """Of the confirmed commits that are kept."""
        return self._confirmed_bytes

    @property
    def kept(self) -> int:
        """How many commits are kept."""
        return len(self._kept)

    @property
    def unsettled(self) -> bool:
        """Whether there is something to send."""
        return bool(self._kept) and not self._kept[-1].confirmed

    def append(self, outcome: Outcome, marks: tuple[str, str]) -> Kept:
        """Number one more commit."""
        self._newest += 1
        kept = Kept(self._newest, outcome, marks)
        self._kept.append(kept)
        return kept

    def to_send(self, most: int) -> list[Kept]:
        """Up to `most` unconfirmed commits, oldest first."""
        found = list(self._unconfirmed())
        return found[: -most - 1 : -1]

    def to_replay(self, most: int) -> list[Kept]:
        """Of these such as were acknowledged: of a shard that was left nothing else is sent."""
        return [kept for kept in self.to_send(most) if kept.confirmed_at is not None]

    def wire(self, kept: Kept, *, rings: bool = True) -> Commit:
        """As the engine takes it; what it does is the same for one number under one lease."""
        return Commit(
            self.shard,
            self.lease.token,
            kept.seq,
            kept.outcome,
            encode_feed(kept.outcome),
            kept.inbox_mark,
            kept.source_mark,
            rings,
        )

    def answered(self, kept: Kept, result: Result, now: float) -> Answer:
        """Take in the engine's answer to one commit."""
        match result.applied:
            case Applied.DONE | Applied.REPEATED:
                self._confirm(kept, now, counts=result.applied is Applied.DONE)
                return Answer.GOES_ON
            case Applied.GAP:
                return self.stands_at(result.lease)
            case Applied.FENCED:
                return self.fenced_by(result.lease)

    def stands_at(self, found: Lease) -> Answer:
        """The engine's lease is this: send again what is missing there."""
        if found.token != self.lease.token:
            return self.fenced_by(found)
        if not self.reaches(found.seq):
            return Answer.TOO_FAR
        for kept in self._kept:
            if kept.seq > found.seq:
                self._unconfirm(kept)
        return Answer.GOES_ON

    def fenced_by(self, found: Lease) -> Answer:
        """The engine's lease has another token: an older one, or somebody's newer one?"""
        return Answer.SET_BACK if found.epoch < self.lease.epoch else Answer.FENCED

    def begin_anew(
        self, lease: Lease, found: Lease, records: Sequence[Put], ends: Sequence[Write] = ()
    ) -> None:
        """Go on under a new lease, taken where the engine had `found`: what is kept follows under
        new numbers.

        `records` are those in memory, `ends` what became of commands that are in no memory. A
        record that a kept commit writes is left out: the kept one is as new or newer.
        """
        written = {
            (write.table, write.key)
            for kept in self._kept
            for writes in (kept.outcome.puts, kept.outcome.deletes)
            for write in writes
        }
        before = list(self._kept)
        first = before[0].seq if before else self._newest + 1
        self.lost += first - 1 - (found.seq if found.token == self.lease.token else 0)
        self._kept.clear()
        self._confirmed_bytes = 0
        self.lease, self._newest = lease, lease.seq
        marks = (before[0].inbox_mark, before[0].source_mark) if before else ("0-0", "")
        missing = [
            write
            for write in (*ends, *records)
            if isinstance(write, Append) or (write.table, write.key) not in written
        ]
        for start in range(0, len(missing), COMMIT_WRITES_MOST):
            self.append(outcome(missing[start : start + COMMIT_WRITES_MOST]), marks)
        for kept in before:  # the same objects: whoever waits for one goes on waiting
            self._newest += 1
            kept.seq, kept.confirmed = self._newest, False
            self._kept.append(kept)

    def forget_old(self, now: float) -> None:
        """Drop confirmed commits that are needed no longer."""
        while self._kept and self._kept[0].confirmed:
            oldest = self._kept[0]
            at = now if oldest.confirmed_at is None else oldest.confirmed_at
            small = len(self._kept) <= KEPT_COMMITS and self._confirmed_bytes <= KEPT_BYTES
            if self._confirmed_bytes <= KEPT_BYTES_MOST and (small or now - at < KEPT_S):
                return
            self._kept.popleft()
            self._confirmed_bytes -= oldest.bytes

    def _unconfirmed(self) -> Iterator[Kept]:
        """Newest first: they are the end of what is kept."""
        for kept in reversed(self._kept):
            if kept.confirmed:
                return
            yield kept

    def _confirm(self, kept: Kept, now: float, *, counts: bool) -> None:
        if kept.confirmed:
            return
        kept.confirmed = True
        self._confirmed_bytes += kept.bytes
        if kept.confirmed_at is not None:
            self.replayed += counts
        kept.confirmed_at = now

    def _unconfirm(self, kept: Kept) -> None:
        if kept.confirmed:
            kept.confirmed = False
            self._confirmed_bytes -= kept.bytes
