"""The live feed with a blocking socket: an iterator."""

import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

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


class BlockingFeed(Generic[T]):
    """Iterate as long as news are wanted; `close` it, or leave its `with` block."""

    def __init__(self, following: Following[T], context: Callable[[], ssl.SSLContext]) -> None:
        self._following = following
        self._context = context
        self._socket: socket.socket | None = None
        self.closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        came: Came = None
        while True:
            try:
                step = self._following.send(came)
            except BaseException:
                self.close()
                raise
            if isinstance(step, Tell):
                return step.what
            came = self._done(step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self.closed = True
        self._following.close()
        self._shut(b"")

    def _done(self, step: Open | Write | Read | Shut | Pause) -> Came:
        match step:
            case Open():
                return self._open(step)
            case Write() if self._socket is not None:
                try:
                    self._socket.settimeout(step.timeout_s)
                    self._socket.sendall(step.content)
                except OSError as error:
                    return Broken(_told(error), sent=True)
            case Read() if self._socket is not None:
                try:
                    self._socket.settimeout(step.timeout_s)
                    return self._socket.recv(READ_BYTES)
                except TimeoutError:
                    return Silent()
                except OSError as error:
                    return Broken(_told(error), sent=True)
            case Shut():
                self._shut(step.goodbye)
            case Pause():
                time.sleep(step.seconds)
            case _:
                return Broken("it is closed", sent=False)
        return None

    def _open(self, step: Open) -> Came:
        try:
            plain = socket.create_connection((step.host, step.port), step.timeout_s)
        except OSError as error:
            return Broken(_told(error), sent=False)
        self._socket = plain
        if step.tls:
            try:
                self._socket = self._context().wrap_socket(plain, server_hostname=step.host)
            except OSError as error:
                self._shut(b"")
                return Broken(_told(error), sent=False)
        return None

    def _shut(self, goodbye: bytes) -> None:
        here, self._socket = self._socket, None
        if here is not None:
            with contextlib.suppress(OSError):
                here.settimeout(GOODBYE_S)
                here.sendall(goodbye)
            here.close()


def _told(error: OSError) -> str:
    return str(error) or type(error).__name__
