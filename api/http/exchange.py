"""One request over ASGI and its answer, both whole.

The last part of an answer is sent when the request's body has arrived, or does not arrive soon, and
sending it is not cancelled. Hypercorn (0.18) reports the disconnect while it is still ending an
answer, and Quart then cancels the handler. Where a refusal had been sent before the body came, that
left the connection neither served nor closed: its next request hung, and its descriptor was lost.

Of a body no more is handed on than one byte beyond the limit: Quart (0.23) keeps all that comes,
asked for or not.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any

import trio

from api.http.problems import BODY_TOO_LARGE, MEDIA_TYPE, Problem

AsgiScope = MutableMapping[str, Any]
"""What the server says of a request."""
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

REQUEST_ID_HEADER = "X-Request-ID"

BODY_PATIENCE_S = 1.0
"""For the rest of a body that is not read: several round trips. Then the connection is closed."""


class Exchange:
    """Stands between the server and an app. Quart reads `receive` to its end in a task of its own;
    an app that does not has to `discard_body` before it answers."""

    def __init__(
        self, receive: Receive, send: Send, send_most_s: float, body_bytes_most: int
    ) -> None:
        self._receive = receive
        self._room = body_bytes_most + 1
        self._send = send
        self._send_most_s = send_most_s
        self._arrived = trio.Event()

    async def receive(self) -> Message:
        """The next part of the request."""
        message = await self._receive()
        if not (message["type"] == "http.request" and message.get("more_body", False)):
            self._arrived.set()
        body = message.get("body", b"")
        if len(body) > self._room:
            message = {**message, "body": body[: self._room]}
        self._room -= len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        """A part of the answer; the last one ends the exchange."""
        if message["type"] != "http.response.body" or message.get("more_body", False):
            await self._send(message)
            return
        if not self._arrived.is_set():
            with trio.move_on_after(BODY_PATIENCE_S):
                await self._arrived.wait()
        with trio.move_on_after(self._send_most_s, shield=True):
            await self._send(message)

    async def discard_body(self) -> None:
        """Read the rest of a body that is not needed, so that the connection can be used again."""
        with trio.move_on_after(BODY_PATIENCE_S):
            while not self._arrived.is_set():
                await self.receive()

    async def read(self) -> bytes | None:
        """The whole body; None when the peer left.

        Raises Problem (413) as soon as it is larger than it may be.
        """
        parts: list[bytes] = []
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
            if self._room <= 0:
                raise Problem(BODY_TOO_LARGE)
        return b"".join(parts)

    async def answer(
        self,
        status: int,
        body: bytes = b"",
        headers: Mapping[str, str] = MappingProxyType({}),
        request_id: str | None = None,
    ) -> None:
        """A whole answer; the caller has read the body before, or discarded it."""
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        raw.append((b"x-content-type-options", b"nosniff"))
        if request_id is not None:
            raw.append((REQUEST_ID_HEADER.lower().encode(), request_id.encode()))
        if status != 204:
            raw.append((b"content-length", str(len(body)).encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": raw})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def refuse(self, problem: Problem, request_id: str) -> None:
        """A problem as the answer."""
        headers = {"content-type": MEDIA_TYPE, **problem.headers}
        await self.answer(problem.kind.status, problem.body(), headers, request_id)
