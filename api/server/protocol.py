"""HTTP/1.1 over one connection: hypercorn's, but it reads strictly and says why it refuses."""

from typing import Any, cast

import h11

from api.http.problems import BAD_HTTP, MEDIA_TYPE, TYPE_PREFIX, problem_body
from api.server.hypercorn_internals import STREAM_ID, H11Protocol, H11WSConnection, Request
from api.server.strict_http import Strict
from api.server.websocket import BoundedWebsocket


class Protocol(H11Protocol):
    """Becomes a websocket when it is asked to, and never HTTP/2."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.strict = Strict(
            h11.SERVER, max_incomplete_event_size=self.config.h11_max_incomplete_size
        )
        self.connection = self.strict
        self.refused = False

    async def _create_stream(self, request: h11.Request) -> None:
        if not asks_for_websocket(request):
            await super()._create_stream(request)
            return
        opening = Request(
            stream_id=STREAM_ID,
            headers=list(request.headers),
            http_version=request.http_version.decode(),
            method=request.method.decode(),
            raw_path=request.target,
            state=self.connection_state,
        )
        around = (self.app, self.config, self.context, self.task_group, self.ssl)
        self.stream = websocket = BoundedWebsocket(
            opening, *around, self.client, self.server, self.stream_send, STREAM_ID
        )
        self.connection = H11WSConnection(cast("h11.Connection", self.connection))
        await websocket.open()
        self.keep_alive_requests += 1
        await self.context.mark_request()

    async def _send_error_response(self, status_code: int) -> None:
        self.refused = True
        kind = BAD_HTTP
        body = problem_body(TYPE_PREFIX + kind.slug, kind.title, status_code, self.strict.refusal)
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            *self.config.response_headers("h11"),
        ]
        await self._send_h11_event(h11.Response(status_code=status_code, headers=headers))
        await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())


def asks_for_websocket(request: h11.Request) -> bool:
    """Whether this is the opening of a websocket (RFC 6455, section 4.1); of repeated headers the
    last one counts."""
    headers = {name.strip().lower(): value.strip().lower() for name, value in request.headers}
    tokens = {token.strip() for token in headers.get(b"connection", b"").split(b",")}
    return (
        request.method.upper() == b"GET"
        and b"upgrade" in tokens
        and headers.get(b"upgrade") == b"websocket"
    )
