"""A browser, a page that must stay without complaints, and the service behind it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import structlog
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from tests.browser.kept_browser import KeptBrowser
from tests.browser.serve_fake import PlayedHouse, PlayedService

# Waiting for something that ought to be there at once, on a busy machine.
EXPECT_MS = 20_000


class Watcher:
    """What a page complained of, and whom it asked."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        self.expected: tuple[str, ...] = ()
        """Parts of complaints that the test brings about."""
        self.hosts: set[str] = set()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.on("request", self._request)

    @property
    def unexpected(self) -> list[str]:
        """Complaints that the test did not bring about."""
        return [one for one in self.complaints if not any(part in one for part in self.expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text} {message.location}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith("blob:"):  # what the page has in its own memory
            self.hosts.add(urlsplit(request.url).hostname or "")


@pytest.fixture(scope="module", autouse=True)
def quiet_logs() -> Iterator[None]:
    """The service logs from its own thread; only what is wrong is of interest."""
    config = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.configure(**config)


_kept = KeptBrowser()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """The browser ends with the last of these tests in a row: its driver has an event loop, which
    other tests must not meet."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        _kept.close()


Serve = Callable[..., PlayedService]
Open = Callable[..., tuple[Page, Watcher]]
Another = Callable[..., AbstractContextManager[Browser]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a service over a played service; it is stopped after the test. The first one of a test
    has the port that browsers know the files of."""
    with ExitStack() as stack:
        ports = iter([_kept.port.number])

        def start(application: PlayedHouse | None = None, **options: object) -> PlayedService:
            options.setdefault("port", next(ports, 0))
            service = PlayedService(application or PlayedHouse(), **options)  # type: ignore[arg-type]
            return stack.enter_context(service)

        yield start


@pytest.fixture
def another_browser() -> Another:
    """Makes one of its own, with arguments."""
    return _kept.another


@pytest.fixture
def visit() -> Iterator[Open]:
    """Opens a page, which must not complain, nor ask another host: each with its own profile."""
    watchers: list[Watcher] = []
    urls: list[str] = []

    def go(url: str, **options: object) -> tuple[Page, Watcher]:
        page = _kept.page(**options)  # type: ignore[arg-type]
        page.context.set_default_timeout(EXPECT_MS)
        watcher = Watcher(page)
        watchers.append(watcher)
        urls.append(url)
        page.goto(url)
        return page, watcher

    yield go
    try:
        for watcher in watchers:
            assert watcher.unexpected == []
            assert watcher.hosts <= {"127.0.0.1"}
    finally:
        _kept.forget(urls)
