"""Events posted to a real server on loopback: what counts as taken, and an end to everything."""

import ipaddress
import ssl
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import trio

from actors.outgoing.ports import Answer
from api.hooks.guard import Guard
from api.hooks.sender import HttpSender
from api.hooks.signature import new_secret
from tests.support.ports import free_port
from tests.support.receiver import Receiver

GUARD = Guard((ipaddress.ip_network("127.0.0.0/8"),), http=True)
SECRET = new_secret()
BODY = b'{"type":"hook.test","timestamp":"2026-01-01T00:00:00.000Z","data":{}}'


@pytest.fixture
async def sender() -> AsyncIterator[HttpSender]:
    async with HttpSender(GUARD, ssl.create_default_context, timeout_s=2.0) as sender:
        yield sender


async def post(sender: HttpSender, url: str, event_id: str = "e-1") -> Answer:
    with trio.fail_after(10.0):
        return await sender.post(url, event_id, BODY, [SECRET])


async def test_an_event_is_posted_with_its_signature_and_the_connection_is_used_again(
    sender: HttpSender,
) -> None:
    with Receiver() as receiver:
        for number in range(3):
            answer = await post(sender, receiver.url, f"e-{number}")
            assert (answer.taken, answer.status, answer.text) == (True, 200, "")
        assert [one.id for one in receiver.received] == ["e-0", "e-1", "e-2"]
        assert all(one.signed_by(SECRET) and one.raw == BODY for one in receiver.received)
        assert not receiver.received[0].signed_by(new_secret())


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 429, 500, 503])
async def test_every_other_answer_counts_as_not_taken_and_no_redirect_is_followed(
    sender: HttpSender, status: int
) -> None:
    with Receiver(lambda body: status) as receiver:
        receiver.headers = {"Location": receiver.url, "Retry-After": "120"}
        answer = await post(sender, receiver.url)
        assert (answer.taken, answer.status, answer.text) == (False, status, "no")
        assert answer.error == f"answered {status}"
        assert answer.gone is (status == 410)
        assert answer.wait_s == 120.0
        assert len(receiver.received) == 1


async def test_who_is_not_there_or_too_slow_is_said_in_words(sender: HttpSender) -> None:
    answer = await post(sender, f"http://127.0.0.1:{free_port()}/")
    assert (answer.status, answer.taken) == (None, False)
    assert "refused" in str(answer.error).lower() or "failed" in str(answer.error).lower()
    with Receiver(delay_s=3.0) as receiver:
        answer = await post(sender, receiver.url)
        assert answer.error == "no answer within 2 s"
    answer = await post(sender, "http://no-such-name.invalid/")
    assert "no-such-name.invalid" in str(answer.error)


async def test_what_may_not_be_reached_is_not_posted_to() -> None:
    with Receiver() as receiver:
        async with HttpSender(Guard(), ssl.create_default_context, timeout_s=2.0) as strict:
            for url in (receiver.url, receiver.url.replace("http:", "https:")):
                answer = await post(strict, url)
                assert str(answer.error).startswith("not posted: "), answer
            named = f"https://localhost:{receiver.port}/"
            answer = await post(strict, named)
            assert "not a public address" in str(answer.error)
        assert receiver.received == []


async def odd(answer: bytes, nursery: trio.Nursery, endless: bytes = b"") -> str:
    """A server that answers this, whatever it is asked."""

    async def serve(stream: trio.SocketStream) -> None:
        try:
            await stream.receive_some()
            await stream.send_all(answer)
            while endless:
                await stream.send_all(endless)
        except trio.BrokenResourceError:
            pass

    listeners: Any = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
    return f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/"


async def test_odd_answers_and_endless_ones_do_no_harm(
    sender: HttpSender, nursery: trio.Nursery
) -> None:
    for said in (b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"):
        answer = await post(sender, await odd(said, nursery))
        assert answer.error, said
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await post(sender, await odd(head, nursery, b"400\r\n" + b"x" * 1024 + b"\r\n"))
    assert answer.taken, "4 kB are read, and it is over"
    drip = await odd(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", nursery, b"")
    assert (await post(sender, drip)).error


async def test_a_certificate_that_nobody_vouches_for_is_refused(nursery: trio.Nursery) -> None:
    url = await odd(b"HTTP/1.1 200 OK\r\n\r\n", nursery)
    async with HttpSender(GUARD, ssl.create_default_context, timeout_s=2.0) as sender:
        answer = await post(sender, url.replace("http:", "https:"))
    assert (answer.taken, answer.status) == (False, None)
