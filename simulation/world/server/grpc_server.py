"""A gRPC server that speaks ChirpStack v4's API over any `NetworkServer`.

gRPC calls its servicers on threads; each call crosses into the Trio run that started the server,
so that the backend stays single-threaded. It listens on loopback, and stopping it ends every
thread and every call it started.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import grpc
import trio
from chirpstack_api import api

from lorawan.events.model import Event
from lorawan.network import NetworkServer
from simulation.world.server.access import Access
from simulation.world.server.applications import (
    ApplicationServicer,
    DeviceProfileServicer,
    Integrations,
    OnIntegrationChange,
    TenantServicer,
)
from simulation.world.server.backend_calls import BackendCalls, LightProfile
from simulation.world.server.devices import DeviceServicer
from simulation.world.server.event_stream import STREAMS_MOST, InternalServicer, Render
from simulation.world.server.gateways import GatewayServicer
from simulation.world.server.thread_bridge import ThreadBridge

THREADS_MOST = STREAMS_MOST + 64
"""64 unary calls at a time besides the streams: as many as one client keeps in flight. Threads
start as they are needed."""

STOP_S = 5.0
"""How long stopping may take beyond its grace."""

TENANT_ID = "52f14cd4-c6f1-4fbd-8f87-4025e1d49242"

_BIND_TRIES = 20
_BIND_PAUSE_S = 0.05
"""A port given up a moment ago may be bound again within a second."""


class GrpcServer:
    """The pretend server on a loopback port; open as an async context manager.

    `api_key` is an admin's, `read_only_key` an admin's that may change nothing, `tenant_key` that
    of the one tenant. With port 0 a free one is taken, and kept over `stop` and `start`. HTTP
    integrations outlive a stop, too.
    """

    def __init__(
        self,
        backend: NetworkServer,
        *,
        api_key: str,
        read_only_key: str | None = None,
        tenant_key: str | None = None,
        tenant_id: str = TENANT_ID,
        port: int = 0,
        on_integration_change: OnIntegrationChange | None = None,
        render: Render | None = None,
        clock: Callable[[], float] | None = None,
        poll_s: float = 1.0,
        profile: LightProfile | None = None,
    ) -> None:
        self._backend = backend
        self._access = Access(api_key, read_only_key, tenant_key)
        self._tenant_id = tenant_id
        self._port = port
        self._on_integration_change = on_integration_change
        self._render = render or _webhook_body
        self._clock = clock
        self._poll_s = poll_s
        self._profile = profile or LightProfile()
        self._integrations: Integrations = {}
        self._running: tuple[grpc.Server, ThreadPoolExecutor, ThreadBridge] | None = None

    @property
    def port(self) -> int:
        """The port it listens on, or 0 before its first start."""
        return self._port

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with trio.move_on_after(2 * STOP_S, shield=True):
            await self.stop()

    async def start(self) -> None:
        """Listen and serve. Raises `OSError` when the port stays taken."""
        if self._running is not None:
            raise RuntimeError("the server runs already")
        bridge = ThreadBridge()
        pool = ThreadPoolExecutor(THREADS_MOST, thread_name_prefix="pretend-chirpstack")
        calls = BackendCalls(self._backend, bridge, self._access, self._tenant_id, self._profile)
        server = grpc.server(pool, options=_OPTIONS)
        api.add_DeviceServiceServicer_to_server(DeviceServicer(calls), server)
        api.add_GatewayServiceServicer_to_server(GatewayServicer(calls, self._clock), server)
        api.add_TenantServiceServicer_to_server(TenantServicer(calls), server)
        application = ApplicationServicer(calls, self._integrations, self._on_integration_change)
        api.add_ApplicationServiceServicer_to_server(application, server)
        api.add_DeviceProfileServiceServicer_to_server(DeviceProfileServicer(calls), server)
        internal = InternalServicer(calls, self._render, self._poll_s)
        api.add_InternalServiceServicer_to_server(internal, server)
        self._port = await self._bind(server)
        server.start()
        self._running = (server, pool, bridge)

    async def stop(self, grace_s: float = 0.0) -> None:
        """Refuse new calls, let the others end within the grace, break off the rest.

        Not to be cancelled: it ends by itself, at most `STOP_S` after its grace.
        """
        if self._running is None:
            return
        (server, pool, bridge), self._running = self._running, None
        with trio.move_on_after(grace_s + STOP_S, shield=True):
            stopped = server.stop(grace_s or None)
            with trio.move_on_after(grace_s):
                await trio.to_thread.run_sync(stopped.wait, abandon_on_cancel=True)
            bridge.close()
            await trio.to_thread.run_sync(stopped.wait, abandon_on_cancel=True)
            await trio.to_thread.run_sync(pool.shutdown, abandon_on_cancel=True)

    async def _bind(self, server: grpc.Server) -> int:
        for _ in range(_BIND_TRIES):
            try:
                return server.add_insecure_port(f"127.0.0.1:{self._port}")
            except RuntimeError:
                await trio.sleep(_BIND_PAUSE_S)
        raise OSError(f"port {self._port} of the loopback interface is taken")


_OPTIONS = [
    # Two servers on one port would share its connections without a word.
    ("grpc.so_reuseport", 0),
    # As lenient about pings as ChirpStack: gRPC's own limit of one in five minutes would end
    # connections with shorter keepalives.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 1000),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
]


def _webhook_body(event: Event) -> tuple[str, bytes]:
    from simulation.world.bodies import json_body

    return json_body(event)
