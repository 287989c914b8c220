"""What is to be expected, in the browser: of the lights, of the gateways, and how good that was."""

import re
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Page, expect

from actors.quality.announcer import grade_told
from actors.quality.model import GatewayGrade, Grade, Line, Rule
from tests.browser.conftest import Open, Serve
from tests.browser.looks import card, go, live
from tests.browser.office import HALL, ROOF, YARD, eui
from tests.browser.serve_fake import PlayedHouse
from tests.support.fake_application import NOW
from tests.support.fake_quality import a_grade, a_risk, some_days, some_scores

TALL: Any = {"width": 1280, "height": 1800}
PHONE: Any = {"width": 390, "height": 844}
ANSWERS = "46 of 57 first attempts answered, 56 promised"


def warned_office() -> PlayedHouse:
    """Four lights of which something is known; two are warned of."""
    application = PlayedHouse()
    application.expects(a_risk(eui(1), 0.996))
    application.expects(a_risk(eui(2), 0.62))
    application.expects(a_risk(eui(6), 0.97, Rule.FLAPPING, since=NOW - 900))
    application.expects(a_risk(eui(8), 0.81, Rule.TREND, Rule.COUNTERS, since=NOW - 900))
    application.quality.past[eui(8)] = some_days(NOW)
    return application


def graded(application: PlayedHouse, grade: GatewayGrade) -> None:
    """The gateway is as good as this from now on."""
    application.quality.graded[grade.gateway_id] = grade
    told = grade_told(grade)
    view = application.board.gateways[grade.gateway_id]
    changed = msgspec.structs.replace(view, grade=told.grade, grade_line=told.line)
    application.board.publish(changed)


def first(page: Page, count: int) -> list[str]:
    """The names of the first lights, in the order in which they are read."""
    return page.locator(".card .name").all_text_contents()[:count]


def test_lights_are_sorted_by_risk_and_the_address_keeps_it(serve: Serve, visit: Open) -> None:
    service = serve(warned_office())
    page, _ = visit(service.url, viewport=TALL)
    live(page)
    page.get_by_label("Sort by").select_option("Sort: risk")
    assert page.url.endswith("?sort=risk")
    worst = ["Laboratory", "Quiet room", "Desk 2", "Desk 1"]
    expect(page.locator(".card .name").nth(3)).to_have_text("Desk 1")
    assert first(page, 4) == worst
    expect(card(page, 8).locator(".chance")).to_have_text("verified in 30 s: 81 %")
    expect(card(page, 25).locator(".chance")).to_have_text("verified in 30 s: not known yet")
    page.reload()
    expect(page.get_by_label("Sort by")).to_have_value("risk")
    expect(page.locator(".card .name").first).to_have_text("Laboratory")
    service.call(service.application.expects, a_risk(eui(11), 0.2))
    expect(page.locator(".card .name").first).to_have_text("Archive")
    go(page, "?sort=-risk")
    expect(page.get_by_label("Sort by").locator("option:checked")).to_have_text(
        "Sort: risk, reversed"
    )


def test_the_order_by_risk_is_chosen_by_the_keyboard(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve(warned_office()).url + "?show=table", viewport=TALL)
    live(page)
    head = page.get_by_role("columnheader", name="Chance")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    row = page.locator(".light-row").first
    expect(row.get_by_role("rowheader")).to_have_text("Laboratory")
    expect(row.locator(".cell.risk")).to_have_text("81 %")
    expect(row.locator(".warned")).to_have_text("Fading, losing frames")
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")


def test_a_warning_is_a_sign_with_words_and_goes_when_it_is_over(serve: Serve, visit: Open) -> None:
    service = serve(warned_office())
    page, _ = visit(service.url)
    warned = card(page, 6).locator(".warned")
    expect(warned).to_have_text("Rejoining")
    expect(warned).to_have_attribute("title", re.compile("joins again and again"))
    name = re.compile("Quiet room.*Verified.*Rejoining")
    expect(card(page, 6).locator("button")).to_have_accessible_name(name)
    expect(card(page, 1).locator(".warned")).to_be_hidden()
    page.get_by_label("Small lamps").check(force=True)
    expect(card(page, 6).locator(".warn-dot")).to_be_visible()
    service.call(service.application.expects, a_risk(eui(6), 0.97))
    expect(card(page, 6).locator(".warn-dot")).to_be_hidden()


@pytest.mark.parametrize("viewport", [TALL, PHONE], ids=["desktop", "phone"])
def test_a_lights_panel_shows_both_directions_over_time(
    serve: Serve, visit: Open, viewport: Any
) -> None:
    page, _ = visit(serve(warned_office()).url + f"?light={eui(8)}", viewport=viewport)
    expected = page.locator("#panel .expected")
    expect(expected).to_contain_text("81 % is the chance that its next command is verified")
    expect(expected).to_contain_text("3 of the last 40 statuses and none of 12 colours were lost")
    expect(expected.locator(".warnings li").first).to_contain_text("Fading: its margin falls by")
    lost = expected.get_by_role("img", name=re.compile("^Frames lost, %, day by day"))
    expect(lost).to_have_accessible_name(
        re.compile("From the light: 2, 6, not known, .*To the light: 0, not known, ")
    )
    # A day without figures is a gap: the line begins anew after it.
    track = lost.locator("path.track.series-0").get_attribute("d") or ""
    assert track.count("M") == 2
    expect(
        expected.get_by_role("img", name=re.compile("^Margin, dB.*Margin: 14, 13"))
    ).to_be_visible()
    expected.get_by_text("Day by day").click()
    newest = expected.locator("tbody tr").first
    expect(newest).to_contain_text("34 % of 96")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_new_light_says_that_nothing_is_known_yet(serve: Serve, visit: Open) -> None:
    service = serve(warned_office())
    page, _ = visit(service.url + f"?light={eui(4)}")
    panel = page.locator("#panel")
    expect(panel).to_contain_text("Nothing known yet.")
    service.call(service.application.expects, a_risk(eui(4), 0.9))
    expect(panel.locator(".expected")).to_contain_text("90 % is the chance")


def test_a_gateways_card_has_its_grade_with_the_worst_line_as_the_reason(
    serve: Serve, visit: Open
) -> None:
    application = warned_office()
    graded(application, a_grade(ROOF, Grade.D, Line.ANSWERED, ANSWERS))
    graded(application, a_grade(HALL, Grade.A, Line.AWAY, "never away in 24 hours"))
    service = serve(application)
    page, _ = visit(service.url + "?view=gateways")
    roof = page.locator(f'[data-gateway="{ROOF}"]')
    expect(roof.locator(".reason")).to_contain_text(f"Grade D{ANSWERS}.")
    roof.get_by_text("Every line, the worst first").click()
    lines = roof.locator(".graded tbody tr")
    expect(lines).to_have_count(8)
    expect(lines.first).to_contain_text("Answers")
    expect(lines.last).to_contain_text("too few weak frames: 3 of 50")
    expect(page.locator(f'[data-gateway="{HALL}"] .grade').first).to_have_attribute(
        "data-grade", "A"
    )
    expect(page.locator(f'[data-gateway="{YARD}"] .reason')).to_contain_text("Nothing known yet.")
    service.call(graded, application, a_grade(ROOF, Grade.B, Line.LEAD, "late by 0.5 s"))
    expect(roof.locator(".reason")).to_contain_text("Late by 0.5 s.")
    expect(roof.locator(".graded details")).to_have_attribute("open", "")


def test_predictions_are_scored_with_what_they_rest_on(serve: Serve, visit: Open) -> None:
    application = warned_office()
    application.quality.scored = some_scores()
    page, _ = visit(serve(application).url + "?view=reliability")
    sheet = page.locator(".is-predictions")
    expect(sheet.locator(".tile").nth(0)).to_contain_text("0.16")
    expect(sheet.locator(".tile").nth(0)).to_contain_text("of 3,001 commands")
    expect(sheet.locator(".tile").nth(3)).to_contain_text("39 of 65")
    said = re.compile("up to 100 %: said 96 %, came 97 %, of 2,141")
    diagram = sheet.get_by_role("img", name=said)
    expect(diagram.locator("rect.bar")).to_have_count(9)
    expect(diagram.locator("text.count").last).to_have_text("2,141")
    rules = sheet.locator("tbody tr")
    expect(rules.nth(0)).to_contain_text("18 of 21 warnings")
    expect(rules.nth(0)).to_contain_text("0.01")
    expect(rules.nth(3)).to_contain_text("Switched off here.")
    expect(rules.nth(0)).not_to_contain_text("Switched off here.")


def test_before_anything_was_judged_nothing_is_known(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve().url + "?view=reliability")
    expect(page.locator(".is-predictions")).to_contain_text("Nothing known yet.")


def test_an_older_service_is_shown_without_what_it_does_not_tell(serve: Serve, visit: Open) -> None:
    application = PlayedHouse()
    application.played.missing = True
    page, watcher = visit(serve(application).url + "?view=reliability")
    watcher.expected = ("404",)
    expect(page.locator(".is-predictions")).to_contain_text("Not available from this service.")
