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
