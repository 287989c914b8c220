"""What nobody can hear or reach is shown as such, whatever it showed; counts agree everywhere."""

import json
import re
from typing import Any

import msgspec
from playwright.sync_api import Page, WebSocketRoute, expect

from actors.board.changes import GatewayView
from actors.device.model import Hearing
from tests.browser.conftest import Open, Serve
from tests.browser.looks import LIGHTS, card, live
from tests.browser.office import BLINKING, GREEN, HALL, ROOF, YARD, eui, light
from tests.browser.serve_fake import PlayedHouse
from tests.support.fake_application import NOW

HOUR = 3_600.0


def silent(number: int, name: str, **changes: Any) -> Any:
    """A verified light that spoke three hours ago for the last time."""
    device = light(number, name, GREEN, **changes)
    assert device.report is not None
    assert device.session is not None
    at = NOW - 3 * HOUR
    return msgspec.structs.replace(
        device,
        session=msgspec.structs.replace(device.session, heard_at=at, since=at - HOUR),
        report=msgspec.structs.replace(device.report, at=at),
        hearings=tuple(msgspec.structs.replace(h, heard_at=at) for h in device.hearings),
    )


def behind(gateway_id: str, number: int, name: str) -> Any:
    """A verified, blinking light that this gateway alone hears."""
    hearing = Hearing(gateway_id, NOW - 400, -110, -4.0, 6.0, latest=True)
    return light(number, name, BLINKING, hearings=(hearing,))


def troubled() -> PlayedHouse:
    """The office, with two lights that glow no more."""
    application = PlayedHouse()
    application.board.publish(silent(60, "Cellar"))
    application.board.publish(behind(YARD, 61, "Shed"))
    return application


def test_a_light_that_nobody_hears_does_not_glow_and_is_told_in_the_past(
    serve: Serve, visit: Open
) -> None:
    page, _ = visit(serve(troubled()).url)
    live(page)
    cellar, shed = card(page, 60), card(page, 61)
    expect(cellar.locator(".state")).to_have_text("Silent")
    expect(cellar.locator(".shows")).to_have_text("showed green, heard 3 h ago")
    expect(cellar.locator(".why")).to_contain_text("Not heard since")
    expect(shed.locator(".state")).to_have_text("No gateway")
    expect(shed.locator(".shows")).to_have_text("red, blinking")  # heard seven minutes ago
    expect(shed.locator(".why")).to_contain_text("Its only gateway Yard is offline since")
    for one in (cellar, shed):
        lamp = one.locator("lamp-light").first
        expect(lamp).to_have_class(re.compile(r"\bpast\b"))
        expect(lamp.locator(".lamp-glow")).to_be_hidden()
        assert lamp.locator(".lamp-lit").evaluate("lit => lit.getAnimations().length") == 0
    expect(card(page, 1).locator("lamp-light .lamp-glow").first).to_be_visible()


def test_reachability_stands_in_panel_table_and_filters(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve(troubled()).url + f"?light={eui(60)}")
    panel = page.locator("#panel")
    expect(panel.locator(".fact").first).to_contain_text("Showed")
    expect(panel.locator(".verdict .state")).to_have_text("Silent")
    expect(panel.locator(".verdict .why")).to_contain_text("Not heard since")
    expect(panel.locator("dl")).to_contain_text("Not heard within three status intervals")
    page.keyboard.press("Escape")
    page.locator('.chip[data-kind="unreachable"]').click()
    expect(page.locator(".card .name")).to_have_text(["Cellar", "Shed"])
    page.get_by_label("Reachability").select_option("no_gateway_online")
    expect(page.locator(".card .name")).to_have_text(["Shed"])
    assert page.url.endswith("?state=unreachable&reach=no_gateway_online")
    page.locator('.chip[data-kind="unreachable"]').click()
    # Held for want of a gateway: its state says held, and beside it stands why.
    expect(page.locator(".card .name")).to_have_text(
        ["Loading dock with a rather long name", "Shed"]
    )
    expect(card(page, 20).locator(".state")).to_have_text("Held")
    expect(card(page, 20).locator(".reach")).to_have_text("No gateway")
    page.get_by_text("Table", exact=True).locator("xpath=ancestor::label").click()
    row = page.locator(f'.light-row[data-eui="{eui(61)}"]')
    expect(row.locator(".state")).to_have_text("No gateway")


def test_an_outage_darkens_its_lights_while_one_looks(serve: Serve, visit: Open) -> None:
    application = PlayedHouse()
    application.board.publish(behind(HALL, 61, "Shed"))
    service = serve(application)
    page, _ = visit(service.url)
    live(page)
    expect(card(page, 61).locator(".state")).to_have_text("Verified")
    service.call(application.switch, HALL, online=False)
    expect(card(page, 61).locator(".state")).to_have_text("No gateway")
    expect(page.locator('.chip[data-kind="unreachable"] strong')).to_have_text("1")
    service.call(application.switch, HALL, online=True)
    expect(card(page, 61).locator(".state")).to_have_text("Verified")


def test_the_counts_are_those_of_the_lights_that_the_other_filters_leave(
    serve: Serve, visit: Open
) -> None:
    page, _ = visit(serve(troubled()).url)
    live(page)

    def count(kind: str) -> Any:
        return page.locator(f'.chip[data-kind="{kind}"] strong')

    expect(count("all")).to_have_text(str(LIGHTS + 2))
    page.get_by_label("Find a light").fill("desk")
    expect(count("all")).to_have_text("4")
    expect(count("verified")).to_have_text("3")
    expect(count("working")).to_have_text("1")
    expect(count("unreachable")).to_have_text("0")
    page.locator('.chip[data-kind="working"]').click()
    expect(page.locator(".card")).to_have_count(1)
    expect(count("verified")).to_have_text("3")  # the state chosen does not hide the others


def test_a_group_of_a_gateway_tells_how_many_it_hears_in_all(serve: Serve, visit: Open) -> None:
    application = PlayedHouse()
    both = (
        Hearing(ROOF, NOW - 60, -100, 3.0, 9.0, latest=True),
        Hearing(HALL, NOW - 60, -110, 1.0, 7.0, latest=False),
    )
    for number in (1, 2, 3):
        application.change(eui(number), hearings=both)
    application.change(eui(4), hearings=(msgspec.structs.replace(both[1], latest=True),))
    url = serve(application).url
    page, _ = visit(url + "?group=gateway", viewport={"width": 1280, "height": 1800})
    hall = page.locator(".group-head").filter(has_text="Hall")
    expect(hall).to_have_text("Hall1 light heard last, of 4 that it hears")
    page.goto(url + "?view=gateways")
    expect(page.locator(f'[data-gateway="{HALL}"]')).to_contain_text("4 lights")


def test_a_light_that_was_removed_leaves_the_page(serve: Serve, visit: Open) -> None:
    sides: list[WebSocketRoute] = []

    def between(page_side: WebSocketRoute) -> None:
        page_side.connect_to_server()
        sides.append(page_side)

    page, _ = visit("about:blank")
    page.route_web_socket(re.compile("/api/v1/live"), between)
    page.goto(serve().url + f"?light={eui(2)}")
    live(page)
    expect(page.locator("#panel-title")).to_have_text("Desk 2")
    removed(page, sides[0], eui(2))
    expect(page.locator("#panel")).to_be_hidden()
    expect(page.locator("#announcer")).to_have_text(
        "Desk 2 is gone: ChirpStack does not list it any more."
    )
    expect(card(page, 2)).to_have_count(0)
    expect(page.locator('.chip[data-kind="all"] strong')).to_have_text(str(LIGHTS - 1))


def removed(page: Page, page_side: WebSocketRoute, dev_eui: str) -> None:
    """Tell the page that this light is gone, as the service does."""
    what = {"dev_eui": dev_eui, "name": "Desk 2", "why": "ChirpStack does not list it any more"}
    change = {"number": 10_000, "at": NOW, "kind": "device_removed", "what": what}
    page_side.send(json.dumps({"type": "changes", "number": 10_000, "changes": [change]}))


def test_availability_says_of_what_time_it_is(serve: Serve, visit: Open) -> None:
    """From the field: 27 minutes offline of 36 that anybody looked read 99.73 % of 7 days."""
    application = PlayedHouse()
    application.played.outages[YARD] = [{"since": NOW - 1_620, "until": None}]
    application.played.observed[YARD] = [{"since": NOW - 2_160, "until": NOW}]
    application.played.observed[HALL] = [{"since": NOW - 2_160, "until": NOW}]
    application.played.observed[ROOF] = []
    page, _ = visit(serve(application).url + "?view=gateways")
    yard = page.locator(f'[data-gateway="{YARD}"]')
    expect(yard).to_contain_text("away for 27 min: there 25 % of 36 min observed")
    hall = page.locator(f'[data-gateway="{HALL}"]')
    expect(hall).to_contain_text("No outage in 7 days, of which 36 min observed")
    assert float(str(hall.locator(".strip .there").get_attribute("width"))) < 10
    expect(page.locator(f'[data-gateway="{ROOF}"]')).to_contain_text("Not observed yet")


def test_a_fresh_outage_is_seen_in_the_strip(serve: Serve, visit: Open) -> None:
    application = PlayedHouse()
    application.board.publish(GatewayView(YARD, "Yard", online=False, since=NOW - 5))
    application.played.outages[YARD] = [{"since": NOW - 5, "until": None}]
    page, _ = visit(serve(application).url + "?view=gateways")
    bar = page.locator(f'[data-gateway="{YARD}"] .strip .lasts')
    box, strip = bar.bounding_box(), page.locator(f'[data-gateway="{YARD}"] .strip').bounding_box()
    assert box is not None
    assert strip is not None
    assert box["width"] >= 5
    assert box["x"] + box["width"] <= strip["x"] + strip["width"] + 1
