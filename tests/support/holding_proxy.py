"""A proxy on loopback before a server, which can hold back what clients have sent.

Bytes that were held are delivered later, whole and in order, also when the client has long closed
its connection, as a slow network or a paused router would.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

JOIN_S = 5.0


class HoldingProxy:
    """Threads and plain sockets, so that it works whatever the test's own loop does."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._holds: Callable[[bytes], bool] = lambda data: False
        self._held: list[tuple[socket.socket, bytes]] = []
        self._holding = threading.Event()
        self._given_up = threading.Event()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Address of the server by way of the proxy."""
        return f"redis://127.0.0.1:{self.port}/0"

    def hold(self, wanted: Callable[[bytes], bool]) -> None:
        """Hold the next piece that `wanted` names, and all after it on that connection."""
        self._holding.clear()
        self._given_up.clear()
        self._holds = wanted

    def wait_held(self) -> None:
        """Return once something is held."""
        assert self._holding.wait(JOIN_S), "nothing was held"

    def lead_to(self, port: int) -> None:
        """From now on the address is another server's, as after a fail-over."""
        self._server_port = port
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def deliver(self) -> None:
        """Send on what was held, once its client has given up; the server has read it when this
        returns. A client on a busy machine closes its connection later than its caller hears."""
        assert self._given_up.wait(JOIN_S), "the client still waits for an answer"
        held, self._held = self._held, []
        for upstream, data in held:
            upstream.sendall(data)
            upstream.shutdown(socket.SHUT_WR)
            upstream.settimeout(JOIN_S)
            with suppress(OSError):
                while upstream.recv(65536):  # until the server has answered all and closed
                    pass
            upstream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.close()
        for upstream, _ in self._held:
            upstream.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                upstream = socket.create_connection(("127.0.0.1", self._server_port))
                self._open += [client, upstream]
                threading.Thread(target=self._up, args=(client, upstream), daemon=True).start()
                threading.Thread(target=self._down, args=(upstream, client), daemon=True).start()

    def _up(self, client: socket.socket, upstream: socket.socket) -> None:
        """From the client to the server, unless held."""
        kept: list[bytes] = []
        with suppress(OSError):
            while data := client.recv(65536):
                if kept:
                    kept.append(data)
                elif self._holds(data):
                    self._holds = lambda data: False
                    kept.append(data)
                    self._holding.set()
                else:
                    upstream.sendall(data)
        if kept:  # the client gave up; the network has not
            self._held.append((upstream, b"".join(kept)))
            self._given_up.set()
        else:
            upstream.close()
        client.close()

    def _down(self, upstream: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := upstream.recv(65536):
                client.sendall(data)
