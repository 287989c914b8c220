"""Listing devices and gateways of a real server, page by page, with every kind of key."""

from collections.abc import Iterator
from typing import Any

import grpc
import msgspec
import pytest
import trio
from chirpstack_api import api

from lorawan.chirpstack import ChirpStackClient, ChirpStackSettings, Deadlines
from lorawan.chirpstack import listing as listing_module
from lorawan.network import (
    GatewayInfo,
    GatewayState,
    ListedDevice,
    NetworkFault,
    NetworkForbidden,
    NetworkServer,
    NetworkTimeout,
)
from simulation.world.server import GrpcServer
from simulation.world.server.grpc_server import TENANT_ID
from tests.support.grpc_peer import GrpcPeer, running_peer
from tests.support.small_network import LIGHT, SmallNetwork, listed, webhook_body


@pytest.fixture
def peer() -> Iterator[GrpcPeer]:
    with running_peer() as peer:
        yield peer


@pytest.fixture
def network() -> SmallNetwork:
    network = SmallNetwork()
    network.listed = [
        *(listed(f"{n:016x}", profile="Kuando Busylight") for n in range(7)),
        *(listed(f"{n:016x}", profile="KUANDO omega", application="attic") for n in (9, 8)),
        *(listed(f"{n:016x}", profile="Thermometer") for n in range(20, 26)),
        listed("f" * 16, profile="Thermometer", application="cellar"),
    ]
    return network


def serve(network: SmallNetwork) -> GrpcServer:
    return GrpcServer(network, api_key="admin", tenant_key="tenant", render=webhook_body)


def settings(port: int, key: str = "admin", **changes: Any) -> ChirpStackSettings:
    return ChirpStackSettings(target=f"127.0.0.1:{port}", api_key=key, **changes)


def euis(devices: Any) -> list[int]:
    return [int(device.dev_eui, 16) for device in devices]


@pytest.mark.parametrize("page_size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(("key", "tenant_id"), [("admin", None), ("tenant", TENANT_ID)])
async def test_devices_are_found_by_profile_in_any_case_whatever_the_page(
    network: SmallNetwork, page_size: int, key: str, tenant_id: str | None
) -> None:
    async with serve(network) as server:
        config = settings(server.port, key, tenant_id=tenant_id, page_size=page_size)
        async with ChirpStackClient(config) as client:
            found = await client.devices("kUaNdO")
            assert sorted(euis(found)) == [0, 1, 2, 3, 4, 5, 6, 8, 9]
            assert [
                int(each.dev_eui, 16) for each in found if each.application_name == "attic"
            ] == [
                8,
                9,
            ]
            assert await client.devices("no such profile") == []
            assert len(await client.devices("")) == len(network.listed)


async def test_a_device_is_listed_with_where_it_belongs(network: SmallNetwork) -> None:
    whole = ListedDevice(
        dev_eui=LIGHT,
        name="desk 4",
        application_id="5b3d23a1-0ad8-4dd0-9c1f-5b8e9f0d3c11",
        application_name="office",
        device_profile_id="a7a2e57a-7c2b-49a5-bbb1-1cd8ea3f5d24",
        device_profile_name="Kuando Busylight Omega",
        tags={"floor": "2"},
    )
    network.listed = [whole]
    async with serve(network) as server, ChirpStackClient(settings(server.port)) as client:
        assert await client.devices("busylight") == [whole]


async def test_a_tenants_key_without_its_tenant_is_told_what_is_missing(
    network: SmallNetwork,
) -> None:
    async with (
        serve(network) as server,
        ChirpStackClient(settings(server.port, "tenant")) as client,
    ):
        with pytest.raises(NetworkForbidden, match="tenant_id"):
            await client.devices("kuando")
        with pytest.raises(NetworkForbidden, match="tenant_id"):
            await client.gateways()


@pytest.mark.parametrize("page_size", [1, 2, 1000])
async def test_gateways_are_listed_whole(network: SmallNetwork, page_size: int) -> None:
    network.gateway_list = [
        GatewayInfo(
            gateway_id=f"{n:016x}",
            name=f"gateway {n}",
            tenant_id=TENANT_ID,
            last_seen_at=1_700_000_000.25 + n,
            latitude=52.5,
            longitude=13.4,
            state=GatewayState.ONLINE,
            stats_interval_s=60.0 * (n + 1),
        )
        for n in range(5)
    ]
    new = GatewayInfo("f" * 16, "new", TENANT_ID, state=GatewayState.NEVER_SEEN)
    network.gateway_list.append(msgspec.structs.replace(new, stats_interval_s=30.0))
    async with serve(network) as server:
        for key, tenant_id in (("admin", None), ("tenant", TENANT_ID)):
            config = settings(server.port, key, tenant_id=tenant_id, page_size=page_size)
            async with ChirpStackClient(config) as client:
                assert await client.gateways() == network.gateway_list


def a_list(count: int) -> api.ListGatewaysResponse:
    items = [api.GatewayListItem(gateway_id=f"{n:016x}", state="OFFLINE") for n in range(count)]
    return api.ListGatewaysResponse(total_count=count, result=items)


async def test_intervals_are_asked_for_twenty_at_a_time_and_then_remembered(
    peer: GrpcPeer,
) -> None:
    asked: list[str] = []

    def get(request: Any, _context: Any) -> Any:
        asked.append(request.gateway_id)
        return api.GetGatewayResponse(gateway=api.Gateway(stats_interval=600))

    peer.answer("GatewayService.List", a_list(45))
    peer.answer("GatewayService.Get", get)
    async with ChirpStackClient(settings(peer.port)) as client:
        known = []
        for _ in range(5):
            listed = await client.gateways()
            known.append(sum(one.stats_interval_s == 600.0 for one in listed))
    assert known == [20, 40, 45, 45, 45]
    assert len(asked) == len(set(asked)) == 45, "once each"
    assert {one.state for one in listed} == {GatewayState.OFFLINE}


async def test_a_list_does_not_fail_nor_wait_by_the_intervals(peer: GrpcPeer) -> None:
    peer.answer("GatewayService.List", a_list(3))
    async with ChirpStackClient(settings(peer.port)) as client:
        for code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNIMPLEMENTED):
            peer.fail("GatewayService.Get", code)
            assert [one.stats_interval_s for one in await client.gateways()] == [None] * 3
    async with ChirpStackClient(settings(peer.port)) as client:
        peer.hang("GatewayService.Get")
        began = trio.current_time()
        assert len(await client.gateways()) == 3
        assert trio.current_time() - began < 5.0


async def test_applications_are_listed(network: SmallNetwork) -> None:
    async with serve(network) as server, ChirpStackClient(settings(server.port)) as client:
        names = [(each.name, each.tenant_id) for each in await client.applications()]
    assert sorted(names) == [(name, TENANT_ID) for name in ("attic", "cellar", "lights")]


async def test_a_server_before_4_12_is_listed_whole_and_filtered_here(peer: GrpcPeer) -> None:
    applications = [api.ApplicationListItem(id="a", name="lights")]
    devices = [
        api.DeviceListItem(dev_eui="01" * 8, device_profile_name="Kuando"),
        api.DeviceListItem(dev_eui="02" * 8, device_profile_name="Thermometer"),
    ]
    peer.answer(
        "ApplicationService.List",
        api.ListApplicationsResponse(total_count=1, result=applications),
    )
    peer.answer("DeviceService.List", api.ListDevicesResponse(total_count=2, result=devices))
    async with ChirpStackClient(settings(peer.port, tenant_id="t")) as client:
        assert [each.dev_eui for each in await client.devices("kuando")] == ["01" * 8]
    assert [call for call, _ in peer.requests] == [
        "ApplicationService.List",
        "ApplicationService.ListDeviceProfiles",
        "DeviceService.List",
    ]


async def test_an_item_on_two_pages_counts_once(peer: GrpcPeer) -> None:
    """As when a gateway is added in front of the second page while we read the first."""
    pages = iter([["a", "b"], ["b", "c"]])

    def page(_request: Any, _context: Any) -> Any:
        items = [api.GatewayListItem(gateway_id=name * 16) for name in next(pages)]
        return api.ListGatewaysResponse(total_count=4, result=items)

    peer.answer("GatewayService.List", page)
    async with ChirpStackClient(settings(peer.port, page_size=2)) as client:
        assert [each.gateway_id[0] for each in await client.gateways()] == ["a", "b", "c"]


async def test_an_empty_page_ends_the_walk_whatever_was_promised(peer: GrpcPeer) -> None:
    peer.answer("GatewayService.List", api.ListGatewaysResponse(total_count=99))
    async with ChirpStackClient(settings(peer.port)) as client:
        assert await client.gateways() == []
    assert len(peer.requests) == 1


async def test_a_server_that_never_ends_is_left(
    peer: GrpcPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing_module, "PAGES_MOST", 5)
    items = [api.GatewayListItem(gateway_id="a" * 16)]
    peer.answer("GatewayService.List", api.ListGatewaysResponse(total_count=10**9, result=items))
    async with ChirpStackClient(settings(peer.port)) as client:
        with pytest.raises(NetworkFault, match="pages"):
            await client.gateways()
    assert len(peer.requests) == 5


async def test_a_whole_listing_has_a_deadline_of_its_own(peer: GrpcPeer) -> None:
    peer.hang("GatewayService.List")
    deadlines = Deadlines(listing_s=0.1, page_s=5.0)
    async with ChirpStackClient(settings(peer.port, deadlines=deadlines)) as client:
        with pytest.raises(NetworkTimeout, match=r"0\.1 s"):
            await client.gateways()


async def test_a_failing_page_fails_the_listing(peer: GrpcPeer) -> None:
    peer.fail("GatewayService.List", grpc.StatusCode.INTERNAL, "database is down")
    async with ChirpStackClient(settings(peer.port)) as client:
        with pytest.raises(NetworkFault, match="database is down"):
            await client.gateways()


def test_the_client_is_a_network_server() -> None:
    server: NetworkServer = ChirpStackClient(settings(1))
    assert server is not None
