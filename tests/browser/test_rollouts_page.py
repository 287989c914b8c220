"""One order for many lights: chosen, sent, watched, paused, stopped, in the browser."""

import json
import re

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import Open, Serve
from tests.browser.looks import live
from tests.browser.office import eui
from tests.browser.serve_fake import PlayedHouse
from tests.support.fake_application import NOW

VIOLET = {"red": 150, "green": 0, "blue": 255, "on": 255, "off": 0}


def begin(page: Page) -> None:
    """Choose every desk and set it to violet."""
    live(page)
    page.get_by_label("Find a light").fill("desk")
    expect(page.locator(".card")).to_have_count(4)
    page.get_by_label("Select Desk 1", exact=True).check()
    page.get_by_role("button", name="Select all 4").click()
    page.get_by_role("button", name="Set colour…").click()
    dialog = page.get_by_role("dialog", name="Set 4 lights")
    expect(dialog).to_contain_text("Desk 1, Desk 2, Desk 3, Desk 10")
    dialog.get_by_role("button", name="Violet").click()
    dialog.get_by_label("Lights a minute").fill("12")
    dialog.get_by_label("Failures allowed").fill("2")
    dialog.get_by_label("Name").fill("Evening")
    expect(dialog).to_contain_text("4 lights to violet, about 20 s")
    dialog.get_by_role("button", name="Start").click()


def test_lights_colour_pace_and_limit_are_chosen_and_sent(serve: Serve, visit: Open) -> None:
    service = serve()
    page, _ = visit(service.url)
    begin(page)
    rollout = page.locator(".rollout")
    expect(rollout.locator("h2")).to_have_text("Evening")
    expect(rollout).to_contain_text("Running")
    expect(rollout).to_contain_text("12 a minute, at most 2 failures")
    expect(rollout.locator(".legend")).to_have_text("4 waiting")
    [made] = service.application.played.rollouts.values()
    assert [light["dev_eui"] for light in made["lights"]] == [eui(n) for n in (1, 2, 21, 3)]
    assert (made["light"], made["pace_per_min"], made["failures_most"]) == (VIOLET, 12, 2)
    expect(page.locator("#tally-rollouts")).to_have_text("1 running")
    assert "view=rollouts" in page.url


def test_progress_is_watched_and_the_reins_are_held(serve: Serve, visit: Open) -> None:
    service = serve()
    played = service.application.played
    page, _ = visit(service.url)
    begin(page)
    rollout = page.locator(".rollout")
    expect(rollout).to_contain_text("Running")
    played.progress("rollout-1", verified=2, failed=1)
    expect(rollout.locator(".legend")).to_contain_text("2 verified")
    expect(rollout.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "3")
    rollout.get_by_role("button", name="Pause").click()
    expect(rollout).to_contain_text("Paused")
    assert played.rollouts["rollout-1"]["state"] == "paused"
    rollout.get_by_role("button", name="Go on").click()
    expect(rollout).to_contain_text("Running")
    rollout.locator("summary").click()
    failed = rollout.locator("tbody tr").first
    expect(failed).to_contain_text("Desk 3")
    expect(failed).to_contain_text("no proof after 3 attempts")
    rollout.get_by_role("button", name="Cancel").click()
    expect(rollout).to_contain_text("Cancelled")
    # What failed may be tried again; nothing else is left to do.
    expect(rollout.get_by_role("button")).to_have_text(["Try again"])


def test_too_many_failures_stop_it_and_say_so(serve: Serve, visit: Open) -> None:
    service = serve()
    page, _ = visit(service.url)
    begin(page)
    expect(page.locator(".rollout")).to_contain_text("Running")
    service.application.played.progress("rollout-1", failed=2)
    reason = "2 lights failed, as many as were allowed"
    service.application.played.move("rollout-1", state="stopped", reason=reason)
    expect(page.locator(".rollout .why")).to_have_text(f"{reason}.")
    expect(page.locator(".rollout").get_by_role("button", name="Go on")).to_be_visible()


def test_the_websocket_tells_of_progress_without_being_asked(serve: Serve, visit: Open) -> None:
    application = PlayedHouse()
    application.played.make_rollout({"dev_euis": [eui(1), eui(2)], "keep": True, **VIOLET})
    shown = {k: v for k, v in application.played.rollouts["rollout-1"].items() if k != "lights"}
    sides: list[WebSocketRoute] = []

    def between(page_side: WebSocketRoute) -> None:
        page_side.connect_to_server()
        sides.append(page_side)

    page, _ = visit("about:blank")
    page.route_web_socket(re.compile("/api/v1/live"), between)
    page.goto(serve(application).url + "?view=rollouts")
    live(page)
    page.wait_for_load_state("networkidle")
    tell(sides[0], 10_000, shown)
    expect(page.locator(".rollout .legend")).to_have_text("2 waiting")
    newer = {**shown, "verified": 2, "waiting": 0, "state": "done", "ended_at": shown["created_at"]}
    what = {**newer, "changed_at": shown["changed_at"] + 1}
    tell(sides[0], 10_001, what)
    expect(page.locator(".rollout .legend")).to_have_text("2 verified")
    expect(page.locator(".rollout .health")).to_have_text("Done")


def tell(page_side: WebSocketRoute, number: int, rollout: dict[str, object]) -> None:
    """Send the page a change as the service would."""
    change = {"number": number, "at": NOW, "kind": "rollout", "what": rollout}
    page_side.send(json.dumps({"type": "changes", "number": number, "changes": [change]}))
