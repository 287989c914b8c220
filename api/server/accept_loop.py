"""The accept loop: every connection gets a slot, or is answered 503.

Accepting never stops while the service runs. When there are too many connections or too few file
descriptors, another connection is closed (`connection_slots.py`) and the new one is served. That is
why it is not `trio.serve_listeners`, which waits when there is no descriptor, and has no limit.
"""

import errno
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
import trio
from hypercorn.config import Config

from api.http.peers import Peers, network_of
from api.server.connection import Connection, Timeouts
from api.server.connection_slots import ConnectionSlots
from api.server.hypercorn_internals import ASGIWrapper, Lifespan, WorkerContext

log = structlog.get_logger()

NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
RETRY_S = 0.05
"""After an accept that found no descriptor: until the connection that was closed is gone."""
WARN_EVERY_S = 60.0
"""A flood is logged as one line a minute, not one for each connection."""

FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
    b"Retry-After: 5\r\nConnection: close\r\n\r\n"
)


class Server:
    """Serves an ASGI app on a listening socket."""

    def __init__(
        self,
        app: ASGIWrapper,
        config: Config,
        slots: ConnectionSlots,
        timeouts: Timeouts,
        peers: Peers,
        last_s: float,
    ) -> None:
        self._app = app
        self._config = config
        self._slots = slots
        self._timeouts = timeouts
        self._peers = peers
        self._last_s = last_s
        self._warned_at = -WARN_EVERY_S
        self._connections: set[Connection] = set()
        self._gone = trio.Event()

    async def run(
        self,
        listening: socket.socket,
        until: Callable[[], Awaitable[None]],
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until `until` returns; then close what is idle, and everything after `last_s`."""
        context = WorkerContext(None)
        lifespan = Lifespan(self._app, self._config, {})
        async with trio.open_nursery() as around:
            await around.start(lifespan.handle_lifespan)
            await lifespan.wait_for_startup()
            async with trio.open_nursery() as serving:
                listener = trio.SocketListener(trio.socket.from_stdlib_socket(listening))
                async with listener, trio.open_nursery() as accepting:
                    accepting.start_soon(self._accept, listener, serving, context)
                    task_status.started()
                    await until()
                    accepting.cancel_scope.cancel(reason="the service stops")
                await context.terminated.set()
                for connection in tuple(self._connections):
                    connection.stop()
                with trio.move_on_after(self._last_s):
                    await self._wait_for_all()
                for connection in tuple(self._connections):
                    connection.abort()
            await lifespan.wait_for_shutdown()
            around.cancel_scope.cancel(reason="the service has stopped")

    async def _wait_for_all(self) -> None:
        while self._connections:
            self._gone = trio.Event()
            await self._gone.wait()

    async def _accept(
        self, listener: trio.SocketListener, serving: trio.Nursery, context: WorkerContext
    ) -> None:
        while True:
            try:
                stream = await listener.accept()
            except OSError as error:
                if error.errno not in NO_DESCRIPTOR:
                    raise
                self._warn("no file descriptor for a connection", error=error.strerror)
                self._evict_one()
                await trio.sleep(RETRY_S)
                continue
            try:
                peer = str(stream.socket.getpeername()[0])
            except OSError:  # left already
                stream.socket.close()
                continue
            address, shared = network_of(peer), self._peers.trusts(peer)
            slot, evicted = self._slots.admit(address, shared=shared)
            if evicted is not None:
                self._warn("too many connections, one without a token gives way", address=address)
                evicted.abort()
            if slot is None:
                self._warn("too many connections, all with tokens", address=address)
                _refuse(stream)
                continue
            connection = Connection(self._app, self._config, context, stream, slot, self._timeouts)
            self._connections.add(connection)
            serving.start_soon(self._serve, connection)

    async def _serve(self, connection: Connection) -> None:
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
            self._gone.set()
            self._slots.release(connection.slot)

    def _evict_one(self) -> None:
        evicted = self._slots.next_to_evict()
        if evicted is not None:
            self._slots.release(evicted)
            evicted.abort()

    def _warn(self, event: str, **fields: object) -> None:
        now = trio.current_time()
        if now - self._warned_at >= WARN_EVERY_S:
            self._warned_at = now
            log.warning(
                event,
                connections=len(self._slots),
                evicted=self._slots.evicted,
                refused=self._slots.refused,
                **fields,
            )


def _refuse(stream: trio.SocketStream) -> None:
    """Say that there is no room, if that can be said at once, and close."""
    with suppress(OSError):
        os.write(stream.socket.fileno(), FULL)
    stream.socket.close()
