"""The edges of the real server: who dawdles, floods or leaves harms nobody else."""

import json

import pytest
import trio

from actors.device.command import CommandStatus
from tests.api.conftest import settings_with
from tests.support.fake_application import DEV_EUI, FakeApplication
from tests.support.web_server import get, post, read_answer, read_head, running

QUICK = {"port": 0, "handler_s": 1.0, "graceful_s": 1.5, "body_timeout_s": 0.3}
RED = b'{"red": 255, "green": 0, "blue": 0}'


def webhook(n: int = 1) -> bytes:
    event = {
        "deduplicationId": f"d-{n}",
        "time": "2025-10-09T08:53:20.123456789+00:00",
        "deviceInfo": {"devEui": DEV_EUI, "deviceName": "Desk"},
        "devAddr": "01abcdef",
        "fCnt": n,
        "fPort": 15,
        "data": "",
    }
    return post("/api/v1/webhooks/chirpstack?event=up", json.dumps(event).encode())


async def test_a_thousand_webhooks_on_one_connection(application: FakeApplication) -> None:
    async with running(application, settings_with(**QUICK)) as server:
        stream = await server.connect()
        async with stream:
            for n in range(1_000):
                await stream.send_all(webhook(n))
                status, headers, _ = await read_head(stream)
                assert (status, headers.get("connection")) == (204, None)
    assert len(application.fleet.delivered) == 1_000


async def test_an_oversize_body_gets_413(application: FakeApplication) -> None:
    async with running(application, settings_with(**QUICK)) as server:
        for path in (f"/api/v1/downlink/{DEV_EUI}", "/api/v1/webhooks/chirpstack?event=up"):
            async with await server.connect() as stream:
                await stream.send_all(post(path, b" " * 300_000))
                status, headers, body = await read_answer(stream)
                assert status == 413
                assert headers["content-type"] == "application/problem+json"
                assert json.loads(body)["type"] == "urn:lamplighter:problem:body-too-large"


async def test_an_oversize_chunked_body_gets_413(application: FakeApplication) -> None:
    chunk = b"ffff\r\n" + b" " * 0xFFFF + b"\r\n"
    async with running(application, settings_with(**QUICK)) as server:
        for path in (f"/api/v1/downlink/{DEV_EUI}", "/api/v1/webhooks/chirpstack?event=up"):
            async with await server.connect() as stream:
                head = post(path, b"", "Transfer-Encoding: chunked")
                await stream.send_all(head.replace(b"Content-Length: 0\r\n", b"") + chunk * 5)
                status, _, _ = await read_answer(stream)
                assert status == 413


async def test_a_stalled_body_gets_408(application: FakeApplication) -> None:
    async with running(application, settings_with(**QUICK)) as server:
        for path in (f"/api/v1/downlink/{DEV_EUI}", "/api/v1/webhooks/chirpstack?event=up"):
            async with await server.connect() as stream:
                await stream.send_all(post(path, RED)[:-5])
                status, _, body = await read_answer(stream)
                assert (status, json.loads(body)["status"]) == (408, 408)


async def test_dripping_headers_are_cut_off(application: FakeApplication) -> None:
    async with (
        running(application, settings_with(**QUICK, keep_alive_s=0.4)) as server,
        await server.connect() as stream,
    ):
        closed = trio.Event()

        async def drip() -> None:
            try:
                for letter in b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: 1234567890":
                    await stream.send_all(bytes([letter]))
                    with trio.move_on_after(0.05):
                        await closed.wait()
            except trio.BrokenResourceError:
                pass

        async with trio.open_nursery() as nursery:
            nursery.start_soon(drip)
            with trio.fail_after(2):
                assert (await read_head(stream))[0] == 0
            closed.set()
            nursery.cancel_scope.cancel()


async def test_a_waiting_caller_is_answered_when_the_service_stops(
    application: FakeApplication,
) -> None:
    async with (
        running(application, settings_with(**QUICK)) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(post(f"/api/v1/downlink/{DEV_EUI}", RED))
        await application.commands.awaited.wait()
        took_s = await server.stop()
        status, headers, body = await read_answer(stream)
    assert (status, headers["location"]) == (202, "/api/v1/commands/cmd-1")
    assert json.loads(body)["status"] == "accepted"
    assert took_s < 1.4, "nobody may wait for the verdict any more"


async def test_a_caller_who_leaves_takes_nothing_along(application: FakeApplication) -> None:
    async with running(application, settings_with(**QUICK)) as server:
        async with await server.connect() as stream:
            await stream.send_all(post(f"/api/v1/downlink/{DEV_EUI}", RED))
            await application.commands.awaited.wait()
        await application.commands.released.wait()  # its handler is cancelled
        application.commands.step("cmd-1", CommandStatus.VERIFIED)
        async with await server.connect() as stream:
            await stream.send_all(get("/api/v1/commands/cmd-1"))
            status, _, body = await read_answer(stream)
    assert (status, json.loads(body)["status"]) == (200, "verified")


async def test_a_silent_caller_who_waits_is_not_cut_off(application: FakeApplication) -> None:
    """The read time-out must exceed the longest wait for a verdict."""
    quick = {**QUICK, "ping_s": 0.2, "wait_default_s": 1.0, "wait_most_s": 1.0}
    async with (
        running(application, settings_with(**quick)) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(post(f"/api/v1/downlink/{DEV_EUI}", RED))
        status, _, _ = await read_answer(stream)
    assert status == 202


async def test_a_handler_that_hangs_is_answered_for(application: FakeApplication) -> None:
    async def hang(*_: object, **__: object) -> None:
        await trio.sleep_forever()

    application.queries.downlinks = hang  # type: ignore[assignment, method-assign]
    quick = {**QUICK, "handler_s": 0.2}
    async with (
        running(application, settings_with(**quick)) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(get("/api/v1/metrics/downlinks"))
        status, _, body = await read_answer(stream)
    assert (status, json.loads(body)["type"]) == (504, "urn:lamplighter:problem:too-slow")


async def test_a_taken_port_is_told_plainly(application: FakeApplication) -> None:
    async with running(application, settings_with(**QUICK)) as server:
        taken = settings_with(**{**QUICK, "port": server.port})
        with pytest.RaisesGroup(
            pytest.RaisesExc(OSError, match=str(server.port)), flatten_subgroups=True
        ):
            async with running(application, taken):
                pass


async def test_it_can_be_started_again(application: FakeApplication) -> None:
    """A supervisor runs the same actor anew after a crash."""
    async with running(application, settings_with(**QUICK)) as server:
        first = server.port
        await server.stop()
        server.scope, server.ended = trio.CancelScope(), trio.Event()
        async with trio.open_nursery() as nursery:
            await nursery.start(server.run)
            async with await server.connect() as stream:
                await stream.send_all(get("/readyz"))
                assert (await read_answer(stream))[0] == 200
            await server.stop()
    assert first != 0


async def test_a_body_without_end_is_refused_before_it_ends(application: FakeApplication) -> None:
    """Nobody may fill the memory with one that no handler reads, or that never ends."""
    chunk = b"ffff\r\n" + b" " * 0xFFFF + b"\r\n"
    async with (
        running(application, settings_with(**QUICK)) as server,
        await server.connect() as stream,
    ):
        head = post(f"/api/v1/downlink/{DEV_EUI}", b"", "Transfer-Encoding: chunked")
        await stream.send_all(head.replace(b"Content-Length: 0\r\n", b"") + chunk * 4)
        status, _, _ = await read_answer(stream)
        assert status == 413
