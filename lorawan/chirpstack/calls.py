"""One unary gRPC call under Trio: no thread of ours, cancelled both ways, always with a deadline.

gRPC works on a thread of its own and reports by a callback there; the callback only wakes the Trio
task, because an exception in it would only be logged. A cancelled task cancels the call and leaves
at once. Every wait has an end: for a free place, for the reply, and for a callback that gRPC forgot
(grpc/grpc#26320).
"""

import contextlib
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

import grpc
import msgspec
import trio

from lorawan.chirpstack.errors import translate
from lorawan.network import NetworkError, NetworkTimeout, NetworkUnavailable

FORGOTTEN_S = 1.0
"""How long after its deadline a call is given up whose callback never came."""

Metadata = Sequence[tuple[str, str]]


class PendingCall(Protocol):
    """A call on its way, as gRPC's future and call interfaces describe it."""

    def add_done_callback(self, fn: Any, /) -> None:
        """Call `fn` on gRPC's thread when the call has ended."""

    def cancel(self) -> bool:
        """Break the call off; does not block."""

    def done(self) -> bool:
        """Whether it has ended."""

    def result(self) -> Any:
        """What the server answered; raises `grpc.RpcError`."""


class Method(Protocol):
    """A unary method of a generated stub."""

    def future(self, request: Any, /, *, timeout: float, metadata: Metadata) -> PendingCall:
        """Start the call."""


class CallStatistics(msgspec.Struct, frozen=True):
    """Counts of the calls so far; `failed` by the name of our error."""

    in_flight: int
    waiting: int
    started: int
    failed: dict[str, int]


class Calls:
    """Makes calls on one channel, a bounded number at a time."""

    def __init__(self, metadata: Metadata, *, in_flight_most: int) -> None:
        self._metadata = metadata
        self._limiter = trio.CapacityLimiter(in_flight_most)
        self._started = 0
        self._failed: Counter[str] = Counter()
        self._closed = False

    def statistics(self) -> CallStatistics:
        """Counters since the start, and what goes on now."""
        limiter = self._limiter.statistics()
        return CallStatistics(
            in_flight=limiter.borrowed_tokens,
            waiting=limiter.tasks_waiting,
            started=self._started,
            failed=dict(self._failed),
        )

    def close(self) -> None:
        """From now on every call fails as `NetworkUnavailable`, also those that wait."""
        self._closed = True

    def check_open(self, name: str) -> None:
        """Raises `NetworkUnavailable` after `close`."""
        if self._closed:
            raise NetworkUnavailable(f"{name}: the client is closed; nothing was sent")

    def count_failure(self, error: NetworkError) -> None:
        """Note a failure of a call made elsewhere on this channel (an event stream)."""
        self._failed[type(error).__name__] += 1

    async def unary(self, name: str, method: Method, request: Any, *, deadline_s: float) -> Any:
        """The server's reply. Raises `NetworkError`s only.

        `deadline_s` bounds the wait for a place in flight, and then anew the call itself.
        """
        try:
            await self._acquire(name, deadline_s)
            try:
                return await self._exchange(name, method, request, deadline_s)
            finally:
                self._limiter.release()
        except NetworkError as error:
            self.count_failure(error)
            raise

    async def _acquire(self, name: str, deadline_s: float) -> None:
        with trio.move_on_after(deadline_s) as waiting:
            await self._limiter.acquire()
        if waiting.cancelled_caught:
            raise NetworkUnavailable(
                f"{name}: {self._limiter.borrowed_tokens:.0f} calls in flight and none of them"
                f" ended within {deadline_s:g} s; nothing was sent"
            )

    async def _exchange(self, name: str, method: Method, request: Any, deadline_s: float) -> Any:
        self.check_open(name)
        self._started += 1
        done = trio.Event()
        token = trio.lowlevel.current_trio_token()

        def hand_over(_reply: object) -> None:
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(done.set)

        reply = method.future(request, timeout=deadline_s, metadata=self._metadata)
        try:
            reply.add_done_callback(hand_over)
            with trio.move_on_after(deadline_s + FORGOTTEN_S):
                await done.wait()
            if not reply.done():
                raise NetworkTimeout(
                    f"{name}: gRPC itself gave no sign for {deadline_s + FORGOTTEN_S:g} s;"
                    " whether it took effect is unknown"
                )
        finally:
            reply.cancel()  # Without effect on a call that has ended.
        try:
            return reply.result()
        except grpc.RpcError as error:
            raise translate(name, error) from error
