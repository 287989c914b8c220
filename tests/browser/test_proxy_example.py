"""The example of nginx that operators copy: TLS, a path, pages and the live websocket."""

import base64
import hashlib
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.browser.conftest import EXPECT_MS, Another, Serve, Watcher
from tests.browser.looks import LIGHTS, card, live
from tests.browser.office import BLUE, eui
from tests.support.proxy import nginx_by_example

EXAMPLE = Path(__file__).parents[2] / "deploy" / "nginx.conf"


def key_of(certificate: Path) -> str:
    """The digest of the public key of this certificate, as Chromium is told of it.

    Not `ignore_https_errors`: with that, every new connection ends in an error that the request is
    begun anew for, and a page of ninety files on a busy machine comes to the 32 times after which
    Chromium gives a request up (ERR_TOO_MANY_RETRIES). A key that is trusted is no error.
    """
    extract = ["openssl", "x509", "-in", str(certificate), "-noout", "-pubkey"]
    public = subprocess.run(extract, check=True, capture_output=True, timeout=10)
    encoded = b"".join(public.stdout.split(b"\n")[1:-2])
    return base64.b64encode(hashlib.sha256(base64.b64decode(encoded)).digest()).decode()


def test_pages_and_what_is_live_go_through_the_example(
    serve: Serve, another_browser: Another, tmp_path: Path
) -> None:
    service = serve(base_path="/lamplighter", trusted_proxies=["127.0.0.1"])
    with nginx_by_example(EXAMPLE, service.port, tmp_path) as site:
        trusted = f"--ignore-certificate-errors-spki-list={key_of(tmp_path / 'site.pem')}"
        with another_browser(trusted) as browser:
            page = browser.new_page()
            page.set_default_timeout(EXPECT_MS)
            watcher = Watcher(page)
            page.goto(f"{site}/lamplighter")
            live(page)
            assert urlsplit(page.url).path == "/lamplighter/"
            expect(page.locator(".card")).to_have_count(LIGHTS)
            service.call(service.application.shows, eui(21), BLUE)  # told by the websocket
            expect(card(page, 21).locator(".state")).to_have_text("Verified")
            assert watcher.complaints == []
            assert watcher.hosts == {"127.0.0.1"}
