"""Read calls that only an inspection of an installation makes: profiles, classes, a key's rights.

Nothing is changed. The right to write is tested by a request whose rights the server checks first
and which it then refuses for its port, before it stores anything (source:
chirpstack/src/api/device.rs, enqueue; storage/device_queue.rs, validate).
"""

from typing import Any

import msgspec
from chirpstack_api import api, common

from lorawan.chirpstack import wire
from lorawan.chirpstack.calls import Calls
from lorawan.chirpstack.errors import CallMissing
from lorawan.chirpstack.settings import ChirpStackSettings
from lorawan.network import DeviceState, NetworkForbidden, NetworkInvalid, NetworkUnknown

CLASS_C = "CLASS_C"


class ProfileInfo(msgspec.Struct, frozen=True):
    """What decides about Class C in a device profile. `class_c_timeout_s` concerns confirmed
    downlinks only."""

    name: str
    region: str
    mac_version: str
    class_b: bool
    class_c: bool
    class_c_timeout_s: int


class Inspection:
    """The calls on one server, through one API key. All raise `NetworkError`s only."""

    def __init__(self, calls: Calls, channel: Any, settings: ChirpStackSettings) -> None:
        self._calls = calls
        self._deadline_s = settings.deadlines.read_s
        self._devices = api.DeviceServiceStub(channel)
        self._profiles = api.DeviceProfileServiceStub(channel)
        self._applications = api.ApplicationServiceStub(channel)

    async def profile(self, profile_id: str) -> ProfileInfo:
        """One device profile; with a tenant's key an unknown one is `NetworkForbidden`."""
        request = api.GetDeviceProfileRequest(id=profile_id)
        reply = await self._ask("DeviceProfileService.Get", self._profiles.Get, request)
        profile = reply.device_profile
        return ProfileInfo(
            name=profile.name,
            region=_name(common.Region, profile.region),
            mac_version=_name(common.MacVersion, profile.mac_version),
            class_b=profile.supports_class_b,
            class_c=profile.supports_class_c,
            class_c_timeout_s=profile.class_c_timeout,
        )

    async def device(self, dev_eui: str) -> DeviceState:
        """One device; its profile is read too where that may tell why it has no Class C."""
        request = api.GetDeviceRequest(dev_eui=wire.canonical_eui(dev_eui))
        reply = await self._ask("DeviceService.Get", self._devices.Get, request)
        device_class = _name(common.DeviceClass, reply.class_enabled)
        class_c_profile = None
        if device_class != CLASS_C and not reply.device.is_disabled:
            class_c_profile = await self._allows_class_c(reply.device.device_profile_id)
        seen = reply.HasField("last_seen_at")
        return DeviceState(
            dev_eui=dev_eui.lower(),
            name=reply.device.name,
            disabled=reply.device.is_disabled,
            device_class=device_class,
            class_c_profile=class_c_profile,
            last_seen_at=wire.from_timestamp(reply.last_seen_at) if seen else None,
        )

    async def _allows_class_c(self, profile_id: str) -> bool | None:
        """None where the server does not show the profile, which only makes a reason more exact."""
        try:
            profile = await self.profile(profile_id)
        except (NetworkForbidden, NetworkUnknown, NetworkInvalid, CallMissing):
            return None
        return profile.class_c and not profile.class_b

    async def may_enqueue(self, dev_eui: str) -> bool:
        """Whether the key may write, found out without effect: port 0 is refused, but only to
        somebody who may write at all."""
        item = api.DeviceQueueItem(dev_eui=wire.canonical_eui(dev_eui), f_port=0)
        request = api.EnqueueDeviceQueueItemRequest(queue_item=item)
        try:
            await self._ask("DeviceService.Enqueue", self._devices.Enqueue, request)
        except NetworkInvalid:
            return True  # only ChirpStack itself answers so, after it checked the key
        except NetworkForbidden:
            return False
        return True

    async def lists_profiles(self, application_id: str) -> bool:
        """Whether the server knows `ApplicationService.ListDeviceProfiles`: ChirpStack 4.12."""
        request = api.ListApplicationDeviceProfilesRequest(application_id=application_id)
        name, method = "ApplicationService.ListDeviceProfiles", self._applications
        try:
            await self._ask(name, method.ListDeviceProfiles, request)
        except CallMissing:
            return False
        return True

    async def _ask(self, name: str, method: Any, request: Any) -> Any:
        return await self._calls.unary(name, method, request, deadline_s=self._deadline_s)


def _name(kind: Any, value: int) -> str:
    """An enum's name; a number that a newer server made up stays a number."""
    try:
        return str(kind.Name(value))
    except ValueError:
        return str(value)
