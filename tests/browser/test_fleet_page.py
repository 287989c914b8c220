"""All lights on one page: as what they are, found, grouped, sorted and chosen."""

import re

import pytest
from playwright.sync_api import expect

from lorawan.kuando.light_state import LightState
from tests.browser.conftest import Open, Serve
from tests.browser.looks import LIGHTS, card, glows, live, mark, not_reloaded, two_frames
from tests.browser.office import BLUE, YARD, eui
from tests.browser.serve_fake import PlayedHouse

TALL = {"width": 1280, "height": 1800}
"""All of the office fits; what is out of sight is not on the page."""


def test_lights_glow_in_their_colours_and_say_what_they_are_in_words(
    serve: Serve, visit: Open
) -> None:
    page, _ = visit(serve().url)
    expect(page.locator(".card")).to_have_count(LIGHTS)
    glows(card(page, 2), "255 0 0")
    glows(card(page, 6), "150 0 255")
    expect(card(page, 2)).to_contain_text("Verified")
    expect(card(page, 11).locator("lamp-light").first).to_have_class("dark")
    expect(card(page, 25).locator("lamp-light").first).to_have_class("unknown")
    # Wanted and reported differ: the lamp keeps what is reported, a small one is as wanted.
    held = card(page, 20)
    glows(held, "0 255 0")
    glows(held.locator(".wanted-dot"), "150 0 255")
    expect(held).to_contain_text("green, wanted violet")
    expect(held.locator(".state")).to_have_text("Held")
    expect(held.locator(".why")).to_have_text(
        re.compile(r"^Waits for Yard, offline since \d\d:\d\d\.$")
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
    expect(page.locator(".card")).to_have_count(LIGHTS)
    two_frames(page)
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
    service.call(service.application.shows, eui(21), BLUE)
    expect(card(page, 21).locator(".state")).to_have_text("Verified")
    glows(card(page, 21), "0 0 255")
    expect(card(page, 21).locator(".wanted-dot")).to_be_hidden()
    expect(page.locator('.chip[data-kind="verified"] strong')).to_have_text("12")
    assert page.evaluate("[...window.touched]") == [eui(21)]
    assert not_reloaded(page)


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


def test_red_and_green_are_not_told_by_colour_alone(serve: Serve, visit: Open) -> None:
    """Who cannot tell the colours apart reads them, and hears them."""
    page, _ = visit(serve().url)
    for number, words in ((1, "green"), (2, "red"), (3, "red, blinking"), (11, "dark")):
        expect(card(page, number).locator(".shows")).to_have_text(words)
    button = card(page, 22).locator("button")
    expect(button).to_have_accessible_name(re.compile("Gate.*dim green, wanted red.*Failed"))


def test_lights_are_narrowed_and_grouped_and_the_address_keeps_it(
    serve: Serve, visit: Open
) -> None:
    application = PlayedHouse()
    for number, floor in ((1, "1"), (2, "1"), (3, "3")):
        application.change(eui(number), tags={"floor": floor})
    page, _ = visit(serve(application).url, viewport=TALL)
    live(page)
    page.get_by_label("Group by").select_option("tag:floor")
    heads = page.locator(".group-head")
    expect(heads).to_have_text(["floor: 12 lights", "floor: 215 lights", "floor: 31 light"])
    page.get_by_label("Tag", exact=True).select_option("floor=1")
    expect(page.locator(".card .name")).to_have_text(["Desk 1", "Desk 2"])
    expect(page.locator(".found").first).to_have_text("2 of 18 lights")
    page.reload()
    expect(page.locator(".card .name")).to_have_text(["Desk 1", "Desk 2"])
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator(".card")).to_have_count(LIGHTS)
    page.get_by_label("Group by").select_option("gateway")
    expect(heads).to_have_text(["Roof17 lights", "Yard1 light"])
    page.get_by_label("Gateway", exact=True).select_option(YARD)
    expect(page.locator(".card")).to_have_count(1)
    assert f"gateway={YARD}" in page.url


def test_a_light_moves_to_its_group_when_its_state_changes(serve: Serve, visit: Open) -> None:
    service = serve()
    page, _ = visit(service.url + "?group=state&show=dense")
    expect(page.locator(".group-head").first).to_contain_text("Failed1 light")
    service.call(service.application.shows, eui(22), LightState(255, 0, 0))
    expect(page.locator(".group-head").first).to_contain_text("Held1 light")
    expect(page.locator(".group-head").last).to_contain_text("Verified12 lights")


def test_the_table_is_sorted_by_any_column_both_ways(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve().url + "?show=table")
    live(page)
    names = page.locator(".light-row [role=rowheader]")
    expect(names.first).to_have_text("Archive")
    page.get_by_role("button", name="State").click()
    expect(names.first).to_have_text("Gate")
    column = page.get_by_role("columnheader", name="State")
    expect(column).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("button", name="State").click()
    expect(column).to_have_attribute("aria-sort", "descending")
    expect(names.last).to_have_text("Gate")
    assert "sort=-state" in page.url
    row = page.locator(f'.light-row[data-eui="{eui(20)}"]')
    expect(row).to_contain_text("violet")
    expect(row).to_contain_text("Waits for Yard")
    row.get_by_role("button").click()
    expect(page.locator("#panel-title")).to_contain_text("Loading dock")


def test_many_are_chosen_one_by_one_in_a_row_by_group_or_all(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve().url + "?group=state", viewport=TALL)
    live(page)
    page.get_by_label("Select Desk 1", exact=True).check()
    selected = page.locator("#selected")
    expect(selected).to_have_text("1 light selected")
    page.get_by_label("Select Laboratory").click(modifiers=["Shift"])
    expect(selected).to_have_text("4 lights selected")
    page.get_by_label("Select all of Working").check()
    expect(selected).to_have_text("7 lights selected")
    page.get_by_role("button", name="Select all 18").click()
    expect(selected).to_have_text("18 lights selected")
    expect(page.locator(".card.picked")).to_have_count(LIGHTS)
    page.get_by_role("button", name="Select none").click()
    expect(page.locator("#selection")).to_be_hidden()
    expect(page.locator(".card.picked")).to_have_count(0)


def test_the_small_lamps_tell_their_colour_by_a_letter(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve().url + "?show=dense")
    for number, letter in ((1, "G"), (2, "R"), (8, "B"), (12, "g"), (11, "")):
        expect(card(page, number).locator(".socket > lamp-light > .lamp-letter")).to_have_text(
            letter
        )
