"""Emptying ChirpStack's queue of one light by hand, for a foreign item that is stuck.

The rule it keeps: the dispatcher learns of it, so that what was held behind the item goes on.
"""

from collections.abc import Callable, Sequence

import structlog
import trio

from actors import history
from actors.clock import Clock
from actors.surface import Refusal
from lorawan.network import NetworkError, NetworkServer
from store.port import Write

log = structlog.get_logger()

FLUSH_S = 8.0
"""Above the client's own deadline, below what a caller waits for."""


async def flush(
    dev_eui: str,
    network: NetworkServer,
    clock: Clock,
    note: Callable[[Sequence[Write]], object],
    flushed: Callable[[str], None],
) -> Refusal | None:
    """Drop all that the queue holds, in flight or not. None when it is done."""
    try:
        with trio.fail_after(FLUSH_S):
            await network.flush(dev_eui)
    except (NetworkError, trio.TooSlowError) as error:
        log.warning("queue not flushed", dev_eui=dev_eui, error=str(error) or "timeout")
        return Refusal.NETWORK_FAILING
    now = clock.now()
    note([history.line(dev_eui, f"flushed-{now:.3f}", now, "queue", {"flushed": "by hand"})])
    flushed(dev_eui)
    return None
