"""What every servicer of the pretend server needs: the backend, the way to it, and its errors.

A failure of the backend is answered with the status code that ChirpStack v4 would send for it.
Source: chirpstack/src/api/error.rs.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NoReturn, TypeVar

import grpc
import msgspec
from chirpstack_api import common

from lorawan.network import (
    NetworkError,
    NetworkFault,
    NetworkInvalid,
    NetworkRefused,
    NetworkServer,
    NetworkTimeout,
    NetworkUnknown,
)
from simulation.world.server.access import Access, Rights, refuse
from simulation.world.server.thread_bridge import ThreadBridge

_T = TypeVar("_T")

_EUI = re.compile(r"[0-9a-fA-F]{16}")


class LightProfile(msgspec.Struct, frozen=True):
    """The boxes ticked in the one device profile; the defaults are right for a light."""

    class_b: bool = False
    class_c: bool = True
    class_c_timeout_s: int = 0

    @property
    def device_class(self) -> Any:
        """The class that a joined device ends up with: with both ticked, its first uplink without
        the Class B bit makes it Class A."""
        right = self.class_c and not self.class_b
        return common.DeviceClass.CLASS_C if right else common.DeviceClass.CLASS_A

    def shared(self) -> dict[str, Any]:
        """What a profile and its item in a list have in common."""
        return {
            "region": common.Region.EU868,
            "mac_version": common.MacVersion.LORAWAN_1_0_3,
            "supports_otaa": True,
            "supports_class_b": self.class_b,
            "supports_class_c": self.class_c,
        }


class BackendCalls(msgspec.Struct, frozen=True):
    """Shared by the servicers of one running server."""

    backend: NetworkServer
    bridge: ThreadBridge
    access: Access
    tenant_id: str
    profile: LightProfile = LightProfile()

    def ask(
        self,
        context: grpc.ServicerContext,
        rights: Rights,
        function: Callable[..., Awaitable[_T]],
        *args: object,
    ) -> _T:
        """The backend's answer, or the call is aborted with the fitting status."""
        try:
            return self.bridge.call(function, *args)
        except NetworkError as error:
            abort_as(context, rights, error)


def abort_as(context: grpc.ServicerContext, rights: Rights, error: NetworkError) -> NoReturn:
    """End the call with the status code of this failure."""
    if isinstance(error, NetworkUnknown):
        if rights is Rights.TENANT:
            refuse(context)
        context.abort(grpc.StatusCode.NOT_FOUND, f"Object does not exist (id: {error})")
    if isinstance(error, NetworkRefused):
        refuse(context)
    if isinstance(error, NetworkInvalid):
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    if isinstance(error, NetworkFault):
        context.abort(grpc.StatusCode.INTERNAL, str(error))
    if isinstance(error, NetworkTimeout):
        context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, str(error))
    context.abort(grpc.StatusCode.UNAVAILABLE, str(error))


def checked_eui(context: grpc.ServicerContext, dev_eui: str) -> str:
    """The DevEUI in lower case; an empty one is sixteen zeros, a wrong one INTERNAL."""
    if dev_eui == "":
        return "0" * 16
    if not _EUI.fullmatch(dev_eui):
        context.abort(grpc.StatusCode.INTERNAL, "EUI64 string must be exactly 16 hex characters")
    return dev_eui.lower()


def one_page(items: Sequence[_T], limit: int, offset: int) -> Sequence[_T]:
    """The page asked for: a limit of 0 is an empty page, as everywhere in ChirpStack."""
    return items[offset : offset + limit]
