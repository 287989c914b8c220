"""A part that reads the store before it serves, and a store that is slow."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

READY_MOST_S = 10.0
"""Then a part counts as started though the store is slow still; a start has 30 s at most."""


@asynccontextmanager
async def started_at_last(task_status: trio.TaskStatus[None]) -> AsyncGenerator[None, None]:
    """Started when the block ends, and after `READY_MOST_S` at the latest: a store that is slow for
    longer makes no crash, and what is asked waits in the mailbox."""
    told = False

    async def tell_at_last() -> None:
        nonlocal told
        await trio.sleep(READY_MOST_S)
        told = True
        task_status.started()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tell_at_last)
        yield
        nursery.cancel_scope.cancel(reason="it is read")
    if not told:
        task_status.started()
