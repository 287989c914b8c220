"""Takes the pictures of the dashboard: `python -m tests.browser.screenshots docs`.

What is in a picture is what the page shows over a played site.
"""

import logging
import sys
from pathlib import Path
from typing import Any

import structlog
from playwright.sync_api import Browser, Page, expect

from api.cli.demo.floor import demo_archive
from api.plans.archive import unpacked
from tests.browser.looks import live, two_frames
from tests.browser.office import eui
from tests.browser.serve_fake import PlayedHouse, PlayedService
from tests.browser.site import site
from tests.support.browser import running_browser
from tests.support.fake_cluster import alone, one_lost

DESKTOP, SMALL, PHONE, WALL = (1200, 760), (800, 560), (390, 844), (1920, 900)
SETTLED_MS = 700
"""Past the fade of a bar and the first beat of a blink."""
PICTURES: tuple[tuple[str, str, str, tuple[int, int], str], ...] = (
    ("dashboard", "?sort=state", "dark", DESKTOP, ".card"),
    ("dashboard-light", "?group=tag:floor", "light", DESKTOP, ".card"),
    ("dashboard-table", "?show=table&sort=state", "dark", DESKTOP, ".light-row"),
    ("dashboard-plan", "?view=plans", "light", SMALL, ".plan-stage"),
    ("dashboard-gateways", "?view=gateways", "dark", DESKTOP, ".strip"),
    ("dashboard-reliability", "?view=reliability", "light", DESKTOP, ".tree li"),
    ("dashboard-rollouts", "?view=rollouts", "dark", DESKTOP, ".rollout"),
    ("dashboard-cluster", "?view=cluster", "dark", DESKTOP, ".shard"),
    ("dashboard-phone", "", "dark", PHONE, ".card"),
    ("dashboard-phone-light", f"?light={eui(3)}", "light", PHONE, "#panel .order"),
    ("dashboard-wall", "?show=dense&group=app", "dark", WALL, ".card"),
)


def main() -> None:
    """Take every picture into the folder that is named."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    folder = Path(sys.argv[1])
    house = site()
    draw(house)
    with PlayedService(house, demo=False) as service, running_browser() as browser:
        for name, where, scheme, (width, height), there in PICTURES:
            house.cluster.now = one_lost() if "cluster" in where else alone()
            page = opened(browser, service.url + where, scheme, width, height)
            expect(page.locator(there).first).to_be_visible()
            page.wait_for_timeout(SETTLED_MS)
            page.screenshot(path=folder / f"{name}.png")
            page.context.close()
        page = opened(browser, service.url + f"?light={eui(32)}", "dark", 1200, 1690)
        expect(page.locator("#panel .signal svg").first).to_be_visible()
        page.wait_for_timeout(SETTLED_MS)
        page.locator("#panel").screenshot(path=folder / "dashboard-one-light.png")
        page.context.close()
        page = opened(browser, service.url + "?q=bay", "dark", *DESKTOP)
        chosen(page)
        page.screenshot(path=folder / "dashboard-many.png")


def draw(house: PlayedHouse) -> None:
    """A floor plan with all lights but four on it."""
    packed = demo_archive(list(house.board.devices)[:-4], list(house.board.gateways))
    for taken in unpacked(packed):
        house.plans.plans[taken.id] = taken.plan
        if taken.plan.picture is not None and taken.content is not None:
            house.plans.pictures[taken.plan.picture.digest] = taken.content
        house.board.publish(taken.plan.head())


def opened(browser: Browser, url: str, scheme: Any, width: int, height: int) -> Page:
    """A page that is live."""
    viewport: Any = {"width": width, "height": height}
    context = browser.new_context(
        viewport=viewport, color_scheme=scheme, timezone_id="UTC", reduced_motion="no-preference"
    )
    page = context.new_page()
    page.goto(url)
    live(page)
    return page


def chosen(page: Page) -> None:
    """Every bay, about to be set to green."""
    page.get_by_label("Select Bay 01").check()
    page.locator("#select-all").click()
    page.get_by_role("button", name="Set colour…").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Parking free")
    two_frames(page)


if __name__ == "__main__":
    main()
