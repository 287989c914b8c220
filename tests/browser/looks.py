"""How the tests find things on the page."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import EXPECT_MS
from tests.browser.office import eui

OPERATOR = "operator-token-0123456789abcdef"
TOKENS = {"operator": [OPERATOR], "webhook": ["webhook-token-0123456789abcdef"]}
LIGHTS = 18

expect.set_options(timeout=EXPECT_MS)


def card(page: Page, number: int) -> Locator:
    """The card of the light of this number."""
    return page.locator(f'.card[data-eui="{eui(number)}"]')


def glows(card_or_panel: Locator, rgb: str) -> None:
    """Wait until its first lamp glows in this colour: pages draw text and lamps once a frame."""
    lamp = card_or_panel.locator("lamp-light").first
    expect(lamp).to_have_attribute("style", re.compile(rf"--hue: ?rgb\({rgb}\)"))


def live(page: Page) -> None:
    """Wait until the page says that it is live."""
    expect(page.locator("#connection-words")).to_have_text("Live")


def mark(page: Page) -> None:
    """Leave something behind that a reload would wipe away."""
    page.evaluate("window.notReloaded = true")


def not_reloaded(page: Page) -> bool:
    """Whether it is still there."""
    return bool(page.evaluate("window.notReloaded === true"))


def go(page: Page, where: str) -> None:
    """Follow a link of the page, without loading it anew."""
    page.evaluate("where => history.pushState(null, '', '/' + where)", where)
    page.evaluate("dispatchEvent(new Event('popstate'))")


def two_frames(page: Page) -> None:
    """Wait until what was asked for is drawn."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
