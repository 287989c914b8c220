"""Says precisely what is wrong with a body: turns the decoder's complaint into ours."""

import re

import msgspec

from lorawan.events.errors import MalformedEvent

WHOLE = "body"

# 256 KiB: an uplink heard by 300 gateways (600 bytes each with location and metadata) is 180 KB,
# and the decoded `object` of a 255-byte payload takes a few KB more.
BODY_BYTES_MOST = 256 * 1024

_PATH = re.compile(r" - at (?:`key` in )?`\$\.?(?P<path>.*)`\Z", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>\w+)`")


def check_size(body: bytes) -> None:
    """Raises `MalformedEvent` for a body that no event needs."""
    if len(body) > BODY_BYTES_MOST:
        raise MalformedEvent(WHOLE, f"{len(body)} bytes, at most {BODY_BYTES_MOST} are read")


def refusal(error: Exception) -> MalformedEvent:
    """The `MalformedEvent` that tells what the decoder found."""
    if isinstance(error, RecursionError):
        return MalformedEvent(WHOLE, "nested too deeply")
    if not isinstance(error, msgspec.ValidationError):
        return MalformedEvent(WHOLE, str(error))
    text = str(error)
    located = _PATH.search(text)
    path = located["path"] if located is not None else ""
    problem = text[: located.start()] if located is not None else text
    missing = _MISSING.fullmatch(problem)
    if missing is not None:
        field = missing["field"]
        return MalformedEvent(f"{path}.{field}" if path else field, "missing")
    return MalformedEvent(path or WHOLE, problem)
