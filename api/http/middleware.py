"""What happens before and after every request: id, token, rate, origin; headers and a log line.

Every route needs a token unless it is marked otherwise. Only pages, docs and health are public.
"""

import secrets
from typing import cast

import structlog
import trio
from quart import Quart, Request, Response, Websocket, current_app, g, request, websocket

from api.http.auth import (
    TOKEN_HEADER,
    Caller,
    Scope,
    own_hosts,
    same_origin,
    scope_of,
    subprotocol_token,
    tokens_of,
)
from api.http.exchange import REQUEST_ID_HEADER, AsgiScope
from api.http.peers import Peer, network_of
from api.http.problems import (
    FORBIDDEN,
    RATE_LIMITED,
    UNAUTHENTICATED,
    WRONG_HOST,
    WRONG_ORIGIN,
    Problem,
)
from api.http.services import Services, services
from api.logging import usable_request_id
from api.server.connection import SLOT

log = structlog.get_logger()

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = _SAFE | {"POST", "PUT", "PATCH", "DELETE"}
# What is public is not limited (`_before`): probes come every second, the dashboard is some 40
# small files, and a flood from its address may not lock it out. Nor is an OPTIONS on a webhook; its
# POST never comes here, and has a limit of its own (`api/webhooks/endpoint.py`).
_UNLIMITED = frozenset({"webhooks.chirpstack", "webhooks.chirpstack_uplink"})
# Quart's own view of the static folder cannot be marked.
_PUBLIC_ENDPOINTS = frozenset({"static"})
# Characters of what a caller wrote that are repeated in a problem.
_QUOTED_CHARS = 200
# A line for each probe or scrape would bury the others in the log.
_QUIET = frozenset({"health.healthz", "health.readyz", "metrics.prometheus"})

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def install(app: Quart) -> None:
    """Have every route of the app pass this, added ones included."""
    app.before_request(_before)
    app.after_request(_after)
    app.before_websocket(_before_websocket)


async def _before() -> None:
    g.began = trio.current_time()
    bind_request_id(request.headers.get(REQUEST_ID_HEADER))
    here = services()
    peer = here.peers.of(scope(request))
    check_host(here, peer)
    needed = _needed()
    caller = here.gatekeeper.caller(_shown(request), peer.address)
    if caller is None:
        caller = Caller(Scope.PUBLIC, peer.address)
        if needed is not Scope.PUBLIC:
            g.caller = caller
            charge(here, caller)
            raise wrong_token()
    g.caller = caller
    keep_connection(scope(request), caller)
    if request.endpoint is None:
        return  # 404 or 405, which reveals nothing
    if needed is not Scope.PUBLIC and request.endpoint not in _UNLIMITED:
        charge(here, caller)
    if not caller.may(needed):
        if caller.scope is Scope.PUBLIC:
            raise Problem(UNAUTHENTICATED, headers={"WWW-Authenticate": "Bearer"})
        raise Problem(FORBIDDEN, f"needs scope {needed.value}")
    if request.method not in _SAFE:
        check_origin(here, request, peer)


def _needed() -> Scope:
    """The scope that the request needs; what does not exist needs none."""
    if request.endpoint is None or request.endpoint in _PUBLIC_ENDPOINTS:
        return Scope.PUBLIC
    return scope_of(current_app.view_functions.get(request.endpoint), request.method)


async def _before_websocket() -> None:
    bind_request_id(websocket.headers.get(REQUEST_ID_HEADER))
    here = services()
    peer = here.peers.of(scope(websocket))
    check_host(here, peer)
    shown = _shown(websocket)
    if (token := subprotocol_token(websocket.requested_subprotocols)) is not None:
        shown.append(token)
    caller = here.gatekeeper.caller(shown, peer.address)
    g.caller = caller or Caller(Scope.PUBLIC, peer.address)
    if caller is None or caller.known:  # a client that shows no token yet has some seconds to do it
        charge(here, g.caller)
    if caller is None:
        raise wrong_token()
    keep_connection(scope(websocket), caller)
    check_origin(here, websocket, peer)


async def _after(response: Response) -> Response:
    headers = response.headers
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    if request.endpoint not in _PUBLIC_ENDPOINTS and "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id is not None:
        headers[REQUEST_ID_HEADER] = request_id
    began = g.get("began")
    took_s = trio.current_time() - began if began is not None else 0.0
    route = request.url_rule.rule if request.url_rule is not None else "none"
    http_metrics, status = services().http_metrics, str(response.status_code)
    # A method may be any word; each would be kept as a line of its own for ever.
    method = request.method if request.method in _METHODS else "other"
    http_metrics.requests.labels(method, route, status).inc()
    http_metrics.seconds.labels(route).observe(took_s)
    write = log.debug if request.endpoint in _QUIET else log.info
    caller: Caller | None = g.get("caller")
    write(
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        took_ms=round(took_s * 1000, 1),
        client=caller.name if caller is not None else request.headers.get("Remote-Addr", ""),
    )
    return response


def bind_request_id(offered: str | None) -> str:
    """Take or make the request's id, and put it in every log line of this task."""
    request_id = usable_request_id(offered) or secrets.token_hex(16)
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return request_id


def check_host(here: Services, peer: Peer) -> None:
    """While no token is asked for, be reachable by our own names only (DNS rebinding)."""
    if not here.gatekeeper.open:
        return
    web = here.settings.web
    if not own_hosts(peer.hosts, (web.bind, *web.hosts)):
        called = ", ".join(sorted(set(peer.hosts)))[:_QUOTED_CHARS]
        raise Problem(
            WRONG_HOST, f"called {called!r}; no token is configured: add the name to web.hosts"
        )


def check_origin(here: Services, asked: Request | Websocket, peer: Peer) -> None:
    """Pages of another origin change nothing and follow nothing. Raises Problem."""
    origin = asked.headers.get("Origin")
    if not same_origin(origin, peer.hosts, here.settings.web.origins):
        called = ", ".join(sorted(set(peer.hosts)))[:_QUOTED_CHARS]
        raise Problem(
            WRONG_ORIGIN,
            f"the page's origin is {str(origin)[:_QUOTED_CHARS]!r}, and this service was called "
            f"{called!r}; if the page is yours, add its origin to web.origins, or have the proxy "
            "pass on the Host header",
        )


def charge(here: Services, caller: Caller) -> None:
    """Count a request against the token that was shown, or else the address. Raises Problem (429)
    when it asks too much."""
    now = trio.current_time()
    if caller.digest is not None:
        wait_s = here.token_limiter.take(caller.name, now)
    else:
        wait_s = here.limiter.take(network_of(caller.name), now)
    if wait_s:
        raise too_many(wait_s)


def keep_connection(scope: AsgiScope, caller: Caller) -> None:
    """Let the connection of who showed a valid token be kept when there are too many."""
    slot = scope.get("state", {}).get(SLOT)
    if slot is not None and caller.known:
        slot.authenticate()


def too_many(wait_s: float) -> Problem:
    """The problem to answer with when the next request may come in `wait_s` seconds."""
    return Problem(RATE_LIMITED, headers={"Retry-After": str(int(wait_s) + 1)})


def wrong_token() -> Problem:
    """The problem to answer with when what was shown is none of our tokens."""
    return Problem(UNAUTHENTICATED, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def _shown(asked: Request | Websocket) -> list[str]:
    headers = asked.headers
    return tokens_of(headers.get("Authorization"), headers.get(TOKEN_HEADER))


def scope(asked: Request | Websocket) -> AsgiScope:
    """What the server said of a request."""
    return cast("AsgiScope", asked.scope)
