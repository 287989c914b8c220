"""What may stand between us and ChirpStack: a proxy that passes bytes on, or answers by itself.

It speaks real HTTP/2 and listens on one loopback port. `answer_with` makes it answer every call
with a plain HTTP status, as proxies do while the server behind them is away, or with headers of
one's own; `pass_on` connects it with the server behind. A change breaks open connections off, as a
reload of a proxy does.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import h2.config
import h2.connection
import h2.events
import h2.exceptions

Headers = Sequence[tuple[str, str]]


class Intermediary:
    """One listening port, whose behaviour can be changed while it runs."""

    def __init__(self, behind_port: int | None = None) -> None:
        self._behind_port = behind_port
        self._headers: Headers | None = None
        self._body = b""
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.answered = 0
        accepting = threading.Thread(target=self._accept, name="intermediary", daemon=True)
        self._threads = [accepting]
        accepting.start()

    def answer_with(self, status: int, body: bytes = b"not here", *more: tuple[str, str]) -> None:
        """Answer every call with this HTTP status and a text."""
        self.answer_headers([(":status", str(status)), ("content-type", "text/plain"), *more], body)

    def answer_headers(self, headers: Headers, body: bytes = b"") -> None:
        """Answer every call with exactly these headers."""
        self._headers, self._body = headers, body
        self._break_off()

    def pass_on(self) -> None:
        """Hand every byte to the server behind."""
        self._headers = None
        self._break_off()

    def close(self) -> None:
        """Close the port and every connection."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._break_off()
        for one in self._threads:
            one.join(5.0)

    def _break_off(self) -> None:
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._headers is not None:
                self._start(self._answer, client)
                continue
            assert self._behind_port is not None
            server = socket.create_connection(("127.0.0.1", self._behind_port))
            self._start(_copy, client.dup(), server.dup())
            self._start(_copy, server, client)

    def _start(self, serve: Callable[..., None], *sockets: socket.socket) -> None:
        def run() -> None:
            with contextlib.suppress(OSError, h2.exceptions.ProtocolError):
                serve(*sockets)
            for one in sockets:  # a shutdown ends the other direction, too
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            with self._lock:
                self._open.difference_update(sockets)
            for one in sockets:
                one.close()

        thread = threading.Thread(target=run, name="intermediary connection", daemon=True)
        with self._lock:
            self._open.update(sockets)
        self._threads.append(thread)
        thread.start()

    def _answer(self, client: socket.socket) -> None:
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        connection = h2.connection.H2Connection(config)
        connection.initiate_connection()
        client.sendall(connection.data_to_send())
        while data := client.recv(65_536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.StreamEnded):
                    self.answered += 1
                    connection.send_headers(
                        event.stream_id, self._headers, end_stream=not self._body
                    )
                    if self._body:
                        connection.send_data(event.stream_id, self._body, end_stream=True)
            client.sendall(connection.data_to_send())


@contextmanager
def running_intermediary(behind_port: int | None = None) -> Iterator[Intermediary]:
    """One that runs meanwhile."""
    intermediary = Intermediary(behind_port)
    try:
        yield intermediary
    finally:
        intermediary.close()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    while data := source.recv(65_536):
        sink.sendall(data)
