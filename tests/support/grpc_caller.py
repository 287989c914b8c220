"""ChirpStack's plain blocking stubs, called in threads: a client apart from ours."""

import functools
from collections.abc import Callable
from typing import Any

import grpc
import pytest
import trio
from chirpstack_api import api

from simulation.world.server import GrpcServer
from tests.support.small_network import SmallNetwork, webhook_body

PROMPT_S = 2.0
"""Real time by which something must have happened."""


def serve(network: SmallNetwork, **more: Any) -> GrpcServer:
    """A server with one key of each kind, that looks for events often."""
    keys: dict[str, Any] = {"api_key": "admin", "read_only_key": "look", "tenant_key": "tenant"}
    return GrpcServer(network, render=webhook_body, poll_s=0.02, **keys, **more)


class Caller:
    """Blocking gRPC stubs in threads: the test's own client, apart from ours."""

    def __init__(self, server: GrpcServer) -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        self.channel = grpc.insecure_channel(f"127.0.0.1:{server.port}", options=options)
        self.device = api.DeviceServiceStub(self.channel)
        self.gateway = api.GatewayServiceStub(self.channel)
        self.tenant = api.TenantServiceStub(self.channel)
        self.application = api.ApplicationServiceStub(self.channel)
        self.profile = api.DeviceProfileServiceStub(self.channel)
        self.internal = api.InternalServiceStub(self.channel)

    async def ask(self, method: Callable[..., Any], request: Any, key: str = "Bearer admin") -> Any:
        metadata = (("authorization", key),) if key else ()
        call = functools.partial(method, request, timeout=PROMPT_S, metadata=metadata)
        return await trio.to_thread.run_sync(call)

    async def refusal(
        self, method: Callable[..., Any], request: Any, key: str = "Bearer admin"
    ) -> tuple[grpc.StatusCode, str]:
        with pytest.raises(grpc.RpcError) as caught:
            await self.ask(method, request, key)
        return caught.value.code(), caught.value.details() or ""
