"""The anchors of the guide: what a page links to by a state, a reason, an alert.

They are made of words and codes that stand in the guide, so they stay while those do; a test holds
every state, reason and kind of alert against them.
"""

import re
from collections.abc import Sequence

ROWS = {
    "Alerts": "alert",
    "Why is this light still red?": "reason",
    "What the states say": "state",
    "What is to be expected": "quality",
}
"""What the rows of tables below a heading tell of; rows elsewhere are named by their heading."""

_CODE = re.compile(r"`(\w+)`")

IN_ENGLISH = {
    "Betrieb": "Operations",
    "Was die Zustände sagen": "What the states say",
    "Warum ist diese Leuchte noch rot?": "Why is this light still red?",
    "Alarme": "Alerts",
    "Was zu erwarten ist": "What is to be expected",
}
"""Headings of a translation: they have the anchors of the English ones, so that one link leads to
either."""


def slug(words: str) -> str:
    """Lower case, without marks, with dashes for spaces: as GitHub makes them of headings."""
    kept = re.sub(r"[^\w\- ]", "", words.strip().lower())
    return kept.replace(" ", "-")


def anchor_of_heading(heading: str) -> str:
    """As GitHub's, so that links between the documents hold here as well."""
    return slug(heading)


def anchors_of_row(heading: str, cells: Sequence[str]) -> list[str]:
    """Of the row of a table below a heading: one by its first cell; of reasons one for each code
    in its last."""
    first = cells[0] if cells else ""
    kind = ROWS.get(heading)
    if kind == "reason":
        return [f"reason-{code.replace('_', '-')}" for code in _CODE.findall(cells[-1])]
    return [f"{kind or slug(heading)}-{slug(first).replace('_', '-')}"]


def numbered(anchor: str, taken: dict[str, int]) -> str:
    """The anchor, with a number where it is taken already."""
    seen = taken.get(anchor)
    taken[anchor] = 0 if seen is None else seen + 1
    if seen is None:
        return anchor
    return numbered(f"{anchor}-{seen + 1}", taken)
