"""What stands before Quart: the count of running requests, and the short way for webhooks.

The rule it keeps: it answers `POST` on the two webhook paths and hands on everything else. Through
Quart a webhook costs twice the CPU (885 us against 426, measured with hypercorn 0.18 at 50
connections), for routing, contexts and two tasks that a webhook has no use for.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import structlog
import trio

from api.http.auth import TOKEN_HEADER, host_name, own_hosts, tokens_of
from api.http.exchange import Exchange, Receive, Send
from api.http.middleware import REQUEST_ID_HEADER, bind_request_id
from api.http.problems import (
    BAD_HTTP,
    BODY_TIMEOUT,
    BODY_TOO_LARGE,
    INTERNAL,
    INVALID,
    MEDIA_TYPE,
    STOPPING,
    WRONG_HOST,
    Problem,
)
from api.http.services import Services
from api.server.connection import PLACE
from api.server.connection_slots import ConnectionSlot
from api.validation import Mistake
from api.webhooks.intake import Webhook

log = structlog.get_logger()

Scope = MutableMapping[str, Any]
Asgi = Callable[[Any, Any, Any], Awaitable[None]]

EVENT_BY_PATH = {"/api/v1/webhooks/chirpstack": "", "/api/v1/webhooks/chirpstack/uplink": "up"}
"""The webhook paths, and the event that each means where the URL names none."""

# ChirpStack sends one, and a proxy may add a few.
PARAMETERS_MOST = 20

ALIVE = "/healthz"
PROBES = frozenset({ALIVE, "/readyz"})

_HEADERS = {
    name.encode(): name
    for name in (
        "authorization",
        "content-length",
        "content-type",
        REQUEST_ID_HEADER.lower(),
        TOKEN_HEADER.lower(),
    )
}


class Ingest:
    """ASGI in front of ASGI."""

    def __init__(self, inner: Asgi, services: Services) -> None:
        self.inner = inner
        self._webhooks = services.webhooks
        self._gatekeeper = services.gatekeeper
        self._web = services.settings.web
        self._shutdown = services.shutdown
        self._peers = services.peers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a webhook, and whether we live; hand on everything else; send
        requests away when the service stops."""
        if scope["type"] == "lifespan":
            await self.inner(scope, receive, send)
            return
        host = self._peers.of(scope).hosts[0]
        if scope["type"] == "websocket":  # counted, and sent away when we stop, by their own hub
            if _is_host(host):
                await self.inner(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        exchange = Exchange(receive, send, self._web.unread_s, self._web.body_bytes_most)
        path = scope["path"].rstrip("/")
        if path == ALIVE and scope["method"] in {"GET", "HEAD"}:
            await exchange.shutdown()
            await _send(send, 204, b"", {"cache-control": "no-store"}, None)
        elif not _is_host(host):  # which Quart would trip over
            await exchange.shutdown()
            problem = Problem(BAD_HTTP, "the Host header names no host")
            await _send_problem(send, problem, bind_request_id(None))
        elif self._shutdown.begun and path not in PROBES:
            problem = Problem(STOPPING, headers={"Retry-After": "10", "Connection": "close"})
            await _send_problem(send, problem, bind_request_id(None))
        else:
            with self._shutdown.answering():
                if scope["method"] == "POST" and path in EVENT_BY_PATH:
                    await self._answer(scope, exchange, send)
                else:
                    await self.inner(scope, exchange.receive, exchange.send)

    async def _answer(self, scope: Scope, exchange: Exchange, send: Send) -> None:
        headers = _headers(scope["headers"])
        offered_id = headers.get(REQUEST_ID_HEADER.lower())
        request_id = bind_request_id(offered_id) if offered_id is not None else None
        try:
            status = await self._take(scope, headers, exchange.receive)
        except Problem as problem:
            request_id = request_id or bind_request_id(None)
            if problem.kind not in {BODY_TIMEOUT, STOPPING}:
                await exchange.shutdown()
            await _send_problem(send, problem, request_id)
        except Exception:
            request_id = request_id or bind_request_id(None)
            log.exception("webhook failed")
            await _send_problem(send, Problem(INTERNAL), request_id)
        else:
            if status is not None:
                await _send(send, status, b"", {}, request_id)

    async def _take(self, scope: Scope, headers: dict[str, str], receive: Receive) -> int | None:
        peer = self._peers.of(scope)
        if self._gatekeeper.open and not own_hosts(peer.hosts, (self._web.bind, *self._web.hosts)):
            raise Problem(WRONG_HOST, "no token is configured; add the name to web.hosts")
        webhook = Webhook(
            event=_event(scope["query_string"], EVENT_BY_PATH[_webhook_path(scope)]),
            media_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
            tokens=tokens_of(headers.get("authorization"), headers.get(TOKEN_HEADER.lower())),
            address=peer.address,
        )
        caller = self._webhooks.admit(webhook)
        place: ConnectionSlot | None = scope["state"].get(PLACE)
        if place is not None and caller.known:
            place.prove()
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > self._web.body_bytes_most:
            raise Problem(BODY_TOO_LARGE)
        with (
            trio.move_on_after(self._web.body_timeout_s) as scope_of_body,
            self._shutdown.handling(scope_of_body),
        ):
            body = await _read(receive, self._web.body_bytes_most)
            return None if body is None else self._webhooks.take(webhook, body)
        if self._shutdown.over:
            raise Problem(STOPPING, headers={"Retry-After": "10"})
        raise Problem(BODY_TIMEOUT)


def _is_host(host: str) -> bool:
    """Whether a Host header names a host, or nothing, as it may."""
    return not host or host_name(host) != ""


async def _read(receive: Receive, most: int) -> bytes | None:
    """The whole body; None when the peer left. Raises Problem when it is larger than `most`."""
    message = await receive()
    body = message.get("body", b"")
    parts = [body]
    size = len(body)
    while message["type"] == "http.request" and message.get("more_body", False):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise Problem(BODY_TOO_LARGE)
    return None if message["type"] == "http.disconnect" else b"".join(parts)


def _webhook_path(scope: Scope) -> str:
    """The path, without the slash at its end that URLs written by hand often have."""
    path: str = scope["path"]
    return path.rstrip("/")


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers that matter; of repeated ones the first."""
    found: dict[str, str] = {}
    for name, value in raw:
        known = _HEADERS.get(name.lower())
        if known is not None and known not in found:
            found[known] = value.decode("latin-1")
    return found


def _event(query: bytes, default: str) -> str:
    if query.startswith(b"event=") and query[6:].isalpha():  # as ChirpStack sends it
        return query[6:].decode()
    try:
        values = parse_qs(query.decode("latin-1"), max_num_fields=PARAMETERS_MOST).get("event")
    except ValueError:
        mistake = Mistake("", f"has more than {PARAMETERS_MOST} parameters in the query")
        raise Problem(INVALID, errors=[mistake]) from None
    return values[0] if values else default


async def _send_problem(send: Send, problem: Problem, request_id: str) -> None:
    headers = {"content-type": MEDIA_TYPE, **problem.headers}
    await _send(send, problem.kind.status, problem.body(), headers, request_id)


async def _send(
    send: Send, status: int, body: bytes, headers: dict[str, str], request_id: str | None
) -> None:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    raw.append((b"x-content-type-options", b"nosniff"))
    if request_id is not None:
        raw.append((REQUEST_ID_HEADER.lower().encode(), request_id.encode()))
    if status != 204:
        raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": False})
