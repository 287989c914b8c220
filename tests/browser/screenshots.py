"""Takes the pictures of the dashboard: `python -m tests.browser.screenshots docs`.

What is in a picture is what the page shows over a played site.
"""

import logging
import sys
from pathlib import Path
from typing import Any

import structlog
from playwright.sync_api import Browser, Page, expect

from actors.outgoing.model import Kind
from actors.scenes.edits import Kit
from actors.scenes.model import Part, Scene, Schedule
from actors.storage.audit import Act, AuditEntry
from api.cli.demo.floor import demo_archive
from api.plans.archive import unpacked
from lorawan.kuando.light_state import LightState
from tests.browser.looks import live
from tests.browser.office import eui
from tests.browser.serve_fake import PlayedHouse, PlayedService
from tests.browser.site import site
from tests.support.browser import running_browser
from tests.support.fake_application import NOW
from tests.support.fake_cluster import alone, one_lost
from tests.support.pretend_receiver import a_hook

DESKTOP, SMALL, PHONE, WALL = (1200, 760), (800, 560), (390, 844), (1280, 720)
SETTLED_MS = 700
"""Past the fade of a bar and the first beat of a blink."""
PICTURES: tuple[tuple[str, str, str, tuple[int, int], str], ...] = (
    ("dashboard", "?sort=state", "dark", DESKTOP, ".card"),
    ("dashboard-light", "?group=tag:floor", "light", DESKTOP, ".card"),
    ("dashboard-plan", "?view=plans", "light", SMALL, ".plan-stage"),
    ("dashboard-gateways", "?view=gateways", "dark", DESKTOP, ".strip"),
    ("dashboard-reliability", "?view=reliability", "light", DESKTOP, ".tree li"),
    ("dashboard-rollouts", "?view=rollouts", "dark", DESKTOP, ".rollout"),
    ("dashboard-scenes", "?view=scenes", "light", SMALL, "[data-schedule]"),
    ("dashboard-audit", "?view=audit", "dark", SMALL, ".audit tbody tr"),
    ("dashboard-hooks", "?view=hooks", "light", SMALL, ".hook"),
    ("dashboard-wall", "?view=plans&wall", "dark", WALL, ".plan-stage"),
    ("dashboard-cluster", "?view=cluster", "dark", DESKTOP, ".shard"),
    ("dashboard-phone", "", "dark", PHONE, ".card"),
)


def main() -> None:
    """Take every picture into the folder that is named."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    folder = Path(sys.argv[1])
    house = site()
    draw(house)
    fill(house)
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


def draw(house: PlayedHouse) -> None:
    """A floor plan with all lights but four on it."""
    packed = demo_archive(list(house.board.devices)[:-4], list(house.board.gateways))
    for taken in unpacked(packed):
        house.plans.plans[taken.id] = taken.plan
        if taken.plan.picture is not None and taken.content is not None:
            house.plans.pictures[taken.plan.picture.digest] = taken.content
        house.board.publish(taken.plan.head())


def fill(house: PlayedHouse) -> None:
    """Scenes, what applies them and when, and what people did."""
    green, dark = LightState(0, 255, 0), LightState(0, 0, 0)
    evacuate = LightState(255, 0, 0, on=5, off=5)
    meant = (("day", "Day", green), ("evacuate", "Evacuate", evacuate), ("night", "Night", dark))
    scenes = {
        name: Scene(
            id=name, name=told, parts=(Part(light, tag="floor"),), created_at=NOW, changed_at=NOW
        )
        for name, told, light in meant
    }
    times = (("am", "Mornings", "30 6 * * 1-5", "day"), ("pm", "Nights", "0 20 * * *", "night"))
    schedules = {
        name: Schedule(
            id=name,
            name=told,
            cron=cron,
            scene_id=scene,
            created_at=NOW,
            changed_at=NOW,
            mark=NOW,
        )
        for name, told, cron, scene in times
    }
    house.scenes.kit = Kit(scenes, schedules)
    kinds = (Kind.VERDICTS, Kind.ALERTS)
    for hook in (
        a_hook("board", kinds, name="Lobby board", url="https://board.example/lamps"),
        a_hook("pager", (Kind.ALERTS,), name="On call", url="https://pager.example/in"),
    ):
        house.outgoing.hooks[hook.id] = hook
    for ago, what, who, on, detail in (
        (5_300, Act.PLAN_SAVE, "ben", "office", {"name": "Office", "revision": 4}),
        (3_900, Act.SCENE_SAVE, "anna", "night", {"name": "Night"}),
        (1_260, Act.ROLLOUT, "anna", "roll-1", {"lights": 30, "light": "0,0,255,255,0"}),
        (640, Act.ACKNOWLEDGE, "ben", "alert-1", {"kind": "gateway_offline"}),
        (95, Act.COMMAND, "anna", eui(3), {"light": "255,0,0,255,0"}),
    ):
        house.audited.append(
            AuditEntry(
                id=f"a{ago}",
                at=NOW - ago,
                by=who,
                scope="operator",
                what=what,
                on=on,
                detail=detail,
                peer="192.0.2.17",
            )
        )


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


if __name__ == "__main__":
    main()
