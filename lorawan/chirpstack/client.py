"""ChirpStack v4 as a `NetworkServer`, over its gRPC API.

One method here is one call there (listings and replays apart), each within its deadline; nothing is
retried, because only the caller knows what a repetition costs.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import grpc
import msgspec
from chirpstack_api import api

from lorawan.chirpstack import wire
from lorawan.chirpstack.calls import Calls, CallStatistics
from lorawan.chirpstack.channel import open_channel
from lorawan.chirpstack.inspection import Inspection
from lorawan.chirpstack.listing import ApplicationInfo, Listing
from lorawan.chirpstack.replay import Replays, ReplayStatistics
from lorawan.chirpstack.settings import ChirpStackSettings
from lorawan.events.model import Event
from lorawan.network import (
    Activation,
    DeviceState,
    GatewayInfo,
    HttpIntegration,
    ListedDevice,
    NetworkUnknown,
    QueueItem,
)


class ClientStatistics(msgspec.Struct, frozen=True):
    """Counts of what the client did so far."""

    calls: CallStatistics
    replays: ReplayStatistics


class ChirpStackClient:
    """Implements `lorawan.network.NetworkServer`; open as an async context manager.

    The connection is made at the first call and again when it broke. Every method raises only
    `lorawan.network.NetworkError`s, and each is cancelled at once with the task that awaits it;
    a cancelled `enqueue` may still take effect.
    """

    def __init__(self, settings: ChirpStackSettings) -> None:
        self.settings = settings
        metadata = (("authorization", f"Bearer {settings.api_key}"),)
        self._calls = Calls(metadata, in_flight_most=settings.in_flight_most)
        self._replays = Replays(
            self._calls, metadata, settings.replay, replays_most=settings.replays_most
        )
        self._channel: grpc.Channel | None = None

    async def __aenter__(self) -> Self:
        """Raises `OSError` when the file of authorities cannot be read."""
        channel = await open_channel(self.settings)
        self._channel = channel
        self._device = api.DeviceServiceStub(channel)
        self._application = api.ApplicationServiceStub(channel)
        self._internal = api.InternalServiceStub(channel)
        self._listing = Listing(self._calls, channel, self.settings)
        self.inspection = Inspection(self._calls, channel, self.settings)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Break off what is in flight and close the connection; does not wait."""
        self._calls.close()
        if self._channel is not None:
            self._channel.close()

    def statistics(self) -> ClientStatistics:
        """Counters since the start, and what goes on now."""
        return ClientStatistics(calls=self._calls.statistics(), replays=self._replays.statistics())

    async def enqueue(self, dev_eui: str, *, f_port: int, data: bytes, expires_at: float) -> str:
        """See `NetworkServer.enqueue`."""
        reply = await self._calls.unary(
            "DeviceService.Enqueue",
            self._device.Enqueue,
            wire.enqueue_request(dev_eui, f_port, data, expires_at),
            deadline_s=self.settings.deadlines.enqueue_s,
        )
        return str(reply.id)

    async def queue(self, dev_eui: str) -> Sequence[QueueItem]:
        """See `NetworkServer.queue`."""
        request = api.GetDeviceQueueItemsRequest(dev_eui=wire.canonical_eui(dev_eui))
        reply = await self._read("DeviceService.GetQueue", self._device.GetQueue, request)
        return [wire.queue_item(item) for item in reply.result]

    async def activation(self, dev_eui: str) -> Activation | None:
        """See `NetworkServer.activation`."""
        request = api.GetDeviceActivationRequest(dev_eui=wire.canonical_eui(dev_eui))
        name = "DeviceService.GetActivation"
        return wire.activation(await self._read(name, self._device.GetActivation, request))

    async def device(self, dev_eui: str) -> DeviceState:
        """See `NetworkServer.device`. The profile is asked for too where Class C is not enabled."""
        return await self.inspection.device(dev_eui)

    async def flush(self, dev_eui: str) -> None:
        """See `NetworkServer.flush`."""
        await self._calls.unary(
            "DeviceService.FlushQueue",
            self._device.FlushQueue,
            api.FlushDeviceQueueRequest(dev_eui=wire.canonical_eui(dev_eui)),
            deadline_s=self.settings.deadlines.flush_s,
        )

    async def replay(self, dev_eui: str) -> Sequence[Event]:
        """See `NetworkServer.replay`. Items that cannot be decoded are skipped and counted."""
        request = api.StreamDeviceEventsRequest(dev_eui=wire.canonical_eui(dev_eui))
        return await self._replays.read(self._internal.StreamDeviceEvents, request)

    async def gateways(self) -> Sequence[GatewayInfo]:
        """See `NetworkServer.gateways`. A tenant's key needs `tenant_id` in the settings."""
        return await self._listing.gateways()

    async def devices(self, profile_contains: str) -> Sequence[ListedDevice]:
        """See `NetworkServer.devices`. A tenant's key needs `tenant_id` in the settings."""
        return await self._listing.devices(profile_contains)

    async def applications(self) -> Sequence[ApplicationInfo]:
        """Every application that the key may see, of `tenant_id` when that is set."""
        return await self._listing.applications()

    async def http_integration(self, application_id: str) -> HttpIntegration | None:
        """The HTTP integration of an application, or None when it has none."""
        request = api.GetHttpIntegrationRequest(application_id=application_id)
        name = "ApplicationService.GetHttpIntegration"
        try:
            reply = await self._read(name, self._application.GetHttpIntegration, request)
        except NetworkUnknown:
            return None
        return wire.http_integration(reply.integration)

    async def create_http_integration(self, integration: HttpIntegration) -> None:
        """Give an application its HTTP integration. Raises `NetworkInvalid` when it has one."""
        await self._calls.unary(
            "ApplicationService.CreateHttpIntegration",
            self._application.CreateHttpIntegration,
            api.CreateHttpIntegrationRequest(
                integration=wire.http_integration_message(integration)
            ),
            deadline_s=self.settings.deadlines.read_s,
        )

    async def update_http_integration(self, integration: HttpIntegration) -> None:
        """Replace an application's HTTP integration. Raises `NetworkUnknown` without one."""
        await self._calls.unary(
            "ApplicationService.UpdateHttpIntegration",
            self._application.UpdateHttpIntegration,
            api.UpdateHttpIntegrationRequest(
                integration=wire.http_integration_message(integration)
            ),
            deadline_s=self.settings.deadlines.read_s,
        )

    async def _read(self, name: str, method: Any, request: Any) -> Any:
        deadline_s = self.settings.deadlines.read_s
        return await self._calls.unary(name, method, request, deadline_s=deadline_s)
