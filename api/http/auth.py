"""Who may do what: bearer tokens with a scope, compared in constant time.

Whatever is not marked as public needs a token. Reading needs `viewer`, changing needs `operator`
(who may read, too), and the webhooks have a scope of their own that allows nothing else.
Without any token configured everything is allowed, which the settings permit on loopback only; then
the Host header must name this machine, so that no web page can reach us through a rebound name.
Tokens are never taken from a URL, because URLs are logged on the way. A request may show several:
a proxy's own Authorization beside our header, say. One that is ours is enough.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from actors.board.sight import EVERYTHING, Sight
from api.http.origins import normal_host, normal_origin, same_authority
from api.http.tokens import digest_of, is_made

F = TypeVar("F", bound=Callable[..., Any])

_SCOPE = "_lamplighter_scope"
SUBPROTOCOL_PREFIX = "bearer."
TOKEN_HEADER = "X-Lamplighter-Token"  # noqa: S105 the name of a header
# Our header, a bearer token, and one in a subprotocol.
TOKENS_MOST = 3
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


LOCAL = "local"
"""Who asks where no token is configured: whoever is on this machine."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, what that one may do, and which lights it may see."""

    scope: Scope | None
    """None may do everything: no token is configured."""
    name: str
    """As it is written down: of a token, or of a person whom the proxy signed in; `operator 2` for
    a token without a name, `local` where no token is configured, empty for who showed nothing."""
    address: str = ""
    sight: Sight = EVERYTHING
    digest: bytes | None = None
    """Of the token that was shown."""

    @property
    def known(self) -> bool:
        """Whether a valid token was shown, or none is asked for."""
        return self.scope is not Scope.PUBLIC

    @property
    def proven(self) -> bool:
        """Whether a valid token was shown, or a proxy signed the person in who may do something."""
        return self.scope not in {None, Scope.PUBLIC}

    @property
    def counted_as(self) -> str:
        """What its requests are counted under: a token from each address by itself."""
        if not self.proven:
            return self.address
        return f"{self.scope} {self.name}@{self.address}"

    @property
    def allowed(self) -> str:
        """Its scope in a word."""
        return "everything" if self.scope is None else self.scope.value

    def may(self, needed: Scope) -> bool:
        """Whether the caller may do what needs this scope. `scope` None may do everything."""
        return self.scope is None or needed in _GRANTS[self.scope]


@dataclass(frozen=True, slots=True)
class Credential:
    """A token as it is known: by its digest. `hashed`: nobody here ever knew more of it."""

    name: str
    scope: Scope
    digest: bytes
    sight: Sight = EVERYTHING
    hashed: bool = False


@dataclass(frozen=True, slots=True)
class People:
    """Those whom a proxy signs in: what each may do and see, by name in small letters. `others`
    None: nothing, where they are not named."""

    named: Mapping[str, Scope]
    others: Scope | None = None
    sights: Mapping[str, Sight] = field(default_factory=dict)

    def caller(self, name: str, address: str) -> Caller:
        """This person, who may do nothing (scope `public`) where nobody said so.

        Directories take names in any case of letters, so `ALICE` is nobody else than `alice`: a
        limit may not be got round by a shift key.
        """
        name = name.casefold()
        scope = self.named.get(name, self.others) or Scope.PUBLIC
        return Caller(scope, name, address, self.sights.get(name, EVERYTHING))


class Gatekeeper:
    """Knows the tokens, as digests only, and the people whom a proxy signs in, if one does."""

    def __init__(self, credentials: Iterable[Credential], people: People | None = None) -> None:
        self._credentials: tuple[Credential, ...] = ()
        self._people: People | None = None
        self.replace(credentials, people)

    @property
    def open(self) -> bool:
        """True when nobody is asked who they are."""
        return not self._credentials and self._people is None

    def replace(self, credentials: Iterable[Credential], people: People | None = None) -> None:
        """From now on, these are the tokens, and the people."""
        self._credentials, self._people = tuple(credentials), people

    def caller(
        self, tokens: Sequence[str], address: str, person: str | None = None
    ) -> Caller | None:
        """Who shows these tokens; None when there are some and none of them is ours.

        Where several are ours, the first one counts. Every known token is compared with each,
        whatever the earlier comparisons gave, so that the time tells nothing. `person` is whom a
        trusted proxy names; a token that is shown counts before that.
        """
        if self.open:
            return Caller(None, LOCAL, address)
        if not tokens:
            if person is not None and self._people is not None:
                return self._people.caller(person, address)
            return Caller(Scope.PUBLIC, "", address)
        first: Credential | None = None
        for token in tokens[:TOKENS_MOST]:
            shown, made = digest_of(token), is_made(token)
            for one in self._credentials:
                equal = hmac.compare_digest(shown, one.digest)
                if equal and (made or not one.hashed) and first is None:
                    first = one
        if first is None:
            return None
        return Caller(first.scope, first.name, address, first.sight, first.digest)

    def still(self, caller: Caller) -> bool:
        """Whether the caller would be let in as the same now: what was shown may be replaced."""
        if caller.digest is not None:
            known = (caller.name, caller.scope, caller.digest, caller.sight)
            return any(
                (one.name, one.scope, one.digest, one.sight) == known for one in self._credentials
            )
        if caller.scope is None or self._people is None:
            return caller.scope is None and self.open
        return self._people.caller(caller.name, caller.address) == caller


def bearer(authorization: str | None) -> str | None:
    """The token of an Authorization header; None without one, and for another scheme, which is a
    proxy's business."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def tokens_of(authorization: str | None, header: str | None) -> list[str]:
    """The tokens that a request shows: our own header's first, then a bearer token."""
    return [token for token in (header, bearer(authorization)) if token is not None]


def subprotocol_token(subprotocols: Sequence[str]) -> str | None:
    """The token among the offered websocket subprotocols, if there is one."""
    for offered in subprotocols:
        if offered.startswith(SUBPROTOCOL_PREFIX):
            return offered.removeprefix(SUBPROTOCOL_PREFIX)
    return None


def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets; empty for what cannot be read."""
    try:
        return normal_host(host)
    except ValueError:
        return ""


def own_hosts(hosts: Iterable[str], names: Iterable[str]) -> bool:
    """Whether all names that we were called by are of this machine: loopback, or of `names`.

    All, because a proxy may pass on what a page of a rebound name wrote.
    """
    known = LOOPBACK_NAMES | {host_name(name) for name in names} - {""}
    return all(host_name(host) in known for host in hosts)


def same_origin(origin: str | None, hosts: Iterable[str], allowed: Iterable[str]) -> bool:
    """Whether a request with this Origin header may act: none, our own, or an allowed one.

    `hosts` are the names that we were called by. The scheme is compared with an allowed origin's,
    not with our own: behind a proxy that ends TLS we see http where the page sees https. A port
    that is left out is the default one of the origin's scheme.
    """
    if origin is None or any(same_authority(origin, host) for host in hosts):
        return True
    return _normal(origin) in {_normal(one) for one in allowed} - {None}


def _normal(origin: str) -> str | None:
    try:
        return normal_origin(origin)
    except ValueError:
        return None
