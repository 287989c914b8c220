"""Who did what, in the browser."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from actors.storage.audit import Act
from tests.browser.conftest import Open, Serve
from tests.browser.looks import live
from tests.browser.office import eui
from tests.browser.serve_fake import PlayedHouse


def house(entries: int = 3) -> PlayedHouse:
    made = PlayedHouse()
    for number in range(entries):
        made.audit.write(
            (Act.COMMAND, Act.ROLLOUT, Act.REFUSED)[number % 3],
            (eui(22), "roll-1", "/api/v1/supervisor")[number % 3],
            by="alice" if number % 2 else "bob@example.org",
            scope="operator",
            peer="203.0.113.9",
            detail={"light": "255,0,0,255,0", "lights": 1_200 + number},
        )
    return made


def test_who_did_what_is_listed_filtered_and_linked(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve(house()).url)
    live(page)
    page.get_by_role("link", name="Audit").click()
    rows = page.locator(".audit tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("Refused")
    expect(rows.last).to_contain_text("bob@example.org")
    expect(rows.last).to_contain_text("lights: 1,200, from 203.0.113.9")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    page.get_by_label("Who", exact=True).fill("alice")
    page.get_by_label("Who", exact=True).press("Enter")
    expect(rows).to_have_count(1)
    page.locator(".audit select").select_option("command")
    expect(page.locator(".audit")).to_contain_text("Nothing of this kind is written down.")
    page.get_by_label("Who", exact=True).fill("")
    page.get_by_label("Who", exact=True).press("Enter")
    rows.get_by_role("link", name="Gate").click()
    expect(page.locator("#panel-title")).to_have_text("Gate")


def test_older_entries_are_asked_for_by_hand(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve(house(150)).url + "?view=audit")
    rows = page.locator(".audit tbody tr")
    expect(rows).to_have_count(100)
    page.get_by_role("button", name="Older ones").click()
    expect(rows).to_have_count(150)
    expect(page.get_by_role("button", name="Older ones")).to_be_hidden()
