"""One light: what it shows, why not what it should, its past, and orders."""

import json
import re

import msgspec
from playwright.sync_api import expect

from actors.device.command import CommandStatus
from lorawan.kuando.light_state import LightState
from tests.browser.conftest import Open, Serve
from tests.browser.looks import card, glows, live
from tests.browser.office import ROOF, YARD, eui, order
from tests.browser.played_answers import signal_of
from tests.browser.serve_fake import PlayedHouse
from tests.support.fake_application import NOW


def test_a_command_from_the_panel_reaches_the_house_and_shows_nothing_as_fact(
    serve: Serve, visit: Open
) -> None:
    service = serve()
    page, _ = visit(service.url)
    card(page, 1).locator("button").click()
    panel = page.locator("#panel")
    expect(panel.locator("h2")).to_have_text("Desk 1")
    panel.get_by_role("button", name="Red").click()
    panel.get_by_label("Slow blink").check()
    panel.get_by_role("button", name="Send", exact=True).click()
    expect(panel.locator(".command .outcome")).to_contain_text("Accepted")
    [sent] = [one for one in service.application.commands.given.values() if one.dev_eui == eui(1)]
    assert (sent.dev_eui, sent.light, sent.keep) == (eui(1), LightState(255, 0, 0, 160, 160), True)
    keys = service.application.commands.keys
    assert [made for made, _ in keys.values()] == [sent.id]  # it came with a key
    # Nothing is proven: the lamp is still green.
    expect(card(page, 1)).to_contain_text("green, wanted red, blinking")
    glows(card(page, 1), "0 255 0")
    glows(panel, "0 255 0")
    expect(panel.locator(".timeline").first).to_contain_text("Accepted and stored")
    service.call(service.application.shows, eui(1), sent.light)
    expect(panel.locator(".timeline").first).to_contain_text("Verified by the light")
    glows(card(page, 1), "255 0 0")


def test_an_open_order_is_taken_back_and_then_nothing_is_asked(serve: Serve, visit: Open) -> None:
    service = serve()
    page, _ = visit(service.url + f"?light={eui(1)}")
    panel = page.locator("#panel")
    panel.get_by_role("button", name="Red").click()
    panel.get_by_role("button", name="Send", exact=True).click()
    panel.get_by_role("button", name="Withdraw").click()
    expect(panel.locator(".outcome").last).to_contain_text("Nothing of it was sent")
    [given] = [one for one in service.application.commands.given.values() if one.dev_eui == eui(1)]
    assert given.status is CommandStatus.WITHDRAWN
    expect(panel.locator(".timeline").first).to_contain_text("Withdrawn")
    panel.get_by_role("button", name="Ask nothing").click()
    expect(panel.locator(".outcome").last).to_contain_text("Nothing is asked of it any more")


def test_a_refused_command_is_told_in_words(serve: Serve, visit: Open) -> None:
    application = PlayedHouse()
    page, watcher = visit(
        serve(application, rate_per_s=0.01, rate_burst=60).url + f"?light={eui(1)}"
    )
    watcher.expected = ("429",)
    live(page)
    page.evaluate("Promise.all(Array.from({ length: 70 }, () => fetch('/api/v1/alerts?limit=1')))")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#panel .command .outcome")).to_contain_text("Too many requests")
    assert eui(1) not in {one.dev_eui for one in application.commands.given.values()}


def test_initialise_asks_the_house(serve: Serve, visit: Open) -> None:
    service = serve()
    page, _ = visit(service.url + f"?light={eui(2)}")
    expect(page.locator("#panel dl")).to_contain_text("set up")
    page.get_by_role("button", name="Initialise").click()
    expect(page.locator("#panel > .outcome")).to_have_text("Its settings are sent again.")
    [(_, dev_euis, force)] = service.application.initializer.runs
    assert (dev_euis, force) == ([eui(2)], True)


def test_it_says_in_one_sentence_what_it_waits_for_and_who_waits_with_it(
    serve: Serve, visit: Open
) -> None:
    service = serve()
    page, _ = visit(service.url + f"?light={eui(20)}")
    why = page.locator("#panel .verdict .why")
    expect(why).to_have_text(re.compile(r"^Waiting for gateway Yard, offline since \d\d:\d\d\.$"))
    waiting = service.application.board.devices[eui(20)]
    for number in (1, 2):
        service.call(
            service.application.change,
            eui(number),
            phase=waiting.phase,
            command=waiting.command,
            hearings=waiting.hearings,
        )
    service.call(service.application.switch, YARD, online=False)
    expect(why).to_have_text(re.compile(r"; two other lights wait with it\.$"))


def test_every_order_is_told_step_by_step_with_gateways_and_durations(
    serve: Serve, visit: Open
) -> None:
    application = PlayedHouse()
    earlier = order(21, LightState(255, 0, 0), CommandStatus.VERIFIED, id="earlier", attempts=1)
    earlier = msgspec.structs.replace(earlier, accepted_at=NOW - 4_000, ended_at=NOW - 3_996)
    application.played.past[eui(21)] = [earlier]
    page, _ = visit(serve(application).url + f"?light={eui(21)}")
    orders = page.locator("#panel .order")
    expect(orders).to_have_count(2)
    expect(orders.first.locator("summary")).to_contain_text("Sent, not yet verified")
    steps = orders.first.locator(".timeline li")
    expect(steps).to_have_count(6)
    expect(steps.nth(2)).to_contain_text("Sent by a gateway")
    expect(steps.nth(2)).to_contain_text("+32 s")
    expect(steps.nth(2)).to_contain_text("By Roof")
    expect(steps.nth(3)).to_contain_text("No answer within the verification window")
    expect(orders.last.locator("summary")).to_contain_text("Verified in 4.0 s, sent once")
    expect(orders.last.locator(".timeline")).to_be_hidden()


def test_a_command_whose_light_cannot_answer_says_what_its_verdict_waits_for(
    serve: Serve, visit: Open
) -> None:
    application = PlayedHouse()
    earlier = order(
        21, LightState(255, 0, 0), CommandStatus.VERIFIED, id="earlier", heartbeat_only=True
    )
    application.played.past[eui(21)] = [msgspec.structs.replace(earlier, ended_at=NOW - 90)]
    page, _ = visit(serve(application).url + f"?light={eui(21)}")
    orders = page.locator("#panel .order")
    expect(orders).to_have_count(2)
    orders.last.locator("summary").click()
    words = "Its software answers no downlink: the verdict waits for a status."
    expect(orders.last.get_by_text(words)).to_be_visible()
    expect(orders.first.get_by_text(words)).to_be_hidden()


def test_signal_is_drawn_by_gateway_and_the_inspection_is_one_click_away(
    serve: Serve, visit: Open
) -> None:
    application = PlayedHouse()
    application.played.points[eui(1)] = signal_of(1, {ROOF: -97.0, YARD: -118.0})
    page, _ = visit(serve(application).url + f"?light={eui(1)}")
    plot = page.get_by_role("img", name=re.compile("RSSI, dBm: -1.. to -.*over [0-9]+ uplinks"))
    expect(plot).to_be_visible()
    expect(plot.locator("path")).to_have_count(2)
    expect(page.locator("#panel .legend li")).to_have_count(2)
    page.get_by_role("button", name="JSON").click()
    seen = json.loads(page.locator("#panel > .raw").inner_text())
    assert seen["device"]["dev_eui"] == eui(1)


def test_a_light_is_asked_for_its_status(serve: Serve, visit: Open) -> None:
    service = serve()
    page, _ = visit(service.url + f"?light={eui(2)}")
    page.get_by_role("button", name="Ask for status").click()
    expect(page.locator("#panel > .outcome")).to_have_text("It is asked for its status.")
    assert service.application.played.asked_for_status == [eui(2)]


def test_what_an_older_service_does_not_know_is_said_to_be_missing(
    serve: Serve, visit: Open
) -> None:
    application = PlayedHouse()
    application.played.missing = True
    page, watcher = visit(serve(application).url + f"?light={eui(21)}")
    watcher.expected = ("404",)
    expect(page.locator("#panel .order")).to_have_count(1)
    expect(page.locator("#panel")).to_contain_text("Earlier commands are not available")
    expect(page.locator("#panel")).to_contain_text("Not available from this service.")
    page.get_by_role("button", name="Ask for status").click()
    expect(page.locator("#panel > .outcome")).to_have_text("Not available from this service.")
    page.goto(page.url.split("?")[0] + "?view=rollouts")
    expect(page.locator(".view .note:visible")).to_contain_text("not available from this service")
