"""Lists ChirpStack's tenants, applications, devices and gateways, page by page.

Every listing ends. Pages are sorted by a unique key where the server can, an item that two pages
show counts once, and both the pages and the time of a listing are bounded.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import msgspec
import trio
from chirpstack_api import api

from lorawan.chirpstack import wire
from lorawan.chirpstack.calls import Calls, Method
from lorawan.chirpstack.errors import CallMissing
from lorawan.chirpstack.intervals import Intervals
from lorawan.chirpstack.settings import ChirpStackSettings
from lorawan.network import GatewayInfo, ListedDevice, NetworkFault, NetworkTimeout

PAGES_MOST = 1000
"""1000 pages of 1000 items: more than any ChirpStack holds."""

_T = TypeVar("_T")


class ApplicationInfo(msgspec.Struct, frozen=True):
    """One application of a tenant."""

    application_id: str
    name: str
    tenant_id: str


class Listing:
    """The listing calls of one server, seen through one API key."""

    def __init__(self, calls: Calls, channel: Any, settings: ChirpStackSettings) -> None:
        self._calls = calls
        self._settings = settings
        self._tenants = api.TenantServiceStub(channel)
        self._applications = api.ApplicationServiceStub(channel)
        self._devices = api.DeviceServiceStub(channel)
        self._gateways = api.GatewayServiceStub(channel)
        self._intervals = Intervals(self._stats_interval_s)

    async def gateways(self) -> Sequence[GatewayInfo]:
        """Every gateway of the tenant, or of the server, by id. Raises `NetworkError`s."""
        listed = await self._within_deadline("GatewayService.List", self._walk_gateways)
        return await self._intervals.complete(listed)

    async def applications(self) -> Sequence[ApplicationInfo]:
        """Every application of the tenant, or of the server. Raises `NetworkError`s."""
        return await self._within_deadline("ApplicationService.List", self._walk_applications)

    async def devices(self, profile_contains: str) -> Sequence[ListedDevice]:
        """Every device whose profile's name contains this, by application and DevEUI. Raises
        `NetworkError`s."""

        async def walk() -> Sequence[ListedDevice]:
            found: list[ListedDevice] = []
            for application in await self._walk_applications():
                found += await self._walk_devices(application, profile_contains.casefold())
            return found

        return await self._within_deadline("DeviceService.List", walk)

    async def _walk_gateways(self) -> Sequence[GatewayInfo]:
        def page(limit: int, offset: int) -> Any:
            return api.ListGatewaysRequest(
                limit=limit,
                offset=offset,
                tenant_id=self._settings.tenant_id or "",
                order_by=api.ListGatewaysRequest.GATEWAY_ID,
            )

        items = await self._all("GatewayService.List", self._gateways.List, page, "gateway_id")
        return [wire.gateway(item) for item in items]

    async def _stats_interval_s(self, gateway_id: str) -> float | None:
        response = await self._calls.unary(
            "GatewayService.Get",
            self._gateways.Get,
            api.GetGatewayRequest(gateway_id=gateway_id),
            deadline_s=self._settings.deadlines.page_s,
        )
        return wire.stats_interval_s(response)

    async def _walk_applications(self) -> Sequence[ApplicationInfo]:
        found: list[ApplicationInfo] = []
        for tenant_id in await self._tenant_ids():

            def page(limit: int, offset: int, tenant_id: str = tenant_id) -> Any:
                return api.ListApplicationsRequest(limit=limit, offset=offset, tenant_id=tenant_id)

            method = self._applications.List
            items = await self._all("ApplicationService.List", method, page, "id")
            found += (ApplicationInfo(item.id, item.name, tenant_id) for item in items)
        return found

    async def _tenant_ids(self) -> Sequence[str]:
        if self._settings.tenant_id is not None:
            return [self._settings.tenant_id]

        def page(limit: int, offset: int) -> Any:
            return api.ListTenantsRequest(limit=limit, offset=offset)

        items = await self._all("TenantService.List", self._tenants.List, page, "id")
        return [item.id for item in items]

    async def _walk_devices(
        self, application: ApplicationInfo, wanted: str
    ) -> Sequence[ListedDevice]:
        found: dict[str, ListedDevice] = {}
        for profile_id in await self._profile_ids(application, wanted):

            def page(limit: int, offset: int, profile_id: str = profile_id) -> Any:
                return api.ListDevicesRequest(
                    limit=limit,
                    offset=offset,
                    application_id=application.application_id,
                    device_profile_id=profile_id,
                    order_by=api.ListDevicesRequest.DEV_EUI,
                )

            for item in await self._all("DeviceService.List", self._devices.List, page, "dev_eui"):
                # Checked again for every item: a server before 4.12 ignores the filter.
                if wanted in item.device_profile_name.casefold():
                    device = wire.listed_device(
                        item,
                        application_id=application.application_id,
                        application_name=application.name,
                    )
                    found[device.dev_eui] = device
        return [found[dev_eui] for dev_eui in sorted(found)]

    async def _profile_ids(self, application: ApplicationInfo, wanted: str) -> Sequence[str]:
        """The matching profiles in use; one empty id, which filters nothing, for a server before
        4.12, which does not list them."""
        request = api.ListApplicationDeviceProfilesRequest(
            application_id=application.application_id
        )
        try:
            response = await self._calls.unary(
                "ApplicationService.ListDeviceProfiles",
                self._applications.ListDeviceProfiles,
                request,
                deadline_s=self._settings.deadlines.page_s,
            )
        except CallMissing:
            return [""]
        return [item.id for item in response.result if wanted in item.name.casefold()]

    async def _all(
        self, name: str, method: Method, request: Callable[[int, int], Any], key: str
    ) -> Sequence[Any]:
        found: dict[str, Any] = {}
        offset = 0
        for _ in range(PAGES_MOST):
            page = await self._calls.unary(
                name,
                method,
                request(self._settings.page_size, offset),
                deadline_s=self._settings.deadlines.page_s,
            )
            offset += len(page.result)
            found.update((getattr(item, key), item) for item in page.result)
            if not page.result or offset >= page.total_count:
                return list(found.values())
        raise NetworkFault(f"{name}: more than {PAGES_MOST} pages of {self._settings.page_size}")

    async def _within_deadline(self, name: str, walk: Callable[[], Awaitable[_T]]) -> _T:
        deadline_s = self._settings.deadlines.listing_s
        with trio.move_on_after(deadline_s):
            return await walk()
        raise NetworkTimeout(f"{name}: not all pages within {deadline_s:g} s")
