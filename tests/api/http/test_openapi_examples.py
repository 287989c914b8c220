"""Examples and headers of the description: there for each operation, and true."""

import inspect
import re
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from api.models.requests import Body
from docs.generate import service

DESCRIPTION: dict[str, Any] = service.openapi()
SCHEMAS = DESCRIPTION["components"]["schemas"]
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, operations in DESCRIPTION["paths"].items()
    for method, operation in operations.items()
]
FILES = ("image/", "application/zip")
"""Their bytes are no example that a reader could use."""
HEADERS = {
    "idempotency_key()": "Idempotency-Key",
    "read_file(": "Content-Range",
    "read_preferences(": "Prefer",
    "revision_of()": "If-Match",
    "revision_or_any()": "If-Match",
    "_revision()": "If-Match",
}
"""How a view reads a header that means something."""
NAMES = [name for name, _ in OPERATIONS]
operations = pytest.mark.parametrize("operation", [each for _, each in OPERATIONS], ids=NAMES)


def whole(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with all that it refers to; formats are JSON's own business."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": {"schemas": SCHEMAS},
        **schema,
    }


def bodies() -> dict[str, type[Body]]:
    found, left = {}, [Body]
    while left:
        below = left.pop().__subclasses__()
        left += below
        found |= {one.__name__: one for one in below}
    return found


@operations
def test_each_operation_has_examples_that_fit_their_schemas(operation: dict[str, Any]) -> None:
    for parameter in operation["parameters"]:
        assert jsonschema_rs.is_valid(whole(parameter["schema"]), parameter["example"]), parameter
    sent = operation.get("requestBody", {}).get("content", {})
    answers = [a for status, a in operation["responses"].items() if status < "300"]
    assert answers
    told = [content for answer in answers for content in answer.get("content", {}).items()]
    for media_type, content in [*sent.items(), *told]:
        if media_type.startswith(FILES):
            continue
        assert "example" in content, media_type
        jsonschema_rs.validate(whole(content["schema"]), content["example"])


@operations
def test_what_is_sent_by_way_of_example_is_taken(operation: dict[str, Any]) -> None:
    """A schema does not say all that a body has to be."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "title" in content.get("schema", {}):
        model = bodies()[content["schema"]["title"]]
        model.model_validate_json(msgspec.json.encode(content["example"]))


def source_of(name: str) -> str:
    """Of the view of an operation."""
    method, path = name.split(" ")
    spelled = re.compile(re.sub(r"\\{\w+\\}", r"<[^>]+>", re.escape(path)))
    app = service.app()
    [rule] = [
        rule
        for rule in app.url_map.iter_rules()
        if spelled.fullmatch(rule.rule) and method in (rule.methods or ())
    ]
    return inspect.getsource(inspect.unwrap(app.view_functions[rule.endpoint]))


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=NAMES)
def test_headers_that_a_view_reads_are_described(name: str, operation: dict[str, Any]) -> None:
    source = source_of(name)
    wanted = {header for read, header in HEADERS.items() if read in source}
    shown = {one["name"] for one in operation["parameters"] if one["in"] == "header"}
    assert wanted <= shown


def test_the_headers_of_orders_are_named() -> None:
    described = DESCRIPTION["paths"]["/api/v1/downlink/{dev_eui}"]["post"]["parameters"]
    assert {"Idempotency-Key", "Prefer"} <= {one["name"] for one in described}
    keyed = {
        name
        for name, operation in OPERATIONS
        if any(one["name"] == "Idempotency-Key" for one in operation["parameters"])
    }
    assert keyed >= {"POST /api/v1/rollouts", "POST /api/v1/scenes/{name}/apply"}
