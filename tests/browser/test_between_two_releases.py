"""A page whose files the next process does not have, as in a rolling upgrade behind a balancer that
does not keep a browser with one process."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Open, Serve
from tests.browser.looks import live

AGAIN_MS = 3_000
HEALTHZ = "**/healthz"


def loads_again(page: Page) -> None:
    """It does so by itself, after a while."""
    with page.expect_navigation():
        page.clock.fast_forward(AGAIN_MS)


@pytest.mark.parametrize("what", ["**/app/main.js", "**/app/base/store.js", "**/style/fleet.css"])
def test_a_page_that_came_without_a_file_loads_itself_until_it_is_whole(
    serve: Serve, visit: Open, what: str
) -> None:
    page, watcher = visit(serve().url)
    watcher.expected = ("404", "503", "Failed to load")
    live(page)
    page.clock.install()
    page.route(what, lambda route: route.fulfill(status=404, body=""))
    page.reload()
    loads_again(page)
    # Where nobody answers a browser would show a page of its own: it waits.
    page.route(HEALTHZ, lambda route: route.fulfill(status=503, body=""))
    page.evaluate("window.same = true")
    for _ in range(2):
        with page.expect_response(HEALTHZ):
            page.clock.fast_forward(AGAIN_MS)
    assert page.evaluate("window.same") is True
    page.unroute(HEALTHZ)
    page.unroute(what)
    loads_again(page)
    live(page)
    assert page.evaluate("sessionStorage.getItem('lamplighter.loaded-again')") is None
