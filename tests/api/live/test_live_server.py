"""The websocket over the real server, with peers that behave as badly as peers do."""

import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
import pytest
import trio
import trio.testing
from quart.typing import TestClientProtocol as Client
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    WebSocketConnection,
    wrap_client_stream,
)

from api.http.app import replace_tokens
from api.http.services import services_of
from tests.api.conftest import OPERATOR, TOKENS, VIEWER, WEBHOOK, settings_with
from tests.support.fake_application import DEV_EUI, FakeApplication, a_light
from tests.support.live_peer import OPEN, ending, greeting
from tests.support.web_server import Server, get, read_answer, read_head, running

QUICK = {"port": 0, "handler_s": 1.0, "graceful_s": 1.5, "unread_s": 0.8}


@asynccontextmanager
async def following(
    server: Server, query: str = "", **options: object
) -> AsyncGenerator[WebSocketConnection, None]:
    async with await server.connect() as stream, trio.open_nursery() as nursery:
        host, resource = f"127.0.0.1:{server.port}", f"/api/v1/live{query}"
        socket = await wrap_client_stream(nursery, stream, host, resource, **options)  # type: ignore[arg-type]
        yield socket
        # No closing handshake: this client trips over a ping that crosses its close frame.
        nursery.cancel_scope.cancel()


async def told(socket: WebSocketConnection) -> dict[str, object]:
    return json.loads(await socket.get_message())  # type: ignore[no-any-return]


async def closed_with(socket: WebSocketConnection) -> tuple[int, str]:
    """Read until the server closes; code and reason."""
    while True:
        try:
            await socket.get_message()
        except ConnectionClosed as closed:
            reason = closed.reason
            return (reason.code, reason.reason or "") if reason is not None else (0, "")


async def test_snapshot_then_changes_then_resume(application: FakeApplication) -> None:
    async with running(application, settings_with(**QUICK)) as server:
        async with following(server) as socket:
            hello, snapshot = await told(socket), await told(socket)
            assert (hello["type"], hello["boot"], hello["resumed"]) == ("hello", "boot-1", False)
            assert [d["dev_eui"] for d in snapshot["devices"]] == [DEV_EUI]  # type: ignore[attr-defined]
            assert (snapshot["part"], snapshot["parts"]) == (1, 1)
            application.board.publish(a_light(name="Moved"))
            changes = await told(socket)
            assert changes["number"] == hello["number"] + 1  # type: ignore[operator]
            assert changes["changes"][0]["what"]["name"] == "Moved"  # type: ignore[index]
        application.board.publish(a_light(name="While away"))
        async with following(server, f"?resume=boot-1:{changes['number']}") as socket:
            again, missed = await told(socket), await told(socket)
            assert (again["resumed"], again["number"]) == (True, changes["number"])
            assert missed["changes"][0]["what"]["name"] == "While away"  # type: ignore[index]
        async with following(server, f"?resume=boot-0:{changes['number']}") as socket:
            assert (await told(socket))["resumed"] is False


async def test_a_light_that_falls_silent_is_told_of_though_nothing_happened(
    application: FakeApplication,
) -> None:
    async with running(application, settings_with(**QUICK)) as server, following(server) as socket:
        hello, snapshot = await told(socket), await told(socket)
        assert snapshot["devices"][0]["reachability"] == "reachable"  # type: ignore[index]
        application.clock.at += 2_700.0
        application.board.look_again()
        changes = await told(socket)
        assert changes["number"] == hello["number"] + 1  # type: ignore[operator]
        what = changes["changes"][0]["what"]  # type: ignore[index]
        assert (what["reachability"], what["reported_current"]) == ("silent", False)
        assert what["reachability_since"] == what["heard_at"]


async def test_a_fleet_comes_in_parts() -> None:
    application = FakeApplication(lights=1_001)
    async with running(application, settings_with(**QUICK)) as server, following(server) as socket:
        await told(socket)
        parts = [await told(socket) for _ in range(6)]
    assert [p["part"] for p in parts] == [1, 2, 3, 4, 5, 6]
    assert {p["parts"] for p in parts} == {6}
    assert len({d["dev_eui"] for p in parts for d in p["devices"]}) == 1_001  # type: ignore[attr-defined]


async def test_the_stop_says_goodbye(application: FakeApplication) -> None:
    async with running(application, settings_with(**QUICK)) as server, following(server) as socket:
        await told(socket)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.stop)
            code, reason = await closed_with(socket)
    assert code == 1012
    assert "stopping" in reason


async def test_a_peer_that_stops_reading_delays_nobody() -> None:
    """Its socket fills; the others hear every change, and the server still stops in time."""
    application = FakeApplication(lights=2_000)
    async with running(application, settings_with(**QUICK, live_queue=50)) as server:
        deaf = await server.connect()
        deaf.socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 4096)
        await deaf.send_all(
            b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        async with following(server, f"?dev_eui={DEV_EUI}") as socket:
            await told(socket)
            await told(socket)
            for n in range(60):
                application.board.publish(a_light(name=f"change {n}"))
                heard = await told(socket)
                assert heard["changes"][0]["what"]["name"] == f"change {n}"  # type: ignore[index]
        async with await server.connect() as stream:
            await stream.send_all(get("/readyz"))
            assert (await read_answer(stream))[0] == 200
        took_s = await server.stop()
        await deaf.aclose()
    assert application.board.statistics().dropped == 1
    assert took_s < 2.9


async def test_a_slow_reader_is_told_why(application: FakeApplication) -> None:
    async with (
        running(application, settings_with(**QUICK, live_queue=5)) as server,
        following(server, message_queue_size=0) as socket,
    ):
        await told(socket)
        await told(socket)
        for n in range(20):  # all before the sender has a turn
            application.board.publish(a_light(name=f"change {n}"))
        code, reason = await closed_with(socket)
    assert (code, reason.split(":")[0]) == (1013, "too slow")


async def test_a_peer_that_is_gone_costs_nothing(application: FakeApplication) -> None:
    """Once, a sender whose peer had gone looped without a checkpoint and froze the service."""
    async with running(application, settings_with(**QUICK)) as server:
        stream = await server.connect()
        await stream.send_all(
            b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await stream.receive_some(10)
        await stream.aclose()  # without a close frame
        began_s = time.process_time()
        for n in range(20):
            application.board.publish(a_light(name=f"change {n}"))
            await trio.sleep(0.025)
        assert time.process_time() - began_s < 0.25, "half a second of rest took that much CPU"
        assert application.board.statistics().subscribers == 0
        assert len(server.actor._services.hub) == 0


async def test_a_bug_closes_with_1011(application: FakeApplication) -> None:
    async with running(application, settings_with(**QUICK)) as server, following(server) as socket:
        await told(socket)
        await told(socket)
        application.break_down()
        application.board.publish(a_light(name="boom"))
        code, reason = await closed_with(socket)
    assert code == 1011
    assert "secret" not in reason


@pytest.mark.parametrize("message", ["not json", '{"type": "auth"}', "[" * 4_000, "x" * 5_000])
async def test_nonsense_from_a_client_ends_it(application: FakeApplication, message: str) -> None:
    async with running(application, settings_with(**QUICK)) as server, following(server) as socket:
        await socket.send_message(message)
        assert (await closed_with(socket))[0] == 1003


async def test_ping_and_beat(application: FakeApplication) -> None:
    async with (
        running(application, settings_with(**QUICK, ping_s=0.2)) as server,
        following(server) as socket,
    ):
        await told(socket)
        await told(socket)
        await socket.send_message('{"type": "ping", "id": 7}')
        assert await told(socket) == {"type": "pong", "id": 7}
        beat = await told(socket)
    assert (beat["type"], beat["number"]) == ("beat", application.board.number)


async def test_filters(application: FakeApplication) -> None:
    application.board.publish(a_light("20202000000000aa"))
    async with running(application, settings_with(**QUICK)) as server:
        query = "?dev_eui=20202000000000AA&kind=device,command"
        async with following(server, query) as socket:
            await told(socket)
            snapshot = await told(socket)
            assert len(snapshot["devices"]) == 1  # type: ignore[arg-type]
            assert snapshot["gateways"] == []
            application.board.publish(a_light(name="not asked for"))
            application.board.publish(a_light("20202000000000aa", name="asked for"))
            changes = await told(socket)
            names = [c["what"]["name"] for c in changes["changes"]]  # type: ignore[attr-defined]
            assert names == ["asked for"]


async def rejected(server: Server, query: str = "", **options: object) -> int:
    status = 0
    try:
        async with following(server, query, **options):
            pass
    except* ConnectionRejected as group:
        status = group.exceptions[0].status_code  # type: ignore[union-attr]
    return status


async def test_the_door_asks_for_a_token(application: FakeApplication) -> None:
    async with running(application, settings_with(**QUICK, tokens=TOKENS)) as server:
        good = [("Authorization", f"Bearer {VIEWER}")]
        async with following(server, extra_headers=good) as socket:
            assert (await told(socket))["type"] == "hello"
        offers = ["lamplighter.v1", f"bearer.{OPERATOR}"]
        async with following(server, subprotocols=offers) as socket:
            assert socket.subprotocol == "lamplighter.v1", "the token is not repeated"
        async with following(server) as socket:
            await socket.send_message(json.dumps({"type": "auth", "token": VIEWER}))
            assert (await told(socket))["type"] == "hello"
        async with following(server) as socket:
            await socket.send_message(json.dumps({"type": "auth", "token": "x" * 24}))
            assert (await closed_with(socket))[0] == 4401
        async with following(server) as socket:
            await socket.send_message(json.dumps({"type": "auth", "token": WEBHOOK}))
            assert (await closed_with(socket))[0] == 4403
        wrong = [("Authorization", "Bearer " + "x" * 24)]
        assert await rejected(server, extra_headers=wrong) == 401
        assert await rejected(server, subprotocols=[f"bearer.{WEBHOOK}"]) == 403
        assert await rejected(server, "?token=" + VIEWER, extra_headers=good) == 422


async def test_the_door_checks_where_a_page_comes_from(application: FakeApplication) -> None:
    settings = settings_with(**QUICK, origins=["https://panel.example"])
    async with running(application, settings) as server:
        own = [("Origin", f"http://127.0.0.1:{server.port}")]
        async with following(server, extra_headers=own) as socket:
            await told(socket)
        async with following(server, extra_headers=[("Origin", "https://panel.example")]) as socket:
            await told(socket)
        foreign = [("Origin", "https://evil.example")]
        assert await rejected(server, extra_headers=foreign) == 403
        assert await rejected(server, "?kind=lamps") == 422


async def test_only_so_many_clients(application: FakeApplication) -> None:
    async with (
        running(application, settings_with(**QUICK, live_clients_most=1)) as server,
        following(server) as socket,
    ):
        await told(socket)
        assert await rejected(server) == 503


def test_a_light_is_encoded_once_for_all() -> None:
    from api.live.protocol import Encoder

    application, light = FakeApplication(), a_light()
    encoder = Encoder(application.board)
    assert encoder.subject(light) is encoder.subject(light)
    moved = msgspec.structs.replace(light, name="Moved")
    assert json.loads(bytes(encoder.subject(moved)))["name"] == "Moved"


async def test_what_is_followed_on_a_websocket_asks_for_an_upgrade(client: Client) -> None:
    response = await client.get("/api/v1/live")
    problem = await response.get_json()
    assert response.status_code == 426
    assert response.headers["Upgrade"] == "websocket"
    assert problem["type"] == "urn:lamplighter:problem:upgrade-required"
    assert "websocket client" in problem["detail"]


async def test_a_live_client_whose_token_is_withdrawn_is_closed(
    application: FakeApplication,
) -> None:
    async with running(application, settings_with(**QUICK, tokens=TOKENS)) as server:
        kept, gone = await server.connect(), await server.connect()
        for stream, token in ((kept, OPERATOR), (gone, VIEWER)):
            await stream.send_all(greeting("", f"Authorization: Bearer {token}"))
            assert (await read_head(stream))[0] == 101
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert len(services_of(server.app).hub) == 2
        tokens = {"operator": [OPERATOR], "webhook": [WEBHOOK]}
        replace_tokens(server.app, settings_with(**QUICK, tokens=tokens))
        assert await ending(gone, b"", 2.0) == 4401
        assert await ending(kept, b"", 0.3) == OPEN
        await kept.aclose()
        await gone.aclose()
