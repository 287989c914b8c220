"""Text from outside (names, tags, errors of other programs) made harmless where people read it.

What is shown is text and nothing else. A terminal obeys control characters, and
the eye is misled by characters that turn the direction of writing or that have no width; a line
break makes one line pass for two. Whoever needs the exact value asks for JSON. Pure.
"""

import unicodedata
from typing import Any

NAME_MOST = 80
"""A name longer than this was not written to be read."""
LINE_MOST = 500
"""An error of another program; more of it says no more."""

_JOINERS = "\u200c\u200d"  # they join letters of Persian or Hindi, and the parts of an emoji


def plain(text: str) -> str:
    """The text without what a terminal would obey or the eye would not see; lines stay lines."""
    if text.isprintable():
        return text
    return "".join(_harmless(each) for each in text)


def one_line(text: str, most: int = LINE_MOST) -> str:
    """The same in one line, with at most so many characters."""
    line = plain(text[: 2 * most + 2])
    if "\n" in line or "\t" in line:
        line = " ".join(line.split())
    return line if len(line) <= most and len(text) <= 2 * most + 2 else line[: most - 1] + "…"


def plainly(value: Any) -> Any:
    """A whole JSON value with all its text made harmless, names cut to `NAME_MOST`."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return {
            one_line(key): one_line(each, NAME_MOST)
            if isinstance(each, str) and str(key).endswith("name")
            else plainly(each)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [plainly(each) for each in value]
    return value


def _harmless(character: str) -> str:
    if character in "\n\t" or character in _JOINERS:
        return character
    match unicodedata.category(character):
        case "Cc" if character == "\r":
            return "\n"
        case "Zl" | "Zp":
            return "\n"
        case "Cc" | "Cf":
            return ""
        case "Cs":
            return "\N{REPLACEMENT CHARACTER}"
        case _:
            return character
