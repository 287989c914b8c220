import email
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trio

from actors.alerts import AppriseNotifier, Notice
from actors.alerts.delivery import WAITING_MOST

BAD = Notice("opened", "light_failed", "light failed: d1", "desk 4 does not show its colour", 0.0)
GOOD = Notice("closed", "light_failed", "over: light failed: d1", "desk 4 is idle again", 0.0)


@contextmanager
def web(answer: Callable[[dict[str, str]], int]) -> Iterator[str]:
    """A service on a free loopback port that answers each body with a status; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(answer(json.loads(body)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"json://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


class Outcomes:
    """What became of each notice, and a wait for the n-th."""

    def __init__(self, awaited: int) -> None:
        self.delivered: list[bool] = []
        self._awaited = awaited
        self._all = trio.Event()

    def __call__(self, delivered: bool) -> None:
        self.delivered.append(delivered)
        if len(self.delivered) == self._awaited:
            self._all.set()

    async def wait(self) -> list[bool]:
        with trio.fail_after(20):
            await self._all.wait()
        return self.delivered


async def test_notices_reach_a_real_service_in_order() -> None:
    bodies: list[dict[str, str]] = []

    def answer(body: dict[str, str]) -> int:
        bodies.append(body)
        return 200

    with web(answer) as url:
        outcomes = Outcomes(2)
        notifier = AppriseNotifier([url], on_outcome=outcomes)
        async with trio.open_nursery() as nursery:
            await nursery.start(notifier.run)
            assert notifier.offer(BAD)
            assert notifier.offer(GOOD)
            assert await outcomes.wait() == [True, True]
            nursery.cancel_scope.cancel()
    assert [(body["title"], body["message"], body["type"]) for body in bodies] == [
        (BAD.title, BAD.body, "warning"),
        (GOOD.title, GOOD.body, "success"),
    ]


async def test_a_refusing_service_is_counted_and_the_next_notice_still_goes() -> None:
    answers = iter([500, 200])
    with web(lambda _body: next(answers)) as url:
        outcomes = Outcomes(2)
        notifier = AppriseNotifier([url], tries=1, on_outcome=outcomes)
        async with trio.open_nursery() as nursery:
            await nursery.start(notifier.run)
            notifier.offer(BAD)
            notifier.offer(GOOD)
            assert await outcomes.wait() == [False, True]
            nursery.cancel_scope.cancel()
    assert notifier.statistics().failed == 1


async def test_a_hanging_service_costs_its_deadline_and_no_more() -> None:
    release = threading.Event()

    def answer(_body: dict[str, str]) -> int:
        release.wait(20)
        return 200

    with web(answer) as url:
        outcomes = Outcomes(2)
        notifier = AppriseNotifier([url], deadline_s=0.2, tries=1, on_outcome=outcomes)
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(notifier.run)
                notifier.offer(BAD)
                notifier.offer(GOOD)  # the thread is still stuck: it costs a deadline too
                assert await outcomes.wait() == [False, False]
                nursery.cancel_scope.cancel()
        finally:
            release.set()
    assert notifier.statistics().sent == 0


async def test_a_failed_notice_is_tried_again(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    notifier = AppriseNotifier(["json://127.0.0.1/"], tries=3)
    answers = iter([False, False, True])

    async def try_once(_notice: Notice) -> bool:
        await trio.lowlevel.checkpoint()
        return next(answers)

    monkeypatch.setattr(notifier, "_try", try_once)
    async with trio.open_nursery() as nursery:
        await nursery.start(notifier.run)
        notifier.offer(BAD)
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert (notifier.statistics().sent, notifier.statistics().failed) == (1, 0)


def test_when_too_many_wait_the_oldest_gives_way() -> None:
    notifier = AppriseNotifier(["json://127.0.0.1/"])
    for _ in range(WAITING_MOST + 5):
        assert notifier.offer(BAD)
    statistics = notifier.statistics()
    assert (statistics.waiting, statistics.dropped) == (WAITING_MOST, 5)


def test_an_address_that_is_none_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError, match="address 2") as caught:
        AppriseNotifier(["json://127.0.0.1/", "no-such-service://user:secret@host"])
    assert "secret" not in str(caught.value)


async def test_a_name_is_no_html_in_a_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apprise sends mail as HTML, and takes what it is given for HTML unless told otherwise."""
    sent: list[str] = []

    class Post:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def sendmail(self, _from: str, _to: list[str], message: str) -> None:
            sent.append(message)

        def __getattr__(self, _: str) -> Callable[..., None]:
            return lambda *_, **__: None

    monkeypatch.setattr("smtplib.SMTP", Post)
    name = '<img src="http://evil.example/x"><b>Desk</b>'
    notice = Notice("opened", "light_failed", f"light failed: {name}", f"{name} is dark", 0.0)
    outcomes = Outcomes(1)
    notifier = AppriseNotifier(
        ["mailto://u:p@mail.example?smtp=127.0.0.1&to=a@b.example"], on_outcome=outcomes
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(notifier.run)
        notifier.offer(notice)
        assert await outcomes.wait() == [True]
        nursery.cancel_scope.cancel()
    parts = list(email.message_from_string(sent[0]).walk())
    html = [
        part.get_payload(decode=True).decode()  # type: ignore[union-attr]
        for part in parts
        if part.get_content_type() == "text/html"
    ]
    assert not any("<img" in body or "<b>Desk" in body for body in html)
    assert [part.get_content_type() for part in parts] == ["text/plain"] or html
