"""One browser and one profile for many tests: a fresh profile costs as much as a whole page.

What a page leaves behind is forgotten before the next test, whose service has another port, and so
another origin.
"""

from contextlib import AbstractContextManager, ExitStack
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    ViewportSize,
    sync_playwright,
)

from tests.support.browser import launched

SIZE: ViewportSize = {"width": 1280, "height": 720}
"""As Playwright's own profiles have it."""


class KeptBrowser:
    """Started when it is first asked for, until `close`."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._driver: Playwright | None = None
        self._browser: Browser | None = None
        self._profile: BrowserContext | None = None
        self._idle: Page | None = None

    @property
    def browser(self) -> Browser:
        """It, started if need be."""
        if self._browser is None:
            self._browser = self._stack.enter_context(self.another())
        return self._browser

    def another(self, *arguments: str) -> AbstractContextManager[Browser]:
        """A browser of its own, with these arguments more."""
        if self._driver is None:
            self._driver = self._stack.enter_context(sync_playwright())
        return launched(self._driver, *arguments)

    def page(self, viewport: ViewportSize) -> Page:
        """A fresh page of the profile that tests share one after another."""
        if self._profile is None:
            self._profile = self.browser.new_context()
            self._idle = self._profile.new_page()  # without any, all processes end and start anew
        page = self._profile.new_page()
        page.set_viewport_size(viewport)
        return page

    def forget(self, url: str) -> None:
        """Close the pages of the profile, and forget what they kept."""
        profile, idle = self._profile, self._idle
        assert profile is not None
        assert idle is not None
        profile.set_offline(False)
        profile.clear_cookies()
        profile.clear_permissions()
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        cdp = profile.new_cdp_session(idle)
        cdp.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        cdp.send("Network.clearBrowserCache")
        cdp.detach()
        for page in profile.pages:
            if page is not idle:
                page.close()

    def close(self) -> None:
        """End it; the next test starts another one."""
        self._driver = self._browser = self._profile = self._idle = None
        self._stack.close()
