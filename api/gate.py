"""What happens before and after every request: id, token, rate, origin; headers and a log line.

The rule it keeps: what is not marked otherwise is refused. Only pages, docs and health are public.
"""

import secrets

import structlog
import trio
from quart import Quart, Response, current_app, g, request, websocket
from quart.wrappers import Request, Websocket

from api.auth import (
    TOKEN_HEADER,
    Caller,
    Scope,
    own_host,
    same_origin,
    scope_of,
    token_of,
)
from api.logging import usable_request_id
from api.problems import (
    FORBIDDEN,
    RATE_LIMITED,
    UNAUTHENTICATED,
    WRONG_HOST,
    WRONG_ORIGIN,
    Problem,
)
from api.services import Services, services

log = structlog.get_logger()

REQUEST_ID_HEADER = "X-Request-ID"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Probes come every second, and from where no token is known; webhooks count wrong tokens only. The
# dashboard is some 40 small files: a few reloads must not leave half of it behind.
_UNLIMITED = frozenset(
    {
        "health.healthz",
        "health.readyz",
        "static",
        "webhooks.chirpstack",
        "webhooks.chirpstack_uplink",
    }
)
# Quart's own view of the static folder cannot be marked.
_PUBLIC_ENDPOINTS = frozenset({"static"})
# One log line per probe, scrape or webhook would drown the others.
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
    """Put the gate in front of every route of the app, added ones included."""
    app.before_request(_before)
    app.after_request(_after)
    app.before_websocket(_before_websocket)


async def _before() -> None:
    g.began = trio.current_time()
    bind_request_id(request.headers.get(REQUEST_ID_HEADER))
    here = services()
    check_host(here, request)
    caller = _caller(here)
    g.caller = caller
    if request.endpoint is None:
        return  # 404 or 405, which tells nobody anything
    if request.endpoint not in _UNLIMITED:
        charge(here, caller.name)
    view = current_app.view_functions.get(request.endpoint)
    needed = scope_of(view, request.method)
    if request.endpoint in _PUBLIC_ENDPOINTS:
        needed = Scope.PUBLIC
    if not caller.may(needed):
        if caller.scope is Scope.PUBLIC:
            raise Problem(UNAUTHENTICATED, headers={"WWW-Authenticate": "Bearer"})
        raise Problem(FORBIDDEN, f"needs scope {needed.value}")
    if request.method not in _SAFE:
        headers, allowed = request.headers, here.settings.web.origins
        if not same_origin(headers.get("Origin"), headers.get("Host", ""), allowed):
            raise Problem(WRONG_ORIGIN)


async def _before_websocket() -> None:
    bind_request_id(websocket.headers.get(REQUEST_ID_HEADER))
    here = services()
    check_host(here, websocket)
    charge(here, websocket.headers.get("Remote-Addr", ""))


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
    meters, status = services().meters, str(response.status_code)
    meters.requests.labels(request.method, route, status).inc()
    meters.seconds.labels(route).observe(took_s)
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


def check_host(here: Services, asked: Request | Websocket) -> None:
    """While no token is asked for, be reachable by our own names only (DNS rebinding)."""
    if not here.gatekeeper.open:
        return
    web = here.settings.web
    if not own_host(asked.headers.get("Host", ""), (web.bind, *web.hosts)):
        raise Problem(WRONG_HOST, "no token is configured; add the name to web.hosts")


def charge(here: Services, client: str) -> None:
    """Count a request against its client. Raises Problem (429) when it asks too much."""
    wait_s = here.limiter.take(client, trio.current_time())
    if wait_s:
        raise too_many(wait_s)


def too_many(wait_s: float) -> Problem:
    """The problem to answer with when the next request may come in `wait_s` seconds."""
    return Problem(RATE_LIMITED, headers={"Retry-After": str(int(wait_s) + 1)})


def _caller(here: Services) -> Caller:
    """Who asks. Raises Problem for a token that is none of ours, which counts as a request."""
    address = request.headers.get("Remote-Addr", "")
    token = token_of(request.headers.get("Authorization"), request.headers.get(TOKEN_HEADER))
    caller = here.gatekeeper.caller(token, address)
    if caller is None:
        charge(here, address)
        raise Problem(UNAUTHENTICATED, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return caller
