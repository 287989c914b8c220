"""ChirpStack's GatewayService over a `NetworkServer`.

The state is worked out as ChirpStack does, from the last stats alone.
Source: chirpstack/src/api/gateway.rs.
"""

# ruff: noqa: N802 -- the methods are named by the protocol.

from collections.abc import Callable
from typing import Any

import grpc
from chirpstack_api import api, common

from lorawan.chirpstack.wire import to_timestamp
from lorawan.network import GatewayInfo, NetworkUnknown
from simulation.world.server.access import Rights, refuse
from simulation.world.server.backend_calls import BackendCalls, abort_as, one_page

STATS_INTERVAL_S = 30
"""What gateways are usually set to; without stats for twice as long they count as offline."""

Clock = Callable[[], float]


class GatewayServicer(api.GatewayServiceServicer):  # type: ignore[misc]
    """Listing of gateways."""

    def __init__(self, calls: BackendCalls, clock: Clock | None) -> None:
        self._calls = calls
        self._clock = clock

    def List(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The gateways of one tenant, or with an admin's key of all."""
        rights = self._calls.access.enter(context)
        if rights is Rights.TENANT and request.tenant_id != self._calls.tenant_id:
            refuse(context)
        found = [
            gateway
            for gateway in self._calls.ask(context, rights, self._calls.backend.gateways)
            if request.tenant_id in ("", self._tenant(gateway))
            and request.search.lower() in f"{gateway.name.lower()} {gateway.gateway_id}"
        ]
        by_id = request.order_by == api.ListGatewaysRequest.GATEWAY_ID
        found.sort(key=lambda gateway: gateway.gateway_id if by_id else gateway.name)
        if request.order_by_desc:
            found.reverse()
        page = one_page(found, request.limit, request.offset)
        return api.ListGatewaysResponse(
            total_count=len(found), result=[self._list_item(gateway) for gateway in page]
        )

    def Get(self, request: Any, context: grpc.ServicerContext) -> Any:
        """One gateway."""
        rights = self._calls.access.enter(context)
        gateway_id = request.gateway_id.lower()
        gateways = self._calls.ask(context, rights, self._calls.backend.gateways)
        gateway = next((each for each in gateways if each.gateway_id == gateway_id), None)
        if gateway is None:
            abort_as(context, rights, NetworkUnknown(gateway_id))
        return api.GetGatewayResponse(
            gateway=api.Gateway(
                gateway_id=gateway.gateway_id,
                name=gateway.name,
                tenant_id=self._tenant(gateway),
                location=_location(gateway),
                stats_interval=round(gateway.stats_interval_s or STATS_INTERVAL_S),
            ),
            last_seen_at=_seen(gateway),
        )

    def _tenant(self, gateway: GatewayInfo) -> str:
        return gateway.tenant_id or self._calls.tenant_id

    def _list_item(self, gateway: GatewayInfo) -> Any:
        return api.GatewayListItem(
            tenant_id=self._tenant(gateway),
            gateway_id=gateway.gateway_id,
            name=gateway.name,
            location=_location(gateway),
            last_seen_at=_seen(gateway),
            state=self._state(gateway),
        )

    def _state(self, gateway: GatewayInfo) -> Any:
        if gateway.last_seen_at is None:
            return api.GatewayState.NEVER_SEEN
        interval_s = gateway.stats_interval_s or STATS_INTERVAL_S
        if self._clock is None or self._clock() - gateway.last_seen_at <= 2 * interval_s:
            return api.GatewayState.ONLINE
        return api.GatewayState.OFFLINE


def _seen(gateway: GatewayInfo) -> Any:
    return None if gateway.last_seen_at is None else to_timestamp(gateway.last_seen_at)


def _location(gateway: GatewayInfo) -> Any:
    return common.Location(latitude=gateway.latitude or 0.0, longitude=gateway.longitude or 0.0)
