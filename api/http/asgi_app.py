"""The ASGI app that the server calls: Quart, and what is answered without it.

Answered here are webhooks (`api/webhooks/endpoint.py`), files of pages (`api/pages/door.py`),
`/healthz`, requests whose Host names no host, and every request while the service stops. All others
are counted, so that a stop waits for their answers.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from actors.cluster.release import installed_version
from api.http.auth import host_name
from api.http.exchange import AsgiScope, Exchange, Receive, Send
from api.http.problems import BAD_HTTP, STOPPING, Problem
from api.http.services import Services
from api.logging import bind_request_id
from api.pages.door import StaticDoor
from api.webhooks.endpoint import KIND_BY_PATH, Endpoint

Asgi = Callable[[Any, Any, Any], Awaitable[None]]

ALIVE = "/healthz"
VERSION_HEADER = "lamplighter-version"
"""Which release answers the probe, for whoever rolls one out; the description tells it, too."""
PROBES = frozenset({ALIVE, "/readyz"})


class AsgiApp:
    """ASGI in front of ASGI; `inner` is Quart's own app."""

    def __init__(
        self, inner: Asgi, services: Services, webhooks: Endpoint, pages: StaticDoor
    ) -> None:
        self.inner = inner
        self._webhooks = webhooks
        self._pages = pages
        self._web = services.settings.web
        self._shutdown = services.shutdown
        self._peers = services.peers

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer a request, or have Quart answer it."""
        if scope["type"] == "lifespan":
            await self.inner(scope, receive, send)
            return
        peer = self._peers.of(scope)
        host = peer.hosts[0]
        if scope["type"] == "websocket":  # counted, and sent away when we stop, by their own hub
            if _is_host(host):
                await self.inner(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        exchange = Exchange(receive, send, self._web.unread_s, self._web.body_bytes_most)
        # URLs written by hand often end with a slash.
        method, path = scope["method"], scope["path"].rstrip("/")
        if path == ALIVE and method in {"GET", "HEAD"}:
            await exchange.discard_body()
            headers = {"cache-control": "no-store", VERSION_HEADER: installed_version()}
            await exchange.answer(204, headers=headers)
        elif not _is_host(host):  # which Quart would trip over
            await exchange.discard_body()
            problem = Problem(BAD_HTTP, "the Host header names no host")
            await exchange.refuse(problem, bind_request_id(None))
        elif self._shutdown.begun and path not in PROBES:
            problem = Problem(STOPPING, headers={"Connection": "close"})
            await exchange.refuse(problem, bind_request_id(None))
        else:
            with self._shutdown.answering():
                if method == "POST" and path in KIND_BY_PATH:
                    await self._webhooks.answer(scope, path, peer, exchange)
                elif not await self._pages.answers(scope, peer, exchange):
                    await self.inner(scope, exchange.receive, exchange.send)


def _is_host(host: str) -> bool:
    """Whether a Host header names a host, or nothing, as it may."""
    return not host or host_name(host) != ""
