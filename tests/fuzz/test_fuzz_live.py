"""Hostile clients of the live websocket, frame by frame, over the real server.

Whatever a peer sends ends with a code that docs/live.md names, or goes on being served; it holds no
place afterwards, and who follows quietly meanwhile misses no change.
"""

import json
import re
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.api.conftest import TOKENS, VIEWER, WEBHOOK, settings_with
from tests.fuzz.conftest import SEEKS, rounds
from tests.support.fake_application import FakeApplication, a_light
from tests.support.live_peer import (
    BINARY,
    CLOSE,
    DEFLATE,
    OPEN,
    PING,
    PINGS,
    attack,
    bomb,
    ending,
    frame,
    greeting,
    knock,
)
from tests.support.web_server import PATIENCE_S, Server, get, read_answer, read_head, running

DOCS = Path(__file__).parents[2] / "docs" / "live.md"
DOCUMENTED = {int(code) for code in re.findall(r"^\| (\d{4}) \|", DOCS.read_text(), re.MULTILINE)}
ENDINGS = {*DOCUMENTED, OPEN}
ECHOED = {1000, 1005}
"""The server repeats a client's own code."""

QUICK = {"port": 0, "handler_s": 1.0, "graceful_s": 1.5, "unread_s": 0.8, "rate_burst": 10_000}
HOSTILE: dict[str, list[bytes]] = {
    "nothing at all": [],
    "noise": [bytes(range(256)) * 8],
    "binary": [frame(b"\xff\xfe", BINARY)],
    "binary that says ping": [frame(b'{"type": "ping"}', BINARY)],
    "text that is no UTF-8": [frame(b"\xff\xfe\xfd")],
    "a lone surrogate": [frame(b'{"type": "ping", "id": "\\ud800"}')],
    "deep": [frame(b"[" * 4_000)],
    "an endless number": [frame(b'{"type": "ping", "id": ' + b"9" * 4_000 + b"}")],
    "longer than a message may be": [frame(b"x" * 5_000)],
    "longer than the server takes": [frame(b"x" * 70_000)],
    "much longer": [frame(b"x" * 3_000_000)],
    "said to be 8 exabytes": [frame(b"x", length=2**63 - 1)],
    "said to be more than that": [frame(b"x", length=2**64 - 1)],
    "fragments without end": [frame(b"x", fin=False), *[frame(b"x" * 50, 0, fin=False)] * 3_000],
    "empty fragments": [frame(b"", fin=False), *[frame(b"", 0, fin=False)] * 3_000],
    "a ping in fragments": [
        frame(b'{"type": "p', fin=False),
        frame(b"", PING),
        frame(b'ing"}', 0),
    ],
    "a fragment of nothing": [frame(b"x", 0)],
    "a message inside a message": [frame(b"x", fin=False), frame(b"y")],
    "a fragmented control frame": [frame(b"x", PING, fin=False)],
    "a long control frame": [frame(b"x" * 126, PING)],
    "without a mask": [frame(b"{}", masked=False)],
    "reserved bits": [frame(b"{}", reserved=7)],
    "compressed, unasked": [frame(b"\x00", reserved=4)],
    "unknown opcode": [frame(b"", 3)],
    "pongs that nobody asked for": [frame(b"?", 10)] * 200,
    "websocket pings": [frame(b"?", PING)] * 500,
    "a flood": [PINGS] * 500,
    "auth again and again": [frame(json.dumps({"type": "auth", "token": "x" * 30}).encode())] * 100,
    "close without a code": [frame(b"", CLOSE)],
    "close with a code that is none": [frame(struct.pack(">H", 999), CLOSE)],
    "close with half a code": [frame(b"\x03", CLOSE)],
    "close with a reason that is no text": [frame(b"\x03\xe8\xff", CLOSE)],
    "a bomb": [frame(bomb(), reserved=4)],
    "packed rubbish": [frame(b"\xff" * 99, reserved=4)],
    "a packed control frame": [frame(b"x", PING, reserved=4)],
    "packed and unknown": [frame(b"x", 3, reserved=4)],
    "more after a close": [frame(b"\x03\xe8", CLOSE), PINGS, frame(b"", CLOSE)],
}
frames = st.one_of(
    st.builds(
        frame,
        st.one_of(st.binary(max_size=300), st.sampled_from([b'{"type": "ping"}', b"[" * 2_000])),
        st.integers(0, 15),
        fin=st.booleans(),
        reserved=st.sampled_from([0, 0, 0, 1, 4]),
        masked=st.sampled_from([True, True, True, False]),
        length=st.sampled_from([None, None, None, 0, 125, 65_535, 2**32, 2**63]),
    ),
    st.binary(max_size=40),
    st.just(PINGS),
)


@asynccontextmanager
async def beset(application: FakeApplication, **web: object) -> AsyncGenerator[Server, None]:
    """A server with one quiet client, who hears a change after all that happened meanwhile."""
    served = running(application, settings_with(**QUICK, **web))
    async with served as server, await server.connect() as quiet:
        await quiet.send_all(greeting("", f"Authorization: Bearer {VIEWER}"))
        heard = bytearray(await quiet.receive_some(65_536))
        yield server
        application.board.publish(a_light(name="the last change"))
        with trio.fail_after(PATIENCE_S):
            while b"the last change" not in heard:
                more = await quiet.receive_some(65_536)
                assert more, "the quiet client was put out"
                heard += more
        async with await server.connect() as stream:
            await stream.send_all(get("/healthz"))
            assert (await read_answer(stream))[0] == 204
        hub = server.actor._services.hub
        with trio.fail_after(PATIENCE_S):
            while len(hub) > 1:  # noqa: ASYNC110
                await trio.sleep(0.02)


def unheard(lines: list[dict[str, object]]) -> list[object]:
    """What the service logged of it as a fault of its own."""
    return [line for line in lines if line["log_level"] in {"error", "critical"}]


@pytest.mark.parametrize("headers", [[], [DEFLATE]], ids=["plain", "deflate"])
async def test_hostile_frames(
    application: FakeApplication, quiet_logs: list[dict[str, object]], headers: list[str]
) -> None:
    codes: dict[str, int] = {}

    async def one(server: Server, name: str) -> None:
        codes[name] = await attack(server, HOSTILE[name], *headers)

    async with beset(application) as server, trio.open_nursery() as nursery:
        for name in HOSTILE:
            nursery.start_soon(one, server, name)
    allowed = {name: ENDINGS | ECHOED if "close" in name else ENDINGS for name in HOSTILE}
    assert {name: code for name, code in codes.items() if code not in allowed[name]} == {}
    assert codes["binary"] == 1003
    assert codes["a flood"] == 1008
    assert codes["much longer"] == 1009
    assert codes["a ping in fragments"] == OPEN
    assert unheard(quiet_logs) == []


@settings(
    max_examples=rounds(4),
    deadline=None,
    derandomize=not SEEKS,
    database=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
    print_blob=True,
    phases=[Phase.explicit, Phase.generate],  # on the real clock, where shrinking takes too long
)
@given(
    attacks=st.lists(
        st.tuples(st.lists(frames, max_size=30), st.sampled_from([[], [DEFLATE]])),
        min_size=8,
        max_size=8,
    )
)
def test_random_frames(attacks: list[tuple[list[bytes], list[str]]]) -> None:
    """Several clients at once."""

    async def one(server: Server, sent: list[bytes], headers: list[str]) -> None:
        assert await attack(server, sent, *headers, within_s=0.3) in ENDINGS | ECHOED

    async def all_at_once() -> None:
        async with beset(FakeApplication()) as server, trio.open_nursery() as nursery:
            for sent, headers in attacks:
                nursery.start_soon(one, server, sent, headers)

    trio.run(all_at_once)


async def test_guessing_tokens(
    application: FakeApplication, quiet_logs: list[dict[str, object]]
) -> None:
    """Each guess costs a connection, and so many connections are too many."""
    said = json.dumps({"type": "auth", "token": "x" * 24}).encode()
    guesses = [[frame(said)], [frame(said)] * 30, [PINGS], [frame(b"\xff", BINARY)]]
    async with beset(application, tokens=TOKENS) as server:
        for guess in guesses:
            assert await attack(server, guess) == 4401
        webhook = json.dumps({"type": "auth", "token": WEBHOOK}).encode()
        assert await attack(server, [frame(webhook)]) == 4403
        for offered in (f"Bearer {'x' * 24}", "Bearer"):
            assert await knock(server, greeting("", f"Authorization: {offered}")) == 401
        # Another scheme is a proxy's own: whoever shows it has shown no token yet.
        for offered in ("Basic eDp5", "\xff\xfe"):
            assert await knock(server, greeting("", f"Authorization: {offered}")) == 101
    assert unheard(quiet_logs) == []
    async with running(
        application, settings_with(**{**QUICK, "rate_burst": 5, "rate_per_s": 0.001}, tokens=TOKENS)
    ) as server:
        statuses = [
            await knock(server, greeting("", f"Authorization: Bearer {n}")) for n in "x" * 9
        ]
    assert statuses == [401] * 5 + [429] * 4


HANDSHAKES: list[tuple[bytes, set[int]]] = [
    (greeting("", "Sec-WebSocket-Protocol: graphql-ws"), {101}),
    (greeting("", "Sec-WebSocket-Protocol: ,,,"), {101, 400}),
    (greeting("", "Sec-WebSocket-Protocol: " + "x," * 5_000), {101}),
    (greeting("", "Sec-WebSocket-Protocol: \xff\xfe"), {0}),
    (greeting("", "Sec-WebSocket-Protocol: bearer."), {101}),
    (greeting("", "Sec-WebSocket-Protocol: lamplighter.v1", "Sec-WebSocket-Protocol: x"), {101}),
    (
        greeting("", f"{DEFLATE}; server_max_window_bits=99"),
        {101, 400},
    ),
    (greeting("", f"{DEFLATE}; x" + "=" * 500), {101, 400}),
    (greeting("", "Sec-WebSocket-Extensions: ;;,"), {101, 400}),
    (greeting("", "Content-Length: 5"), {101, 400}),
    (greeting("", "Transfer-Encoding: chunked"), {101, 400}),
    (greeting("", "Expect: 100-continue"), {101, 400}),
    (greeting("", "Host: evil.example"), {400, 403}),
    (greeting("", "X: " + "x" * 40_000), {101, 400, 431}),
    # Refused, and talking on; a bare 400 where bytes come before the answer.
    (greeting("?kind=lamps") + PINGS * 20, {400, 422}),
    (greeting().replace(b"/live", b"/devices") + PINGS, {400, 404}),
    (greeting().replace(b"/live", b"/nothing") + PINGS, {400, 404}),
    (greeting().replace(b"Version: 13", b"Version: 8") + PINGS, {400}),
    (greeting().replace(b"Sec-WebSocket-Key", b"X") + PINGS, {400}),
    (greeting().replace(b"GET", b"POST") + PINGS, {405}),
    (greeting("?" + "dev_eui=0&" * 2_000) + PINGS, {400, 422}),
    (greeting("?resume=%00:%ff") + PINGS, {400, 422}),
    (greeting("?resume=boot-1:" + "9" * 18), {101}),
    (PINGS * 9 + b"\r\n\r\n", {400}),
    (b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n", {426}),
]


async def test_odd_handshakes(
    application: FakeApplication, quiet_logs: list[dict[str, object]]
) -> None:
    wrong: list[tuple[bytes, int]] = []

    async def one(server: Server, said: bytes, statuses: set[int]) -> None:
        status = await knock(server, said)
        if status not in statuses:
            wrong.append((said[:200], status))

    async with beset(application) as server, trio.open_nursery() as nursery:
        for said, statuses in HANDSHAKES:
            nursery.start_soon(one, server, said, statuses)
    assert wrong == []
    assert unheard(quiet_logs) == []


async def test_more_clients_than_there_are_places(application: FakeApplication) -> None:
    """Who finds the last place taken between asking and coming in is told by a code."""
    ends: list[int] = []

    async def come(server: Server) -> None:
        async with await server.connect() as stream:
            await stream.send_all(greeting())
            status, _, rest = await read_head(stream)
            ends.append(await ending(stream, rest, 3.0) if status == 101 else status)

    async with beset(application, live_clients_most=10) as server, trio.open_nursery() as nursery:
        for _ in range(60):
            nursery.start_soon(come, server)
    assert ends.count(OPEN) == 9
    assert set(ends) <= {OPEN, 503, 1013}
