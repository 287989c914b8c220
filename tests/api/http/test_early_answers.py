"""Answers that overtake the body of their request: the connection is used again, none is lost."""

import pytest
import trio

from tests.api.conftest import WEBHOOK, settings_with
from tests.support.fake_application import DEV_EUI, FakeApplication
from tests.support.web_server import get, post, read_answer, running

QUICK = {"port": 0, "handler_s": 1.0, "graceful_s": 1.5}
BODY = b'{"red": 255, "green": 0, "blue": 0}'
# The server has read the head and refused it by then; real time, for it is a real server.
LATE_S = 0.05


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/v1/downlink/nonsense", (), 422),
        ("/api/v1/nowhere", (), 404),
        (f"/api/v1/downlink/{DEV_EUI}", ("Origin: http://elsewhere",), 403),
        ("/api/v1/webhooks/chirpstack?event=up", ("Authorization: Bearer wrong",), 401),
    ],
)
async def test_a_body_after_its_refusal_does_not_spoil_the_connection(
    application: FakeApplication, path: str, headers: tuple[str, ...], status: int
) -> None:
    async with (
        running(application, settings_with(**QUICK, **_tokens(status))) as server,
        await server.connect() as stream,
    ):
        for _ in range(2):
            request = post(path, BODY, *headers)
            await stream.send_all(request.removesuffix(BODY))
            await trio.sleep(LATE_S)
            await stream.send_all(BODY)
            assert (await read_answer(stream))[0] == status
        await stream.send_all(get("/healthz"))
        assert (await read_answer(stream))[0] == 204


async def test_a_body_that_never_comes_closes_the_connection(application: FakeApplication) -> None:
    async with (
        running(application, settings_with(**QUICK)) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(post("/api/v1/nowhere", BODY).removesuffix(BODY))
        assert (await read_answer(stream))[0] == 404
        assert await stream.receive_some() == b""


def _tokens(status: int) -> dict[str, object]:
    if status != 401:
        return {}
    return {"tokens": {"operator": ["operator-token-0123456789abcdef"], "webhook": [WEBHOOK]}}
