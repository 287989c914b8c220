"""The pretend server's services speak ChirpStack's dialect, quirks included."""

import functools
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from chirpstack_api import api, common

from lorawan.network import Activation, GatewayInfo, HttpIntegration, ListedDevice, QueueItem
from simulation.world.server import GrpcServer
from simulation.world.server.grpc_server import TENANT_ID
from tests.support.grpc_caller import Caller, serve
from tests.support.small_network import LIGHT, OTHER, SmallNetwork, listed

Code = grpc.StatusCode
UNKNOWN_ID = "00000000-0000-4000-8000-00000000dead"
APPLICATION = "application-lights"
QUEUE_REQUEST = api.GetDeviceQueueItemsRequest(dev_eui=LIGHT)


@pytest.fixture
def network() -> SmallNetwork:
    return SmallNetwork()


@pytest.fixture
async def server(network: SmallNetwork) -> AsyncIterator[GrpcServer]:
    async with serve(network) as server:
        yield server


@pytest.fixture
async def caller(server: GrpcServer) -> AsyncIterator[Caller]:
    caller = Caller(server)
    yield caller
    caller.channel.close()


def item(dev_eui: str = LIGHT, **changes: Any) -> Any:
    fields = {"dev_eui": dev_eui, "f_port": 15, "data": b"\x01"} | changes
    return api.EnqueueDeviceQueueItemRequest(queue_item=api.DeviceQueueItem(**fields))


class TestKeys:
    @pytest.mark.parametrize("key", ["", "Basic admin", "Bearer wrong", "Bearer ", "admin"])
    async def test_no_or_a_bad_key_is_refused_with_a_text(self, caller: Caller, key: str) -> None:
        code, text = await caller.refusal(caller.device.GetQueue, QUEUE_REQUEST, key)
        assert code is Code.UNAUTHENTICATED
        assert text

    async def test_no_right_is_refused_without_a_text(self, caller: Caller) -> None:
        integration = api.HttpIntegration(application_id=APPLICATION)
        for method, request in (
            (caller.device.Enqueue, item()),
            (caller.device.FlushQueue, api.FlushDeviceQueueRequest(dev_eui=LIGHT)),
            (
                caller.application.CreateHttpIntegration,
                api.CreateHttpIntegrationRequest(integration=integration),
            ),
            (
                caller.application.UpdateHttpIntegration,
                api.UpdateHttpIntegrationRequest(integration=integration),
            ),
            (
                caller.application.DeleteHttpIntegration,
                api.DeleteHttpIntegrationRequest(application_id=APPLICATION),
            ),
        ):
            refusal = await caller.refusal(method, request, "Bearer look")
            assert refusal == (Code.UNAUTHENTICATED, "")
        assert await caller.ask(caller.device.GetQueue, QUEUE_REQUEST, "Bearer look")

    async def test_a_tenants_key_sees_its_tenant_only(self, caller: Caller) -> None:
        for method, request in (
            (caller.tenant.List, api.ListTenantsRequest(limit=1)),
            (caller.gateway.List, api.ListGatewaysRequest(limit=1)),
            (caller.application.List, api.ListApplicationsRequest(limit=1, tenant_id=UNKNOWN_ID)),
            (caller.profile.List, api.ListDeviceProfilesRequest(limit=1)),
            (caller.device.GetQueue, api.GetDeviceQueueItemsRequest(dev_eui=OTHER)),
            (caller.device.Get, api.GetDeviceRequest(dev_eui=OTHER)),
        ):
            refusal = await caller.refusal(method, request, "Bearer tenant")
            assert refusal == (Code.UNAUTHENTICATED, "")
        request = api.ListApplicationsRequest(limit=1, tenant_id=TENANT_ID)
        reply = await caller.ask(caller.application.List, request, "Bearer tenant")
        assert [each.id for each in reply.result] == [APPLICATION]


class TestDevices:
    async def test_an_item_without_expiry_has_none_when_read_back(self, caller: Caller) -> None:
        await caller.ask(caller.device.Enqueue, item())
        reply = await caller.ask(caller.device.GetQueue, QUEUE_REQUEST)
        assert reply.total_count == 1
        assert not reply.result[0].HasField("expires_at")

    async def test_the_clients_id_is_ignored_and_the_port_is_cut(
        self, caller: Caller, network: SmallNetwork
    ) -> None:
        reply = await caller.ask(caller.device.Enqueue, item(id="mine", f_port=271))
        assert reply.id == "item-0"
        assert network.items[LIGHT][0].f_port == 15

    async def test_flush_queue_flushes_before_it_queues(
        self, caller: Caller, network: SmallNetwork
    ) -> None:
        network.items[LIGHT] = [QueueItem("old", 15, b"")]
        request = item()
        request.flush_queue = True
        await caller.ask(caller.device.Enqueue, request)
        assert [each.data for each in network.items[LIGHT]] == [b"\x01"]

    @pytest.mark.parametrize(
        ("request_", "expected"),
        [
            (api.EnqueueDeviceQueueItemRequest(), Code.INVALID_ARGUMENT),
            (item(f_port=0), Code.INVALID_ARGUMENT),
            (item(f_port=256), Code.INVALID_ARGUMENT),
            (item(is_encrypted=True), Code.INVALID_ARGUMENT),
            (item(dev_eui="0102"), Code.INTERNAL),
            (item(dev_eui="x" * 16), Code.INTERNAL),
            (item(dev_eui=""), Code.INTERNAL),
            (item(dev_eui=OTHER), Code.INTERNAL),
            (item(confirmed=True), Code.UNIMPLEMENTED),
        ],
    )
    async def test_a_wrong_item_is_refused_as_chirpstack_would(
        self, caller: Caller, request_: Any, expected: grpc.StatusCode
    ) -> None:
        code, text = await caller.refusal(caller.device.Enqueue, request_)
        assert code is expected
        assert text

    async def test_the_queue_of_an_unknown_device_is_empty_for_an_admin(
        self, caller: Caller
    ) -> None:
        request = api.GetDeviceQueueItemsRequest(dev_eui=OTHER)
        assert (await caller.ask(caller.device.GetQueue, request)).total_count == 0
        await caller.ask(caller.device.FlushQueue, api.FlushDeviceQueueRequest(dev_eui=OTHER))
        code, _ = await caller.refusal(
            caller.device.GetActivation, api.GetDeviceActivationRequest(dev_eui=OTHER)
        )
        assert code is Code.NOT_FOUND

    async def test_the_session_and_the_next_counter(
        self, caller: Caller, network: SmallNetwork
    ) -> None:
        activation = functools.partial(
            caller.ask, caller.device.GetActivation, api.GetDeviceActivationRequest(dev_eui=LIGHT)
        )
        counter = functools.partial(
            caller.ask,
            caller.device.GetNextFCntDown,
            api.GetDeviceNextFCntDownRequest(dev_eui=LIGHT),
        )
        assert not (await activation()).HasField("device_activation")
        assert (await counter()).f_cnt_down == 0
        network.sessions[LIGHT] = Activation("01020304", f_cnt_up=3, f_cnt_down=7)
        session = (await activation()).device_activation
        assert (session.dev_addr, session.f_cnt_up, session.n_f_cnt_down) == ("01020304", 3, 7)
        assert (await counter()).f_cnt_down == 7

    async def test_a_device_is_class_c(self, caller: Caller) -> None:
        reply = await caller.ask(caller.device.Get, api.GetDeviceRequest(dev_eui=LIGHT.upper()))
        assert reply.class_enabled == common.DeviceClass.CLASS_C
        assert reply.device.application_id == APPLICATION

    async def test_devices_are_filtered_and_sorted(
        self, caller: Caller, network: SmallNetwork
    ) -> None:
        tagged = ListedDevice("aa" * 8, "Zeta", "a", "A", "p", "P", {"floor": "2"})
        other = ListedDevice("bb" * 8, "alpha", "a", "A", "q", "Q")
        network.listed = [other, tagged, listed(LIGHT)]

        async def found(**filters: Any) -> list[str]:
            request = api.ListDevicesRequest(**{"limit": 9, "application_id": "a"} | filters)
            return [each.name for each in (await caller.ask(caller.device.List, request)).result]

        by_eui = api.ListDevicesRequest.DEV_EUI
        assert await found(order_by=by_eui) == ["Zeta", "alpha"]
        assert await found(order_by=by_eui, order_by_desc=True) == ["alpha", "Zeta"]
        assert await found(search="ZET") == ["Zeta"]
        assert await found(tags={"floor": "2"}) == ["Zeta"]
        assert await found(device_profile_id="q") == ["alpha"]
        assert await found(offset=1, order_by=by_eui) == ["alpha"]

    async def test_a_limit_of_zero_tells_the_count_only(self, caller: Caller) -> None:
        for method, request in (
            (caller.device.List, api.ListDevicesRequest(application_id=APPLICATION)),
            (caller.tenant.List, api.ListTenantsRequest()),
            (caller.application.List, api.ListApplicationsRequest(tenant_id=TENANT_ID)),
            (caller.profile.List, api.ListDeviceProfilesRequest()),
        ):
            reply = await caller.ask(method, request)
            assert (reply.total_count, len(reply.result)) == (1, 0)

    async def test_devices_of_no_application_are_refused(self, caller: Caller) -> None:
        code, _ = await caller.refusal(caller.device.List, api.ListDevicesRequest(limit=1))
        assert code is Code.INVALID_ARGUMENT


class TestGateways:
    async def test_the_state_follows_the_last_stats(self, network: SmallNetwork) -> None:
        now = 1_700_000_100.0
        network.gateway_list = [
            GatewayInfo("aa" * 8, "fresh", last_seen_at=now - 60),
            GatewayInfo("bb" * 8, "stale", last_seen_at=now - 61),
            GatewayInfo("cc" * 8, "new"),
        ]
        async with serve(network, clock=lambda: now) as server:
            caller = Caller(server)
            reply = await caller.ask(caller.gateway.List, api.ListGatewaysRequest(limit=9))
            states = {each.name: each.state for each in reply.result}
            one = api.GetGatewayRequest(gateway_id="aa" * 8)
            gateway = (await caller.ask(caller.gateway.Get, one)).gateway
            none = api.GetGatewayRequest(gateway_id="dd" * 8)
            code, _ = await caller.refusal(caller.gateway.Get, none)
            caller.channel.close()
        assert states == {
            "fresh": api.GatewayState.ONLINE,
            "stale": api.GatewayState.OFFLINE,
            "new": api.GatewayState.NEVER_SEEN,
        }
        assert (gateway.stats_interval, gateway.tenant_id) == (30, TENANT_ID)
        assert code is Code.NOT_FOUND


class TestTree:
    async def test_names_are_kept_together(self, caller: Caller) -> None:
        tenant = await caller.ask(caller.tenant.Get, api.GetTenantRequest(id=TENANT_ID))
        assert tenant.tenant.id == TENANT_ID
        application = await caller.ask(
            caller.application.Get, api.GetApplicationRequest(id=APPLICATION)
        )
        assert application.application.tenant_id == TENANT_ID
        profiles = await caller.ask(
            caller.application.ListDeviceProfiles,
            api.ListApplicationDeviceProfilesRequest(application_id=APPLICATION),
        )
        assert [each.name for each in profiles.result] == ["Kuando Busylight"]
        profile = await caller.ask(
            caller.profile.Get, api.GetDeviceProfileRequest(id=profiles.result[0].id)
        )
        assert profile.device_profile.supports_class_c
        assert not profile.device_profile.supports_class_b

    async def test_an_unknown_id_is_not_found_and_a_bad_one_invalid(self, caller: Caller) -> None:
        for bad, expected in ((UNKNOWN_ID, Code.NOT_FOUND), ("", Code.INVALID_ARGUMENT)):
            for method, request in (
                (caller.tenant.Get, api.GetTenantRequest(id=bad)),
                (caller.application.Get, api.GetApplicationRequest(id=bad)),
                (caller.profile.Get, api.GetDeviceProfileRequest(id=bad)),
                (
                    caller.application.GetHttpIntegration,
                    api.GetHttpIntegrationRequest(application_id=bad),
                ),
            ):
                assert (await caller.refusal(method, request))[0] is expected


async def test_an_integration_lives_and_each_change_is_told(network: SmallNetwork) -> None:
    told: list[tuple[str, HttpIntegration | None]] = []
    first = HttpIntegration(APPLICATION, "http://a/x", {"k": "v"})

    def message(url: str) -> Any:
        return api.HttpIntegration(
            application_id=APPLICATION, event_endpoint_url=url, headers={"k": "v"}
        )

    async with serve(network, on_integration_change=lambda *args: told.append(args)) as server:
        caller = Caller(server)
        update = api.UpdateHttpIntegrationRequest(integration=message("http://b/x"))
        create = api.CreateHttpIntegrationRequest(integration=message("http://a/x"))
        delete = api.DeleteHttpIntegrationRequest(application_id=APPLICATION)
        get = api.GetHttpIntegrationRequest(application_id=APPLICATION)
        service = caller.application
        assert (await caller.refusal(service.UpdateHttpIntegration, update))[0] is Code.NOT_FOUND
        assert (await caller.refusal(service.DeleteHttpIntegration, delete))[0] is Code.NOT_FOUND
        await caller.ask(service.CreateHttpIntegration, create)
        code, _ = await caller.refusal(service.CreateHttpIntegration, create)
        assert code is Code.ALREADY_EXISTS
        await caller.ask(service.UpdateHttpIntegration, update)
        await server.stop()
        await server.start()
        again = Caller(server)
        reply = await again.ask(again.application.GetHttpIntegration, get)
        assert reply.integration.event_endpoint_url == "http://b/x"
        await again.ask(again.application.DeleteHttpIntegration, delete)
        code, _ = await again.refusal(again.application.GetHttpIntegration, get)
        assert code is Code.NOT_FOUND
        caller.channel.close()
        again.channel.close()
    assert [application_id for application_id, _ in told] == [APPLICATION] * 3
    assert told[0][1] == first
    assert told[2][1] is None
