"""Floor plans in the browser: looked at, edited by pointer and by keys, ordered from, on a wall."""

import io
import json
import re
import zipfile
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from actors.board.plan import PlanHead, PlanRemoved
from actors.plans.model import Plan
from api.live.client import RESTARTING
from api.plans.picture import checked
from lorawan.kuando.light_state import LightState
from tests.browser.conftest import Open, Serve
from tests.browser.looks import TOKENS, live, two_frames
from tests.browser.office import BLUE, ROOF, YARD, eui
from tests.browser.serve_fake import PlayedHouse
from tests.support.fake_application import NOW

DRAWING = checked(
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 600">'
    b'<rect width="1000" height="600" fill="#fff" stroke="#333"/></svg>'
)
EVIL = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 60" onload="window.evil=1">'
    b"<script>window.evil=1</script><rect width='100' height='60'/></svg>"
)
GAP = 0.04
"""A pointer on a busy machine is a pixel or two beside."""
LOST = 12
HEAP_BYTES_MOST = LOST * 37_500
"""Less than 40 kB for each lost connection, as one whose lights stayed behind would keep."""


def plan_house(
    lights: dict[str, tuple[float, float]] | None = None, house: PlayedHouse | None = None
) -> PlayedHouse:
    """An office with a plan on which these lights are."""
    application = house or PlayedHouse()
    if lights is None:
        lights = {eui(n): (0.1 + 0.15 * (n - 1), 0.5) for n in range(1, 6)}
    plan = Plan(
        id="hall", name="Hall", order=1, revision=1, picture=DRAWING.picture, changed_at=NOW,
        lights=lights, gateways={ROOF: (0.5, 0.1)},
    )  # fmt: skip
    application.plans.plans["hall"] = plan
    application.plans.pictures[DRAWING.picture.digest] = DRAWING.content
    application.board.publish(plan.head())
    return application


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where this place of the plan is on the screen, all of it being seen."""
    box = page.locator(".plan-stage").bounding_box()
    assert box is not None
    width, height = box["width"] - 2, box["height"] - 2
    scale = min(width / 1000, height / 600) * 0.97
    return (
        box["x"] + 1 + (width - 1000 * scale) / 2 + x * 1000 * scale,
        box["y"] + 1 + (height - 600 * scale) / 2 + y * 600 * scale,
    )


def shown(page: Page) -> None:
    """Wait until the plan is there."""
    live_hidden(page)
    expect(page.locator(".plan-stage")).to_be_visible()
    expect(page.locator(".plan-stage > img")).to_have_js_property("naturalWidth", 1000)
    two_frames(page)


def places(application: PlayedHouse) -> dict[str, tuple[float, float]]:
    """Of lights, as they are stored."""
    return application.plans.plans["hall"].lights


FOCUS = ".plan-focus:not([hidden])"


def test_a_light_says_what_it_shows_and_why_and_opens(serve: Serve, visit: Open) -> None:
    service = serve(plan_house())
    page, _ = visit(f"{service.url}?view=plans")
    shown(page)
    group = page.get_by_role("group", name="Plan Hall, 5 lights")
    expect(group).to_be_visible()
    name = service.application.board.devices[eui(1)].name
    page.mouse.move(*at(page, 0.1, 0.5))
    expect(page.locator(".plan-note strong")).to_have_text(name)
    page.mouse.move(*at(page, 0.5, 0.1))
    expect(page.locator(".plan-note")).to_contain_text("online")
    page.locator(FOCUS).focus()
    page.keyboard.press("ArrowRight")
    second = service.application.board.devices[eui(2)].name
    expect(page.locator(f"{FOCUS}:focus")).to_have_attribute("data-at", f"light {eui(2)}")
    assert second in str(page.locator(FOCUS).get_attribute("aria-label"))
    service.call(service.application.shows, eui(2), LightState(255, 0, 255))
    expect(page.locator(FOCUS)).to_have_attribute("aria-label", re.compile("pink|violet"))
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_have_text(second)
    page.keyboard.press("Escape")
    page.mouse.click(*at(page, 0.1, 0.5))
    expect(page.locator("#panel-title")).to_have_text(name)


def test_lights_are_placed_by_dragging_and_by_keys(serve: Serve, visit: Open) -> None:
    service = serve(plan_house())
    application = service.application
    page, _ = visit(f"{service.url}?view=plans")
    shown(page)
    page.get_by_role("button", name="Place lights").click()
    two_frames(page)
    page.mouse.move(*at(page, 0.1, 0.5))
    page.mouse.down()
    page.mouse.move(*at(page, 0.2, 0.3), steps=4)
    page.mouse.move(*at(page, 0.3, 0.2), steps=4)
    page.mouse.up()
    expect(page.locator(".plans > .outcome")).to_have_text("Saved.")
    x, y = places(application)[eui(1)]
    assert (abs(x - 0.3) < GAP, abs(y - 0.2) < GAP) == (True, True)
    # from the list, by pointer
    row = page.locator(f'[data-unplaced="light {eui(6)}"] button')
    box = row.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(*at(page, 0.7, 0.8), steps=6)
    page.mouse.up()
    expect(row).to_have_count(0)
    expect(page.locator(".plans > .outcome")).to_have_text("Saved.")
    x, y = places(application)[eui(6)]
    assert (abs(x - 0.7) < GAP, abs(y - 0.8) < GAP) == (True, True)
    # from the list, by keys
    chosen = page.locator(f'[data-unplaced="gateway {YARD}"] button')
    chosen.focus()
    page.keyboard.press("Enter")
    expect(page.locator(FOCUS)).to_be_focused()
    expect(page.locator("#announcer")).to_contain_text("50 % from the left, 50 % from the top")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("#announcer")).to_contain_text("47 % from the left, 50.1 % from the top")
    page.keyboard.press("Enter")
    expect(chosen).to_have_count(0)
    expect(page.locator(".plans > .outcome")).to_have_text("Saved.")
    assert application.plans.plans["hall"].gateways[YARD] == (0.47, 0.501)
    # let go, and taken off
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    expect(page.locator("#announcer")).to_contain_text("stays where it was")
    page.keyboard.press("Delete")
    expect(page.locator(f'[data-unplaced="gateway {YARD}"]')).to_be_visible()
    expect(page.locator(".plans > .outcome")).to_have_text("Saved.")
    assert YARD not in application.plans.plans["hall"].gateways


def theirs(application: PlayedHouse, **changes: Any) -> None:
    """Somebody else edits the plan, of which the page is not told yet."""
    plan = application.plans.plans["hall"]
    fields = {name: getattr(plan, name) for name in plan.__struct_fields__}
    application.plans.plans["hall"] = Plan(**{**fields, "revision": plan.revision + 1, **changes})


def test_of_two_who_edit_nobody_loses_anything(serve: Serve, visit: Open) -> None:
    service = serve(plan_house())
    application = service.application
    page, watcher = visit(f"{service.url}?view=plans")
    watcher.expected = ("412",)
    shown(page)
    page.get_by_role("button", name="Place lights").click()
    two_frames(page)
    service.call(theirs, application, lights={**places(application), eui(5): (0.9, 0.9)})

    def drag(x: float, to: float) -> None:
        page.mouse.move(*at(page, x, 0.5))
        page.mouse.down()
        page.mouse.move(*at(page, to, 0.2), steps=5)
        page.mouse.up()

    drag(0.1, 0.2)
    expect(page.locator(".plans > .outcome")).to_have_text("Saved.")
    assert places(application)[eui(5)] == (0.9, 0.9), "what the other one did stays"
    assert places(application)[eui(1)][0] < 0.25
    service.call(theirs, application, lights={**places(application), eui(2): (0.6, 0.9)})
    drag(0.25, 0.4)
    expect(page.locator(".plans > .outcome")).to_contain_text("Somebody else moved")
    assert places(application)[eui(2)] == (0.6, 0.9)


def test_lights_in_a_rectangle_get_one_order(serve: Serve, visit: Open) -> None:
    page, _ = visit(f"{serve(plan_house()).url}?view=plans")
    shown(page)
    page.keyboard.down("Shift")
    page.mouse.move(*at(page, 0.05, 0.3))
    page.mouse.down()
    page.mouse.move(*at(page, 0.3, 0.7), steps=5)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page.locator("#selected")).to_have_text("2 lights selected")
    page.locator(FOCUS).focus()
    page.keyboard.press("Control+a")
    expect(page.locator("#selected")).to_have_text("5 lights selected")
    page.keyboard.press("Shift+Space")
    expect(page.locator("#selected")).to_have_text("4 lights selected")
    page.get_by_role("button", name="Set colour…").click()
    page.get_by_role("button", name="Red", exact=True).click()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".rollout h2")).to_have_text("4 lights to red")


def test_a_picture_is_given_exported_and_imported(serve: Serve, visit: Open) -> None:
    service = serve(PlayedHouse())
    page, watcher = visit(f"{service.url}?view=plans")
    watcher.expected = ("422",)
    expect(page.locator(".plans > .note")).to_contain_text("No floor plan yet")
    page.get_by_role("button", name="Add a plan…").click()
    page.locator("dialog[open]").get_by_label("Name").fill("Yard")
    page.locator('dialog input[type="file"]').set_input_files(
        {"name": "plan.png", "mimeType": "image/png", "buffer": EVIL}
    )
    page.get_by_role("button", name="Save").click()
    told = page.locator("dialog[open] .outcome")
    expect(told).to_contain_text("Left out of the drawing: onload and <script>.")
    page.locator("dialog[open]").get_by_role("button", name="Not now").click()
    expect(page.locator(".plan-stage > img")).to_have_js_property("naturalHeight", 60)
    assert page.evaluate("window.evil") is None
    page.get_by_role("button", name="Plan…", exact=True).click()
    page.locator('dialog input[type="file"]').set_input_files(
        {"name": "plan.svg", "mimeType": "image/svg+xml", "buffer": b"<!DOCTYPE svg>" + EVIL}
    )
    with page.expect_response(lambda answer: answer.status == 422):
        page.get_by_role("button", name="Save").click()
    expect(told).to_contain_text("take its <!DOCTYPE ...> out")
    page.keyboard.press("Escape")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export all").click()
    packed = download.value.path().read_bytes()
    index = json.loads(zipfile.ZipFile(io.BytesIO(packed)).read("plans.json"))
    assert [plan["name"] for plan in index["plans"]] == ["Yard"]
    page.locator('.plan-tools input[type="file"]').set_input_files(
        {"name": "plans.zip", "mimeType": "application/zip", "buffer": packed}
    )
    expect(page.locator(".plans > .outcome")).to_have_text("1 plan was imported.")


def test_who_may_only_look_is_offered_nothing_to_do(serve: Serve, visit: Open) -> None:
    viewer = "viewer-token-0123456789abcdef"
    service = serve(plan_house(), tokens={**TOKENS, "viewer": [viewer]})
    page, watcher = visit(f"{service.url}?view=plans")
    watcher.expected = ("401",)
    page.locator("#token").fill(viewer)
    page.keyboard.press("Enter")
    shown(page)
    for name in ("Place lights", "Select", "Add a plan…", "Plan…", "Import…"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_hidden()
    page.locator(FOCUS).focus()
    page.keyboard.press("Control+a")
    expect(page.locator("#selection")).to_be_hidden()


@pytest.mark.timeout(120)  # 17 connections, each after a backoff
def test_a_wall_survives_a_night_of_lost_connections(serve: Serve, visit: Open) -> None:
    first = serve(plan_house())
    page, watcher = visit(f"{first.url}?wall", viewport={"width": 1280, "height": 720})
    watcher.expected = ("WebSocket connection", "ERR_CONNECTION_REFUSED", "503")
    shown(page)
    expect(page.locator(".wall-line strong")).to_have_text("Hall")
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.locator(".wall-old")).to_be_hidden()
    cdp = page.context.new_cdp_session(page)

    def heap() -> float:
        cdp.send("HeapProfiler.collectGarbage")
        return float(cdp.send("Runtime.getHeapUsage")["usedSize"])

    def lose(times: int) -> None:
        for _ in range(times):
            with page.expect_websocket():
                first.call(first.drop_live, RESTARTING)
            live_hidden(page)

    lose(5)
    before, nodes = heap(), page.evaluate("document.querySelectorAll('*').length")
    lose(LOST)
    assert heap() - before < HEAP_BYTES_MOST
    assert page.evaluate("document.querySelectorAll('*').length") == nodes
    first.stop()
    expect(page.locator(".wall-old")).to_contain_text("Old: as of")
    assert page.evaluate("document.documentElement.hasAttribute('data-old')")
    application = plan_house(house=PlayedHouse("boot-2"))
    application.shows(eui(1), BLUE)
    serve(application, port=first.port)
    live_hidden(page)
    # at once, not with the next beat of its clock
    assert not page.evaluate("document.documentElement.hasAttribute('data-old')")
    expect(page.locator(FOCUS)).to_have_attribute("data-at", f"light {eui(1)}")


def live_hidden(page: Page) -> None:
    expect(page.locator("html")).to_have_attribute("data-connection", "live")


def test_a_plan_that_is_gone_makes_room_for_the_next(serve: Serve, visit: Open) -> None:
    service = serve(plan_house())
    service.call(
        service.application.board.publish, PlanHead(id="yard", name="Yard", order=2, revision=1)
    )
    page, watcher = visit(f"{service.url}?view=plans&plan=yard")
    watcher.expected = ("404",)
    live(page)
    expect(page.get_by_label("Plan", exact=True)).to_have_value("yard")
    service.call(service.application.board.publish, PlanRemoved("yard", "Yard"))
    shown(page)
    expect(page.get_by_label("Plan", exact=True)).to_have_value("hall")
