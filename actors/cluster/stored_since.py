"""Reads commands that are looked up after their shard was read as a whole."""

from collections.abc import Sequence
from typing import Protocol

import trio

from store.engine.port import Lease, Reading
from store.errors import StoreUnavailable
from store.port import Record, Table


class ReadEngine(Protocol):
    """What is needed of the engine."""

    async def read(self, shard: str, table: Table, keys: Sequence[str]) -> Reading:
        """A record of this table for each key, and the shard's lease, at one instant."""
        ...


async def stored_since(
    engine: ReadEngine, shard: str, command_ids: Sequence[str], lease: Lease
) -> Sequence[Record | None]:
    """These commands, as old as the shard was under `lease` or newer.

    Raises StoreUnavailable where they are older: a fail-over came between, and nothing would tell
    of them once more what the shard has told already.
    """
    if not command_ids:
        await trio.lowlevel.checkpoint()
        return ()
    reading = await engine.read(shard, Table.COMMAND, command_ids)
    if (reading.lease.epoch, reading.lease.seq) < (lease.epoch, lease.seq):
        raise StoreUnavailable(f"shard {shard}: it was set back while it was read")
    return reading.records
