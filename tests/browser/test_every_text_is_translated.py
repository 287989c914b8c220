"""The pages in a language whose every text is marked: what is not marked came from no catalogue."""

import json
import re

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Open, Serve
from tests.browser.looks import go, live
from tests.browser.office import eui
from tests.browser.test_access import VIEWS, rich_house

DATES = ("Sept", "Okt", "Nov", "Mo", "Di", "Mi", "Do", "Fr", "Sa", "So", "MEZ", "MESZ")
"""Of the dates that the service plays, as the browser writes them."""
LAST_OF_A_LIST = "und"
"""Before the last of several, as the browser writes it."""
MARKS = ("A", "B", "C")
"""Of the processes of a fleet, on the map of its parts."""
MARKED = """
import { EN } from "./en.js";
const mark = (entry) => typeof entry === "string"
  ? `\\u27e6${entry}\\u27e7`
  : Object.fromEntries(Object.entries(entry).map(([form, text]) => [form, mark(text)]));
export const DE = Object.fromEntries(Object.entries(EN).map(([key, entry]) => [key, mark(entry)]));
"""
"""In place of the German catalogue."""
UNMARKED = """
() => {
  const found = [];
  let depth = 0;
  const outside = (text) => {
    let told = "";
    for (const letter of text) {
      if (letter === "\\u27e6") depth += 1;
      else if (letter === "\\u27e7") depth -= 1;
      else if (depth === 0) told += letter;
    }
    if (/\\p{L}/u.test(told)) found.push(told.trim());
  };
  const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT, (node) =>
    node.parentElement.closest("noscript, script, pre, option[lang]") === null
      ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_REJECT);
  while (nodes.nextNode()) outside(nodes.currentNode.data);
  if (depth !== 0) found.push(`marks that do not close: ${depth}`);
  for (const element of document.querySelectorAll("[title], [aria-label], [placeholder], [alt]")) {
    for (const name of ["title", "aria-label", "placeholder", "alt"]) {
      depth = 0;
      outside(element.getAttribute(name) ?? "");
    }
  }
  return [...new Set(found)];
}
"""


def mark_german(page: Page) -> None:
    def answer(route: Route) -> None:
        route.fulfill(body=MARKED, content_type="text/javascript")

    page.route("**/static/*/app/texts/de.js", answer)


def data_of(page: Page) -> set[str]:
    """Every word that the service told as data: names, tags, ids, words of programs."""
    told = page.evaluate(
        """async () => Promise.all(
             ["devices", "gateways", "supervisor?children=50", "rollouts", "cluster", "scenes",
              "schedules", "audit", "hooks"]
               .map(async (path) => (await fetch(`api/v1/${path}`)).text()))"""
    )
    words: set[str] = set()

    def gather(value: object) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                words.add(str(key))
                gather(each)
        elif isinstance(value, list):
            for each in value:
                gather(each)
        elif isinstance(value, str):
            words.update(re.findall(r"\w[\w'-]*(?:\.[\w'-]+)*", value))

    for each in told:
        gather(json.loads(each))
    return words


def test_every_text_of_every_page_comes_from_the_catalogue(serve: Serve, visit: Open) -> None:
    page, _ = visit("about:blank", locale="de-DE")
    mark_german(page)
    page.goto(serve(rich_house()).url)
    expect(page.locator(":root[data-connection=live]")).to_be_attached()
    assert page.evaluate("document.documentElement.lang") == "de"
    known = data_of(page) | {"Lamplighter", "UTC", "p95", "GMT", LAST_OF_A_LIST, *DATES, *MARKS}
    for where, there in VIEWS.items():
        go(page, where)
        expect(page.locator(there).first).to_be_visible()
        for unfold in page.locator("details:visible > summary").all():
            unfold.click()
        texts = page.evaluate(UNMARKED)
        bypassing = [
            text
            for text in texts
            if {
                word
                for word in re.findall(r"\w[\w'-]*(?:\.[\w'-]+)*", text)
                if re.search(r"[^\W\d_]", word)
            }
            - known
        ]
        assert bypassing == [], where


def test_german_is_spoken_where_the_browser_asks_for_it(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve(rich_house()).url, locale="de-DE", timezone_id="Europe/Berlin")
    live(page)
    expect(page.get_by_role("link", name="Leuchten", exact=True)).to_be_visible()
    expect(page.locator("#search")).to_have_attribute("placeholder", "Leuchte suchen")
    go(page, f"?light={eui(20)}")
    panel = page.locator("#panel")
    reason = "Jedes Gateway, das diese Leuchte hört, ist offline: Yard (seit 10:46)"
    expect(panel.locator(".timeline").first).to_contain_text(reason)
    expect(panel.locator("a.help").first).to_have_attribute(
        "href", "help/operations?lang=de#reason-gateways-offline"
    )
    go(page, "?view=reliability")
    expect(page.get_by_role("heading", name="Aufträge", exact=True)).to_be_visible()
    page.get_by_label("Sprache").select_option("en")
    expect(page.get_by_role("heading", name="Commands", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Commands", exact=True)).to_be_visible()
    page.get_by_label("Language").select_option("")
    expect(page.get_by_role("heading", name="Aufträge", exact=True)).to_be_visible()


def test_a_language_that_nobody_translated_is_english(serve: Serve, visit: Open) -> None:
    page, _ = visit(serve(rich_house()).url, locale="fr-FR")
    live(page)
    expect(page.get_by_role("link", name="Lights", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "en"
