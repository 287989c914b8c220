"""The dashboard below a path of a real nginx: from the field, a page that stayed blank there."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from lorawan.kuando.light_state import LightState
from tests.browser.conftest import Open, Serve
from tests.browser.looks import LIGHTS, OPERATOR, TOKENS, card, live
from tests.browser.office import BLUE, ROOF, eui
from tests.support.proxy import nginx_below


@pytest.mark.parametrize(
    ("path", "strips", "web"),
    [
        ("/lamp/", True, {}),
        ("/lamp/", False, {"base_path": "/lamp"}),
        ("/site/two/", True, {"base_path": "/site/two"}),
    ],
)
def test_every_page_works_below_a_path(
    serve: Serve,
    visit: Open,
    tmp_path: Path,
    path: str,
    strips: bool,
    web: dict[str, str],
) -> None:
    service = serve(**web)
    with nginx_below(path, service.port, tmp_path, strips=strips) as address:
        page, _ = visit(address)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(urlsplit(request.url).path))
        live(page)
        expect(page.locator(".card")).to_have_count(LIGHTS)
        # Told by the websocket.
        service.call(service.application.shows, eui(21), BLUE)
        expect(card(page, 21).locator(".state")).to_have_text("Verified")
        # Commanded by the panel.
        card(page, 1).locator("button").click()
        panel = page.locator("#panel")
        panel.get_by_role("button", name="Red").click()
        panel.get_by_role("button", name="Send", exact=True).click()
        expect(panel.locator(".command .outcome")).to_contain_text("Accepted")
        [sent] = [
            one for one in service.application.commands.given.values() if one.dev_eui == eui(1)
        ]
        assert sent.light == LightState(255, 0, 0)
        expect(panel.locator(".timeline").first).to_contain_text("Accepted and stored")
        page.keyboard.press("Escape")
        for name, there in (
            ("Gateways", f'[data-gateway="{ROOF}"]'),
            ("Reliability", ".tree li"),
            ("Rollouts", ".view .note:visible"),
            ("Lights", ".card"),
        ):
            page.get_by_role("navigation").get_by_role("link", name=name).click()
            expect(page.locator(there).first).to_be_visible()
            assert urlsplit(page.url).path == path
        page.reload()
        live(page)
        page.get_by_role("link", name="API").click()
        expect(page.locator("#title")).to_have_text("Lamplighter API")
        expect(page.locator("#contents li").first).to_be_visible()
        assert urlsplit(page.url).path == f"{path}docs"
        assert [one for one in asked if not one.startswith(path)] == []


def test_a_path_without_its_slash_leads_to_the_page(
    serve: Serve, visit: Open, tmp_path: Path
) -> None:
    service = serve(base_path="/lamp")
    with nginx_below("/lamp", service.port, tmp_path, strips=False) as address:
        page, _ = visit(f"{address}?view=gateways")
        live(page)
        assert urlsplit(page.url)[2:4] == ("/lamp/", "view=gateways")


def test_two_services_of_one_host_do_not_share_a_token(
    serve: Serve, visit: Open, tmp_path: Path
) -> None:
    service = serve(tokens=TOKENS)
    with nginx_below("/one/", service.port, tmp_path, strips=True) as address:
        page, watcher = visit(address)
        watcher.expected = ("401",)
        page.get_by_role("textbox", name="Token").fill(OPERATOR)
        page.get_by_role("textbox", name="Token").press("Enter")
        live(page)
        kept = page.evaluate("Object.keys(sessionStorage)")
        assert kept == ["lamplighter.token /one/"]
