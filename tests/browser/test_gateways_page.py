"""The gateways in the browser."""

from playwright.sync_api import expect

from tests.browser.conftest import Open, Serve
from tests.browser.looks import live
from tests.browser.office import ROOF, YARD
from tests.browser.serve_fake import PlayedHouse
from tests.support.fake_application import NOW


def test_gateways_are_switched_in_the_demonstration(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve().url + "?view=gateways")
    gateway = page.locator(f'[data-gateway="{YARD}"]')
    expect(gateway).to_contain_text("Offline")
    expect(gateway).to_contain_text("2 frames")
    gateway.get_by_role("button", name="Start Yard").click()
    expect(gateway.locator(".health")).to_have_text("Online")
    expect(page.locator(".found:visible")).to_have_text("3 of 3 online")
    expect(page.locator("#tally-gateways")).to_have_text("3/3")
    expect(gateway.get_by_role("button", name="Stop Yard")).to_be_visible()


def test_gateways_are_not_switched_elsewhere(serve: Serve, visit: Open) -> None:
    page, watcher = visit(serve(demo=False).url + "?view=gateways")
    watcher.expected = ("/demo/state",)
    live(page)
    expect(page.locator(".gateway")).to_have_count(3)
    expect(page.locator(".gateway button:visible")).to_have_count(0)


def test_a_gateway_tells_its_lights_airtime_and_outages(serve: Serve, visit: Open) -> None:
    application = PlayedHouse()
    application.played.outages[YARD] = [
        {"since": NOW - 460, "until": None},
        {"since": NOW - 90_000, "until": NOW - 88_200},
    ]
    page, _ = visit(serve(application).url + "?view=gateways")
    yard = page.locator(f'[data-gateway="{YARD}"]')
    expect(yard).to_contain_text("Offline for 8 min")
    expect(yard).to_contain_text("3.1 s of 360 s")
    expect(yard.locator(".strip .away")).to_have_count(2)
    yard.get_by_text("2 outages in 7 days").click()
    expect(yard.locator("li").first).to_contain_text("still away")
    expect(yard.locator("li").last).to_contain_text("for 30 min")
    expect(page.locator(f'[data-gateway="{ROOF}"]')).to_contain_text("No outage in 7 days")
    yard.get_by_role("link", name="1 light").click()
    expect(page.locator(".card .name")).to_have_text(["Loading dock with a rather long name"])
    page.go_back()
    expect(yard).to_be_visible()
