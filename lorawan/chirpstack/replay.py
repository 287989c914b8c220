"""Reads back the events that ChirpStack still keeps of one device.

`StreamDeviceEvents` starts at the oldest event kept, never ends, and never says where the past
ends and the present begins; so the reading stops by a quiet gap and by hard limits
(`ReplayLimits` has the arithmetic). gRPC's stream can only be read by blocking, hence one thread
a stream, of which there is a bounded number. The thread ends when the call is cancelled, and the
call is cancelled however the reading ends.
"""

import contextlib
from collections.abc import Sequence
from typing import Any, Protocol

import grpc
import msgspec
import structlog
import trio

from lorawan.chirpstack.calls import Calls, Metadata
from lorawan.chirpstack.errors import translate
from lorawan.chirpstack.settings import ReplayLimits
from lorawan.events import MalformedEvent, UnknownEventKind, decode_json
from lorawan.events.model import Event
from lorawan.network import NetworkError, NetworkTimeout, NetworkUnavailable

_NAME = "StreamDeviceEvents"

log = structlog.get_logger(__name__)


class StreamMethod(Protocol):
    """A server-streaming method of a generated stub."""

    def __call__(self, request: Any, /, *, timeout: float, metadata: Metadata) -> Any:
        """Start the call; the result is a call and an iterator at once."""


class ReplayStatistics(msgspec.Struct, frozen=True):
    """Counts of the replays so far."""

    running: int
    waiting: int
    events: int
    skipped: int
    """Items that could not be decoded."""
    truncated: int
    """Replays ended by a hard limit, so that the newest events may be missing."""


class Replays:
    """Reads event streams, a bounded number at a time."""

    def __init__(
        self, calls: Calls, metadata: Metadata, limits: ReplayLimits, *, replays_most: int
    ) -> None:
        self._calls = calls
        self._metadata = metadata
        self._limits = limits
        self._limiter = trio.CapacityLimiter(replays_most)
        self._events = 0
        self._skipped = 0
        self._truncated = 0

    def statistics(self) -> ReplayStatistics:
        """Counters since the start, and what goes on now."""
        limiter = self._limiter.statistics()
        return ReplayStatistics(
            running=limiter.borrowed_tokens,
            waiting=limiter.tasks_waiting,
            events=self._events,
            skipped=self._skipped,
            truncated=self._truncated,
        )

    async def read(self, method: StreamMethod, request: Any) -> Sequence[Event]:
        """The events kept, oldest first. Raises `NetworkError`s only.

        Waits at most `total_s` for a free stream, and as long again for the events.
        """
        try:
            with trio.move_on_after(self._limits.total_s) as waiting:
                await self._limiter.acquire()
            if waiting.cancelled_caught:
                raise NetworkUnavailable(f"{_NAME}: too many replays at a time; nothing was sent")
            try:
                self._calls.check_open(_NAME)
                reader = await self._stream(method, request)
            finally:
                self._limiter.release()
            reader.raise_for_error()
        except NetworkError as error:
            self._calls.count_failure(error)
            raise
        if reader.truncated:
            self._truncated += 1
            log.warning("replay_truncated", dev_eui=request.dev_eui, items=len(reader.items))
        return self._decode(reader.items)

    async def _stream(self, method: StreamMethod, request: Any) -> "_Reader":
        limits = self._limits
        # The deadline of the call is only a safeguard behind ours.
        call = method(request, timeout=limits.total_s + 1.0, metadata=self._metadata)
        reader = _Reader(call, limits)
        async with trio.open_nursery() as nursery:
            try:
                nursery.start_soon(reader.run)
                await reader.wait_quiet()
            finally:
                call.cancel()
        return reader

    def _decode(self, items: Sequence[Any]) -> Sequence[Event]:
        events: list[Event] = []
        for item in items:
            try:
                events.append(_dated(decode_json(item.description, item.body.encode()), item))
            except (MalformedEvent, UnknownEventKind) as error:
                self._skipped += 1
                log.warning("replay_item_skipped", kind=item.description, error=str(error)[:200])
        self._events += len(events)
        return events


def _dated(event: Event, item: Any) -> Event:
    """An event that has no time of the server gets that of its entry in ChirpStack's stream."""
    if event.at is not None or not item.HasField("time"):
        return event
    at = (item.time.seconds * 10**9 + item.time.nanos) / 10**9
    return msgspec.structs.replace(event, at=at)


class _Reader:
    """The thread that reads one stream, and what it has read.

    The thread only appends and counts; the Trio task looks after each wake-up. The list is safe
    to share: one side appends, the other reads once the thread has ended.
    """

    def __init__(self, call: Any, limits: ReplayLimits) -> None:
        self.items: list[Any] = []
        self.truncated = False
        self._call = call
        self._limits = limits
        self._opened = False
        self._ended = False
        self._silent = False
        self._error: grpc.RpcError | None = None
        self._changed = trio.Event()
        self._token = trio.lowlevel.current_trio_token()

    async def run(self) -> None:
        """Read until the stream ends, a limit is reached, or the call is cancelled."""
        # A limiter of its own: the number of threads is bounded by the caller already.
        await trio.to_thread.run_sync(self._read, limiter=trio.CapacityLimiter(1))

    async def wait_quiet(self) -> None:
        """Wait until the past has been read, as far as that can be known."""
        limits = self._limits
        with trio.move_on_after(limits.total_s) as total:
            while not self._ended:
                changed = self._changed
                with trio.move_on_after(limits.quiet_s if self.items else limits.first_s) as quiet:
                    await changed.wait()
                if quiet.cancelled_caught:
                    break
        self.truncated = self.truncated or total.cancelled_caught
        self._silent = not self._opened

    def raise_for_error(self) -> None:
        """Raises a `NetworkError` when the stream failed before the past had been read."""
        if self._error is not None:
            raise translate(_NAME, self._error) from self._error
        if self._silent:
            raise NetworkTimeout(f"{_NAME}: no reply in time")

    def _read(self) -> None:
        size = 0
        try:
            # The server confirms the call with its headers, also when it keeps no events; that
            # tells an idle device from a server that hangs.
            self._call.initial_metadata()
            self._opened = True
            self._report()
            for item in self._call:
                size += len(item.body)
                self.items.append(item)
                if len(self.items) >= self._limits.items_most or size >= self._limits.bytes_most:
                    self.truncated = True
                    break
                self._report()
        except grpc.RpcError as error:
            if not self._call.cancelled():
                self._error = error
        finally:
            self._ended = True
            self._report()

    def _report(self) -> None:
        with contextlib.suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._wake, idempotent=True)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
