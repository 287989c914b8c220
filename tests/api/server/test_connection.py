"""What one peer does to the server, and does not: its end, and its memory."""

import tracemalloc

import trio

from tests.api.conftest import settings_with
from tests.support.fake_application import FakeApplication
from tests.support.live_peer import BROKEN, DEFLATE, attack, bomb, frame, greeting, knock
from tests.support.web_server import Server, get, read_answer, running

QUICK = {"port": 0, "handler_s": 1.0, "graceful_s": 1.5, "unread_s": 0.8, "rate_burst": 10_000}


async def alive(server: Server) -> bool:
    async with await server.connect() as stream:
        await stream.send_all(get("/healthz"))
        return (await read_answer(stream))[0] == 204


async def test_a_header_that_is_no_text_ends_its_connection_only(
    application: FakeApplication,
) -> None:
    """Once, these few bytes from anybody ended the server."""
    async with running(application, settings_with(**QUICK)) as server:
        assert await knock(server, greeting("", "Sec-WebSocket-Protocol: \xff")) == 0
        assert await alive(server)


async def test_a_close_that_crosses_a_ping_ends_its_connection_only(
    application: FakeApplication,
) -> None:
    """Once, the ping that found the socket closing ended the server."""
    broken = [frame(b"x", fin=False), frame(b"y")]
    async with running(application, settings_with(**QUICK)) as server:
        codes: list[int] = []

        async def come() -> None:
            codes.append(await attack(server, broken))

        for _ in range(5):
            async with trio.open_nursery() as nursery:
                for _ in range(20):
                    nursery.start_soon(come)
        assert set(codes) == {BROKEN}
        assert await alive(server)


async def test_a_message_too_long_is_not_kept(application: FakeApplication) -> None:
    """Once, a peer that ignored its close (1009) could send on until the memory was full."""
    endless = [frame(b"x" * 60_000, fin=False), *[frame(b"x" * 60_000, 0, fin=False)] * 300]
    async with running(application, settings_with(**QUICK)) as server:
        await attack(server, [], within_s=0.1)
        assert await most_kept(server, endless) < 10_000_000, "of 18 MB sent"


async def test_a_packed_message_is_not_unpacked_beyond_its_bound(
    application: FakeApplication,
) -> None:
    """Once, 100 kB took 100 MB, before any token was shown."""
    async with running(application, settings_with(**QUICK)) as server:
        packed = [frame(bomb(), reserved=4)]
        await attack(server, [], DEFLATE, within_s=0.1)
        assert await most_kept(server, packed, DEFLATE) < 4_000_000


async def most_kept(server: Server, sent: list[bytes], *headers: str) -> int:
    """The most bytes that this takes."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        await attack(server, sent, *headers, within_s=0.5)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
