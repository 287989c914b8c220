"""Fingers, small screens, tokens that may only look, one zone of time, and the way back."""

import re
import time

from playwright.sync_api import Page, WebSocketRoute, expect

from actors.board.changes import AlertView
from tests.browser.conftest import EXPECT_MS, Open, Serve
from tests.browser.looks import LIGHTS, OPERATOR, TOKENS, card, go, live, two_frames
from tests.browser.office import YARD, eui
from tests.browser.played_answers import FIGURES
from tests.browser.serve_fake import PlayedHouse
from tests.browser.test_access import VIEWS, rich_house
from tests.support.fake_application import NOW

GUEST = "caretaker-token-0123456789abcdef"
VIEWER = "viewer-token-0123456789abcdef"
SCOPES = {**TOKENS, "viewer": [VIEWER]}
FINGER_PX = 44
SILENCE_MS = 4_000
"""After which the page asks, and after as long again says so (connection.js)."""
KEEP_WORDS = """() => {
  const words = document.querySelector("#connection-words");
  globalThis.said = [];
  new MutationObserver(() => said.push(words.textContent))
    .observe(words, { childList: true, characterData: true, subtree: true });
}"""

TARGETS = """() => [...document.querySelectorAll(
    "a[href], button, summary, select, input:not([type=hidden])")].filter((it) => {
  const box = it.getBoundingClientRect();
  const style = getComputedStyle(it);
  const unseen = it.closest(".unseen, .skip, [hidden], [inert]");
  const touched = style.pointerEvents !== "none";  // else what lies below it is
  const seen = box.width > 1 && box.height > 1 && style.visibility !== "hidden";
  return seen && touched && unseen === null;
}).map((it) => {
  // Where a label holds the control, all of the label is touched.
  const whole = (it.closest("label") ?? it).getBoundingClientRect();
  return [it.outerHTML.slice(0, 120), Math.round(whole.width), Math.round(whole.height)];
}).filter(([, width, height]) => width < 44 || height < 44)"""

CLIPPED = """() => [...document.querySelectorAll(
    "h1, h2, h3, .views a, .columns button, .columns .cell, .chip, .brand, thead th")]
  .filter((it) => it.getBoundingClientRect().width > 1 && it.closest(".unseen, [inert]") === null)
  .filter((it) => {
    const box = it.getBoundingClientRect();
    const scrolls = it.closest(".scrolls") !== null;
    const out = !scrolls && (box.left < -0.5 || box.right > innerWidth + 0.5);
    return out || it.scrollWidth > it.clientWidth + 1;
  }).map((it) => it.outerHTML.slice(0, 120))"""


def test_a_small_screen_shows_every_heading_and_tab(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve(rich_house()).url, viewport={"width": 320, "height": 640})
    live(page)
    for where, there in VIEWS.items():
        go(page, where)
        expect(page.locator(there).first).to_be_visible()
        for width in (320, 360, 414):
            page.set_viewport_size({"width": width, "height": 640})
            two_frames(page)
            assert page.evaluate(CLIPPED) == [], f"{where} at {width}"
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert over <= 0, f"{where} at {width}"


def test_nothing_that_a_finger_is_to_touch_is_small(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve(rich_house()).url, viewport={"width": 320, "height": 640}, has_touch=True)
    live(page)
    for where, there in VIEWS.items():
        go(page, where)
        expect(page.locator(there).first).to_be_visible()
        two_frames(page)
        assert page.evaluate(TARGETS) == [], where


def enter(page: Page, token: str) -> None:
    """Enter this token."""
    page.get_by_role("textbox", name="Token").fill(token)
    page.get_by_role("textbox", name="Token").press("Enter")
    live(page)


ACTS = (
    "Send",
    "Initialise",
    "Ask for status",
    "Set colour…",
    "Acknowledge",
    "Revive journal",
    "Pause",
    "Cancel",
    "Stop Roof",
)


PLACES = {
    f"?light={eui(21)}": "#panel .order",
    "?view=reliability": ".tree li",
    "?view=rollouts": ".rollout",
    "?view=gateways": ".gateway .strip",
}


OF_ALL_LIGHTS = {
    *("Save all lights as a scene…", "New schedule…", "Schedules", "Remove"),
    *("Add a plan…", "Plan…", "Import…", "Predictions", "Dead letters", "Actors"),
}
"""What concerns lights that not everybody may see: buttons and headings."""
WORDS = "all => all.filter(one => one.checkVisibility()).map(one => one.innerText.trim())"
SEEN_IN_PART = {
    **PLACES,
    "?view=reliability": ".charts",
    "?view=plans": ".plan-stage",
    "?view=scenes": "[data-scene]",
    "?view=audit": ".audit .sheet",
    "?view=cluster": ".cluster .sheet",
    "": ".card",
}


def test_who_may_only_look_is_offered_nothing_to_do(serve: Serve, visit: Open) -> None:
    application = rich_house()
    application.supervisor.parked.add("journal")
    service = serve(application, tokens=SCOPES)
    for token, offered in ((VIEWER, False), (OPERATOR, True)):
        page, watcher = visit(service.url)
        watcher.expected = ("401",)
        enter(page, token)
        found: set[str] = set()
        for where, there in PLACES.items():
            go(page, where)
            expect(page.locator(there).first).to_be_visible()
            buttons = page.get_by_role("button").all()
            for button in buttons:
                name = button.get_attribute("aria-label") or button.inner_text()
                found |= {act for act in ACTS if button.is_visible() and name.startswith(act)}
        go(page, "")
        expect(page.locator(".card").first).to_be_visible()
        assert page.get_by_role("checkbox").count() == (LIGHTS if offered else 0)
        missing = {"Set colour…"}  # which comes when lights are chosen
        assert found == (set(ACTS) - missing if offered else set())


def test_who_may_see_some_lights_is_offered_nothing_that_is_refused(
    serve: Serve, visit: Open
) -> None:
    application = rich_house()
    named = {"caretaker": GUEST, "boss": OPERATOR}
    sight = {"caretaker": {"dev_euis": [eui(number) for number in (*range(1, 11), 21)]}}
    service = serve(application, tokens={**TOKENS, "operator": named}, sight=sight)
    offered: dict[str, set[str]] = {}
    for token in (GUEST, OPERATOR):
        page, watcher = visit(service.url + "?view=scenes")
        watcher.expected = ("401",)  # and no 403: what would be refused is not asked for, either
        enter(page, token)
        found: set[str] = set()
        for where, there in SEEN_IN_PART.items():
            go(page, where)
            expect(page.locator(there).first).to_be_visible()
            live(page)
            found |= set(page.locator("button, h2").evaluate_all(WORDS))
        offered[token] = found
    assert offered[OPERATOR] >= OF_ALL_LIGHTS
    assert offered[GUEST] & OF_ALL_LIGHTS == set()
    assert {"Apply", "Send", "Initialise"} <= offered[GUEST]


def test_a_token_is_asked_for_once_in_all_tabs_of_a_session(serve: Serve, visit: Open) -> None:
    service = serve(tokens=SCOPES)
    page, watcher = visit(service.url)
    watcher.expected = ("401",)
    waiting = page.context.new_page()  # opened before anybody typed anything
    waiting.goto(service.url)
    expect(waiting.locator("#token-dialog")).to_be_visible()
    enter(page, VIEWER)
    live(waiting)
    later = page.context.new_page()
    later.goto(service.url)
    live(later)
    expect(later.locator("#token-dialog")).to_be_hidden()
    stored = page.evaluate("JSON.stringify(localStorage) + document.cookie + location.href")
    assert VIEWER not in stored


def test_back_closes_a_light_and_forward_opens_it(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve().url)
    live(page)
    begun = page.evaluate("history.length")
    card(page, 1).locator("button").click()
    expect(page.locator("#panel-title")).to_have_text("Desk 1")
    page.go_back()
    expect(page.locator("#panel")).to_be_hidden()
    assert page.url.endswith("/")
    page.go_forward()
    expect(page.locator("#panel-title")).to_have_text("Desk 1")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#panel")).to_be_hidden()
    # Opened and closed by hand leaves nothing behind that one would have to go back through.
    for number in (1, 2, 3):
        card(page, number).locator("button").click()
        expect(page.locator("#panel")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#panel")).to_be_hidden()
    assert page.evaluate("history.length") <= begun + 1


def test_a_device_without_network_is_told_so_at_once_and_the_panel_fades(
    serve: Serve, visit: Open
) -> None:
    page, watcher = visit(serve().url + f"?light={eui(1)}")
    watcher.expected = ("ERR_INTERNET_DISCONNECTED", "WebSocket")
    live(page)
    expect(page.locator("#panel-title")).to_have_text("Desk 1")
    page.context.set_offline(True)
    words = page.locator("#connection-words")
    expect(words).to_contain_text("Reconnecting since", timeout=6_000)
    expect(page.locator("#banner")).to_contain_text("This device has no network.")
    faded = "it => getComputedStyle(it).filter"
    assert page.locator("#panel").evaluate(faded) != "none"
    assert page.locator("#fleet").evaluate(faded) != "none"
    page.context.set_offline(False)
    live(page)
    assert page.locator("#panel").evaluate(faded) == "none"


def test_a_connection_that_fell_silent_is_found_out_within_seconds(
    serve: Serve, visit: Open
) -> None:
    """No packet comes any more, and nobody says so; the beat alone would come every 20 s. The clock
    of the page is put forward: what it asks for is answered in earnest."""
    heard = True
    pongs = 0

    def between(page_side: WebSocketRoute) -> None:
        server_side = page_side.connect_to_server()

        def say(said: str | bytes) -> None:
            nonlocal pongs
            if heard:
                page_side.send(said)
                pongs += '"pong"' in str(said)

        server_side.on_message(say)

    service = serve()
    page, _ = visit("about:blank")
    page.clock.install()
    page.route_web_socket(re.compile("/api/v1/live"), between)
    page.goto(service.url)
    live(page)
    page.evaluate(KEEP_WORDS)
    words = page.locator("#connection-words")
    for _ in range(3):  # a quiet service is live all the same
        before = pongs
        page.clock.fast_forward(SILENCE_MS)
        until = time.monotonic() + EXPECT_MS / 1_000
        while pongs == before:
            assert time.monotonic() < until, "it was not asked, or has not answered"
            page.wait_for_timeout(20)
        expect(words).to_have_text("Live")
    assert not any(one.startswith("Stale") for one in page.evaluate("said"))
    heard = False
    page.clock.fast_forward(SILENCE_MS)
    page.clock.fast_forward(SILENCE_MS)
    expect(words).to_contain_text("Stale for")
    heard = True
    live(page)


def test_a_proxy_that_passes_no_websocket_on_is_named(serve: Serve, visit: Open) -> None:
    service = serve()
    page, watcher = visit("about:blank")
    watcher.expected = ("WebSocket", "426", "400")
    page.add_init_script(
        "const real = WebSocket; globalThis.WebSocket = function (url, some) {"
        " return new real(String(url).replace('/live', '/alerts'), some); };"
        " globalThis.WebSocket.OPEN = 1;"
    )
    page.goto(service.url)
    expect(page.locator("#banner")).to_contain_text("has to pass websockets on")


def test_times_are_in_one_zone_which_is_named(serve: Serve, visit: Open) -> None:
    application = PlayedHouse()
    text = "gateway Yard is offline since 08:46 UTC"
    application.board.publish(AlertView("alert-7", "gateway_offline", YARD, text, NOW, NOW))
    page, _ = visit(serve(application).url, timezone_id="Asia/Kolkata", locale="en-GB")
    live(page)
    expect(page.locator("#zone")).to_have_text(
        re.compile("^Times: Asia/(Kolkata|Calcutta), UTC.5:30$")
    )
    light = f"?light={eui(20)}"
    for where, there in (("", ".card"), ("?view=reliability", ".alert"), (light, ".timeline li")):
        go(page, where)
        expect(page.locator(there).first).to_be_visible()
        seen = page.locator("#page, #panel")
        assert [one for one in seen.all_inner_texts() if re.search(r"\d\d:\d\d UTC", one)] == []
    go(page, "?view=reliability")
    expect(page.locator('[data-alert="alert-7"]')).to_contain_text("14:16")


def test_few_commands_carry_no_percentile(serve: Serve, visit: Open) -> None:
    application = PlayedHouse()
    application.played.figures = {
        **FIGURES,
        "commands": 3,
        "verified": 2,
        "superseded": 0,
        "expired": 1,
    }
    page, _ = visit(serve(application).url + "?view=reliability")
    tiles = page.locator(".tile")
    expect(tiles.nth(0)).to_contain_text("2 of")
    for number, least in ((2, 3), (3, 20), (4, 100)):
        expect(tiles.nth(number)).to_contain_text("too few")
        expect(tiles.nth(number)).to_contain_text(f"of 2 verified commands; it takes {least}")
    application.played.figures = FIGURES
    page.get_by_label("7 days").check()
    expect(tiles.nth(4)).to_contain_text("2.5 min")
    expect(tiles.nth(4)).to_contain_text("of 1,263 verified commands")


def test_nothing_waits_in_a_cancelled_rollout(serve: Serve, visit: Open) -> None:
    application = rich_house()
    application.played.progress("rollout-1", verified=1)
    application.played.cancel("rollout-1")
    page, _ = visit(serve(application).url)
    live(page)
    go(page, "?view=rollouts")
    rollout = page.locator(".rollout")
    expect(rollout.locator(".legend")).to_contain_text("9 never commanded")
    rollout.locator("summary").click()
    expect(rollout.locator("tbody")).to_contain_text("never commanded")
    expect(rollout).not_to_contain_text("waiting")
