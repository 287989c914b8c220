"""Markdown of the guide to HTML with stable anchors.

Every heading has the anchor that GitHub gives it, and every row of a table one made of its first
words, so that a state, a reason or an alert can be linked to (`anchors.py`). Raw HTML is text,
pictures are left out, and links lead to the guide's own pages; only http, https and the guide are
linked to. The result has no script, no style and no address of another host that is loaded.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import cast

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token

from api.guide.anchors import IN_ENGLISH, anchor_of_heading, anchors_of_row, numbered

_PICTURE = re.compile(r"^!\[[^]]*\]\([^)]*\)$", re.MULTILINE)
_REMARK = re.compile(r"^<!--.*?-->$", re.MULTILINE | re.DOTALL)
_PAGE = re.compile(r"^(?:docs/)?([a-z-]+)\.md(#.*)?$")


@dataclass(frozen=True)
class Rendered:
    """One page: its title, its body, and every anchor in it."""

    title: str
    body: str
    anchors: frozenset[str]


def render(text: str, pages: Sequence[str], *, translated: bool = False) -> Rendered:
    """The page of this Markdown; `pages` are the names that links may lead to.

    In a translation the first cell of each row has its anchors, and is not shown.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(_REMARK.sub("", _PICTURE.sub("", text)))
    taken: dict[str, int] = {}
    title = heading = ""
    for at, token in enumerate(tokens):
        match token.type:
            case "heading_open":
                heading = tokens[at + 1].content
                title = title or heading
                english = IN_ENGLISH.get(heading, heading) if translated else heading
                token.attrSet("id", numbered(anchor_of_heading(english), taken))
            case "tr_open" if tokens[at + 1].type == "td_open":
                cells = list(_row(tokens, at))
                anchors = cells[0].split() if translated else anchors_of_row(heading, cells)
                first, *others = (numbered(anchor, taken) for anchor in anchors)
                token.attrSet("id", first)
                _also_named(tokens[at:], others)
            case "table_open":
                # Wide tables scroll by themselves, also by the keyboard.
                token.attrSet("tabindex", "0")
            case "th_open" if not tokens[at + 1].content:
                # A column without a name has no heading that could be read out.
                token.tag = tokens[at + 2].tag = "td"
            case "inline":
                for child in token.children or ():
                    _relink(child, pages, translated=translated)
            case _:
                pass
    if translated:
        tokens = _without_first_cells(tokens)
    body = cast("str", reader.renderer.render(tokens, reader.options, {}))
    body = body.replace("<pre>", '<pre tabindex="0">')  # what is wide scrolls, as tables do
    return Rendered(title, body, frozenset(taken))


def _row(tokens: Sequence[Token], at: int) -> Iterator[str]:
    """The cells of the row that begins here, as Markdown."""
    for token in tokens[at:]:
        if token.type == "tr_close":
            return
        if token.type == "inline":
            yield token.content


def _also_named(tokens: Sequence[Token], anchors: Sequence[str]) -> None:
    """A row that tells of several codes: each of the others has its own anchor in the last cell,
    which is shown in a translation, too."""
    row = takewhile(lambda one: one.type != "tr_close", tokens)
    *_, last = (token for token in row if token.type == "inline")
    for anchor in anchors:
        spot = Token("html_inline", "", 0, content=f'<span id="{escapeHtml(anchor)}"></span>')
        last.children = [spot, *(last.children or [])]


def _without_first_cells(tokens: Sequence[Token]) -> list[Token]:
    """A cell is three tokens: it opens, has its words, and closes."""
    kept, skip = list[Token](), 0
    for token in tokens:
        if skip:
            skip -= 1
            continue
        kept.append(token)
        skip = 3 if token.type == "tr_open" else 0
    return kept


def _relink(token: Token, pages: Sequence[str], *, translated: bool) -> None:
    """`cluster.md#moves` is `cluster#moves` here; what is no page of ours is no link. A translation
    has no links to other translations."""
    if token.type != "link_open":
        return
    target = str(token.attrGet("href") or "")
    page = _PAGE.match(target)
    if page is not None and page[1] in pages:
        english = "?lang=en" if translated else ""
        token.attrSet("href", page[1] + english + (page[2] or ""))
    elif not target.startswith(("#", "https://", "http://")):
        token.attrs.pop("href", None)
