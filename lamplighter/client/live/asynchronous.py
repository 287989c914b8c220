"""The live feed under Trio: an async iterator, without a task or a nursery of its own."""

import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

import trio

from lamplighter.client.live.follow import (
    Came,
    Following,
    Open,
    Read,
    Shut,
    Silent,
    Tell,
    Write,
)
from lamplighter.client.steps import Broken, Pause

T = TypeVar("T")

READ_BYTES = 65_536
GOODBYE_S = 1.0

_BROKEN = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)


class AsyncFeed(Generic[T]):
    """Iterate as long as news are wanted; `aclose` it, or leave its `async with`."""

    def __init__(self, following: Following[T], context: Callable[[], ssl.SSLContext]) -> None:
        self._following = following
        self._context = context
        self._stream: trio.abc.Stream | None = None
        self._came: Came = None
        self._paused_until = 0.0
        self.closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while True:
            await trio.sleep_until(self._paused_until)
            try:
                step = self._following.send(self._came)
            except BaseException:
                await self.aclose()
                raise
            self._came = None
            if isinstance(step, Tell):
                return step.what
            if not isinstance(step, Read):  # to wait for news may be cancelled, and done again
                self._came = Broken("the reader was cancelled", sent=True)
            self._came = await self._done(step)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End it."""
        self.closed = True
        self._following.close()
        await self._shut(b"")

    async def _done(self, step: Open | Write | Read | Shut | Pause) -> Came:
        match step:
            case Open():
                return await self._open(step)
            case Write() if self._stream is not None:
                return await self._write(self._stream, step)
            case Read() if self._stream is not None:
                return await self._read(self._stream, step)
            case Shut():
                await self._shut(step.goodbye)
            case Pause():
                await trio.lowlevel.checkpoint()
                self._paused_until = trio.current_time() + step.seconds
            case _:
                await trio.lowlevel.checkpoint()
                return Broken("it is closed", sent=False)
        return None

    async def _open(self, step: Open) -> Came:
        try:
            with trio.fail_after(step.timeout_s):
                plain = await trio.open_tcp_stream(step.host, step.port)
        except (OSError, trio.TooSlowError) as error:
            return Broken(_told(error), sent=False)
        self._stream = plain
        if step.tls:
            self._stream = trio.SSLStream(
                plain, self._context(), server_hostname=step.host, https_compatible=True
            )
        return None

    async def _write(self, stream: trio.abc.Stream, step: Write) -> Came:
        try:
            with trio.fail_after(step.timeout_s):
                await stream.send_all(step.content)
        except (*_BROKEN, trio.TooSlowError) as error:
            return Broken(_told(error), sent=True)
        return None

    async def _read(self, stream: trio.abc.Stream, step: Read) -> Came:
        try:
            with trio.move_on_after(step.timeout_s):
                return bytes(await stream.receive_some(READ_BYTES))
        except _BROKEN as error:
            return Broken(_told(error), sent=True)
        return Silent()

    async def _shut(self, goodbye: bytes) -> None:
        stream, self._stream = self._stream, None
        if stream is None:
            await trio.lowlevel.checkpoint()
            return
        with trio.move_on_after(GOODBYE_S, shield=True):
            try:
                if goodbye:
                    await stream.send_all(goodbye)
            except _BROKEN:
                pass
            finally:
                await trio.aclose_forcefully(stream)


def _told(error: Exception) -> str:
    if isinstance(error, trio.TooSlowError):
        return "it takes too long"
    cause = error.__cause__ if isinstance(error, trio.BrokenResourceError) else None
    return str(cause or error) or type(error).__name__
