"""The pages by keyboard, by screen reader, and from phone to wall screen."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from actors.outgoing.model import Kind
from tests.browser.conftest import Open, Serve
from tests.browser.looks import card, go, live, two_frames
from tests.browser.office import ROOF, YARD, eui
from tests.browser.played_answers import signal_of
from tests.browser.serve_fake import PlayedHouse
from tests.browser.test_audit_page import house as audit_house
from tests.browser.test_plans_page import plan_house
from tests.browser.test_scenes_page import some_scenes
from tests.support.fake_application import NOW
from tests.support.fake_cluster import one_lost
from tests.support.pretend_receiver import a_hook


def test_the_keyboard_suffices(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve().url)
    live(page)
    page.keyboard.press("/")
    page.keyboard.type("gate")
    expect(page.locator(".card")).to_have_count(1)
    card(page, 22).locator("button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_be_focused()
    assert f"light={eui(22)}" in page.url
    expect(page.locator("#panel-title")).to_have_text("Gate")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(card(page, 22).locator("button")).to_be_focused()


def test_the_keyboard_chooses_many_and_gives_them_an_order(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve().url)
    live(page)
    press = page.keyboard.press
    page.locator(".card button").first.focus()
    press("ArrowRight")
    press("Tab")
    expect(page.get_by_label("Select Canteen")).to_be_focused()
    press("Space")
    press("ArrowRight")
    press("ArrowRight")
    press("Tab")
    press("Space")
    expect(page.locator("#selected")).to_have_text("2 lights selected")
    page.get_by_role("button", name="Set colour…").focus()
    press("Enter")
    expect(page.get_by_role("dialog", name="Set 2 lights")).to_be_visible()
    page.get_by_role("button", name="Red", exact=True).focus()
    press("Enter")
    page.get_by_role("button", name="Start", exact=True).focus()
    press("Enter")
    expect(page.locator(".rollout h2")).to_have_text("2 lights to red")


def test_every_page_is_reached_by_tab_and_says_where_one_is(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve().url)
    live(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    for name in (
        "Lights",
        "Plans",
        "Gateways",
        "Reliability",
        "Rollouts",
        "Scenes",
        "Hooks",
        "Audit",
    ):
        page.keyboard.press("Tab")
        link = page.get_by_role("navigation").get_by_role("link", name=name)
        expect(link).to_be_focused()
        page.keyboard.press("Enter")
        expect(link).to_have_attribute("aria-current", "page")
        expect(page.get_by_role("main", name=name)).to_be_visible()


VIEWS = {
    "": ".card",
    "?show=dense&group=state": ".group-head",
    "?show=table&group=gateway": ".light-row",
    f"?light={eui(21)}": "#panel .signal svg",
    "?view=plans": ".plan-stage",
    "?view=gateways": ".history .strip",
    "?view=reliability": ".tree li",
    "?view=rollouts": ".rollout",
    "?view=scenes": "[data-schedule]",
    "?view=hooks": ".hook",
    "?view=audit": ".audit tbody tr",
    "?view=cluster": ".cluster .sheet",
    "?view=plans&wall": ".wall-line",
}
"""Where the pages are, and what is on each of them once it is there."""


def rich_house() -> PlayedHouse:
    """Something to see on every page."""
    application = plan_house()
    application.played.points[eui(21)] = signal_of(1, {ROOF: -97.0, YARD: -118.0})
    application.played.outages[YARD] = [{"since": NOW - 460, "until": None}]
    light = {"red": 255, "green": 0, "blue": 0, "on": 255, "off": 0, "keep": True}
    application.played.make_rollout({"dev_euis": [eui(n) for n in range(1, 11)], **light})
    application.played.progress("rollout-1", verified=4, open=2, failed=1, superseded=1)
    application.scenes.kit = some_scenes()
    application.audited += audit_house().audited
    hook = a_hook("hook-1", (Kind.VERDICTS, Kind.ALERTS), name="Lobby")
    application.outgoing.hooks[hook.id] = hook
    application.cluster.now = one_lost()
    return application


@pytest.mark.timeout(120)  # all rules on 13 views, each in the dark and in the light
def test_no_page_breaks_a_rule_of_accessibility(serve: Serve, visit: Open) -> None:
    axe = Axe()
    page, _ = visit(serve(rich_house()).url)
    live(page)
    for where, there in VIEWS.items():
        go(page, where)
        expect(page.locator(there).first).to_be_visible()
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            two_frames(page)
            found = axe.run(page).response["violations"]
            told = [(one["id"], [node["html"][:150] for node in one["nodes"]][:3]) for one in found]
            assert told == [], (where, scheme)
            assert page.locator(there).count() > 0


@pytest.mark.timeout(120)
def test_the_guide_breaks_no_rule_of_accessibility_and_fits_on_a_phone(
    serve: Serve, visit: Open
) -> None:
    """The longest chapters, and the one that is German, too; the others are made the same way."""
    axe, address = Axe(), serve().url
    page, _ = visit(f"{address}help/operations")
    for chapter in ("operations?lang=en", "operations?lang=de", "http", "cli", "hooks"):
        page.goto(f"{address}help/{chapter}")
        expect(page.locator("h1").first).to_be_visible()
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            two_frames(page)
            found = axe.run(page).response["violations"]
            told = [(one["id"], [node["html"][:150] for node in one["nodes"]][:3]) for one in found]
            assert told == [], (chapter, scheme)
        width = page.viewport_size
        page.set_viewport_size({"width": 360, "height": 800})
        two_frames(page)
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, chapter
        assert width is not None
        page.set_viewport_size(width)


def test_nothing_overflows_from_phone_to_wall(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve(rich_house()).url)
    live(page)
    for where, there in VIEWS.items():
        go(page, where)
        expect(page.locator(there).first).to_be_visible()
        for width in (360, 768, 1280, 2560):
            page.set_viewport_size({"width": width, "height": 800})
            two_frames(page)
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            beyond = page.locator("#panel").evaluate("it => it.scrollWidth - it.clientWidth")
            assert (over <= 0, beyond <= 0) == (True, True), f"{where} at {width}"
