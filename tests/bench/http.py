"""The loads: prepared HTTP requests over a few connections, each answer awaited and timed.

The generator does as little as possible per request, so that it does not measure itself: bytes are
prepared, answers are searched for their end and their status only.
"""

import socket
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

RECEIVE_BYTES = 65_536
END = b"\r\n\r\n"
LENGTH = b"content-length: "


@dataclass(slots=True)
class Load:
    """What came of a load: seconds per request, answers by status, seconds in all."""

    latencies_s: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    took_s: float = 0.0

    @property
    def per_s(self) -> float:
        """Requests answered per second."""
        return len(self.latencies_s) / self.took_s

    def refused(self, *good: int) -> int:
        """How many were answered otherwise."""
        return sum(count for status, count in self.statuses.items() if status not in good)


class Connection:
    """One keep-alive connection, one request at a time."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body. Raises EOFError when the server closes."""
        await self._stream.send_all(request)
        data = await self._receive()
        while (end := data.find(END)) < 0:
            data += await self._receive()
        head, body = data[:end].lower(), data[end + len(END) :]
        at = head.find(LENGTH)
        length = int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        while len(body) < length:
            body += await self._receive()
        return int(data[9:12]), body

    async def _receive(self) -> bytes:
        data = bytes(await self._stream.receive_some(RECEIVE_BYTES))
        if not data:
            raise EOFError("the server closed the connection")
        return data


@asynccontextmanager
async def connected(port: int) -> AsyncGenerator[Connection, None]:
    """A connection to the service on this machine."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Connection(stream)


async def hammer(port: int, requests: Sequence[bytes], connections: int) -> Load:
    """Send all requests, the next on each connection as soon as the last is answered."""
    load, waiting = Load(), iter(requests)
    began = time.perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(connections):
            nursery.start_soon(_hammer, port, waiting, load)
    load.took_s = time.perf_counter() - began
    return load


async def pace(
    port: int, requests: Iterator[bytes], connections: int, per_s: float, load: Load
) -> None:
    """Send requests evenly at this rate until they run out, or until cancelled."""
    async with trio.open_nursery() as nursery:
        for number in range(connections):
            nursery.start_soon(_pace, port, requests, number / per_s, connections / per_s, load)


async def get(port: int, path: str) -> bytes:
    """The body of one GET. Raises RuntimeError for any other status than 200."""
    async with connected(port) as connection:
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        status, body = await connection.ask(request.encode())
    if status != 200:
        raise RuntimeError(f"GET {path} was answered {status}: {body[:200]!r}")
    return body


async def _hammer(port: int, waiting: Iterator[bytes], load: Load) -> None:
    async with connected(port) as connection:
        for request in waiting:
            await _timed(connection, request, load)


async def _pace(
    port: int, requests: Iterator[bytes], first_s: float, every_s: float, load: Load
) -> None:
    next_at = trio.current_time() + first_s
    async with connected(port) as connection:
        for request in requests:
            await trio.sleep_until(next_at)
            await _timed(connection, request, load)
            next_at = max(next_at + every_s, trio.current_time())


async def _timed(connection: Connection, request: bytes, load: Load) -> None:
    began = time.perf_counter()
    status, _ = await connection.ask(request)
    load.latencies_s.append(time.perf_counter() - began)
    load.statuses[status] = load.statuses.get(status, 0) + 1
