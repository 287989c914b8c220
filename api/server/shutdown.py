"""Stopping: new requests are refused, waiting ones released, running ones waited for.

This only counts and cancels; how long anybody waits is decided in `web_actor.py`.
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
        self.over = False
        """Nothing is waited for any more."""

    def begin(self) -> None:
        """Release all that wait, and all that would."""
        self.begun = True
        for scope in self._scopes:
            scope.cancel(reason="the service is stopping")

    def renew(self) -> None:
        """Service begins again."""
        self.begun = self.over = False

    def cut(self) -> None:
        """End the handlers that still run; they answer that the service stops."""
        self.over = True
        for scope in self._handlers:
            scope.cancel(reason="the service has stopped")

    @contextmanager
    def handling(self, scope: trio.CancelScope) -> Iterator[None]:
        """Around a handler inside of `scope`, which `cut` cancels."""
        self._handlers.add(scope)
        if self.over:
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
        """Around a request."""
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
