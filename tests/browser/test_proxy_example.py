"""The example of nginx that operators copy: TLS, a path, pages and the live websocket."""

from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.browser.conftest import Open, Serve
from tests.browser.looks import LIGHTS, card, live
from tests.browser.office import BLUE, eui
from tests.support.proxy import nginx_by_example

EXAMPLE = Path(__file__).parents[2] / "deploy" / "nginx.conf"


def test_pages_and_what_is_live_go_through_the_example(
    serve: Serve, visit: Open, tmp_path: Path
) -> None:
    service = serve(base_path="/lamplighter", trusted_proxies=["127.0.0.1"])
    with nginx_by_example(EXAMPLE, service.port, tmp_path) as site:
        page, watcher = visit(f"{site}/lamplighter", ignore_https_errors=True)
        # On a busy machine Chromium may give a style up, while it is told to ignore a certificate.
        watcher.expected = ("ERR_TOO_MANY_RETRIES",)
        live(page)
        assert urlsplit(page.url).path == "/lamplighter/"
        expect(page.locator(".card")).to_have_count(LIGHTS)
        service.call(service.application.shows, eui(21), BLUE)  # told by the websocket
        expect(card(page, 21).locator(".state")).to_have_text("Verified")
