"""Read what a caller sent: body, query string, DevEUI, and the headers that handlers ask for.

Nothing is guessed: a body needs its media type, a parameter is known or refused. All mistakes of a
body or a query become one problem. Only a preference that is not understood is passed over, as RFC
7240 demands.
"""

import codecs
import re
from collections.abc import Sequence
from typing import TypeVar

import msgspec
import pydantic
import trio
from quart import current_app, g, request
from quart_schema.validation import QUART_SCHEMA_QUERYSTRING_ATTRIBUTE
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

from api.http.problems import INVALID, UNREADABLE, WRONG_MEDIA_TYPE, Problem
from api.models.requests import Body, Query
from api.validation import MISTAKES_MOST, Mistake, mistakes_of, repeated_keys

B = TypeVar("B", bound=Body)
Q = TypeVar("Q", bound=Query)

_DEV_EUI = re.compile(r"[0-9a-fA-F]{16}")
# As long as a ULID several times over; it is stored with the command.
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
# A preference; quoted strings may hold commas, but nothing that we look for does.
_PREFERENCE = re.compile(r'\s*([A-Za-z0-9-]+)\s*(?:=\s*"?([^",;]*)"?)?[^,]*')


async def read_body(model: type[B], *, optional: bool = False) -> B:
    """The JSON body as `model`; with `optional`, no body at all is an empty object.

    Raises Problem: wrong media type (415), not JSON (400), mistakes (422).
    """
    data = await read_bytes()
    if optional and not data:
        return model()
    if request.mimetype != "application/json":
        given = request.mimetype or "a body without a Content-Type"
        raise Problem(WRONG_MEDIA_TYPE, f"send application/json, not {given[:100]}")
    if not data:
        raise Problem(UNREADABLE, "the body is empty")
    data = data.removeprefix(codecs.BOM_UTF8)  # which RFC 8259 lets a reader pass over
    try:
        body = model.model_validate_json(data)
    except pydantic.ValidationError as error:
        mistakes = mistakes_of(error)
        if error.errors(include_input=False)[0]["type"] == "json_invalid":
            # pydantic's own text names line and column.
            detail = str(error.errors(include_input=False)[0]["msg"])
            raise Problem(UNREADABLE, detail, errors=mistakes) from None
        raise Problem(INVALID, errors=[*repeated_keys(data), *mistakes]) from None
    if twice := repeated_keys(data):
        raise Problem(INVALID, errors=twice)
    return body


async def read_bytes() -> bytes:
    """The body as it was sent, refused as soon as it is too large; asked for again, the same.

    Read in parts: Quart (0.23) looks at the size of a whole body only once its end has come. Raises
    RequestEntityTooLarge (413), RequestTimeout (408).
    """
    if (read := g.get("body")) is not None:
        await trio.lowlevel.checkpoint()
        return bytes(read)
    most: int = current_app.config["MAX_CONTENT_LENGTH"]
    data = bytearray()
    with trio.move_on_after(current_app.config["BODY_TIMEOUT"]) as patience:
        async for part in request.body:
            data += part
            if len(data) > most:
                raise RequestEntityTooLarge
    if patience.cancelled_caught:
        raise RequestTimeout
    g.body = body = bytes(data)
    return body


def read_query(model: type[Q]) -> Q:
    """The query string as `model`. Raises Problem with every mistake (422)."""
    values: dict[str, object] = {}
    twice: list[Mistake] = []
    for name, given in request.args.lists():
        if name in model.lists:
            values[name] = given
        else:
            values[name] = given[0]
            if len(given) > 1:
                twice.append(Mistake(name, "is given more than once"))
    try:
        query = model.model_validate(values)
    except pydantic.ValidationError as error:
        raise Problem(INVALID, errors=[*twice, *mistakes_of(error)]) from None
    if twice:
        raise Problem(INVALID, errors=twice)
    return query


async def only_known_parameters() -> None:
    """Before a request to the API: a path without parameters is asked without any.

    Raises Problem (422): who wrote `?wait_for_verification=false` would wait all the same. Behind
    the URL of a webhook ChirpStack and its operators write what they like.
    """
    rule = request.url_rule
    if rule is None or not request.args or not rule.rule.startswith("/api/") or _is_webhook():
        return
    view = current_app.view_functions[rule.endpoint]
    if getattr(view, QUART_SCHEMA_QUERYSTRING_ATTRIBUTE, None) is None:
        names = list(request.args.keys())[:MISTAKES_MOST]
        raise Problem(INVALID, errors=[Mistake(n, "is not a known parameter") for n in names])


def _is_webhook() -> bool:
    return (request.endpoint or "").startswith("webhooks.")


def read_dev_eui(text: str) -> str:
    """A DevEUI of the path, in lower case. Raises Problem (422) when it is none."""
    if not _DEV_EUI.fullmatch(text):
        mistake = Mistake("dev_eui", "must be 16 hexadecimal digits")
        raise Problem(INVALID, errors=[mistake])
    return text.lower()


def idempotency_key() -> str | None:
    """The caller's key, None without one. Raises Problem (422) for one that cannot be used."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        mistake = Mistake("Idempotency-Key", "must be 1 to 255 printable ASCII characters")
        raise Problem(INVALID, errors=[mistake])
    return key


class Preferences(msgspec.Struct, frozen=True):
    """What the caller prefers (RFC 7240), as far as a command knows it."""

    respond_async: bool = False
    wait_s: float | None = None

    def applied(self, waited_s: float) -> str:
        """For `Preference-Applied`, where so long was waited at most; empty when nothing was asked
        for, or nothing of it was done."""
        applied = ["respond-async"] if self.respond_async else []
        if self.wait_s is not None and (waited_s > 0 or self.wait_s == 0):
            applied.append(f"wait={waited_s:g}")
        return ", ".join(applied)


def read_preferences(headers: Sequence[str]) -> Preferences:
    """Read every `Prefer` header; the first mention of a preference counts."""
    respond_async, wait_s = False, None
    for part in ",".join(headers).split(","):
        found = _PREFERENCE.match(part)
        if found is None:
            continue
        name, value = found[1].lower(), (found[2] or "").strip()
        if name == "respond-async":
            respond_async = True
        elif name == "wait" and wait_s is None and value.isascii() and value.isdigit():
            wait_s = float(value)
    return Preferences(respond_async, wait_s)
