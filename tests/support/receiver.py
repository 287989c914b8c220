"""A receiver of hooks' events: a real HTTP server on loopback that can be stopped and started.

It checks signatures by itself, as a receiver would, and not with the code under test.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.support.ports import free_port


@dataclass(frozen=True)
class Received:
    """One request, as it came."""

    id: str
    timestamp: int
    signatures: tuple[str, ...]
    raw: bytes
    path: str
    answered: int

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def type(self) -> str:
        return str(self.body["type"])

    @property
    def data(self) -> Any:
        return self.body["data"]

    def signed_by(self, secret: str) -> bool:
        """As the documentation tells receivers to check."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = f"{self.id}.{self.timestamp}.".encode() + self.raw
        expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return any(hmac.compare_digest(one, f"v1,{expected}") for one in self.signatures)


@dataclass
class Receiver:
    """`with` it runs; `answer` decides the status by what was received before it is noted."""

    answer: Callable[[Any], int] = lambda body: 200
    headers: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    received: list[Received] = field(default_factory=list)
    delay_s: float = 0.0
    restarts: int = 0
    _server: ThreadingHTTPServer | None = None
    _open: set[socket.socket] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def taken(self) -> list[Received]:
        """What was answered 2xx, in the order in which it came."""
        return [one for one in list(self.received) if one.answered < 300]

    def start(self) -> None:
        """It is there; nothing where it is already."""
        if self._server is not None:
            return
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.delay_s:
                    time.sleep(receiver.delay_s)
                status = receiver.answer(json.loads(raw))
                receiver.received.append(
                    Received(
                        self.headers["webhook-id"],
                        int(self.headers["webhook-timestamp"]),
                        tuple(self.headers["webhook-signature"].split(" ")),
                        raw,
                        self.path,
                        status,
                    )
                )
                said = b"thanks" if status < 300 else b"no"
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def process_request(self, request: Any, client_address: Any) -> None:
                receiver._open.add(request)
                super().process_request(request, client_address)

            def shutdown_request(self, request: Any) -> None:
                receiver._open.discard(request)
                super().shutdown_request(request)

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # whoever posted was killed

        self._server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """As a process that is killed: open connections are cut, whatever is under way."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            for one in list(self._open):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self.restarts += 1

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
