"""One connection of the server: its trouble is its own, and what its peer sends is bounded.

The rule it keeps: no peer can end the service or fill its memory. Hypercorn (0.18, trio worker)
lets one do both: all connections are served in one nursery, so that what is raised in one of them
ends them all (a websocket that is being closed refuses the ping that another task sends at that
moment; a subprotocol that is no text is an error of decoding); a message that is found too long is
kept all the same, and a compressed one is measured when it is unpacked, a thousand times as long.
"""

import zlib
from typing import Any

import hypercorn.protocol.ws_stream
import hypercorn.trio.run
import structlog
import trio
from hypercorn.events import Closed, Event
from hypercorn.protocol.ws_stream import FrameTooLargeError, WebsocketBuffer
from hypercorn.trio.tcp_server import TCPServer
from wsproto.events import Message
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol

log = structlog.get_logger()

MESSAGE_BYTES = 64 * 1024
"""Of one websocket message; the live protocol's own limit is lower and politer."""


class Connection(TCPServer):
    """Hypercorn's, which ends alone."""

    async def run(self) -> None:
        """Serve the peer until either side closes."""
        try:
            await super().run()
        except Exception as error:
            log.warning("connection failed", exc_info=error)

    async def protocol_send(self, event: Event) -> None:
        """Send; to a peer that is being closed, nothing."""
        try:
            await super().protocol_send(event)
        except trio.BusyResourceError:
            await self.protocol.handle(Closed())


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
    """Have hypercorn use them: it offers no other way."""
    hypercorn.trio.run.TCPServer = Connection  # type: ignore[attr-defined]
    hypercorn.protocol.ws_stream.WebsocketBuffer = Buffer  # type: ignore[misc]
    hypercorn.protocol.ws_stream.PerMessageDeflate = Deflate  # type: ignore[attr-defined]
