"""Whether the store can be written, as its writer finds."""

from collections.abc import Callable

import structlog

from actors.clocks.clock import Clock
from store.errors import StoreUnavailable

log = structlog.get_logger()

HealthListener = Callable[[float | None], None]
"""Told since when (Unix seconds) the store fails (`StoreHealth.problem` says why), and None once it
works again; must not raise."""


class StoreHealth:
    """Of the whole store, or of a part of it."""

    def __init__(self, clock: Clock, listener: HealthListener | None) -> None:
        self.failing_since: float | None = None
        """Unix seconds; None while it does not fail."""
        self.problem: str | None = None
        """Why it fails, in words; None while it does not."""
        self.stopped_since: float | None = None
        """Since when (on the steady clock) nothing at all could be written; None where only a part
        of it is away."""
        self.failures = 0
        """Calls that it did not carry out."""
        self._clock = clock
        self._listener = listener

    def failed(self, error: StoreUnavailable, *, whole: bool = True) -> None:
        """It cannot be written, or (not `whole`) a part of it."""
        self.failures += 1
        if str(error) != self.problem:
            log.error("store unavailable", error=str(error))
        self.problem = str(error)
        if whole and self.stopped_since is None:
            self.stopped_since = self._clock.steady()
        if self.failing_since is None:
            self.failing_since = self._clock.now()
            self._tell(self.failing_since)

    def works(self, *, whole: bool) -> None:
        """Something was written; `whole`: and nothing waits."""
        self.stopped_since = None
        if whole and self.failing_since is not None:
            log.info("store available again", after_s=self._clock.now() - self.failing_since)
            self.failing_since = self.problem = None
            self._tell(None)

    def _tell(self, since: float | None) -> None:
        if self._listener is not None:
            self._listener(since)
