"""Shards that this process does not own any more, in case a failover takes that back.

A process gives a shard, another takes it and reads what is stored. A failover may take all of that
back together with the last commits of the one that gave it, who alone remembers them: for half a
minute it looks at the lease, and where that is its own again it sends them again. It is conditioned
on that lease, as every commit; nobody renews it, so that somebody takes the shard soon. Whoever had
taken it waits a moment for that (`Owned.waits_for`), so that its own commits follow.
"""

from collections.abc import Callable, Container, Mapping

import structlog

from store.engine.port import Applied, Engine, Lease, Result
from store.errors import StoreUnavailable
from store.shards.shard_log import KEPT_S, ShardLog

log = structlog.get_logger()

CARRIED_OUT = frozenset({Applied.DONE, Applied.REPEATED})
REPLAYED_AT_ONCE = 32
"""As the writer's `COMMITS_AT_ONCE`."""


class LeftShards:
    """By name, 65 at most, of some 256 KiB each; `steady` is seconds on a clock that only rises."""

    def __init__(self, engine: Engine, steady: Callable[[], float]) -> None:
        self._engine = engine
        self._steady = steady
        self._left: dict[str, tuple[ShardLog, float]] = {}

    def add(self, shard_log: ShardLog) -> None:
        """It is not written here any more."""
        self._left[shard_log.shard] = (shard_log, self._steady())

    def again(self, shard: str, lease: Lease) -> ShardLog | None:
        """The shard is ours again: its log, if it was left under this very lease."""
        shard_log, _ = self._left.pop(shard, (None, 0.0))
        return shard_log if shard_log is not None and shard_log.lease.token == lease.token else None

    def lately(self) -> list[str]:
        """Those that are to be looked at. Of the others only the numbers are kept."""
        now = self._steady()
        for shard_log, at in self._left.values():
            if now - at > KEPT_S:
                shard_log.forget_old(now)
        return [shard for shard, (_, at) in self._left.items() if now - at <= KEPT_S]

    async def replay(self, leases: Mapping[str, Lease], owned: Container[str]) -> Mapping[str, int]:
        """The engine has these leases: send again what it lacks of ours. How many commits, by
        shard."""
        replayed: dict[str, int] = {}
        for shard in self.lately():
            shard_log, found = self._left.get(shard, (None, 0.0))[0], leases.get(shard)
            if shard_log is None or found is None or shard in owned:
                continue  # ours again, perhaps while another one was sent
            ours = found.token == shard_log.lease.token
            if not ours or found.seq >= shard_log.acknowledged or not shard_log.reaches(found.seq):
                continue
            before = shard_log.replayed
            shard_log.stands_at(found)
            await self._send(shard_log)
            if count := shard_log.replayed - before:
                log.warning("commits of a shard that was left are sent again", shard=shard)
                replayed[shard] = count
        return replayed

    async def _send(self, shard_log: ShardLog) -> None:
        """Until all is there, or somebody else has it, or nobody answers."""
        while again := shard_log.to_replay(REPLAYED_AT_ONCE):
            try:
                answers = await self._engine.commit([shard_log.wire(kept) for kept in again])
            except StoreUnavailable:
                return
            for kept, answer in zip(again, answers, strict=True):
                if not isinstance(answer, Result) or answer.applied not in CARRIED_OUT:
                    return
                shard_log.answered(kept, answer, self._steady())
