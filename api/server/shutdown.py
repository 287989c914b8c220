"""Stopping: new requests are refused, waiting ones released, running ones waited for.

This only counts and cancels; how long is waited is decided in `web_actor.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import trio


class Shutdown:
    """How many requests are being answered, and whether the service is stopping."""

    def __init__(self) -> None:
        self._scopes: set[trio.CancelScope] = set()
        self._handlers: set[trio.CancelScope] = set()
        self._idle: trio.Event | None = None
        self.running = 0
        """Requests being answered now."""
        self.begun = False
        self.handlers_cancelled = False
        """The handlers that still ran were cancelled: nothing is waited for any more."""

    def begin(self) -> None:
        """Release all that wait for a verdict now, or would from now on."""
        self.begun = True
        for scope in self._scopes:
            scope.cancel(reason="the service is stopping")

    def reset(self) -> None:
        """Serve again: the actor was restarted."""
        self.begun = self.handlers_cancelled = False

    def cancel_handlers(self) -> None:
        """End the handlers that still run; they answer that the service stops."""
        self.handlers_cancelled = True
        for scope in self._handlers:
            scope.cancel(reason="the service has stopped")

    @contextmanager
    def handling(self, scope: trio.CancelScope) -> Iterator[None]:
        """Keeps the scope of a handler, for `cancel_handlers`."""
        self._handlers.add(scope)
        if self.handlers_cancelled:
            scope.cancel(reason="the service has stopped")
        try:
            yield
        finally:
            self._handlers.discard(scope)

    @contextmanager
    def releasing(self) -> Iterator[trio.CancelScope]:
        """A scope that ends early when the service stops; `cancelled_caught` says whether."""
        with trio.CancelScope() as scope:
            self._scopes.add(scope)
            if self.begun:
                scope.cancel(reason="the service is stopping")
            try:
                yield scope
            finally:
                self._scopes.discard(scope)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Counts a request while it is answered."""
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            if self.running == 0 and self._idle is not None:
                self._idle.set()
                self._idle = None

    async def wait_idle(self) -> None:
        """Wait until no request is being answered; give it a deadline."""
        while self.running:
            if self._idle is None:
                self._idle = trio.Event()
            await self._idle.wait()
