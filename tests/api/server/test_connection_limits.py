"""How long a connection may last in each of its phases, and who keeps one in a flood."""

import json
from contextlib import AsyncExitStack, suppress

import pytest
import trio

from tests.api.conftest import OPERATOR, TOKENS, VIEWER, settings_with
from tests.support.fake_application import DEV_EUI, FakeApplication
from tests.support.live_peer import greeting
from tests.support.web_server import Server, get, post, read_answer, read_head, running

QUICK = {
    "port": 0,
    "handler_s": 1.0,
    "graceful_s": 0.5,
    "unread_s": 0.5,
    "keep_alive_s": 0.5,
    "body_timeout_s": 0.5,
    "ping_s": 0.2,
    "wait_default_s": 0.5,
    "wait_most_s": 0.5,
    "rate_burst": 10_000,
    "tokens": TOKENS,
}
RED = b'{"red": 255, "green": 0, "blue": 0}'


def asked(path: str, token: str) -> bytes:
    return get(path).replace(b"\r\n\r\n", f"\r\nAuthorization: Bearer {token}\r\n\r\n".encode())


async def closed_after(stream: trio.SocketStream) -> float:
    """Seconds until the server closed it, whatever it said before."""
    began = trio.current_time()
    try:
        while await stream.receive_some(65_536):
            pass
    except trio.BrokenResourceError:
        pass
    return trio.current_time() - began


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GE",
        b"GET /healthz HTTP/1.1\r\nHo",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        get("/healthz"),
        get("/api/v1/devices"),
        greeting()[:-2],
        post(f"/api/v1/downlink/{DEV_EUI}", RED, f"Authorization: Bearer {OPERATOR}")[:-5],
        post("/api/v1/webhooks/chirpstack?event=up", RED)[:-5],
        post("/healthz", RED)[:-5],
    ],
    ids=[
        "no byte",
        "half a line",
        "half a head",
        "http/2",
        "at rest",
        "refused",
        "half a websocket",
        "half a body",
        "half a webhook",
        "half a body for nobody",
    ],
)
async def test_every_phase_ends(application: FakeApplication, said: bytes) -> None:
    async with (
        running(application, settings_with(**QUICK)) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(said)
        # at most the body's patience, the rest of a body that nobody wants, and the rest after it
        assert await closed_after(stream) < 2.5


async def test_a_head_that_drips_ends_in_time_however_late_it_begins(
    application: FakeApplication,
) -> None:
    async with (
        running(application, settings_with(**QUICK)) as server,
        await server.connect() as stream,
    ):
        await trio.sleep(0.3)
        await stream.send_all(get("/healthz"))
        assert (await read_answer(stream))[0] == 204
        async with trio.open_nursery() as nursery:

            async def drip() -> None:
                try:
                    while True:
                        await stream.send_all(b"G")
                        await trio.sleep(0.05)
                except trio.BrokenResourceError:
                    pass

            nursery.start_soon(drip)
            assert await closed_after(stream) < 1.2
            nursery.cancel_scope.cancel()


async def test_a_reader_that_takes_nothing_is_left(application: FakeApplication) -> None:
    async with running(application, settings_with(**QUICK)) as server:
        async with await server.connect() as stream:  # the description is made when first asked for
            await stream.send_all(get("/openapi.json"))
            assert await stream.receive_some(1) == b"H"
        stream = await server.connect()
        async with stream:
            with trio.move_on_after(10.0) as sending:
                try:
                    while True:
                        await stream.send_all(get("/openapi.json") * 20)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    pass
            assert not sending.cancelled_caught, "the server still holds it"


async def test_a_websocket_whose_peer_never_answers_a_ping_is_left(
    application: FakeApplication,
) -> None:
    async with (
        running(application, settings_with(**QUICK)) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(greeting("", f"Authorization: Bearer {VIEWER}"))
        assert (await read_head(stream))[0] == 101
        assert await closed_after(stream) < 2.0


async def idle(stack: AsyncExitStack, server: Server, number: int) -> None:
    """So many connections that send 24 bytes and stay."""
    for _ in range(number):
        stream = await stack.enter_async_context(await server.connect())
        with suppress(trio.BrokenResourceError):
            await stream.send_all(b"PRI * HTTP/1.1\r\nHost: lo")


FULL = {**QUICK, "keep_alive_s": 8.0, "connections_most": 20, "connections_unproven_most": 15}


async def test_a_flood_of_idle_connections_keeps_no_newcomer_out(
    application: FakeApplication,
) -> None:
    async with running(application, settings_with(**FULL)) as server, AsyncExitStack() as stack:
        await idle(stack, server, 60)
        assert len(server.actor.slots) <= 20
        for _ in range(10):
            async with await server.connect() as stream:
                await stream.send_all(asked("/api/v1/devices", VIEWER))
                status, _, body = await read_answer(stream)
                assert (status, "devices" in json.loads(body)) == (200, True)


async def test_who_showed_a_token_keeps_the_connection_in_a_flood(
    application: FakeApplication,
) -> None:
    async with running(application, settings_with(**FULL)) as server, AsyncExitStack() as stack:
        live, asking = await server.connect(), await server.connect()
        await live.send_all(greeting("", f"Authorization: Bearer {VIEWER}"))
        assert (await read_head(live))[0] == 101
        await asking.send_all(asked("/api/v1/devices", VIEWER))
        assert (await read_answer(asking))[0] == 200
        await idle(stack, server, 60)
        await asking.send_all(asked("/api/v1/devices", VIEWER))
        assert (await read_answer(asking))[0] == 200
        with trio.fail_after(10.0):
            assert await live.receive_some(10)
        await live.aclose()
        await asking.aclose()


async def test_only_people_with_tokens_can_fill_the_house(application: FakeApplication) -> None:
    full = {**FULL, "connections_most": 10, "live_clients_most": 50}
    async with running(application, settings_with(**full)) as server, AsyncExitStack() as stack:
        for _ in range(10):
            live = await stack.enter_async_context(await server.connect())
            await live.send_all(greeting("", f"Authorization: Bearer {VIEWER}"))
            assert (await read_head(live))[0] == 101
        async with await server.connect() as stream:
            assert (await read_head(stream))[0] == 503


async def test_the_server_ends_in_time_whatever_hangs(application: FakeApplication) -> None:
    """Open websockets that read nothing, a store that hangs, waiting callers, half requests."""

    async def hang(*_: object, **__: object) -> None:
        await trio.sleep_forever()

    application.queries.downlinks = hang  # type: ignore[assignment, method-assign]
    slow = {**QUICK, "keep_alive_s": 30.0, "unread_s": 30.0, "body_timeout_s": 30.0}
    slow |= {"handler_s": 30.0, "wait_default_s": 60.0, "wait_most_s": 60.0, "ping_s": 20.0}
    async with running(application, settings_with(**slow)) as server, AsyncExitStack() as stack:

        async def say(said: bytes) -> trio.SocketStream:
            stream = await stack.enter_async_context(await server.connect())
            await stream.send_all(said)
            return stream

        waiting = await say(
            post(f"/api/v1/downlink/{DEV_EUI}", RED, f"Authorization: Bearer {OPERATOR}")
        )
        await application.commands.awaited.wait()
        hanging = await say(asked("/api/v1/metrics/downlinks", VIEWER))
        await say(b"")
        await say(b"GET / HT")
        await say(post("/api/v1/webhooks/chirpstack?event=up", RED)[:-5])
        await say(get("/openapi.json") * 1_000)
        live = await say(greeting("", f"Authorization: Bearer {VIEWER}"))
        assert (await read_head(live))[0] == 101
        await trio.sleep(0.3)
        took_s = await server.stop()
        assert (await read_answer(waiting))[0] == 202
        status, _, body = await read_answer(hanging)
        assert (status, json.loads(body)["type"]) == (503, "urn:lamplighter:problem:stopping")
    assert took_s < 4.0
    assert server.actor.shutdown_s < 4.0
