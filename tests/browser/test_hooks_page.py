"""Hooks, in the browser: made, tested, paused, told how they go."""

import msgspec
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from actors.board.sight import Sight
from actors.outgoing.model import Kind, StopKind, Stopped, Try
from tests.browser.conftest import Open, Serve
from tests.browser.looks import live
from tests.browser.serve_fake import PlayedHouse
from tests.support.fake_application import NOW
from tests.support.pretend_receiver import a_hook


def no_violations(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_a_hook_is_made_shows_its_secret_once_and_is_tested_paused_and_removed(
    serve: Serve, visit: Open
) -> None:
    house = PlayedHouse()
    page, watcher = visit(serve(house).url)
    watcher.expected = ("422",)
    live(page)
    page.get_by_role("link", name="Hooks").click()
    expect(page.get_by_text("No hook yet.")).to_be_visible()
    page.get_by_role("button", name="New hook…").click()
    page.get_by_role("dialog").get_by_label("Name", exact=True).fill("Call board")
    page.get_by_role("dialog").get_by_label("URL").fill("http://127.0.0.1/hook")
    no_violations(page)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dialog[open] .outcome")).to_contain_text("https")
    page.get_by_role("dialog").get_by_label("URL").fill("https://board.example/hook")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Of lights of the applications").fill("Office, north\n\n Hall \nHall")
    dialog.get_by_label("Of lights with one of the tags").fill("floor=2\nroom")
    page.get_by_role("checkbox", name="alerts").check()
    page.get_by_role("button", name="Save").click()
    secret = page.get_by_label("Secret", exact=True)
    expect(secret).to_be_visible()
    shown = secret.input_value()
    [hook] = house.outgoing.hooks.values()
    assert (shown, hook.kinds) == (hook.secret, (Kind.ALERTS, Kind.VERDICTS))
    assert hook.wanted == Sight(("Office, north", "Hall"), ("floor=2", "room"), ())
    no_violations(page)
    page.get_by_role("button", name="I have it").click()
    assert shown not in page.content()
    card = page.locator(".hook")
    expect(card).to_contain_text("https://board.example/hook")
    card.get_by_role("button", name="Test").click()
    expect(card).to_contain_text("The receiver took it (200).")
    card.get_by_text("Last tries").click()
    expect(card.locator("tbody tr")).to_contain_text("hook.test")
    card.get_by_role("button", name="Pause").click()
    expect(card).to_contain_text("Paused: what happens is kept for it.")
    no_violations(page)
    card.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No hook yet.")).to_be_visible()


def test_what_goes_wrong_is_said_and_fits_on_a_phone(serve: Serve, visit: Open) -> None:
    house = PlayedHouse()
    stopped = Stopped(StopKind.DEAD, NOW - 7_200, "nothing was taken for a day of tries")
    long = "https://receiver.example/" + "a-very-long-path/" * 12
    dead = a_hook("hook-9", tuple(Kind), name="Dead", url=long, stopped=stopped)
    house.outgoing.hooks["hook-9"] = dead
    refused = Try(
        number=1,
        at=NOW - 60,
        event_id="verdict-1d0c6a3e-8a59-4bd5-9d51-94b51a4b0d75",
        type="command.ended",
        attempt=12,
        status=503,
        error="answered 503",
        took_s=0.25,
        answer="<b>maintenance</b>",
    )
    house.outgoing.log.append(refused)
    page, _ = visit(serve(house).url + "?view=hooks")
    page.set_viewport_size({"width": 360, "height": 720})
    card = page.locator(".hook")
    expect(card).to_contain_text("nothing was taken for a day")
    card.get_by_text("Last tries").click()
    expect(card.locator("tbody tr")).to_contain_text("answered 503: <b>maintenance</b>")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    no_violations(page)
    card.get_by_role("button", name="Go on").click()
    expect(card).to_contain_text("Delivered; the last one")
    assert msgspec.structs.replace(dead, stopped=None).runs
