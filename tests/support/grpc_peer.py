"""A real gRPC server that misbehaves on demand: the other end for tests of the client.

Every call of ChirpStack's API may be given a behaviour, a function of the request and gRPC's
context that returns the reply; without one a call is UNIMPLEMENTED. It can be stopped and started
again on its port.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from chirpstack_api import api
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

Behaviour = Callable[[Any, grpc.ServicerContext], Any]

_PROTO = api.device_pb2, api.application_pb2, api.tenant_pb2, api.gateway_pb2, api.internal_pb2


class GrpcPeer:
    """One server on a free loopback port; keeps every request by the name of its call."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[tuple[str, Any]] = []
        self.metadata: list[dict[str, Any]] = []
        self.broken_off = threading.Event()
        """Set when a hanging call was cancelled or ran out of time."""
        self._behaviours: dict[str, Behaviour] = {}
        self._released = threading.Event()
        self._pool = ThreadPoolExecutor(128, thread_name_prefix="peer")
        self._server: grpc.Server | None = None

    def answer(self, call: str, behaviour: Behaviour | Message) -> None:
        """Behave like this at `Service.Method`; a message is simply returned."""
        fixed = behaviour
        self._behaviours[call] = (
            (lambda _request, _context: fixed) if isinstance(fixed, Message) else fixed
        )

    def fail(self, call: str, code: grpc.StatusCode, text: str = "") -> None:
        """Refuse `Service.Method` with this status."""
        self.answer(call, lambda _request, context: context.abort(code, text))

    def hang(self, call: str, *, after: Callable[[Any], object] | None = None) -> None:
        """Never answer `Service.Method`; `after` takes effect first."""

        def behave(request: Any, context: grpc.ServicerContext) -> Any:
            context.add_callback(self.broken_off.set)
            context.add_callback(self._released.set)
            if after is not None:
                after(request)
            self._released.wait()
            return api.EnqueueDeviceQueueItemResponse()

        self.answer(call, behave)

    def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        options = [("grpc.so_reuseport", 0)]
        self._server = grpc.server(self._pool, handlers=[_Handlers(self)], options=options)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()

    def stop(self) -> None:
        """Break off every call and close the port."""
        if self._server is not None:
            stopped = self._server.stop(None)
            self._released.set()
            stopped.wait(5)
            self._server = None
            self._released = threading.Event()

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._pool.shutdown()

    def behave(self, call: str, request: Any, context: grpc.ServicerContext) -> Any:
        """What the handler of `call` does."""
        self.requests.append((call, request))
        self.metadata.append(dict(context.invocation_metadata()))
        behaviour = self._behaviours.get(call)
        if behaviour is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "")
        return behaviour(request, context)


@contextmanager
def running_peer() -> Iterator[GrpcPeer]:
    """A peer that runs meanwhile."""
    peer = GrpcPeer()
    peer.start()
    try:
        yield peer
    finally:
        peer.close()


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, peer: GrpcPeer) -> None:
        self._peer = peer
        self._methods = {
            f"/{service.full_name}/{method.name}": method
            for module in _PROTO
            for service in module.DESCRIPTOR.services_by_name.values()
            for method in service.methods
        }

    def service(self, handler_call_details: Any) -> Any:
        method = self._methods.get(handler_call_details.method)
        if method is None:
            return None
        call = f"{method.containing_service.name}.{method.name}"
        request_type = GetMessageClass(method.input_type)

        def handle(request: Any, context: grpc.ServicerContext) -> Any:
            return self._peer.behave(call, request, context)

        make = (
            grpc.unary_stream_rpc_method_handler
            if method.server_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        return make(
            handle,
            request_deserializer=request_type.FromString,
            response_serializer=lambda reply: reply.SerializeToString(),
        )
