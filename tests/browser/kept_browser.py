"""One browser and few profiles for many tests: a fresh profile costs as much as a whole page.

The profiles are kept, and with them what pages may keep for good: the files of the release, which
a service on the same port gives again and again. What else a page leaves behind is forgotten before
the next test.
"""

import socket
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from typing import Any, Literal
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
PROFILES_MOST = 6
"""Kept at the end of a test: most tests want the plain one, some a language, a zone or a finger."""


class KeptPort:
    """A port of loopback that is ours between two services, and free for the next one.

    A socket that is bound and does not listen keeps others from being given the port, and with
    SO_REUSEADDR lets a service of ours listen on it (Linux).
    """

    def __init__(self) -> None:
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind(("127.0.0.1", 0))
        self.number: int = self._held.getsockname()[1]

    @property
    def origin(self) -> str:
        """Of the pages of a service there."""
        return f"http://127.0.0.1:{self.number}"


class Profile:
    """Cookies, storage and what was loaded, apart from those of other profiles."""

    def __init__(self, browser: Browser, options: dict[str, Any]) -> None:
        self.options = options
        self.context: BrowserContext = browser.new_context(**options)
        self._idle = self.context.new_page()  # without any, all processes end and start anew

    def forget(self, origins: Iterable[str]) -> None:
        """Close its pages, and forget what pages of these origins kept, but for loaded files."""
        self.context.set_offline(False)
        self.context.clear_cookies()
        self.context.clear_permissions()
        pages = [page for page in self.context.pages if page is not self._idle]
        cdp = self.context.new_cdp_session(self._idle)
        for origin in {*origins, *(origin_of(page.url) for page in pages)}:
            cdp.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        cdp.detach()
        for page in pages:
            page.close()


class KeptBrowser:
    """Started when it is first asked for, until `close`."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._driver: Playwright | None = None
        self._browser: Browser | None = None
        self._profiles: list[Profile] = []
        self._used: list[Profile] = []

    @cached_property
    def port(self) -> KeptPort:
        """For the service of a test."""
        return KeptPort()

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

    def page(
        self,
        *,
        viewport: ViewportSize = SIZE,
        color_scheme: Literal["dark", "light"] = "light",
        reduced_motion: Literal["no-preference", "reduce"] = "reduce",
        **options: Any,
    ) -> Page:
        """A fresh page, of a profile that has these options and no other page of this test.

        Nothing moves unless it is asked for: what turns and blinks costs a fifth of a core for as
        long as a test waits.
        """
        fitting = [one for one in self._profiles if one.options == options]
        free = [one for one in fitting if one not in self._used]
        if free:
            profile = free[0]
        else:
            profile = Profile(self.browser, options)
            self._profiles.append(profile)
        self._used.append(profile)
        page = profile.context.new_page()
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme, reduced_motion=reduced_motion)
        return page

    def forget(self, urls: Iterable[str]) -> None:
        """Close the pages of the test, and forget what they kept; `urls` were visited."""
        origins = {self.port.origin, *map(origin_of, urls)}
        for profile in self._used:
            profile.forget(origins)
        self._used = []
        while len(self._profiles) > PROFILES_MOST:
            self._profiles.pop(1).context.close()  # the first is the one that most tests want

    def close(self) -> None:
        """End it; the next test starts another one."""
        self._driver = self._browser = None
        self._profiles, self._used = [], []
        self._stack.close()


def origin_of(url: str) -> str:
    """The origin of what is at this address; one that keeps nothing where there is none."""
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))
