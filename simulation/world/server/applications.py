"""ChirpStack's tenants, applications, device profiles and HTTP integrations.

There is one tenant, and an application or a profile exists as long as a device of the backend
belongs to it. Only the HTTP integrations are kept here, in Trio's thread.
Source: chirpstack/src/api/application.rs, tenant.rs, device_profile.rs.
"""

# ruff: noqa: N802 -- the methods are named by the protocol.

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import grpc
from chirpstack_api import api
from google.protobuf.empty_pb2 import Empty

from lorawan.chirpstack.wire import http_integration, http_integration_message
from lorawan.network import HttpIntegration, ListedDevice, NetworkUnknown
from simulation.world.server.access import Rights, refuse
from simulation.world.server.backend_calls import BackendCalls, abort_as, one_page

TENANT_NAME = "ChirpStack"

OnIntegrationChange = Callable[[str, HttpIntegration | None], None]
"""Called in Trio with the application's id and its integration, None when it was deleted."""

Integrations = dict[str, HttpIntegration]


class TenantServicer(api.TenantServiceServicer):  # type: ignore[misc]
    """The one tenant."""

    def __init__(self, calls: BackendCalls) -> None:
        self._calls = calls

    def List(self, request: Any, context: grpc.ServicerContext) -> Any:
        """All tenants: for admins only."""
        if self._calls.access.enter(context) is Rights.TENANT:
            refuse(context)
        item = api.TenantListItem(
            id=self._calls.tenant_id, name=TENANT_NAME, can_have_gateways=True
        )
        found = [item] if request.search.lower() in TENANT_NAME.lower() else []
        page = one_page(found, request.limit, request.offset)
        return api.ListTenantsResponse(total_count=len(found), result=page)

    def Get(self, request: Any, context: grpc.ServicerContext) -> Any:
        """One tenant."""
        rights = self._calls.access.enter(context)
        check_id(context, request.id, known=self._calls.tenant_id)
        if request.id != self._calls.tenant_id:
            abort_as(context, rights, NetworkUnknown(request.id))
        tenant = api.Tenant(id=request.id, name=TENANT_NAME, can_have_gateways=True)
        return api.GetTenantResponse(tenant=tenant)


class ApplicationServicer(api.ApplicationServiceServicer):  # type: ignore[misc]
    """Applications and their HTTP integrations."""

    def __init__(
        self, calls: BackendCalls, integrations: Integrations, on_change: OnIntegrationChange | None
    ) -> None:
        self._calls = calls
        self._integrations = integrations
        self._on_change = on_change

    def List(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The applications of one tenant."""
        rights = self._calls.access.enter(context)
        check_id(context, request.tenant_id, known=self._calls.tenant_id)
        own = request.tenant_id == self._calls.tenant_id
        if rights is Rights.TENANT and not own:
            refuse(context)
        named = {
            device.application_id: device.application_name
            for device in (self._devices(context, rights) if own else ())
            if request.search.lower() in device.application_name.lower()
        }
        found = sorted(named, key=lambda application_id: named[application_id])
        page = one_page(found, request.limit, request.offset)
        items = [api.ApplicationListItem(id=each, name=named[each]) for each in page]
        return api.ListApplicationsResponse(total_count=len(found), result=items)

    def Get(self, request: Any, context: grpc.ServicerContext) -> Any:
        """One application."""
        rights = self._calls.access.enter(context)
        name = self._members(context, rights, request.id)[0].application_name
        application = api.Application(id=request.id, name=name, tenant_id=self._calls.tenant_id)
        return api.GetApplicationResponse(application=application)

    def ListDeviceProfiles(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The profiles in use by an application; since ChirpStack 4.12."""
        rights = self._calls.access.enter(context)
        profiles = profile_names(self._members(context, rights, request.application_id))
        return api.ListApplicationDeviceProfilesResponse(
            result=[
                api.ApplicationDeviceProfileListItem(id=profile_id, name=profiles[profile_id])
                for profile_id in sorted(profiles, key=lambda each: profiles[each])
            ]
        )

    def GetHttpIntegration(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The integration, NOT_FOUND without one."""
        rights = self._calls.access.enter(context)
        self._members(context, rights, request.application_id)
        integration = self._integrations.get(request.application_id)
        if integration is None:
            abort_as(context, rights, NetworkUnknown(request.application_id))
        return api.GetHttpIntegrationResponse(integration=http_integration_message(integration))

    def CreateHttpIntegration(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The first integration, ALREADY_EXISTS after it."""
        rights = self._calls.access.enter(context, changes=True)
        integration = self._offered(request, context)
        self._members(context, rights, integration.application_id)
        if integration.application_id in self._integrations:
            text = f"Object already exists (id: {integration.application_id})"
            context.abort(grpc.StatusCode.ALREADY_EXISTS, text)
        self._keep(context, rights, integration.application_id, integration)
        return Empty()

    def UpdateHttpIntegration(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Replace the integration, NOT_FOUND without one."""
        rights = self._calls.access.enter(context, changes=True)
        integration = self._offered(request, context)
        self._known_integration(context, rights, integration.application_id)
        self._keep(context, rights, integration.application_id, integration)
        return Empty()

    def DeleteHttpIntegration(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Remove the integration, NOT_FOUND without one."""
        rights = self._calls.access.enter(context, changes=True)
        self._known_integration(context, rights, request.application_id)
        self._keep(context, rights, request.application_id, None)
        return Empty()

    def _offered(self, request: Any, context: grpc.ServicerContext) -> HttpIntegration:
        if not request.HasField("integration"):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "integration is missing")
        return http_integration(request.integration)

    def _known_integration(
        self, context: grpc.ServicerContext, rights: Rights, application_id: str
    ) -> None:
        self._members(context, rights, application_id)
        if application_id not in self._integrations:
            abort_as(context, rights, NetworkUnknown(application_id))

    def _keep(
        self,
        context: grpc.ServicerContext,
        rights: Rights,
        application_id: str,
        integration: HttpIntegration | None,
    ) -> None:
        async def keep() -> None:
            if integration is None:
                self._integrations.pop(application_id, None)
            else:
                self._integrations[application_id] = integration
            if self._on_change is not None:
                self._on_change(application_id, integration)

        self._calls.ask(context, rights, keep)

    def _members(
        self, context: grpc.ServicerContext, rights: Rights, application_id: str
    ) -> Sequence[ListedDevice]:
        devices = self._devices(context, rights)
        members = [device for device in devices if device.application_id == application_id]
        if not members:
            check_id(context, application_id)
            abort_as(context, rights, NetworkUnknown(application_id))
        return members

    def _devices(self, context: grpc.ServicerContext, rights: Rights) -> Sequence[ListedDevice]:
        return self._calls.ask(context, rights, self._calls.backend.devices, "")


class DeviceProfileServicer(api.DeviceProfileServiceServicer):  # type: ignore[misc]
    """The profiles that devices use."""

    def __init__(self, calls: BackendCalls) -> None:
        self._calls = calls

    def List(self, request: Any, context: grpc.ServicerContext) -> Any:
        """All profiles of the tenant."""
        rights = self._calls.access.enter(context)
        if rights is Rights.TENANT and request.tenant_id != self._calls.tenant_id:
            refuse(context)
        profiles = profile_names(self._calls.ask(context, rights, self._calls.backend.devices, ""))
        found = [
            profile_id
            for profile_id in sorted(profiles, key=lambda each: profiles[each])
            if request.search.lower() in profiles[profile_id].lower()
        ]
        page = one_page(found, request.limit, request.offset)
        items = [
            api.DeviceProfileListItem(id=each, name=profiles[each], **self._calls.profile.shared())
            for each in page
        ]
        return api.ListDeviceProfilesResponse(total_count=len(found), result=items)

    def Get(self, request: Any, context: grpc.ServicerContext) -> Any:
        """One profile."""
        rights = self._calls.access.enter(context)
        profiles = profile_names(self._calls.ask(context, rights, self._calls.backend.devices, ""))
        if request.id not in profiles:
            check_id(context, request.id)
            abort_as(context, rights, NetworkUnknown(request.id))
        profile = api.DeviceProfile(
            id=request.id,
            name=profiles[request.id],
            tenant_id=self._calls.tenant_id,
            class_c_timeout=self._calls.profile.class_c_timeout_s,
            **self._calls.profile.shared(),
        )
        return api.GetDeviceProfileResponse(device_profile=profile)


def profile_names(devices: Sequence[ListedDevice]) -> dict[str, str]:
    """Id and name of the profiles that these devices use."""
    return {device.device_profile_id: device.device_profile_name for device in devices}


def check_id(context: grpc.ServicerContext, value: str, *, known: str | None = None) -> None:
    """An id that is no UUID is INVALID_ARGUMENT, unless the simulated world uses it."""
    if value == known:
        return
    try:
        uuid.UUID(value)
    except ValueError as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
