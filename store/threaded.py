"""Blocking database calls from Trio, one thread at a time.

A connection is used by one thread at any moment, in the order of the calls, and no caller waits for
a thread that hangs. A caller may leave (cancelled, or out of time); its call goes on, and the next
one begins only when it has ended: what is carried out late is still carried out in order. Trio's
threads are daemons: one that hangs does not keep the process alive.
Not for virtual time: a mock clock jumps while a thread works.
"""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import trio

from store.errors import StoreClosed, StoreUnavailable

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

ANSWER_S = 8.0
"""Below the 10 s after which a caller by HTTP is told that the store does not answer."""
CLOSE_S = 3.0
"""Of the 10 s in which a service that was told to stop is gone."""


class Worker:
    """Runs the calls of one blocking connection, one at a time and in order."""

    def __init__(self, name: str, *, answer_s: float = ANSWER_S, close_s: float = CLOSE_S) -> None:
        self._name = name
        self._answer_s = answer_s
        self._close_s = close_s
        self._turn = trio.CapacityLimiter(1)
        self._closed = False

    async def run(self, call: Callable[[*Ts], T], *args: *Ts, answer_s: float | None = None) -> T:
        """Run `call(*args)` in a worker thread, when its turn has come.

        Raises StoreUnavailable when there was no answer within `answer_s`, the wait for its turn
        included (whether it was carried out is then unknown), StoreClosed after `close`, and
        whatever the call raises.
        Cancelled while waiting for its turn, the call never happens.
        """
        limit_s = self._answer_s if answer_s is None else answer_s
        try:
            with trio.fail_after(limit_s):
                return await trio.to_thread.run_sync(
                    self._call,
                    call,
                    *args,
                    thread_name=self._name,
                    limiter=self._turn,
                    abandon_on_cancel=True,
                )
        except trio.TooSlowError as slow:
            raise StoreUnavailable(f"{self._name}: no answer within {limit_s:g} s") from slow

    async def close(self, release: Callable[[], None]) -> None:
        """Let running and waiting calls end or fail, then run `release` once; idempotent.

        Shields itself, because a connection must be released also when the caller is being
        cancelled; the shield ends at `close_s`.
        """
        if self._closed:
            return
        self._closed = True  # calls still waiting for their turn find this and fail
        try:
            with trio.fail_after(self._close_s) as scope:
                scope.shield = True
                await trio.to_thread.run_sync(
                    release, thread_name=self._name, limiter=self._turn, abandon_on_cancel=True
                )
        except trio.TooSlowError as slow:
            raise StoreUnavailable(f"{self._name}: not released, a call hangs") from slow

    def _call(self, call: Callable[[*Ts], T], *args: *Ts) -> T:
        if self._closed:
            raise StoreClosed(f"{self._name}: the store is closed")
        return call(*args)
