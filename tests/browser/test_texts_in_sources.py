"""No script and no page writes words of its own: every text comes from the catalogue."""

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.browser.catalogues import NODE, ROOT, STATIC, TEXTS

TYPESCRIPT = ROOT / "node_modules" / "typescript" / "lib" / "typescript.js"
FINDER = Path(__file__).parent / "literal_texts.mjs"
SCRIPTS = sorted(path for path in STATIC.rglob("*.js") if TEXTS not in path.parents)
NAMES = {"Lamplighter", "English", "Deutsch"}
"""Of the product, and of languages in themselves."""
PLANTED = """
import { el, setText } from "./dom.js";
const LONG = { one: "Not heard lately" };
el("p", { class: "no text of it", text: "hint" });
el("p", {}, "some ", el("b"), ` words ${LONG.one} more`);
el("button", { "aria-label": `Close ${LONG.one}`, onclick: () => el("i", {}, "below") });
setText(el("p"), LONG.one === "is compared" ? "yes" : "no");
document.title = "title of it";
document.body.setAttribute("title", "tip");
document.querySelector("p .no words");
new Option("chosen", "value");
const asked = () => "two words";
throw new Error("not for readers");
"""
FOUND = [
    *("Not heard lately", "hint", "some ", " words ", " more", "Close ", "below", "yes", "no"),
    *("title of it", "tip", "chosen", "two words"),
]


def literals(*paths: Path) -> list[str]:
    """`file:line: text` of every literal that could be read by somebody."""
    assert TYPESCRIPT.is_file(), "make check and make test install the type checker of the pages"
    shown = subprocess.run(
        [NODE, "--no-warnings", FINDER, TYPESCRIPT, *paths],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    return shown.stdout.splitlines()


def test_a_text_in_a_script_is_found(tmp_path: Path) -> None:
    script = tmp_path / "planted.js"
    script.write_text(PLANTED, encoding="utf-8")
    assert [line.split(": ", 1)[1] for line in literals(script)] == FOUND


def test_no_script_has_a_text_of_its_own() -> None:
    assert [line for line in literals(*SCRIPTS) if line.split(": ", 1)[1] not in NAMES] == []


def test_no_script_names_a_locale() -> None:
    """Numbers, dates and the order of names are as the reader's language has them."""
    named = re.compile(r"toLocale\w+\(|localeCompare|Intl\.\w+\((?!locale\b|language\b|\)\.)")
    assert [
        f"{path.name}: {found}"
        for path in SCRIPTS
        for found in named.findall(path.read_text("utf-8"))
    ] == []


class Texts(HTMLParser):
    """The words of a page that are not in the catalogue."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "link", "input", "img", "br"}:
            self._open.append(tag)
        shown = {"title", "alt", "placeholder", "aria-label", "label"}
        self.found += [value for name, value in attrs if name in shown and value]

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        # Who has no scripts reads every language at once.
        if data.strip() and "noscript" not in self._open:
            self.found.append(data.strip())


@pytest.mark.parametrize("page", sorted(STATIC.glob("*.html")), ids=lambda path: path.name)
def test_no_page_has_a_text_of_its_own(page: Path) -> None:
    texts = Texts()
    texts.feed(page.read_text("utf-8"))
    assert set(texts.found) <= NAMES | {"Lamplighter API", "openapi.json"}


@pytest.mark.parametrize("page", sorted(STATIC.glob("*.html")), ids=lambda path: path.name)
def test_who_has_no_scripts_reads_it_in_every_language(page: Path) -> None:
    (told,) = re.findall(r"<noscript>(.*?)</noscript>", page.read_text("utf-8"), re.DOTALL)
    assert told.count("<p") == 2
    assert 'lang="de"' in told
