"""The guide that the service serves: whole, harmless, found below any path, and packaged."""

import ast
import re
from html.parser import HTMLParser

import pytest

from api.guide.pages import TITLES, page, rendered
from api.guide.render import render
from docs.generate.parts import ROOT
from tests.api.conftest import Client

TEXT = ROOT / "api" / "guide" / "text"


class Page(HTMLParser):
    """What a page has, and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        named = dict(attrs)
        self.ids += [named["id"] or ""] if "id" in named else []
        self.links += [named["href"] or ""] if tag == "a" and "href" in named else []


def test_every_document_is_a_page_and_every_page_a_document() -> None:
    documents = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert documents == set(TITLES)
    assert {path.stem for path in TEXT.glob("*.md")} == documents
    for path in TEXT.glob("*.md"):
        assert path.resolve() == (ROOT / "docs" / path.name).resolve()


@pytest.mark.parametrize("name", TITLES)
def test_every_link_inside_the_guide_leads_somewhere(name: str) -> None:
    told = Page(page(name).decode())
    assert len(told.ids) == len(set(told.ids))
    for link in told.links:
        to, _, anchor = link.partition("#")
        if to in {"../", ""} and not anchor:
            continue
        if to.startswith("http"):
            continue
        target = to or name
        assert target in TITLES, link
        if anchor and anchor != "text":
            assert anchor in rendered(target).anchors, link


@pytest.mark.parametrize("name", TITLES)
def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing_of_its_text(name: str) -> None:
    told = Page(rendered(name).body)
    assert told.tags & {"script", "img", "iframe", "style", "link", "form", "object"} == set()
    assert [link for link in told.links if link.lower().startswith(("javascript", "/"))] == []


def test_markup_in_a_document_is_text() -> None:
    body = render(
        "<script>alert(1)</script> [x](javascript:alert(1)) ![y](a.png) <b onclick=x>z</b>", ()
    ).body
    assert Page(body).tags <= {"p", "img"}
    assert "<script" not in body
    assert "javascript:" not in Page(body).links


def test_rows_that_begin_alike_have_anchors_of_their_own() -> None:
    table = "## Alerts\n\n| alert | do |\n|---|---|\n| a b | 1 |\n| a b | 2 |\n"
    assert render(table, ()).anchors == {"alerts", "alert-a-b", "alert-a-b-1"}


async def test_it_is_served_without_a_token_and_not_twice(client: Client) -> None:
    answer = await client.get("/help/operations")
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    again = await client.get("/help/operations", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert (await client.get("/help/nothing")).status_code == 404
    assert (await client.get("/help/../http")).status_code == 404


async def test_the_beginning_leads_to_operations_below_any_path(client: Client) -> None:
    answer = await client.get("/help")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "help/operations"


def test_the_documents_are_in_the_wheel() -> None:
    packed = re.search(r'\.api": (\[[^]]*\])', (ROOT / "setup.py").read_text("utf-8"))
    assert packed is not None
    patterns = ast.literal_eval(packed[1])
    assert set(TEXT.glob("*.md")) <= {
        path for pattern in patterns for path in (ROOT / "api").glob(pattern)
    }


def linked(anchors: frozenset[str]) -> set[str]:
    """Those of states, reasons, alerts, warnings and lines of grades: pages link to them."""
    return {one for one in anchors if one.startswith(("state-", "reason-", "alert-", "quality-"))}


def test_no_paragraph_that_is_linked_to_lacks_a_language() -> None:
    english, german = rendered("operations"), rendered("operations", "de")
    assert linked(german.anchors) == linked(english.anchors)
    assert len(linked(german.anchors)) > 60
    assert len(set(Page(german.body).ids)) == len(Page(german.body).ids)
    for link in Page(german.body).links:
        to, _, anchor = link.partition("#")
        target = rendered(to.removesuffix("?lang=en")) if to else german
        assert not anchor or anchor in target.anchors, link
    cells = {
        language: set(re.findall(r"<td>(.*?)</td>", told.body))
        for language, told in (("en", english), ("de", german))
    }
    same = cells["en"] & cells["de"]
    assert same <= {"<code>lamplighter restored</code>"}, "left in English"
    assert not any(one.startswith(("state-", "reason-", "alert-")) for one in cells["de"])


async def test_the_guide_speaks_the_language_of_the_browser(client: Client) -> None:
    for asked, header, language in (
        ("", "de-AT,de;q=0.9,en;q=0.5", "de"),
        ("", "fr, en;q=0.5", "en"),
        ("?lang=en", "de", "en"),
        ("?lang=de", "en", "de"),
        ("?lang=xx", "en", "en"),
    ):
        answer = await client.get(f"/help/operations{asked}", headers={"Accept-Language": header})
        assert f'<html lang="{language}">' in await answer.get_data(as_text=True)
        assert answer.headers["Vary"] == "Accept-Language"
    other = await client.get("/help/cluster?lang=de")
    assert '<html lang="en">' in await other.get_data(as_text=True)
