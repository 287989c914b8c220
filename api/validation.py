"""What is wrong with some input, field by field, for the person who wrote it.

The value itself is never repeated, since it may be a secret.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import pydantic

from actors.plain_text import NAME_MOST, one_line

# A body of 256 kB could hold 30,000 unknown fields; the first 50 mistakes will do.
MISTAKES_MOST = 50

_TEXTS = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "json_invalid": "is not valid JSON",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "model_attributes_type": "must be an object",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be a string",
    "list_type": "must be a list",
}


class Mistake(msgspec.Struct, frozen=True):
    """One mistake: the field (dotted where nested, empty for the whole) and what is wrong."""

    field: str
    problem: str


def mistakes_of(
    error: Exception,
    *,
    most: int | None = MISTAKES_MOST,
    texts: Mapping[str, str] | None = None,
) -> list[Mistake]:
    """The mistakes of a validation error, at most so many. `texts` replace our usual ones for some
    kinds of pydantic's errors."""
    if isinstance(error, pydantic.ValidationError):
        found = error.errors(include_url=False, include_context=True, include_input=False)
        special = texts or {}
        return [
            Mistake(field_name(e["loc"]), special.get(e["type"]) or _text(e)) for e in found[:most]
        ]
    if isinstance(error, msgspec.ValidationError):
        problem, _, place = str(error).partition(" - at `$")
        return [Mistake(place.rstrip("`").lstrip("."), problem)]
    return [Mistake("", "cannot be read")]


def repeated_keys(data: bytes) -> list[Mistake]:
    """The keys that are given twice in one object of a body that is JSON.

    RFC 8259 leaves it to the reader which one counts; what the writer meant is not known. Events of
    ChirpStack are not looked at like this: its serializer writes no key twice, and an event that is
    refused is lost.
    """
    found: list[Mistake] = []

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        seen: dict[str, object] = {}
        for key, value in pairs:
            if key in seen and len(found) < MISTAKES_MOST:
                found.append(Mistake(one_line(key, NAME_MOST), "is given more than once"))
            seen[key] = value
        return seen

    # Deeper, or with other text, than Python reads: the model has judged it already.
    with suppress(ValueError, RecursionError):
        json.loads(data, object_pairs_hook=members, parse_int=float)
    return found


def field_name(location: Sequence[str | int]) -> str:
    """`("web", "tokens", 0)` as `web.tokens.0`."""
    return ".".join(str(part) for part in location)


def _text(error: Any) -> str:
    if text := _TEXTS.get(error["type"]):
        return text
    # Our own validators raise ValueError; pydantic puts a prefix before its text.
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    message = message.removeprefix("Input should be ")
    if message != error["msg"] and not str(error["msg"]).startswith(("Value", "Assertion")):
        return f"must be {message}"
    return message[:1].lower() + message[1:]
