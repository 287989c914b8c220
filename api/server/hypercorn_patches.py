"""Every part of hypercorn, wsproto and h11 that is no public promise of theirs, in one place.

The rule it keeps: each is looked for at import, and a version that lacks it is refused in words.
We take hypercorn's reading and writing of HTTP/1.1 and websockets; accepting, closing and all
limits are ours (`server.py`, `connection.py`).

Two of its websocket parts are replaced (0.18): a message that is found too long is kept all the
same, and a compressed one is measured when it is unpacked, a thousand times as long.
"""

import zlib
from importlib.metadata import version
from typing import Any

import h11
import hypercorn.protocol.h11
import hypercorn.protocol.ws_stream
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.ws_stream import FrameTooLargeError, WebsocketBuffer, WSStream
from hypercorn.trio.lifespan import Lifespan
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.worker_context import WorkerContext
from wsproto.events import Message
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol

from api.http.problems import BAD_HTTP, MEDIA_TYPE, TYPE_PREFIX, problem_body
from api.server.strict_http import Strict

__all__ = [
    "MESSAGE_BYTES",
    "ASGIWrapper",
    "Closed",
    "Event",
    "Lifespan",
    "Protocol",
    "RawData",
    "TaskGroup",
    "Updated",
    "WSStream",
    "WorkerContext",
    "install",
]

MESSAGE_BYTES = 64 * 1024
"""Of one websocket message; the live protocol's own limit is lower and politer."""

_NEEDED: tuple[tuple[object, tuple[str, ...]], ...] = (
    (H11Protocol, ("handle", "initiate", "stream_send", "_send_error_response", "_send_h11_event")),
    (hypercorn.protocol.ws_stream, ("WebsocketBuffer", "PerMessageDeflate")),
    (WebsocketBuffer, ("extend", "clear", "to_message")),
    (Lifespan, ("handle_lifespan", "wait_for_startup", "wait_for_shutdown")),
    (TaskGroup, ("spawn", "spawn_app")),
    (WorkerContext(None), ("terminated", "event_class")),
    (
        PerMessageDeflate(),
        ("_inbound_compressed", "_inbound_is_compressible", "_decompressor"),
    ),
    (h11.Connection, ("next_event", "trailing_data", "their_state", "our_state")),
)


def check() -> None:
    """Raises ImportError, which names the part, where one of them is not as we know it."""
    for owner, names in _NEEDED:
        for name in names:
            if not hasattr(owner, name):
                installed = ", ".join(f"{p} {version(p)}" for p in ("hypercorn", "wsproto", "h11"))
                raise ImportError(
                    f"{owner!r} has no {name}: the web server does not know these versions "
                    f"({installed}); pyproject.toml names the ones that it knows"
                )


check()


class Protocol(H11Protocol):
    """Hypercorn's HTTP/1.1, reading strictly, and refusing in words. It never becomes HTTP/2."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.strict = Strict(
            h11.SERVER, max_incomplete_event_size=self.config.h11_max_incomplete_size
        )
        self.connection = self.strict
        self.refused = False

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


class Buffer(WebsocketBuffer):
    """The fragments of one message; what would make it too long is not kept."""

    def extend(self, event: Message[Any]) -> None:
        """Add a fragment. Raises FrameTooLargeError, upon which the websocket is closed (1009)."""
        if self.length + len(event.data) > self.max_length:
            raise FrameTooLargeError
        super().extend(event)


class Deflate(PerMessageDeflate):
    """Unpacks no more of what came at once than a message may have."""

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        """What came, unpacked; or why it cannot be."""
        packed = self._inbound_compressed and self._inbound_is_compressible
        if not packed or self._decompressor is None:
            return super().frame_inbound_payload_data(proto, data)
        try:
            found = self._decompressor.decompress(bytes(data), MESSAGE_BYTES + 1)
        except zlib.error:
            return CloseReason.INVALID_FRAME_PAYLOAD_DATA
        return found if len(found) <= MESSAGE_BYTES else CloseReason.MESSAGE_TOO_BIG


def install() -> None:
    """Have hypercorn use the two: it offers no other way."""
    hypercorn.protocol.ws_stream.WebsocketBuffer = Buffer  # type: ignore[misc]
    hypercorn.protocol.ws_stream.PerMessageDeflate = Deflate  # type: ignore[attr-defined]
