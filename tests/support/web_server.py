"""The real server on a free loopback port, and a peer that speaks raw HTTP to it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

from api.http.app import create_app
from api.server.web_actor import WebActor
from api.settings.model import ApiSettings
from tests.support.fake_application import FakeApplication

# Twice what the longest of these tests takes; they run on the real clock.
PATIENCE_S = 10.0


class Server:
    """A running server: its application, its app, its port, and a way to stop it."""

    def __init__(self, application: FakeApplication, settings: ApiSettings) -> None:
        self.application = application
        self.app = create_app(application, settings)
        self.actor = WebActor(self.app, settings.web)
        self.scope = trio.CancelScope()
        self.ended = trio.Event()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.actor.port

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """As a supervisor would run it."""
        with self.scope:
            await self.actor.run(task_status)
        self.ended.set()

    async def stop(self) -> float:
        """Cancel it as a supervisor would; the seconds until it had ended."""
        began = trio.current_time()
        self.scope.cancel(reason="the test stops it")
        await self.ended.wait()
        return trio.current_time() - began

    async def connect(self) -> trio.SocketStream:
        """A connection to it."""
        return await trio.open_tcp_stream("127.0.0.1", self.port)


@asynccontextmanager
async def running(
    application: FakeApplication, settings: ApiSettings
) -> AsyncGenerator[Server, None]:
    """A server that serves, stopped at the end."""
    server = Server(application, settings)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            await nursery.start(server.run)
            try:
                yield server
            finally:
                server.scope.cancel(reason="the test is over")


async def read_head(stream: trio.SocketStream) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower case) and what came of the body with them; 0 when the peer closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = await stream.receive_some(65_536)
        if not more:
            return 0, {}, data
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    pairs = [line.split(": ", 1) for line in lines[1:]]
    return int(lines[0].split()[1]), {name.lower(): value for name, value in pairs}, rest


async def read_answer(stream: trio.SocketStream) -> tuple[int, dict[str, str], bytes]:
    """A whole answer with a Content-Length."""
    status, headers, body = await read_head(stream)
    wanted = int(headers.get("content-length", 0))
    while len(body) < wanted:
        body += await stream.receive_some(65_536)
    return status, headers, body


def get(path: str) -> bytes:
    """A GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A POST request of JSON."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
