"""Emptying ChirpStack's queue of one light by hand, for a foreign item that is stuck.

The dispatcher learns of it, so that what was held behind the item goes on.
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

import structlog
import trio

from actors.clocks.clock import Clock
from actors.refusal import Refusal
from actors.storage import history
from actors.storage.event_lines import LineKind
from lorawan.network import NetworkError, NetworkServer
from store.port import Write

log = structlog.get_logger()

FLUSH_S = 8.0
"""Above the client's own deadline, below what a caller waits for."""


@dataclass(frozen=True, slots=True)
class Flusher:
    """`known` are the lights, `note` takes a line of history, `flushed` is the dispatcher's ear."""

    network: NetworkServer
    clock: Clock
    known: Callable[[], Container[str]]
    note: Callable[[Sequence[Write]], object]
    flushed: Callable[[str], None]

    async def flush(self, dev_eui: str, by: str = "") -> Refusal | None:
        """Drop all that the queue holds, in flight or not. None when it is done. `by` is who wants
        it."""
        if dev_eui not in self.known():
            return Refusal.UNKNOWN_DEVICE
        try:
            with trio.fail_after(FLUSH_S):
                await self.network.flush(dev_eui)
        except (NetworkError, trio.TooSlowError) as error:
            log.warning("queue not flushed", dev_eui=dev_eui, error=str(error) or "timeout")
            return Refusal.NETWORK_FAILING
        now, detail = self.clock.now(), {"flushed": "by hand", **({"by": by} if by else {})}
        self.note([history.line(dev_eui, f"flushed-{now:.3f}", now, LineKind.QUEUE, detail)])
        self.flushed(dev_eui)
        return None
