"""How long events are kept."""

import structlog
import trio

from actors.clocks.clock import Clock
from actors.outgoing import repository
from store.errors import StoreUnavailable
from store.port import Store

log = structlog.get_logger()

KEEP_S = 3 * 86_400.0
"""For who was away, and for a replay. A fleet of 20,000 lights that changes 20 times a day has 1.2
million of them by then, 0.7 GB; a fleet of 200 a hundredth."""
PRUNE_S = 600.0
PRUNE_STEP = 1_000
PRUNE_STEPS_MOST = 100


async def prune_for_ever(store: Store, clock: Clock) -> None:
    """Delete older events, in small steps, until cancelled."""
    while True:
        try:
            before = clock.now() - KEEP_S
            for _ in range(PRUNE_STEPS_MOST):
                gone = await store.prune(
                    tables=(), before=before, most=PRUNE_STEP, which=repository.EVENTS_ONLY
                )
                if gone < PRUNE_STEP:
                    break
        except StoreUnavailable as error:
            log.warning("old events cannot be deleted", error=str(error))
        await trio.sleep(PRUNE_S)
