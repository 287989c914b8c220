"""The browser that drives the pages: found on this machine, started with a fresh profile.

No browser is a failure, not a skip; a page that nobody looked at is not tested.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright, sync_playwright

ENV = "LAMPLIGHTER_TEST_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A browser on a busy machine takes 5 s to start; the test is stuck long after.
START_MS = 30_000


def find_chromium() -> str:
    """The path of a Chromium. Raises RuntimeError where there is none."""
    named = os.environ.get(ENV)
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise RuntimeError(
            f"no Chromium: install one of {', '.join(NAMES)}, or set {ENV} to its path"
        )
    return found


@contextmanager
def running_browser(*more: str) -> Iterator[Browser]:
    """A headless Chromium with a profile of its own and these arguments more, ended with the
    block."""
    with sync_playwright() as playwright, launched(playwright, *more) as browser:
        yield browser


@contextmanager
def launched(playwright: Playwright, *more: str) -> Iterator[Browser]:
    """The same by a driver that runs already: a thread can have one only."""
    browser = playwright.chromium.launch(
        executable_path=find_chromium(), args=[*ARGUMENTS, *more], timeout=START_MS
    )
    try:
        yield browser
    finally:
        browser.close()
