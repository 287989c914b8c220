"""The processes that serve the fleet, in the browser."""

import msgspec
from playwright.sync_api import expect

from actors.cluster.keeper.view import Owned
from tests.browser.conftest import Open, Serve
from tests.browser.serve_fake import PlayedHouse
from tests.support.fake_cluster import one_lost, three_processes


def house(told: object) -> PlayedHouse:
    made = PlayedHouse()
    made.cluster.now = told  # type: ignore[assignment]
    return made


def test_a_process_alone_is_offered_no_page_but_has_one(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve().url + "?view=cluster")
    expect(page.locator(".is-members")).to_contain_text("One process serves this fleet alone")
    expect(page.locator("#to-cluster")).to_be_hidden()
    expect(page.locator(".is-shards")).to_be_hidden()


def test_three_processes_are_shown_with_the_parts_that_each_owns(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve(house(three_processes())).url)
    expect(page.locator("#tally-cluster")).to_have_text("3/3")
    page.get_by_role("link", name="Cluster").click()
    expect(page.locator(".is-members")).to_contain_text("All 65 parts of the fleet have an owner.")
    north = page.locator('[data-member="boot-north"]')
    expect(north).to_contain_text("answers you")
    expect(north).to_contain_text("18+ fleet")
    expect(page.locator(".shard")).to_have_count(65)
    words = "Shards by owner: north 18 and the fleet's own, south 23, west 23"
    expect(page.get_by_role("img", name=words)).to_be_visible()


def test_a_lost_process_is_said_in_the_head_of_every_page(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve(house(one_lost())).url)
    expect(page.locator("#tally-cluster")).to_have_text("2/3")
    expect(page.locator("#tally-cluster")).to_have_attribute("data-kind", "failed")


def test_parts_of_a_lost_process_stand_out_until_they_are_taken(serve: Serve, visit: Open) -> None:
    service = serve(house(one_lost()))
    page, _ = visit(service.url + "?view=cluster")
    expect(page.locator('.shard[data-state="expired"]')).to_have_count(11)
    expect(page.locator(".is-members")).to_contain_text("They are taken within 12 s.")
    expect(page.locator(".moves li").first).to_contain_text("12 shards: south took them from west")
    expect(page.locator(".moves li").first).to_contain_text("nobody's for 6.4 s")
    told = service.application.cluster.now
    shards = [
        msgspec.structs.replace(one, state=Owned.OWNED, owner="boot-south") for one in told.shards
    ]
    service.application.cluster.now = msgspec.structs.replace(told, shards=shards, shards_unowned=0)
    expect(page.locator('.shard[data-state="expired"]')).to_have_count(0)


def test_every_shard_is_listed_and_the_list_stays_open(serve: Serve, visit: Open) -> None:
    service = serve(house(three_processes()))
    page, _ = visit(service.url + "?view=cluster")
    page.get_by_text("Every shard").click()
    rows = page.locator(".every-shard tbody tr")
    expect(rows).to_have_count(65)
    expect(rows.first).to_contain_text("owned")
    told = service.application.cluster.now
    shards = [msgspec.structs.replace(told.shards[0], seq=4_711), *told.shards[1:]]
    service.application.cluster.now = msgspec.structs.replace(told, shards=shards)
    expect(rows.first).to_contain_text("4,711")


def test_an_engine_that_is_away_and_one_that_may_lose_something_are_said(
    serve: Serve, visit: Open
) -> None:
    whole = three_processes()
    store = msgspec.structs.replace(
        whole.store, problem="no replica answers", warnings=("appendfsync is everysec",)
    )
    told = msgspec.structs.replace(
        whole, store=store, looked_at=(whole.looked_at or 0.0) - 60.0, behind_s=12.0
    )
    page, _ = visit(serve(house(told)).url + "?view=cluster")
    lines = page.locator(".standing-lines")
    expect(lines).to_contain_text("The engine does not answer this process since 60 s")
    expect(lines).to_contain_text("The store cannot be written: no replica answers")
    expect(lines).to_contain_text("appendfsync is everysec")
    expect(lines).to_contain_text("shows changes of others 12 s late")


def test_an_older_service_is_said_to_be_alone(serve: Serve, visit: Open) -> None:
    service = serve(house(three_processes()))
    service.application.played.missing = True
    page, watcher = visit(service.url + "?view=cluster")
    watcher.expected = ("404",)
    expect(page.locator(".is-members")).to_contain_text("it is older")
    expect(page.locator("#to-cluster")).to_be_hidden()
