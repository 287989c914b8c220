"""The order in which people list names: "Line 2" before "Line 10". Pure."""

import re
import unicodedata

_DIGITS = re.compile(r"([0-9]+)")
DIGITS_MOST = 20
"""Of one number in a name; a longer one is compared as text, which costs less."""

Part = tuple[int, int, str]


def natural(text: str) -> tuple[Part, ...]:
    """A key to sort names by: case and accents of composed letters are told apart last, numbers
    are compared as such."""
    return tuple(_part(part) for part in _DIGITS.split(fold(text)))


def fold(text: str) -> str:
    """As names are compared: without case, and the same for a letter with its accent apart."""
    return unicodedata.normalize("NFC", text).casefold().strip()


def _part(text: str) -> Part:
    if text.isascii() and text.isdigit() and len(text) <= DIGITS_MOST:
        return 0, int(text), text
    return 1, 0, text
