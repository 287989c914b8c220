"""A real gRPC server that misbehaves on demand: the other end for tests of the client.

Every call of ChirpStack's API may be given a behaviour, a function of the request and gRPC's
context that returns the reply; without one a call is UNIMPLEMENTED. It can be stopped and started
again on its port.
"""

import base64
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import grpc
from chirpstack_api import api
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from lorawan.events.model import DeviceInfo, Event, Join, Uplink
from lorawan.network import Activation, GatewayInfo, ListedDevice, NetworkUnknown, QueueItem

LIGHT = "0102030405060708"
"""The one device that a fresh `SmallNetwork` knows."""

OTHER = "ffffffffffffffff"
"""A device that it does not know."""

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
            if after is not None:
                after(request)
            context.add_callback(self.broken_off.set)
            context.add_callback(self._released.set)
            self._released.wait()
            return api.EnqueueDeviceQueueItemResponse()

        self.answer(call, behave)

    def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        options = [("grpc.so_reuseport", 0)]
        self._server = grpc.server(self._pool, handlers=(_Handlers(self),), options=options)
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


class SmallNetwork:
    """A `NetworkServer` of plain lists and dictionaries, for servicers to stand on."""

    def __init__(self) -> None:
        self.items: dict[str, list[QueueItem]] = {LIGHT: []}
        self.sessions: dict[str, Activation | None] = {LIGHT: None}
        self.kept: dict[str, list[Event]] = {LIGHT: []}
        self.listed: list[ListedDevice] = [listed(LIGHT)]
        self.gateway_list: list[GatewayInfo] = []
        self.failure: Exception | None = None
        """Raised by every call while it is set."""

    async def enqueue(self, dev_eui: str, *, f_port: int, data: bytes, expires_at: float) -> str:
        self._check(dev_eui)
        item = QueueItem(
            id=f"item-{len(self.items[dev_eui])}", f_port=f_port, data=data, expires_at=expires_at
        )
        self.items[dev_eui].append(item)
        return item.id

    async def queue(self, dev_eui: str) -> Sequence[QueueItem]:
        self._check(dev_eui)
        return self.items[dev_eui]

    async def activation(self, dev_eui: str) -> Activation | None:
        self._check(dev_eui)
        return self.sessions[dev_eui]

    async def flush(self, dev_eui: str) -> None:
        self._check(dev_eui)
        self.items[dev_eui].clear()

    async def replay(self, dev_eui: str) -> Sequence[Event]:
        self._check(dev_eui)
        return list(self.kept[dev_eui])

    async def gateways(self) -> Sequence[GatewayInfo]:
        self._check(LIGHT)
        return self.gateway_list

    async def devices(self, profile_contains: str) -> Sequence[ListedDevice]:
        self._check(LIGHT)
        wanted = profile_contains.lower()
        return [each for each in self.listed if wanted in each.device_profile_name.lower()]

    def _check(self, dev_eui: str) -> None:
        if self.failure is not None:
            raise self.failure
        if dev_eui not in self.items:
            raise NetworkUnknown(dev_eui)


def listed(
    dev_eui: str, *, profile: str = "Kuando Busylight", application: str = "lights"
) -> ListedDevice:
    """A device as the backend lists it."""
    return ListedDevice(
        dev_eui=dev_eui,
        name=f"light {dev_eui}",
        application_id=f"application-{application}",
        application_name=application,
        device_profile_id=f"profile-{profile}",
        device_profile_name=profile,
    )


def uplink(f_cnt: int, *, dev_eui: str = LIGHT) -> Uplink:
    """An uplink as the backend keeps it."""
    return Uplink(
        device=DeviceInfo(dev_eui=dev_eui),
        at=1_700_000_000.0 + f_cnt,
        dev_addr="01020304",
        f_cnt=f_cnt,
        f_port=15,
        data=bytes(5),
    )


def webhook_body(event: Event) -> tuple[str, bytes]:
    """The kind and the JSON body of an uplink or a join; as much of it as the tests need."""
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="microseconds")
    body: dict[str, object] = {"time": at, "deviceInfo": {"devEui": event.device.dev_eui}}
    if isinstance(event, Uplink):
        data = base64.b64encode(event.data).decode()
        body |= {"devAddr": event.dev_addr, "fCnt": event.f_cnt, "fPort": event.f_port}
        return "up", json.dumps(body | {"data": data, "rxInfo": [], "txInfo": {}}).encode()
    assert isinstance(event, Join)
    return "join", json.dumps(body | {"devAddr": event.dev_addr}).encode()


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
