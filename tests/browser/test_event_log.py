"""The log of events of a light: bytes beside what they say, by kind, followed live, exported."""

import json
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from actors.storage.event_lines import decoded
from actors.storage.history import HistoryEntry
from tests.browser.conftest import Open, Serve
from tests.browser.looks import live
from tests.browser.office import ROOF, YARD, eui
from tests.browser.serve_fake import PlayedHouse
from tests.support.fake_application import NOW

RAW = "9fffffff1c0000000700000009000000ff0000ff00380e01"


def a_line(entry: str, ago_s: float, kind: str, **detail: Any) -> HistoryEntry:
    return HistoryEntry(entry, NOW - ago_s, kind, decoded(kind, detail))


def a_status(entry: str, ago_s: float, **more: Any) -> HistoryEntry:
    radio = {"f_cnt": 7, "f_port": 15, "raw": RAW, "dr": 5, "sf": 7, "mhz": 868.1}
    heard = {"heard": f"{ROOF},-97,7.5;{YARD},-110,-3"}
    return a_line(entry, ago_s, "status", **radio, **heard, **more)


def test_a_light_s_events_are_shown_filtered_followed_and_exported(
    serve: Serve, visit: Open
) -> None:
    application = PlayedHouse()
    queries = application.queries
    queries.lines_of = eui(1)
    sent = {"carries": "light", "raw": "ff0000ff0001", "item": "one", "attempt": 3}
    queries.lines = [
        a_status("s2", 20, replayed="yes"),
        a_line("t1", 30, "txack", gateway=YARD, item="one", f_cnt=3),
        a_line("d1", 31, "downlink", **sent),
        a_line("r1", 40, "refused", reason="<b>ChirpStack</b> does not know it"),
        a_status("s1", 60),
        a_line("j1", 90, "join", dev_addr="01020304"),
    ]
    service = serve(application)
    page, _ = visit(service.url + f"?light={eui(1)}")
    live(page)
    log = page.locator("#panel .log")
    log.locator("summary", has_text="Log of events").click()
    lines = log.locator(".log-lines > li")
    expect(lines).to_have_count(6)
    expect(lines.nth(0)).to_contain_text("Status: red")
    expect(lines.nth(0)).to_contain_text("-97 dBm, 7.5 dB by Roof")
    expect(lines.nth(0).locator(".tag")).to_have_text("told later")
    expect(lines.nth(2)).to_contain_text("Downlink queued")
    expect(lines.nth(2)).to_contain_text("ff0000ff0001")
    expect(lines.nth(3)).to_contain_text("<b>ChirpStack</b>")
    lines.nth(4).locator("summary").click()
    told = lines.nth(4).locator("dl")
    for each in ("raw", RAW, "software", "5.6", f"{YARD},-110,-3", "868.1"):
        expect(told).to_contain_text(each)
    assert Axe().run(page).response["violations"] == []
    # a new one comes, and one that is told late goes to its own time; what was unfolded stays so
    queries.lines = [
        a_status("s3", 5),
        *queries.lines[:5],
        a_line("late", 80, "session", replayed="yes"),
        queries.lines[5],
    ]
    service.call(application.change, eui(1), uplinks=9)
    expect(lines).to_have_count(8)
    assert log.locator("li").evaluate_all("all => all.map(li => li.dataset.kindOfLine)") == [
        *("status", "status", "txack", "downlink", "refused", "status", "session", "join"),
    ]
    expect(lines.nth(5).locator("dl")).to_be_visible()
    with page.expect_download() as download:
        log.get_by_role("button", name="Export JSON lines").click()
    exported = download.value.path().read_text().splitlines()
    assert [json.loads(line)["entry"] for line in exported] == [one.entry for one in queries.lines]
    log.locator("select").select_option("up")
    expect(lines).to_have_count(3)
    with page.expect_download() as download:
        log.get_by_role("button", name="Export CSV").click()
    assert download.value.suggested_filename == f"events-{eui(1)}.csv"
    assert len(download.value.path().read_bytes().split(b"\r\n")) == 5  # a head, and an end
    # not followed: it stays as it is
    log.get_by_label("Follow live").uncheck()
    queries.lines = [a_status("s4", 1), *queries.lines]
    service.call(application.change, eui(1), uplinks=10)
    expect(page.locator("#panel dl").first).to_contain_text("10 uplinks")
    expect(lines).to_have_count(3)
    log.get_by_label("Follow live").check()
    expect(lines).to_have_count(4)
