"""A browser, a page that must stay without complaints, and the service behind it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
import structlog
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from tests.browser.serve_fake import PlayedHouse, PlayedService
from tests.support.browser import running_browser

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
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


Serve = Callable[..., PlayedService]
Open = Callable[..., tuple[Page, Watcher]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a service over a played service; it is stopped after the test."""
    with ExitStack() as stack:

        def start(application: PlayedHouse | None = None, **options: object) -> PlayedService:
            service = PlayedService(application or PlayedHouse(), **options)  # type: ignore[arg-type]
            return stack.enter_context(service)

        yield start


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Opens a page in a profile of its own. It must not complain, nor ask another host."""
    with ExitStack() as stack:
        watchers: list[Watcher] = []

        def go(url: str, **options: object) -> tuple[Page, Watcher]:
            context = browser.new_context(**options)  # type: ignore[arg-type]
            stack.callback(context.close)
            context.set_default_timeout(EXPECT_MS)
            page = context.new_page()
            watcher = Watcher(page)
            watchers.append(watcher)
            page.goto(url)
            return page, watcher

        yield go
        for watcher in watchers:
            assert watcher.unexpected == []
            assert watcher.hosts <= {"127.0.0.1"}
