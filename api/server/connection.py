"""One connection, from its first byte to its end; every phase of it has a deadline.

No peer can end the service, fill its memory, or keep a connection by doing nothing. An exception in
one connection ends that connection only.

| phase | ends after |
|---|---|
| no byte yet, or idle between two requests | `idle_s` |
| a request's head, from its first byte to its last | `idle_s` |
| a request being answered, its body included | `busy_s`; body and handler have their own, shorter |
| the peer takes no data | `unread_s`, and a second for every 2,000 bytes |
| a request that was refused: the peer is to close | `linger_s` |
| a websocket on which nothing comes, pongs included | `websocket_s` |
"""

from dataclasses import dataclass
from typing import Any

import structlog
import trio
from hypercorn.config import Config
from hypercorn.typing import ConnectionState

from api.server.connection_slots import ConnectionSlot
from api.server.hypercorn_internals import (
    ASGIWrapper,
    Closed,
    Event,
    RawData,
    TaskGroup,
    Updated,
    WorkerContext,
    WSStream,
)
from api.server.protocol import Protocol

log = structlog.get_logger()

RECEIVE_BYTES = 64 * 1024
SLOWEST_BYTES_PER_S = 2_000.0
"""A peer that takes less is not waited for; the slowest radio modem takes more."""

LAST_WORK_S = 1.0
"""After the end, for a handler to return; hypercorn's ping task would sleep on."""

SLOT = "lamplighter.slot"
"""Where an ASGI scope's `state` holds the connection's slot."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each phase may last, in seconds."""

    idle_s: float
    busy_s: float
    unread_s: float
    websocket_s: float
    linger_s: float


class Connection:
    """Serves one peer."""

    def __init__(
        self,
        app: ASGIWrapper,
        config: Config,
        context: WorkerContext,
        stream: trio.SocketStream,
        slot: ConnectionSlot,
        timeouts: Timeouts,
    ) -> None:
        self._app = app
        self._config = config
        self._context = context
        self._stream = stream
        self.slot = slot
        self._timeouts = timeouts
        self._life = trio.CancelScope()
        self._reading = trio.CancelScope()
        self._sending = trio.Lock()
        self._protocol: Protocol
        self._head_begun = False
        slot.abort = self.abort

    async def run(self) -> None:
        """Serve the peer until either side closes."""
        try:
            with self._life:
                await self._serve()
        except OSError:
            pass  # the peer has left
        except Exception as error:
            log.warning("connection failed", exc_info=error)
        finally:
            self._stream.socket.close()

    def abort(self) -> None:
        """Close at once, whatever is under way: a send, too, which is shielded."""
        self._life.cancel(reason="the connection gives way")
        self._stream.socket.close()

    def stop(self) -> None:
        """The service stops: close if nothing is under way."""
        if not self.slot.busy:
            self._reading.cancel(reason="the service stops")

    async def _serve(self) -> None:
        socket = self._stream.socket
        client, server = socket.getpeername()[:2], socket.getsockname()[:2]
        state: dict[str, Any] = {SLOT: self.slot}
        async with TaskGroup() as tasks:
            self._protocol = Protocol(
                self._app,
                self._config,
                self._context,
                tasks,
                ConnectionState(state),
                False,
                client,
                server,
                self._send,
            )
            await self._protocol.initiate()
            self._reading.deadline = trio.current_time() + self._timeouts.idle_s
            with self._reading:
                await self._read()
            await self._protocol.handle(Closed())
            await self._close()
            self._life.deadline = trio.current_time() + LAST_WORK_S

    async def _read(self) -> None:
        while True:
            try:
                data = await self._stream.receive_some(RECEIVE_BYTES)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return
            now = trio.current_time()
            if not self.slot.busy and not self._head_begun:
                self._head_begun = True
                self._reading.deadline = now + self._timeouts.idle_s
            await self._protocol.handle(RawData(bytes(data)))
            if isinstance(self._protocol.stream, WSStream):
                self._reading.deadline = now + self._timeouts.websocket_s
            if not data:
                return

    async def _send(self, event: Event) -> None:
        """Called by hypercorn with what is to be sent, and when a request begins and ends."""
        if isinstance(event, RawData):
            if not await self._write(event.data):
                await self._protocol.handle(Closed())
        elif isinstance(event, Closed):
            await self._close()
            await self._protocol.handle(Closed())
        elif isinstance(event, Updated):
            self._head_begun = False
            if event.idle:
                self.slot.end_request()
                self._reading.deadline = trio.current_time() + self._timeouts.idle_s
            else:
                self.slot.begin_request()
                self._reading.deadline = trio.current_time() + self._timeouts.busy_s

    async def _write(self, data: bytes) -> bool:
        """Send; False when the peer is gone or takes nothing.

        Shielded, since half a message would make the rest of the connection unreadable.
        """
        patience_s = self._timeouts.unread_s + len(data) / SLOWEST_BYTES_PER_S
        async with self._sending:
            with trio.move_on_after(patience_s, shield=True) as scope:
                try:
                    await self._stream.send_all(data)
                except (
                    trio.BrokenResourceError,
                    trio.ClosedResourceError,
                    trio.BusyResourceError,  # it is being closed
                ):
                    return False
        if scope.cancelled_caught:
            self.abort()
            return False
        return True

    async def _close(self) -> None:
        try:
            if self._protocol.refused:
                self.slot.end_request()
                with trio.move_on_after(self._timeouts.linger_s):
                    while await self._stream.receive_some(RECEIVE_BYTES):
                        pass
            await self._stream.send_eof()
        except (
            trio.BrokenResourceError,
            trio.BusyResourceError,
            trio.ClosedResourceError,
        ):
            pass  # they are gone already
        await self._stream.aclose()
