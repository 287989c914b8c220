"""The attacks, each as a number of peers that do one thing until they are told to stop.

What a peer is refused it tries again, as fast as it can, but never with more connections at once
than stand in the table.
"""

import resource
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio

from tests.hostile.tokens import VIEWER

Peer = Callable[[trio.SocketStream], Awaitable[None]]

READ_BYTES = 65_536
DESCRIPTORS = 8_192

GOING = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)


def request(path: str, *headers: str, method: str = "GET") -> bytes:
    """A request to the service."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


DEVICES = "/api/v1/devices"
WRONG = f"Authorization: Bearer {'x' * 24}"
RIGHT = f"Authorization: Bearer {VIEWER}"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
H2C = request(
    DEVICES,
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
)
UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def says(said: bytes) -> Peer:
    """Says something and stays."""

    async def peer(stream: trio.SocketStream) -> None:
        if said:
            await stream.send_all(said)
        while await stream.receive_some(READ_BYTES):
            pass

    return peer


def drips(begun: bytes) -> Peer:
    """Says something and goes on with a byte every half second."""

    async def peer(stream: trio.SocketStream) -> None:
        await stream.send_all(begun)
        while True:
            await stream.send_all(b"x")
            await trio.sleep(0.5)

    return peer


def floods(said: bytes) -> Peer:
    """Asks again as soon as it is answered."""

    async def peer(stream: trio.SocketStream) -> None:
        while True:
            await stream.send_all(said)
            if not await stream.receive_some(READ_BYTES):
                return

    return peer


async def takes_nothing(stream: trio.SocketStream) -> None:
    """Asks for a lot and reads none of it."""
    await stream.send_all(request("/openapi.json") * 100)
    await trio.sleep_forever()


ATTACKS: dict[str, tuple[int, Peer]] = {
    "1,010 connections that say nothing": (1_010, says(b"")),
    "1,010 connections of 24 bytes (HTTP/2)": (1_010, says(PREFACE)),
    "1,010 half request lines": (1_010, says(b"GET /api/v1/devices HTT")),
    "80 upgrades to h2c": (80, says(H2C)),
    "300 heads that drip": (300, drips(request(DEVICES)[:-2] + b"X-Slow: ")),
    "300 bodies that drip": (
        300,
        drips(request("/api/v1/devices/initialize", "Content-Length: 9999", method="POST")),
    ),
    "300 readers that take nothing": (300, takes_nothing),
    "300 websockets without a token": (300, says(request("/api/v1/live", *UPGRADE))),
    "flood without a token, 50 at once": (50, floods(request(DEVICES))),
    "flood with wrong tokens, 50 at once": (50, floods(request(DEVICES, WRONG))),
    "flood of the page, 50 at once": (50, floods(request("/"))),
    "flood with a right token, 50 at once": (50, floods(request(DEVICES, RIGHT))),
}


async def attack(name: str, port: int, seconds: float) -> None:
    """Carry it out for so long."""
    number, peer = ATTACKS[name]

    async def again() -> None:
        while True:
            with suppress(*GOING):
                async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                    await peer(stream)
            await trio.sleep(0.01)

    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            for _ in range(number):
                nursery.start_soon(again)


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(DESCRIPTORS, hard), hard))
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    trio.run(attack, sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
