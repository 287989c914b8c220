"""What comes over the wire that is not quite HTTP/1.1: one reading of a request, or none."""

import json
import re

import pytest
import trio

from tests.api.conftest import TOKENS, settings_with
from tests.support.fake_application import FakeApplication
from tests.support.web_server import Server, get, read_answer, running

# Of a refused request the server hears out the peer for as long as it keeps an idle connection.
QUICK = {"port": 0, "handler_s": 1.0, "graceful_s": 1.5, "rate_burst": 10_000, "keep_alive_s": 0.1}
ASKS = "GET /api/v1/devices HTTP/1.1\r\nHost: localhost\r\n"
POSTS = "POST /api/v1/devices/initialize HTTP/1.1\r\nHost: localhost\r\n"
H2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


async def say(server: Server, said: bytes) -> tuple[int, dict[str, str], bytes, bool]:
    """Status, headers, body, and whether the connection was closed after it."""
    async with await server.connect() as stream:
        await stream.send_all(said)
        status, headers, body = await read_answer(stream)
        closed = headers.get("connection") == "close" and await stream.receive_some(1) == b""
        return status, headers, body, closed


@pytest.mark.parametrize(
    ("said", "status", "word"),
    [
        (POSTS + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", 400, "both"),
        (POSTS + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "both"),
        (POSTS + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, "Content-Length"),
        (POSTS + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400, "more than once"),
        (POSTS + "Content-Length: 2, 2\r\n\r\n{}", 400, "no number"),
        (POSTS + "Content-Length: +2\r\n\r\n{}", 400, "no number"),
        (POSTS + "Content-Length: 0x2\r\n\r\n{}", 400, "no number"),
        (POSTS + "Content-Length: -2\r\n\r\n{}", 400, "no number"),
        (POSTS + f"Content-Length: {'9' * 30}\r\n\r\n", 400, "Content-Length"),
        (POSTS + "Transfer-Encoding: gzip\r\n\r\n", 501, ""),
        (POSTS + "Transfer-Encoding: chunked, identity\r\n\r\n", 501, ""),
        (POSTS + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, ""),
        (POSTS + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400, "next line"),
        (ASKS + "X-One: a\r\n b\r\n\r\n", 400, "next line"),
        (ASKS + "X-One: a\r\n\tb\r\n\r\n", 400, "next line"),
        (ASKS + "Bad Name: a\r\n\r\n", 400, ""),
        (ASKS + "Näme: a\r\n\r\n", 400, ""),
        (ASKS + ": a\r\n\r\n", 400, ""),
        (ASKS + "X-Null: a\0b\r\n\r\n", 400, ""),
        (ASKS + "Host: other\r\n\r\n", 400, "Host"),
        ("GET / HTTP/1.1\r\n\r\n", 400, "Host"),
        ("GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505, "HTTP/1.1"),
        ("GET / HTTP/1.2\r\nHost: localhost\r\n\r\n", 505, "HTTP/1.1"),
        ("GET api HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "target"),
        ("GET ftp://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "target"),
        ("GET http://a@localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "target"),
        ("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "target"),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "HTTP/1.0"),
        ("nonsense\r\n\r\n", 400, ""),
        ("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, ""),
        (ASKS + "X-Long: " + "x" * 70_000, 431, ""),
    ],
)
async def test_what_can_be_read_in_two_ways_is_refused(
    application: FakeApplication, said: str, status: int, word: str
) -> None:
    async with running(application, settings_with(**QUICK)) as server:
        got, headers, body, closed = await say(server, said.encode("latin-1"))
    problem = json.loads(body)
    assert (got, closed) == (status, True)
    assert headers["content-type"] == "application/problem+json"
    assert (problem["status"], problem["type"]) == (status, "urn:lamplighter:problem:bad-http")
    assert word in problem["detail"]
    assert problem["detail"]


async def test_what_comes_after_a_refused_request_is_not_read(application: FakeApplication) -> None:
    """Once, this was one request to us and two to the proxy in front."""
    smuggled = POSTS + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + ASKS
    async with (
        running(application, settings_with(**QUICK)) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(smuggled.encode() + b"\r\n")
        data = b""
        while more := await stream.receive_some(65_536):
            data += more
    assert re.findall(rb"HTTP/1.1 (\d+) ", data) == [b"400"]


async def test_http2_in_clear_text_is_not_spoken(application: FakeApplication) -> None:
    """Once, 24 bytes held a connection for minutes, and 80 connections 7,893 descriptors."""
    async with running(application, settings_with(**QUICK)) as server:
        status, _, _, closed = await say(server, H2)
        assert (status, closed) == (505, True)


@pytest.mark.parametrize("upgrade", ["h2c", "H2C", " h2c "])
async def test_an_upgrade_to_http2_is_refused(application: FakeApplication, upgrade: str) -> None:
    """The answer comes in HTTP/1.1, so that clients which offer it go on; path rules hold."""
    lines = f"Upgrade: {upgrade}\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    said = ASKS + lines + "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"
    async with running(application, settings_with(**QUICK)) as server:
        status, headers, _, _ = await say(server, said.encode())
    assert (status, headers["content-type"]) == (200, "application/json")


async def test_a_target_with_scheme_and_host_is_its_path(application: FakeApplication) -> None:
    async with running(application, settings_with(**QUICK)) as server:
        for target, host, wanted in [
            ("http://localhost/api/v1/devices?limit=1", "localhost", 200),
            ("http://localhost:8090/healthz", "evil.example", 204),
            ("HTTP://localhost", "localhost", 200),
            ("http://evil.example/api/v1/devices", "localhost", 403),
        ]:
            said = f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"
            assert (await say(server, said.encode()))[0] == wanted, target


@pytest.mark.parametrize(
    "header",
    [
        "Authorization: Basic eDp5",
        "Authorization: Bearer nobody",
        "Host: evil.example:99999",
        "Host: [::",
        "Host: \xff",
        "Content-Type: \xff/;;;",
        "Expect: 100-continue",
        "Expect: something",
        "Content-Length: 5",
        "Origin: https://evil.example",
        "Accept: nothing/at-all",
        "Cookie: " + "x" * 8_000,
        "Upgrade: websocket\r\nConnection: Upgrade",
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: x",
        "X-Forwarded-For: <script>",
    ],
)
@pytest.mark.parametrize("web", [{}, {"tokens": TOKENS}])
async def test_healthz_answers_whatever_the_headers(
    application: FakeApplication, header: str, web: dict[str, object]
) -> None:
    host = "" if header.startswith("Host") else "Host: evil.example\r\n"
    said = f"GET /healthz HTTP/1.1\r\n{host}{header}\r\n\r\n".encode("latin-1")
    async with (
        running(application, settings_with(**QUICK, **web)) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(said)
        assert await final_status(stream) == 204


async def final_status(stream: trio.SocketStream) -> int:
    """The status after a 100 Continue, if there is one."""
    data = b""
    while not (found := re.search(rb"HTTP/1.1 ([2-5]\d\d) ", data)):
        more = await stream.receive_some(65_536)
        assert more
        data += more
    return int(found[1])


async def test_two_requests_in_one_packet_are_both_answered(application: FakeApplication) -> None:
    async with (
        running(application, settings_with(**QUICK)) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(get("/healthz") + get("/healthz"))
        data = b""
        while data.count(b"HTTP/1.1 204") < 2:
            more = await stream.receive_some(65_536)
            assert more
            data += more
