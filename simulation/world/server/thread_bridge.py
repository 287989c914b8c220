"""The way from gRPC's worker threads into Trio and back.

Closing cancels every call under way, and later ones fail at once, so that no thread is left waiting
for a call that nobody can end.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from lorawan.network import NetworkUnavailable

_T = TypeVar("_T")


class ThreadBridge:
    """Runs async functions in the Trio run that made it, called from other threads."""

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._scopes: set[trio.CancelScope] = set()
        self._closed = False

    def call(self, function: Callable[..., Awaitable[_T]], *args: object) -> _T:
        """The function's result; blocks the calling thread. Raises what the function raises, and
        `NetworkUnavailable` when the crossing is closed meanwhile."""
        try:
            return trio.from_thread.run(self._guarded, function, *args, trio_token=self._token)
        except (trio.RunFinishedError, trio.Cancelled) as error:
            # This is a thread of gRPC's: no scope waits for this Cancelled, the run it came from
            # has ended.
            raise NetworkUnavailable("the server is stopping") from error  # noqa: ASYNC104

    def close(self) -> None:
        """Cancel what is running; to be called in Trio."""
        self._closed = True
        for scope in self._scopes:
            scope.cancel(reason="the pretend server stops")

    async def _guarded(self, function: Callable[..., Awaitable[_T]], *args: object) -> _T:
        if not self._closed:
            with trio.CancelScope() as scope:
                self._scopes.add(scope)
                try:
                    return await function(*args)
                finally:
                    self._scopes.discard(scope)
        raise NetworkUnavailable("the server is stopping")
