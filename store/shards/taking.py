"""Takes shards for one process that wants all of them: a move, a restore, a store used alone.

Processes that share a fleet share its shards by other means (leases that are watched, given and
taken one by one); here nobody else may be alive.
"""

from collections.abc import Mapping, Sequence

import trio

from store.engine.port import Engine, Lease
from store.engine.shards import ALL_SHARDS
from store.errors import StoreTaken, StoreUnavailable
from store.shards.shard_store import ShardStore

PATIENCE_S = 6.5
"""A lease that has not moved for so long is a dead process's: it is renewed every 2 s, lives 6 s,
and clocks differ by 2 %."""


async def take_all(
    store: ShardStore, shards: Sequence[str] = ALL_SHARDS, *, patience_s: float = PATIENCE_S
) -> None:
    """Own these shards. Raises StoreTaken where a living process owns one of them, and
    StoreUnavailable.

    One that may be dead is watched for `patience_s` first.
    """
    seen = await _looked_at(store.engine, shards)
    if any(lease.token for lease in seen.values()):
        await trio.sleep(patience_s)
        again = await _looked_at(store.engine, shards)
        for shard, lease in again.items():
            if lease.token and lease.moved_by != seen[shard].moved_by:
                raise _taken(shard, lease)
        seen = again
    for shard in shards:
        lease_of = await store.engine.take(shard, seen[shard], store.boot)
        if lease_of is None:
            raise _taken(shard, seen[shard])
        store.own(shard, lease_of)


async def give_all(store: ShardStore) -> None:
    """Own nothing any more; others may take the shards at once."""
    for shard, lease in store.owned.items():
        store.disown(shard)
        await store.engine.give(shard, lease.token)


async def _looked_at(engine: Engine, shards: Sequence[str]) -> Mapping[str, Lease]:
    """All of them: nothing is taken where a part of the engine is away."""
    seen = await engine.look(shards)
    missing = [shard for shard in shards if shard not in seen]
    if missing:
        raise StoreUnavailable(f"{len(missing)} of {len(shards)} shards could not be looked at")
    return seen


def _taken(shard: str, lease: Lease) -> StoreTaken:
    whose = f" by process {lease.owner}" if lease.owner else ""
    return StoreTaken(f"shard {shard} is in use{whose}: stop the service first")
