"""The page never passes off what is old as what is: lost, stale, restarted, locked."""

import re

from playwright.sync_api import WebSocketRoute, expect

from actors.readiness import Readiness
from api.live.client import RESTARTING
from lorawan.kuando.light_state import LightState
from tests.browser.conftest import Open, Serve
from tests.browser.looks import LIGHTS, OPERATOR, TOKENS, card, glows, live, mark, not_reloaded
from tests.browser.office import BLUE, eui
from tests.browser.serve_fake import PlayedHouse
from tests.support.fake_application import a_light


def test_a_dropped_connection_resumes_where_it_broke_off(serve: Serve, visit: Open) -> None:
    service = serve()
    page, _ = visit(service.url)
    live(page)
    with page.expect_websocket() as resumed:
        service.call(service.drop_live, RESTARTING)
        service.call(service.application.shows, eui(21), BLUE)
    assert re.search(r"resume=boot-1(:|%3A)\d+", resumed.value.url)
    expect(card(page, 21).locator(".state")).to_have_text("Verified")
    live(page)


def test_the_page_comes_back_after_the_service_restarted(serve: Serve, visit: Open) -> None:
    first = serve()
    page, watcher = visit(first.url)
    watcher.expected = ("WebSocket connection", "ERR_CONNECTION_REFUSED", "503")
    expect(page.locator("#service")).to_contain_text("boot boot-1")
    mark(page)
    first.stop()
    expect(page.locator("#connection-words")).to_contain_text("Reconnecting since")
    expect(page.locator("#banner")).to_contain_text("What you see is as of")
    expect(page.locator("#banner")).to_contain_text("Trying again")
    application = PlayedHouse("boot-2")
    application.board.publish(a_light(eui(40), name="Newcomer"))
    application.shows(eui(1), BLUE)
    serve(application, port=first.port)
    live(page)
    expect(page.locator("#service")).to_contain_text("boot boot-2")
    expect(page.locator(".card")).to_have_count(LIGHTS + 1)
    glows(card(page, 1), "0 0 255")
    expect(page.locator("#banner")).to_be_hidden()
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
    expect(page.locator("#token-words")).to_contain_text("not valid")
    token.fill(OPERATOR)
    token.press("Enter")
    live(page)
    expect(page.locator(".card")).to_have_count(LIGHTS)
    page.reload()
    live(page)
    expect(page.locator("#token-dialog")).to_be_hidden()
    assert OPERATOR not in page.evaluate("Object.values(localStorage)"), "it is never on disk"
    assert OPERATOR not in page.url


def test_no_change_is_lost_over_a_dropped_connection_of_a_busy_house(
    serve: Serve, visit: Open
) -> None:
    """Every light changes while the page is away; what it shows then is what the service knows."""
    service = serve()
    page, _ = visit(service.url)
    live(page)
    with page.expect_websocket():
        service.call(service.drop_live, RESTARTING)
        for number in range(1, 13):
            service.call(
                service.application.shows, eui(number), LightState(number, 255 - number, 9)
            )
    live(page)
    for number in range(1, 13):
        most = 255 - number
        red, blue = (round(byte * 255 / most) for byte in (number, 9))
        lamp = card(page, number).locator("lamp-light").first
        expect(lamp).to_have_attribute("style", re.compile(rf"--hue: rgb\({red} 255 {blue}\)"))


def test_a_service_that_is_not_ready_is_said_to_be_so(serve: Serve, visit: Open) -> None:
    application = PlayedHouse()
    application.readiness.ready = Readiness(ready=False, problems=("the store does not answer",))
    page, watcher = visit(serve(application).url)
    watcher.expected = ("503",)
    expect(page.locator("#banner")).to_have_text(
        "The service is not ready: the store does not answer."
    )


def test_a_slow_network_shows_what_came_so_far_and_says_so(serve: Serve, visit: Open) -> None:
    """The second part of the snapshot takes its time."""
    held: list[str | bytes] = []
    release = False

    def between(page_side: WebSocketRoute) -> None:
        server_side = page_side.connect_to_server()

        def pass_on(said: str | bytes) -> None:
            if not release and '"part":2' in str(said).replace(" ", ""):
                held.append(said)
            else:
                page_side.send(said)

        server_side.on_message(pass_on)
        sides.append(page_side)

    sides: list[WebSocketRoute] = []
    application = PlayedHouse()
    for number in range(300):
        application.board.publish(a_light(f"20202040{number:08x}", name=f"Lamp {number:04d}"))
    page, _ = visit("about:blank")
    page.route_web_socket(re.compile("/api/v1/live"), between)
    page.goto(serve(application).url)
    expect(page.locator("#banner")).to_contain_text("Catching up: 50 % of the lights")
    expect(page.locator('.chip[data-kind="all"] strong')).to_have_text("200")
    release = True
    sides[0].send(held[0])
    live(page)
    expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator('.chip[data-kind="all"] strong')).to_have_text("318")


def test_the_page_asks_nobody_else_and_its_policy_forbids_it(serve: Serve, visit: Open) -> None:
    page, watcher = visit(serve().url)
    watcher.expected = ("Content Security Policy", "Failed to load", "Refused", "Fetch API")
    live(page)
    failed = page.evaluate("fetch('http://localhost:9/').then(() => false, () => true)")
    assert failed
    assert any("Content Security Policy" in one for one in watcher.complaints)
