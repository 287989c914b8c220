"""The dashboard in a real browser, over the real web: what a person sees and does."""

import re

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from actors.board.changes import AlertView
from api.live.client import RESTARTING
from lorawan.kuando.light import Light
from tests.browser.conftest import EXPECT_MS, Open, Serve
from tests.browser.office import BLUE, YARD, eui
from tests.browser.serve_fake import PlayedHouse
from tests.support.fake_house import NOW, a_light

OPERATOR = "operator-token-0123456789abcdef"
TOKENS = {"operator": [OPERATOR], "webhook": ["webhook-token-0123456789abcdef"]}
LIGHTS = 18

expect.set_options(timeout=EXPECT_MS)


def card(page: Page, number: int) -> Locator:
    return page.locator(f'.card[data-eui="{eui(number)}"]')


def hue(card_or_panel: Locator) -> str:
    """The colour that its first lamp glows in."""
    lamp = card_or_panel.locator("lamp-light").first
    return str(lamp.evaluate("lamp => lamp.style.getPropertyValue('--hue')"))


def live(page: Page) -> None:
    expect(page.locator("#connection-words")).to_have_text("Live")


def mark(page: Page) -> None:
    """Leave something behind that a reload would wipe away."""
    page.evaluate("window.notReloaded = true")


def not_reloaded(page: Page) -> bool:
    return bool(page.evaluate("window.notReloaded === true"))


def test_lights_glow_in_their_colours_and_say_what_they_are_in_words(
    serve: Serve, visit: Open
) -> None:
    page, _ = visit(serve().url)
    expect(page.locator(".card")).to_have_count(LIGHTS)
    assert hue(card(page, 2)) == "rgb(255 0 0)"
    assert hue(card(page, 6)) == "rgb(150 0 255)"
    expect(card(page, 2)).to_contain_text("Verified")
    expect(card(page, 11).locator("lamp-light").first).to_have_class("dark")
    expect(card(page, 25).locator("lamp-light").first).to_have_class("unknown")
    # Wanted and reported differ: the lamp keeps what is reported, a small one is as wanted.
    held = card(page, 20)
    assert hue(held) == "rgb(0 255 0)"
    assert hue(held.locator(".wanted-dot")) == "rgb(150 0 255)"
    expect(held).to_contain_text("green, wanted violet")
    expect(held.locator(".state")).to_have_text("Held")
    expect(held.locator(".why")).to_have_text(
        "Every gateway that hears this light is offline: Yard."
    )
    for kind, count in (("all", 18), ("verified", 11), ("working", 3), ("held", 1), ("failed", 1)):
        expect(page.locator(f'.chip[data-kind="{kind}"] strong')).to_have_text(str(count))
    expect(page.locator("#service")).to_contain_text("boot boot-1")


def test_a_change_appears_without_a_reload_and_touches_its_card_only(
    serve: Serve, visit: Open
) -> None:
    service = serve()
    page, _ = visit(service.url)
    live(page)
    mark(page)
    page.evaluate(
        """() => {
            window.touched = new Set();
            new MutationObserver((records) => {
                for (const { target } of records) {
                    const node = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
                    window.touched.add(node.closest(".card")?.dataset.eui ?? node.className);
                }
            }).observe(document.getElementById("fleet"),
                { subtree: true, childList: true, attributes: true, characterData: true });
        }"""
    )
    service.call(service.house.shows, eui(21), BLUE)
    expect(card(page, 21).locator(".state")).to_have_text("Verified")
    assert hue(card(page, 21)) == "rgb(0 0 255)"
    expect(card(page, 21).locator(".wanted-dot")).to_be_hidden()
    expect(page.locator('.chip[data-kind="verified"] strong')).to_have_text("12")
    assert page.evaluate("[...window.touched]") == [eui(21)]
    assert not_reloaded(page)


def test_a_command_from_the_panel_reaches_the_house_and_shows_nothing_as_fact(
    serve: Serve, visit: Open
) -> None:
    service = serve()
    page, _ = visit(service.url)
    card(page, 1).locator("button").click()
    panel = page.locator("#panel")
    expect(panel.locator("h2")).to_have_text("Desk 1")
    panel.get_by_role("button", name="Red").click()
    panel.get_by_text("Slow blink").click()
    panel.get_by_role("button", name="Send", exact=True).click()
    expect(panel.locator(".command .outcome")).to_contain_text("Accepted")
    [sent] = [one for one in service.house.commands.values() if one.dev_eui == eui(1)]
    assert (sent.dev_eui, sent.light, sent.keep) == (eui(1), Light(255, 0, 0, 160, 160), True)
    assert [made for made, _ in service.house.keys.values()] == [sent.id]  # it came with a key
    # Nothing is proven: the lamp is still green.
    expect(card(page, 1)).to_contain_text("green, wanted red, blinking")
    assert hue(card(page, 1)) == hue(panel) == "rgb(0 255 0)"
    expect(panel.locator(".timeline")).to_contain_text("Accepted and stored")
    service.call(service.house.shows, eui(1), sent.light)
    expect(panel.locator(".timeline")).to_contain_text("Verified by the light")
    assert hue(card(page, 1)) == "rgb(255 0 0)"


def test_a_refused_command_is_told_in_words(serve: Serve, visit: Open) -> None:
    house = PlayedHouse()
    page, watcher = visit(serve(house, rate_per_s=0.01, rate_burst=60).url + f"?light={eui(1)}")
    watcher.expected = ("429",)
    live(page)
    page.evaluate("Promise.all(Array.from({ length: 70 }, () => fetch('/api/v1/alerts?limit=1')))")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".command .outcome")).to_contain_text("Too many requests")
    assert eui(1) not in {one.dev_eui for one in house.commands.values()}


def test_a_dropped_connection_resumes_where_it_broke_off(serve: Serve, visit: Open) -> None:
    service = serve()
    page, _ = visit(service.url)
    live(page)
    with page.expect_websocket() as resumed:
        service.call(service.drop_live, RESTARTING)
        service.call(service.house.shows, eui(20), Light(150, 0, 255))
    assert re.search(r"resume=boot-1(:|%3A)\d+", resumed.value.url)
    expect(card(page, 20).locator(".state")).to_have_text("Verified")
    live(page)


def test_the_page_comes_back_after_the_service_restarted(serve: Serve, visit: Open) -> None:
    first = serve()
    page, watcher = visit(first.url)
    watcher.expected = ("WebSocket connection", "ERR_CONNECTION_REFUSED", "503")
    expect(page.locator("#service")).to_contain_text("boot boot-1")
    mark(page)
    first.stop()
    expect(page.locator("#connection-words")).to_contain_text("Reconnecting since")
    house = PlayedHouse("boot-2")
    house.board.publish(a_light(eui(40), name="Newcomer"))
    house.shows(eui(1), BLUE)
    serve(house, port=first.port)
    live(page)
    expect(page.locator("#service")).to_contain_text("boot boot-2")
    expect(page.locator(".card")).to_have_count(LIGHTS + 1)
    assert hue(card(page, 1)) == "rgb(0 0 255)"
    assert not_reloaded(page)


def test_a_silent_connection_is_called_stale_and_then_made_anew(serve: Serve, visit: Open) -> None:
    silent = False

    def between(page_side: WebSocketRoute) -> None:
        server_side = page_side.connect_to_server()
        server_side.on_message(lambda said: None if silent else page_side.send(said))

    service = serve(ping_s=1.0)
    page, _ = visit("about:blank")
    page.route_web_socket(re.compile("/api/v1/live"), between)
    page.goto(service.url)
    live(page)
    silent = True
    expect(page.locator("#connection-words")).to_contain_text("Stale for")
    silent = False
    live(page)


def test_a_token_is_asked_for_once_and_kept_in_the_tab(serve: Serve, visit: Open) -> None:
    service = serve(tokens=TOKENS)
    page, watcher = visit(service.url)
    watcher.expected = ("401",)
    token = page.get_by_role("textbox", name="Token")
    token.fill("not-the-token-0123456789abcdef")
    token.press("Enter")
    expect(page.locator("#door-words")).to_contain_text("not valid")
    token.fill(OPERATOR)
    token.press("Enter")
    live(page)
    expect(page.locator(".card")).to_have_count(LIGHTS)
    page.reload()
    live(page)
    expect(page.locator("#door")).to_be_hidden()
    assert page.evaluate("localStorage.getItem('lamplighter.token')") is None
    assert OPERATOR not in page.url


def test_search_and_state_are_kept_in_the_address(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve().url)
    live(page)
    page.get_by_label("Find a light").fill("desk")
    expect(page.locator(".card .name")).to_have_text(["Desk 1", "Desk 2", "Desk 3", "Desk 10"])
    page.locator('.chip[data-kind="working"]').click()
    expect(page.locator(".card .name")).to_have_text(["Desk 3"])
    assert page.url.endswith("?q=desk&state=working")
    page.reload()
    expect(page.locator(".card .name")).to_have_text(["Desk 3"])
    page.get_by_label("Find a light").fill("nothing like it")
    expect(page.locator("#fleet-note")).to_have_text("No light matches.")


def test_gateways_are_switched_in_the_demonstration(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve().url)
    gateway = page.locator(f'[data-gateway="{YARD}"]')
    expect(gateway).to_contain_text("Offline")
    expect(gateway).to_contain_text("2 frames wait for it")
    gateway.get_by_role("button", name="Start Yard").click()
    expect(gateway.locator(".health")).to_have_text("Online")
    expect(page.locator("#gateways-tally")).to_have_text("3 of 3 online")
    expect(gateway.get_by_role("button", name="Stop Yard")).to_be_visible()


def test_gateways_are_not_switched_elsewhere(serve: Serve, visit: Open) -> None:
    page, watcher = visit(serve(demo=False).url)
    watcher.expected = ("/demo/state",)
    live(page)
    expect(page.locator(".gateway")).to_have_count(3)
    expect(page.locator(".gateway button:visible")).to_have_count(0)


def test_a_new_alert_is_said_aloud_and_a_closed_one_goes(serve: Serve, visit: Open) -> None:
    service = serve()
    page, _ = visit(service.url)
    expect(page.locator(".alert")).to_have_count(2)
    expect(page.locator("#announcer")).to_be_empty()
    text = "Desk 1 has been silent for 45 min"
    alert = AlertView("alert-3", "light_silent", eui(1), text, NOW, NOW)
    service.call(service.house.board.publish, alert)
    expect(page.locator("#announcer")).to_have_text(f"Alert: {text}.")
    expect(page.locator(".alert").first).to_contain_text(text)
    closed = AlertView("alert-3", "light_silent", eui(1), text, NOW, NOW, closed_at=NOW)
    service.call(service.house.board.publish, closed)
    expect(page.locator(".alert")).to_have_count(2)


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
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(card(page, 22).locator("button")).to_be_focused()


def test_initialise_asks_the_house(serve: Serve, visit: Open) -> None:
    service = serve()
    page, _ = visit(service.url + f"?light={eui(2)}")
    expect(page.locator("#panel dl")).to_contain_text("set up")
    page.get_by_role("button", name="Initialise").click()
    expect(page.locator("#panel > .outcome")).to_have_text("Its settings are sent again.")
    [(_, dev_euis, force)] = service.house.runs
    assert (dev_euis, force) == ([eui(2)], True)


@pytest.mark.parametrize(("motion", "running"), [("no-preference", 1), ("reduce", 0)])
def test_a_blinking_light_blinks_unless_less_motion_is_asked_for(
    serve: Serve, visit: Open, motion: str, running: int
) -> None:
    page, _ = visit(serve().url, reduced_motion=motion)
    blinking = card(page, 3)
    expect(blinking).to_contain_text("red, blinking")
    lit = blinking.locator(".lamp-lit").first
    assert lit.evaluate("lit => lit.getAnimations().length") == running
    steady = card(page, 2).locator(".lamp-lit").first
    assert steady.evaluate("lit => lit.getAnimations().length") == 0


def test_a_large_fleet_is_shown_as_one_scrolls(serve: Serve, visit: Open) -> None:
    house = PlayedHouse()
    for number in range(1_000):
        house.board.publish(a_light(f"20202040{number:08x}", name=f"Lamp {number:04d}"))
    page, _ = visit(serve(house).url)
    expect(page.locator('.chip[data-kind="all"] strong')).to_have_text("1018")
    expect(page.locator(".card")).to_have_count(240)
    page.get_by_label("Find a light").fill("lamp 0987")
    expect(page.locator(".card .name")).to_have_text(["Lamp 0987"])


def test_nothing_overflows_from_phone_to_wall(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve().url)
    expect(page.locator(".card")).to_have_count(LIGHTS)
    for with_panel in (False, True):
        if with_panel:
            card(page, 20).locator("button").click()
            expect(page.locator("#panel .timeline")).to_contain_text("Held")
        for width in (360, 768, 1440, 2560):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            beyond = page.locator("#panel").evaluate("it => it.scrollWidth - it.clientWidth")
            assert beyond <= 0


def test_red_and_green_are_not_told_by_colour_alone(serve: Serve, visit: Open) -> None:
    """Who cannot tell the colours apart reads them, and hears them."""
    page, _ = visit(serve().url)
    for number, words in ((1, "green"), (2, "red"), (3, "red, blinking"), (11, "dark")):
        expect(card(page, number).locator(".shows")).to_have_text(words)
    button = card(page, 22).locator("button")
    expect(button).to_have_accessible_name(re.compile("Gate.*dim green, wanted red.*Failed"))
