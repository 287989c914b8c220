"""Every route and every field of the HTTP API, from the app's own description of itself."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec

from actors.reasons import ReasonCode
from api.http.openapi import EVERYWHERE as ALWAYS
from api.http.openapi import PROTECTED
from api.http.problems import TYPE_PREFIX, WRITING
from api.models import SERVED_NAMES
from docs.generate.markdown import meanings, table
from docs.generate.service import openapi

EVERYWHERE = {kind.slug for kind in (*ALWAYS, *PROTECTED, *WRITING)}
"""Problems that many routes share, told once."""


OURS = ("api.", "actors.", "lorawan.")


class Route(NamedTuple):
    """One method of one path."""

    method: str
    path: str
    scope: str
    statuses: tuple[int, ...]
    problems: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """Of its section, as Markdown renderers make it from the heading."""
        return re.sub(r"[^a-z0-9_ -]", "", f"{self.method} {self.path}".lower()).replace(" ", "-")


def every_route() -> Iterator[Route]:
    """All that the app serves but its pages and the websocket."""
    for path, operations in openapi()["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            words = " ".join(each["description"] for each in answers.values())
            yield Route(
                method.upper(),
                path,
                next((scope for need in operation["security"] for scope in need), "public"),
                tuple(int(status) for status in answers),
                tuple(re.findall(f"{TYPE_PREFIX}([a-z-]+)", words)),
            )


def routes() -> str:
    """A table of all routes."""
    return table(
        ("route", "scope", "answers", "problems besides those of every request"),
        [
            (
                f"[`{each.method} {each.path}`](#{each.anchor})",
                each.scope,
                ", ".join(str(status) for status in each.statuses if status < 400),
                ", ".join(f"`{slug}`" for slug in each.problems if slug not in EVERYWHERE),
            )
            for each in every_route()
        ],
    )


def fields() -> str:
    """A table for each kind of object that the API takes or gives."""
    return "\n\n".join(_object(name, schema) for name, schema in sorted(_schemas().items()))


def _schemas() -> dict[str, Any]:
    return {
        name: schema
        for name, schema in openapi()["components"]["schemas"].items()
        if "properties" in schema
    }


def _object(name: str, schema: dict[str, Any]) -> str:
    owner = owners().get(name)
    told = meanings(owner) if owner else {}
    rows = [
        (f"`{field}`", _kind(one), _plain(one.get("description", told.get(field, ""))))
        for field, one in schema["properties"].items()
    ]
    about = _plain(schema.get("description", ""))
    return f"### {name}\n\n{about}\n\n{table(('field', 'kind', 'meaning'), rows)}"


def _plain(text: str) -> str:
    """One line, with JSON's word for Python's None."""
    return re.sub(r"\bNone\b", "null", " ".join(text.split()))


@cache
def owners() -> dict[str, type]:
    """The classes of which the schemas were made, by name."""
    found: dict[str, type] = {}
    left: list[type[msgspec.Struct]] = [msgspec.Struct]
    while left:
        below: list[type[msgspec.Struct]] = left.pop().__subclasses__()
        left += below
        found |= {
            SERVED_NAMES.get(one, one.__name__): one
            for one in below
            if one.__module__.startswith(OURS)
        }
    return found


def _kind(schema: dict[str, Any]) -> str:
    """A JSON schema in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name == ReasonCode.__name__:
            return "[code](#reasons)"
        if name in _schemas():
            return f"[{name}](#{name.lower()})"
        return _kind(openapi()["components"]["schemas"][name])
    if "anyOf" in schema:
        kinds = [_kind(each) for each in schema["anyOf"]]
        return " or ".join(kinds)
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array" and schema.get("maxItems", 0) == schema.get("minItems"):
        return f"{schema['minItems']} times {_kind(schema['items'])}"
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_kind(schema['additionalProperties'])}"
    return {"string": "text"}.get(kind, str(kind))
