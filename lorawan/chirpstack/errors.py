"""What ChirpStack's status codes mean to us, and a text that people understand.

This is the only place that reads a gRPC status. An answer counts as ChirpStack's own only where its
text is one of ChirpStack's, because a status may come from three others: from gRPC itself, which
turns a proxy's plain HTTP answer into one ("Received http2 header with status: 404" as
UNIMPLEMENTED); from a proxy that speaks gRPC (Envoy sends UNIMPLEMENTED for its own 404, Kong
NOT_FOUND with the text "NotFound"); and from another service at the same address. gRPC shows
neither the HTTP status nor the content type, and proxies add headers to true answers too, so the
code and its text are all there is. In doubt it was not ChirpStack: that costs one more call.
Source: chirpstack/src/api/error.rs, chirpstack/src/api/auth; it never uses PERMISSION_DENIED,
RESOURCE_EXHAUSTED, FAILED_PRECONDITION or OUT_OF_RANGE.
"""

import re
from http import HTTPStatus

import grpc

from lorawan.network import (
    NetworkError,
    NetworkFault,
    NetworkForbidden,
    NetworkIntermediary,
    NetworkInvalid,
    NetworkRefused,
    NetworkTimeout,
    NetworkUnavailable,
    NetworkUnknown,
)

NEVER_SENT = ("failed to connect", "errors resolving", "dns resolution failed")
"""How gRPC's text begins when there was no connection, so that the request never left. Any other
UNAVAILABLE may concern a request that was already on its way."""

HTTP_ANSWER = re.compile(r"received http2 header with (?:status|:status): ?(\d{3})", re.IGNORECASE)
"""gRPC's text for an answer that is HTTP but not gRPC."""

MADE_BY_GRPC = (
    "stream removed",
    "no status received",
    "received rst_stream",
    "rst_stream",
    "trying to connect an http1.x server",
    "failed parsing http/2",
    "exception deserializing response",
    "connection reset",
    "socket closed",
    "goaway",
)
"""Parts of gRPC's texts for an answer that is not gRPC, or was cut off."""

DEVICE_GONE = "does not exist"
"""ChirpStack's NOT_FOUND is `Object does not exist (id: ...)`."""

NO_RIGHT = (
    "no right: the API key is read-only or of another tenant, or the device is unknown"
    " (the server does not say which); a tenant's key also needs tenant_id"
)

_TEXT_MOST = 300


class CallMissing(NetworkIntermediary):
    """The server does not know this call: too old a ChirpStack, or something else entirely. Every
    call that a downlink needs is in each ChirpStack v4, so there it is something else."""


def translate(call: str, error: grpc.RpcError) -> NetworkError:
    """Our error for a failed call; raise it `from` the original."""
    code = error.code()
    text = " ".join((error.details() or "").split())[:_TEXT_MOST]
    kind, meaning = _meaning(code, text)
    said = f": {text}" if text else ""
    return kind(f"{call}: {meaning} ({code.name}{said})")


def _meaning(code: grpc.StatusCode, text: str) -> tuple[type[NetworkError], str]:
    lowered = text.lower()
    if code is grpc.StatusCode.UNAVAILABLE and lowered.startswith(NEVER_SENT):
        return NetworkUnavailable, "the server cannot be reached"
    if code in _CUT_OFF and not HTTP_ANSWER.search(text):
        return _CUT_OFF[code]
    if _is_not_chirpstacks(code, text):
        return NetworkIntermediary, _who_answered(text)
    if code is grpc.StatusCode.UNAUTHENTICATED:
        if not text:
            return NetworkForbidden, NO_RIGHT
        return NetworkRefused, "the server does not accept the API key"
    if code is grpc.StatusCode.INTERNAL and "foreign key" in lowered:
        # Enqueue with an admin's key for a device that is not there: only the database notices.
        return NetworkUnknown, "the server does not know this device"
    return _BY_CODE.get(code, (NetworkFault, "the server failed"))


def _is_not_chirpstacks(code: grpc.StatusCode, text: str) -> bool:
    """Whether this answer came, or may have come, from something between us and ChirpStack."""
    lowered = text.lower()
    if HTTP_ANSWER.search(text) or any(part in lowered for part in MADE_BY_GRPC):
        return True
    if code in _NEVER_CHIRPSTACKS:
        return True
    if code is grpc.StatusCode.NOT_FOUND:
        return DEVICE_GONE not in lowered
    if code is grpc.StatusCode.UNAUTHENTICATED:
        # With an empty text ChirpStack says "no right" (and that ends no command).
        return bool(text) and _letters(text) in _STOCK_PHRASES
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        return not text or _letters(text) in _STOCK_PHRASES
    return False


def _who_answered(text: str) -> str:
    http = HTTP_ANSWER.search(text)
    what = f"HTTP {http[1]}, " if http else ""
    return f"{what}not an answer of ChirpStack's: something in front of it, or in its place"


def _letters(text: str) -> str:
    """For comparing names of statuses: `Not Found`, `NotFound` and `NOT_FOUND` are equal."""
    return re.sub(r"[^a-z]", "", re.sub(r"^\s*\d{3}\b", "", text).lower())


_STOCK_PHRASES = frozenset(
    {_letters(status.phrase) for status in HTTPStatus}
    | {_letters(code.name) for code in grpc.StatusCode}
)
"""Names of statuses themselves, which proxies send as text; ChirpStack says what is wrong."""

_NEVER_CHIRPSTACKS = frozenset(
    {
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.OUT_OF_RANGE,
    }
)

_CUT_OFF: dict[grpc.StatusCode, tuple[type[NetworkError], str]] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: (
        NetworkTimeout,
        "no reply in time; whether it took effect is unknown",
    ),
    grpc.StatusCode.UNAVAILABLE: (
        NetworkTimeout,
        "the connection broke; whether it took effect is unknown",
    ),
    grpc.StatusCode.CANCELLED: (
        NetworkTimeout,
        "the call was broken off; whether it took effect is unknown",
    ),
}

_BY_CODE: dict[grpc.StatusCode, tuple[type[NetworkError], str]] = {
    grpc.StatusCode.NOT_FOUND: (NetworkUnknown, "the server does not know it"),
    grpc.StatusCode.INVALID_ARGUMENT: (NetworkInvalid, "the server finds the request malformed"),
    grpc.StatusCode.ALREADY_EXISTS: (NetworkInvalid, "it is there already"),
    grpc.StatusCode.UNIMPLEMENTED: (
        CallMissing,
        "the server does not know this call; is it ChirpStack v4, and is its address right?",
    ),
}
