"""Looks on at each script that a master carries out, and holds commits to their order.

A master is one line of history: after a failover another one begins, from what the promoted
replica had. Within a line the commits of a shard follow each other without a hole, never under an
older token; and a number under one token means the same commit in every line.
"""

from collections import Counter
from collections.abc import Callable
from hashlib import blake2b

from store.engine.memory import Master
from store.engine.port import Applied, Commit, Result
from store.port import Append, Delete, Put


class EngineWatch:
    """`breaks` is told what does not hold. `shown` is told of every commit that was carried out."""

    def __init__(
        self, breaks: Callable[[str, str], None], shown: Callable[[Master, Commit], None]
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._breaks = breaks
        self._shown = shown
        self._at: dict[tuple[int, str], tuple[int, int]] = {}
        self._lines: list[Master] = []
        self._content: dict[tuple[str, str, int], bytes] = {}
        """By shard, token and number: what a commit was, wherever it is carried out."""

    def told(self, master: Master, what: str, shard: str, asked: object, answer: object) -> None:
        """A script was carried out."""
        self.counts[what] += 1
        if what == "commit" and isinstance(asked, Commit) and isinstance(answer, Result):
            self._committed(master, shard, asked, answer)

    def _committed(self, master: Master, shard: str, commit: Commit, result: Result) -> None:
        self.counts[f"commit {result.applied.value}"] += 1
        if result.applied in {Applied.GAP, Applied.FENCED}:
            return
        content = content_of(commit)
        known = self._content.setdefault((shard, commit.token, commit.seq), content)
        if known != content:
            self._breaks("engine", f"{shard}: number {commit.seq} stands for two commits")
        if result.applied is not Applied.DONE:
            return
        if commit.token != result.lease.token:
            self._breaks("engine", f"{shard}: a commit under a token that is not the shard's")
        before, now = self._before(master, shard), (result.lease.epoch, commit.seq)
        if now[0] < before[0]:
            self._breaks("engine", f"{shard}: commit of epoch {now[0]} after one of {before[0]}")
        wanted = before[1] + 1 if now[0] == before[0] else 1
        if now[1] != wanted:
            self._breaks("engine", f"{shard}: commit {now[1]} came where {wanted} was due")
        self._at[self._line(master), shard] = now
        self._shown(master, commit)

    def begins(self, master: Master) -> None:
        """A replica was promoted: a new line begins with what it has."""
        line = self._line(master)
        for shard, data in master.data.shards.items():
            self._at[line, shard] = (data.lease.epoch, data.lease.seq)

    def _before(self, master: Master, shard: str) -> tuple[int, int]:
        return self._at.get((self._line(master), shard), (0, 0))

    def _line(self, master: Master) -> int:
        for number, known in enumerate(self._lines):
            if known is master:
                return number
        self._lines.append(master)
        return len(self._lines) - 1


def content_of(commit: Commit) -> bytes:
    """A hash of what a commit writes and tells; marks are no part of it."""
    digest = blake2b(commit.feed, digest_size=16)
    for writes in (commit.outcome.puts, commit.outcome.deletes, commit.outcome.appends):
        for write in writes:
            match write:
                case Put(_, key, value, _):
                    digest.update(key.encode() + value)
                case Append(stream, entry, _, value):
                    digest.update(stream.encode() + entry.encode() + value)
                case Delete(_, key):
                    digest.update(key.encode())
    return digest.digest()
