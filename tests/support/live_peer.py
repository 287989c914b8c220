"""A peer of the live websocket that speaks it byte by byte, right or wrong.

It sends what it is told to send; no library corrects that on the way.
"""

import struct
import zlib

import trio

from tests.support.web_server import Server, read_head

BROKEN = 1006
OPEN = 0
"""Not ended: the client did nothing wrong."""

DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


def frame(
    payload: bytes,
    opcode: int = TEXT,
    *,
    fin: bool = True,
    reserved: int = 0,
    masked: bool = True,
    length: int | None = None,
) -> bytes:
    """A websocket frame, right or wrong; `length` is what it says of itself."""
    said = len(payload) if length is None else length
    head = bytes([fin << 7 | reserved << 4 | opcode])
    if said < 126:
        head += bytes([masked << 7 | said])
    elif said < 65_536:
        head += bytes([masked << 7 | 126]) + struct.pack(">H", said)
    else:
        head += bytes([masked << 7 | 127]) + struct.pack(">Q", said)
    # A mask of zeros leaves the payload readable here.
    return head + (b"\0\0\0\0" if masked else b"") + payload


def bomb() -> bytes:
    """100 MB of text in 100 kB: a hundred times the same block, which refers to none before it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(b"a" * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    return (block * 100)[:-4]


PINGS = frame(b'{"type": "ping", "id": 1}')


def greeting(query: str = "", *headers: str) -> bytes:
    lines = [
        f"GET /api/v1/live{query} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def ending(stream: trio.SocketStream, seen: bytes, within_s: float) -> int:
    """Read frames until the server ends it: the code; 1006 without one, OPEN if it does not."""
    buffer = bytearray(seen)
    with trio.move_on_after(within_s):
        while True:
            while len(buffer) >= 2:
                size, start = buffer[1] & 127, 2
                if size == 126:
                    size, start = struct.unpack(">H", buffer[2:4])[0], 4
                elif size == 127:
                    size, start = struct.unpack(">Q", buffer[2:10])[0], 10
                if len(buffer) < start + size:
                    break
                if buffer[0] & 15 == CLOSE:
                    payload = buffer[start : start + size]
                    return int.from_bytes(payload[:2]) if payload else 1005
                del buffer[: start + size]
            try:
                more = await stream.receive_some(65_536)
            except trio.BrokenResourceError:
                return BROKEN
            if not more:
                return BROKEN
            buffer += more
    return OPEN


async def knock(server: Server, said: bytes) -> int:
    """The status that this is answered with; 0 when the server only closes."""
    async with await server.connect() as stream:
        try:
            await stream.send_all(said)
            with trio.fail_after(10.0):
                return (await read_head(stream))[0]
        except trio.BrokenResourceError:
            return 0


async def attack(server: Server, sent: list[bytes], *headers: str, within_s: float = 3.0) -> int:
    """Come in, send it all, and see how it ends."""
    async with await server.connect() as stream:
        await stream.send_all(greeting("", *headers))
        status, _, rest = await read_head(stream)
        assert status == 101
        with trio.move_on_after(2.0):
            try:
                for start in range(0, len(sent), 50):
                    await stream.send_all(b"".join(sent[start : start + 50]))
            except trio.BrokenResourceError:
                pass
        return await ending(stream, rest, within_s)
