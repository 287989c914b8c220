"""Answers as tables: CSV (RFC 4180) and JSON lines, beside JSON.

A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@` or a tab for a formula, and names
come from ChirpStack: such a text gets an apostrophe in front. Numbers are numbers, times RFC 3339
in UTC, colours `#rrggbb on/off`.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec
from quart import Response, request

from api.http.responses import address, reply
from lorawan.kuando.light_state import LightState

Format = Literal["json", "csv", "jsonl"]
CSV, JSON_LINES = "text/csv", "application/jsonl"
FORMULA = ("=", "+", "-", "@", "\t", "\r")

_encoder = msgspec.json.Encoder()
_BY_MEDIA_TYPE: Mapping[str, Format] = {
    "application/json": "json",  # first: it is what `*/*` gets
    CSV: "csv",
    JSON_LINES: "jsonl",
}


class Table(msgspec.Struct, frozen=True):
    """The rows of an answer by column, and what to ask for those after them."""

    name: str
    """Of the file."""
    columns: Mapping[str, Callable[[Any], Any]]
    rows: Sequence[msgspec.Struct]
    following: Mapping[str, str | int | float] | None = None
    """Parameters of the next page; None where this is the last."""


def wanted(given: str | None) -> Format:
    """What the caller wants: by the parameter `format`, else by `Accept`."""
    if given is not None:
        return "csv" if given == "csv" else "jsonl" if given == "jsonl" else "json"
    best = request.accept_mimetypes.best_match(list(_BY_MEDIA_TYPE))
    return _BY_MEDIA_TYPE.get(best or "", "json")


def reply_as(form: Format, view: msgspec.Struct, table: Table) -> Response:
    """The view as JSON, or its rows as a table."""
    headers = {"Vary": "Accept"}
    if form == "json":
        return reply(view, headers=headers)
    if table.following is not None:
        asked = {**request.args.to_dict(), **table.following}
        headers["Link"] = f'<{address(request.path)}?{urlencode(asked)}>; rel="next"'
    headers["Content-Disposition"] = f'attachment; filename="{table.name}.{form}"'
    if form == "jsonl":
        lines = b"".join(_encoder.encode(row) + b"\n" for row in table.rows)
        return Response(lines, 200, headers, content_type=JSON_LINES)
    text = csv_of(table.columns, table.rows)
    return Response(text.encode(), 200, headers, content_type=f"{CSV}; charset=utf-8")


def csv_of(columns: Mapping[str, Callable[[Any], Any]], rows: Iterable[msgspec.Struct]) -> str:
    """The rows below a line of the columns' names."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(value(row)) for value in columns.values()])
    return out.getvalue()


def field(name: str) -> Callable[[Any], Any]:
    """A column that is a field of the row."""
    return lambda row: getattr(row, name)


def moment(name: str) -> Callable[[Any], str]:
    """A column that is a time."""
    return lambda row: rfc3339(getattr(row, name))


def rfc3339(at: float | None) -> str:
    """Unix seconds as a time in UTC, to the millisecond; empty for None."""
    if at is None:
        return ""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    except (OverflowError, ValueError, OSError):
        return str(at)


def colour(light: LightState | None) -> str:
    """A colour with its blink times; empty for None."""
    if light is None:
        return ""
    return f"#{light.red:02x}{light.green:02x}{light.blue:02x} {light.on}/{light.off}"


def cell(value: Any) -> str | int | float:
    """A value as a spreadsheet may read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else _encoder.encode(value).decode()
    return f"'{text}" if text.startswith(FORMULA) else text
