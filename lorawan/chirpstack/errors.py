"""What ChirpStack's status codes mean to us, and in words that a person understands.

The rule it keeps: this is the only place that reads a gRPC status. ChirpStack never uses
PERMISSION_DENIED, RESOURCE_EXHAUSTED or FAILED_PRECONDITION; proxies in front of it may.
Source: chirpstack/src/api/error.rs, chirpstack/src/api/auth.
"""

import grpc

from lorawan.network import (
    NetworkError,
    NetworkFault,
    NetworkForbidden,
    NetworkInvalid,
    NetworkRefused,
    NetworkTimeout,
    NetworkUnavailable,
    NetworkUnknown,
)

NEVER_SENT = ("failed to connect", "errors resolving", "dns resolution failed")
"""How gRPC's text begins when no connection came about, so that the request never left. Every
other UNAVAILABLE may have hit a request already on its way."""

NO_RIGHT = (
    "no right: the API key is read-only or of another tenant, or the device is unknown"
    " (the server does not say which); a tenant's key also needs tenant_id"
)

_TEXT_MAX = 300


class CallMissing(NetworkInvalid):
    """The server does not know this call: too old a ChirpStack, or something else entirely."""


def translate(call: str, error: grpc.RpcError) -> NetworkError:
    """The error of our family for a failed call; raise it `from` the original."""
    code = error.code()
    text = " ".join((error.details() or "").split())[:_TEXT_MAX]
    kind, meaning = _meaning(code, text)
    said = f": {text}" if text else ""
    return kind(f"{call}: {meaning} ({code.name}{said})")


def _meaning(code: grpc.StatusCode, text: str) -> tuple[type[NetworkError], str]:
    lowered = text.lower()
    if code is grpc.StatusCode.UNAVAILABLE and lowered.startswith(NEVER_SENT):
        return NetworkUnavailable, "the server cannot be reached"
    if code is grpc.StatusCode.UNAUTHENTICATED:
        if not text:
            return NetworkForbidden, NO_RIGHT
        return NetworkRefused, "the server does not accept the API key"
    if code is grpc.StatusCode.INTERNAL and "foreign key" in lowered:
        # Enqueue with an admin's key for a device that is not there: only the database notices.
        return NetworkUnknown, "the server does not know this device"
    return _BY_CODE.get(code, (NetworkFault, "the server failed"))


_BY_CODE: dict[grpc.StatusCode, tuple[type[NetworkError], str]] = {
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
    grpc.StatusCode.PERMISSION_DENIED: (NetworkForbidden, NO_RIGHT),
    grpc.StatusCode.NOT_FOUND: (NetworkUnknown, "the server does not know it"),
    grpc.StatusCode.INVALID_ARGUMENT: (NetworkInvalid, "the server finds the request malformed"),
    grpc.StatusCode.FAILED_PRECONDITION: (NetworkInvalid, "the server finds it impossible"),
    grpc.StatusCode.OUT_OF_RANGE: (NetworkInvalid, "the server finds a value out of range"),
    grpc.StatusCode.ALREADY_EXISTS: (NetworkInvalid, "it is there already"),
    grpc.StatusCode.UNIMPLEMENTED: (
        CallMissing,
        "the server does not know this call; is it ChirpStack v4, and is its address right?",
    ),
}
