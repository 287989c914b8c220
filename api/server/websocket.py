"""A websocket that keeps no more of a message than it may have.

Hypercorn's (0.18) keeps a message that it found too long all the same, and measures a compressed
one when it is unpacked, which may be a thousand times as long.
"""

import zlib
from typing import Any

from hypercorn.typing import WebsocketAcceptEvent
from wsproto.connection import Connection, ConnectionType
from wsproto.events import Message
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol
from wsproto.handshake import server_extensions_handshake

from api.server.hypercorn_internals import (
    FrameTooLargeError,
    Handshake,
    PerMessageDeflate,
    Request,
    WebsocketBuffer,
    WSStream,
)

MESSAGE_BYTES = 64 * 1024
"""Of one websocket message; the live protocol's own limit is lower and politer."""


class BoundedWebsocket(WSStream):
    """Hypercorn's websocket with the bounds of this module."""

    def __init__(self, request: Request, *args: Any) -> None:
        super().__init__(*args)
        self.buffer = BoundedBuffer(self.config.websocket_max_message_size)
        self._request = request

    async def open(self) -> None:
        """Hand the request to the app, which accepts or refuses."""
        await self.handle(self._request)

    async def _accept(self, message: WebsocketAcceptEvent) -> None:
        self.handshake = BoundedHandshake(self._request.headers, self._request.http_version)
        await super()._accept(message)


class BoundedBuffer(WebsocketBuffer):
    """The fragments of one message; what would make it too long is not kept."""

    def extend(self, event: Message[Any]) -> None:
        """Add a fragment. Raises FrameTooLargeError, upon which the websocket is closed (1009)."""
        if self.length + len(event.data) > self.max_length:
            raise FrameTooLargeError
        super().extend(event)


class BoundedHandshake(Handshake):
    """Agrees to what hypercorn agrees to, and unpacks with a bound."""

    def accept(
        self, subprotocol: str | None, additional_headers: Any
    ) -> tuple[int, list[tuple[bytes, bytes]], Connection]:
        """The answer's status and headers, and the connection that reads and writes frames."""
        status, headers, _ = super().accept(subprotocol, additional_headers)
        deflate = BoundedDeflate()
        server_extensions_handshake(
            self.extensions or [], [deflate]
        )  # the answer is in `headers` already
        return status, headers, Connection(ConnectionType.SERVER, [deflate])


class BoundedDeflate(PerMessageDeflate):
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
