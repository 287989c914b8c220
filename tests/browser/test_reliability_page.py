"""Figures, alerts, actors and dead letters in the browser."""

import dataclasses
import re

from playwright.sync_api import expect

from actors.board.changes import ActorView, AlertView
from actors.messaging.dead_letters import DeadLetter
from actors.supervision import ChildReport, ChildState
from lorawan.kuando.light_state import LightState
from tests.browser.conftest import Open, Serve
from tests.browser.office import eui
from tests.browser.serve_fake import PlayedHouse
from tests.support.fake_application import NOW


def test_a_new_alert_is_said_aloud_and_a_closed_one_goes(serve: Serve, visit: Open) -> None:
    service = serve()
    page, _ = visit(service.url + "?view=reliability")
    expect(page.locator(".alert")).to_have_count(2)
    expect(page.locator("#announcer")).to_be_empty()
    text = "Desk 1 has been silent for 45 min"
    alert = AlertView("alert-3", "light_silent", eui(1), text, NOW, NOW)
    service.call(service.application.board.publish, alert)
    expect(page.locator("#announcer")).to_have_text(f"Alert: {text}.")
    expect(page.locator(".alert").first).to_contain_text(text)
    closed = AlertView("alert-3", "light_silent", eui(1), text, NOW, NOW, closed_at=NOW)
    service.call(service.application.board.publish, closed)
    expect(page.locator(".alert")).to_have_count(2)


def test_figures_and_the_worst_lights_are_told(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve().url + "?view=reliability")
    tiles = page.locator(".tile")
    expect(tiles.nth(0)).to_contain_text("99.2 %")
    expect(tiles.nth(2)).to_contain_text("3.4 s")
    spread = re.compile("time to verify: ≤1: 12,.*>15m: 1")
    expect(page.get_by_role("img", name=spread)).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("attempts: 1: 1,180, 2: 62"))).to_be_visible()
    worst = page.locator(".is-worst tbody tr")
    expect(worst.first).to_contain_text("2.7 attempts for each success")
    with page.expect_request("**/metrics/reliability?hours=168"):
        page.get_by_label("7 days").check()
    assert "hours=168" in page.url
    worst.first.get_by_role("link", name="Gate").click()
    expect(page.locator("#panel-title")).to_have_text("Gate")


def test_an_alert_is_acknowledged_when_the_service_says_so(serve: Serve, visit: Open) -> None:
    service = serve()
    page, _ = visit(service.url + "?view=reliability")
    expect(page.locator("#tally-alerts")).to_have_text("2 alerts")
    alert = page.locator('[data-alert="alert-1"]')
    alert.get_by_role("button", name="Acknowledge").click()
    expect(alert).to_contain_text("Acknowledged")
    expect(page.locator("#tally-alerts")).to_have_text("1 alert")
    assert service.application.played.acknowledged == ["alert-1"]


def test_the_tree_of_actors_lives_and_a_parked_one_is_revived(serve: Serve, visit: Open) -> None:
    service = serve()
    service.application.supervisor.parked.add("journal")
    page, _ = visit(service.url + "?view=reliability")
    store_writer = page.locator('[data-actor="journal"]')
    expect(store_writer).to_contain_text("parked for")
    expect(store_writer).to_contain_text("3 restarts")
    expect(store_writer).to_contain_text("StoreError: full")
    running = ChildReport("journal", ChildState.RUNNING, NOW, 4)
    store_writer.get_by_role("button", name="Revive journal").click()
    expect(page.locator(".is-tree .outcome")).to_have_text("journal lives again.")
    tree = service.application.supervisor.tree
    service.application.supervisor.tree = dataclasses.replace(tree, children=(running,))
    alive = ActorView("journal", ChildState.RUNNING, 4)
    service.call(service.application.board.publish, alive)
    expect(store_writer).to_contain_text("runs for")
    expect(store_writer).to_contain_text("4 restarts")


def test_dead_letters_are_listed(serve: Serve, visit: Open) -> None:
    application = PlayedHouse()
    application.dead_letters.letters.append(
        DeadLetter(f"device {eui(1)}", LightState(1, 2, 3), "ValueError: odd", NOW - 50)
    )
    page, _ = visit(serve(application).url + "?view=reliability")
    letter = page.locator(".letters li")
    expect(letter).to_contain_text("LightState of Desk 1")
    expect(letter).to_contain_text("ValueError: odd")
