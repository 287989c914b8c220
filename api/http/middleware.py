"""What happens before and after every request: id, token, rate, origin; headers and a log line.

Every route needs a token unless it is marked otherwise. Only pages, docs and health are public.
"""

from collections.abc import Callable
from typing import cast

import structlog
import trio
from quart import Quart, Request, Response, Websocket, current_app, g, request, websocket

from api.http.access import SAFE, tell
from api.http.audit import note_refused
from api.http.auth import (
    TOKEN_HEADER,
    Caller,
    Scope,
    scope_of,
    subprotocol_token,
    tokens_of,
)
from api.http.carrying import CARRIED, caller_of
from api.http.checks import (
    charge,
    check_host,
    check_origin,
    keep_connection,
    person_of,
    wrong_token,
)
from api.http.exchange import REQUEST_ID_HEADER, AsgiScope
from api.http.problems import FORBIDDEN, UNAUTHENTICATED, Problem
from api.http.security_headers import SECURITY_HEADERS
from api.http.services import services
from api.http.sight import check_sight
from api.logging import bind_request_id

# What is public is not limited (`_before`): probes come every second, the dashboard is some 110
# small files, and a flood from its address may not lock it out. Nor is an OPTIONS on a webhook; its
# POST never comes here, and has a limit of its own (`api/webhooks/endpoint.py`).
_UNLIMITED = frozenset({"webhooks.chirpstack", "webhooks.chirpstack_uplink"})
# A line for each probe or scrape would bury the others in the log.
_QUIET = frozenset({"health.healthz", "health.readyz", "metrics.prometheus"})


def install(app: Quart) -> None:
    """Have every route of the app pass this, added ones included."""
    app.before_request(_before)
    app.after_request(_after)
    app.before_websocket(_before_websocket)


async def _before() -> None:
    g.began = trio.current_time()
    bind_request_id(request.headers.get(REQUEST_ID_HEADER))
    carried = scope(request).get(CARRIED)
    if carried is not None:  # checked where it came from
        g.caller = caller_of(carried)
        check_sight(g.caller, _view(), request.view_args)
        return
    here = services()
    peer = here.peers.of(scope(request))
    check_host(here, peer)
    needed = _needed()
    caller = here.gatekeeper.caller(_shown(request), peer.address, person_of(peer))
    if caller is None:
        caller = Caller(Scope.PUBLIC, "", peer.address)
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
        if caller.scope is Scope.PUBLIC and not caller.name:
            raise Problem(UNAUTHENTICATED, headers={"WWW-Authenticate": "Bearer"})
        why = _why_not(caller, needed)
        note_refused(request.method, request.path, why)
        raise Problem(FORBIDDEN, why)
    if needed is not Scope.PUBLIC:
        _check_sight(caller)
    if request.method not in SAFE:
        check_origin(here, request.headers.get("Origin"), peer)


def _check_sight(caller: Caller) -> None:
    try:
        check_sight(caller, _view(), request.view_args)
    except Problem as problem:
        if problem.kind is FORBIDDEN:
            note_refused(request.method, request.path, problem.detail)
        raise


def _why_not(caller: Caller, needed: Scope) -> str:
    if caller.scope is Scope.PUBLIC:
        return f"{caller.name} is signed in, and may do nothing here: see web.users"
    return f"needs scope {needed.value}"


def _needed() -> Scope:
    """The scope that the request needs; what does not exist needs none."""
    if request.endpoint is None:
        return Scope.PUBLIC
    return scope_of(_view(), request.method)


def _view() -> Callable[..., object] | None:
    return current_app.view_functions.get(request.endpoint or "")


async def _before_websocket() -> None:
    bind_request_id(websocket.headers.get(REQUEST_ID_HEADER))
    here = services()
    peer = here.peers.of(scope(websocket))
    check_host(here, peer)
    shown = _shown(websocket)
    if (token := subprotocol_token(websocket.requested_subprotocols)) is not None:
        shown.append(token)
    caller = here.gatekeeper.caller(shown, peer.address, person_of(peer))
    g.caller = caller or Caller(Scope.PUBLIC, "", peer.address)
    if caller is None or caller.known:  # a client that shows no token yet has some seconds to do it
        charge(here, g.caller)
    if caller is None:
        raise wrong_token()
    keep_connection(scope(websocket), caller)
    check_origin(here, websocket.headers.get("Origin"), peer)


async def _after(response: Response) -> Response:
    headers = response.headers
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store")
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id is not None:
        headers[REQUEST_ID_HEADER] = request_id
    began = g.get("began")
    took_s = trio.current_time() - began if began is not None else 0.0
    route = request.url_rule.rule if request.url_rule is not None else "none"
    caller: Caller | None = g.get("caller")
    tell(
        services().http_metrics,
        request.method,
        request.path,
        route,
        response.status_code,
        took_s,
        client=caller.address if caller is not None else request.headers.get("Remote-Addr", ""),
        by=caller.name if caller is not None else "",
        quiet=request.endpoint in _QUIET,
    )
    return response


def _shown(asked: Request | Websocket) -> list[str]:
    headers = asked.headers
    return tokens_of(headers.get("Authorization"), headers.get(TOKEN_HEADER))


def scope(asked: Request | Websocket) -> AsgiScope:
    """What the server said of a request."""
    return cast("AsgiScope", asked.scope)
