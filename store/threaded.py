"""Blocking database calls from Trio, one thread at a time.

The rule it keeps: a connection is used by one thread at any moment, in the order asked, and a call
that has started is always seen through: cancelling its caller waits for it. That wait is bounded
by the connection's own time-out. Not for virtual time: a mock clock jumps while a thread works.
"""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import trio

from store.errors import StoreClosed, StoreUnavailable

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Worker:
    """The turnstile before one blocking connection.

    `turn_timeout_s` bounds the wait for the calls ahead, not the call itself.
    """

    def __init__(self, name: str, *, turn_timeout_s: float = 30.0) -> None:
        self._name = name
        self._turn_timeout_s = turn_timeout_s
        self._turn = trio.CapacityLimiter(1)
        self._closed = False

    async def run(self, call: Callable[[*Ts], T], *args: *Ts) -> T:
        """Run `call(*args)` in a worker thread, when its turn has come.

        Raises StoreUnavailable when the turn did not come in time, StoreClosed after `close`, and
        whatever the call raises. Cancelled while waiting for its turn, the call never happens.
        """
        try:
            with trio.fail_after(self._turn_timeout_s):
                return await trio.to_thread.run_sync(
                    self._call,
                    call,
                    *args,
                    thread_name=self._name,
                    limiter=self._turn,
                    abandon_on_cancel=False,
                )
        except trio.TooSlowError as slow:
            raise StoreUnavailable(
                f"{self._name}: still busy with other calls after {self._turn_timeout_s} s"
            ) from slow

    async def close(self, release: Callable[[], None]) -> None:
        """Let running and waiting calls end or fail, then run `release` once; idempotent.

        Shields itself, because a connection must be released also when the caller is being
        cancelled; the shield ends at `turn_timeout_s`.
        """
        if self._closed:
            return
        self._closed = True  # calls still waiting for their turn find this and fail
        try:
            with trio.fail_after(self._turn_timeout_s) as scope:
                scope.shield = True
                await trio.to_thread.run_sync(
                    release, thread_name=self._name, limiter=self._turn, abandon_on_cancel=False
                )
        except trio.TooSlowError as slow:
            raise StoreUnavailable(f"{self._name}: not released, a call hangs") from slow

    def _call(self, call: Callable[[*Ts], T], *args: *Ts) -> T:
        if self._closed:
            raise StoreClosed(f"{self._name}: the store is closed")
        return call(*args)
