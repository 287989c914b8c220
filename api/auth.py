"""Who may do what: bearer tokens with a scope, compared in constant time.

The rule it keeps: what is not marked as open needs a token. Reading needs `viewer`, changing needs
`operator` (who may read, too), and the webhooks have a scope of their own that allows nothing else.
Without any token configured everything is allowed, which the settings permit on loopback only; then
the Host header must name this machine, so that no web page can reach us through a rebound name.
Tokens are never taken from a URL, because URLs are logged on the way.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlsplit

F = TypeVar("F", bound=Callable[..., Any])

_SCOPE = "_lamplighter_scope"
SUBPROTOCOL_PREFIX = "bearer."
TOKEN_HEADER = "X-Lamplighter-Token"  # noqa: S105 the name of a header
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Scope(StrEnum):
    """What a caller may do."""

    PUBLIC = "public"
    VIEWER = "viewer"
    OPERATOR = "operator"
    WEBHOOK = "webhook"


_GRANTS: dict[Scope, frozenset[Scope]] = {
    Scope.PUBLIC: frozenset({Scope.PUBLIC}),
    Scope.VIEWER: frozenset({Scope.PUBLIC, Scope.VIEWER}),
    Scope.OPERATOR: frozenset({Scope.PUBLIC, Scope.VIEWER, Scope.OPERATOR}),
    Scope.WEBHOOK: frozenset({Scope.PUBLIC, Scope.WEBHOOK}),
}


def requires(scope: Scope) -> Callable[[F], F]:
    """Mark a view with the scope that it needs."""

    def mark(view: F) -> F:
        setattr(view, _SCOPE, scope)
        return view

    return mark


def scope_of(view: Callable[..., Any] | None, method: str) -> Scope:
    """The scope that a view needs; by default to read is `viewer`, all else `operator`."""
    marked = getattr(view, _SCOPE, None)
    if isinstance(marked, Scope):
        return marked
    return Scope.VIEWER if method in {"GET", "HEAD", "OPTIONS"} else Scope.OPERATOR


class Caller:
    """Somebody who asks: the scopes granted, and a name to count requests under."""

    __slots__ = ("name", "scope")

    def __init__(self, scope: Scope | None, name: str) -> None:
        self.scope = scope
        self.name = name

    def may(self, needed: Scope) -> bool:
        """Whether the caller may do what needs this scope. `scope` None is the open house."""
        return self.scope is None or needed in _GRANTS[self.scope]


class Gatekeeper:
    """Knows the tokens, as digests only."""

    def __init__(self, tokens: Mapping[Scope, Iterable[str]]) -> None:
        self._digests = [
            (_digest(token), scope) for scope, several in tokens.items() for token in several
        ]

    @property
    def open(self) -> bool:
        """True when no token is configured."""
        return not self._digests

    def caller(self, token: str | None, address: str) -> Caller | None:
        """Who shows this token; None when it is none of ours.

        Every known token is compared, whatever the earlier comparisons gave, so that the time
        tells nothing.
        """
        if self.open:
            return Caller(None, address)
        if token is None:
            return Caller(Scope.PUBLIC, address)
        shown = _digest(token)
        found: Scope | None = None
        for digest, scope in self._digests:
            if hmac.compare_digest(shown, digest):
                found = scope
        return None if found is None else Caller(found, f"{found}:{shown.hex()[:16]}@{address}")


def bearer(authorization: str | None) -> str | None:
    """The token of an Authorization header, None when there is no header.

    A header of another scheme gives an empty token, which is nobody's.
    """
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def token_of(authorization: str | None, header: str | None) -> str | None:
    """The token of a request: a bearer token, or else our own header."""
    token = bearer(authorization)
    return token if token is not None else header


def subprotocol_token(subprotocols: Sequence[str]) -> str | None:
    """The token among the offered websocket subprotocols, if there is one."""
    for offered in subprotocols:
        if offered.startswith(SUBPROTOCOL_PREFIX):
            return offered.removeprefix(SUBPROTOCOL_PREFIX)
    return None


def own_host(host: str, names: Iterable[str]) -> bool:
    """Whether a Host header names this machine: loopback, or one of `names`."""
    name = host_name(host)
    return name in LOOPBACK_NAMES or name in set(names)


def host_name(host: str) -> str:
    """The name in a Host header or an origin's authority, without port and brackets."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def same_origin(origin: str | None, host: str, allowed: Iterable[str]) -> bool:
    """Whether a request with this Origin header may act: none, our own, or an allowed one.

    The scheme is not compared: behind a proxy that ends TLS we see http where the page sees https.
    """
    if origin is None:
        return True
    if origin in set(allowed):
        return True
    try:
        authority = urlsplit(origin).netloc
    except ValueError:
        return False
    return bool(authority) and authority.lower() == host.lower()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
