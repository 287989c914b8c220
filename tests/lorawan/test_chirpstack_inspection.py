"""The calls of an inspection, against a real gRPC server."""

import grpc
import pytest
from chirpstack_api import api, common

from lorawan.chirpstack import ChirpStackClient, ChirpStackSettings
from lorawan.chirpstack.inspection import DeviceState
from lorawan.network import NetworkRefused, NetworkUnknown
from simulation.world.server.backend_calls import LightProfile
from tests.support.grpc_caller import serve
from tests.support.grpc_peer import running_peer
from tests.support.small_network import LIGHT, SmallNetwork, uplink


def client_of(port: int, key: str = "admin") -> ChirpStackClient:
    return ChirpStackClient(ChirpStackSettings(target=f"127.0.0.1:{port}", api_key=key))


async def test_profile_and_device_are_read() -> None:
    network = SmallNetwork()
    ticked = LightProfile(class_b=True, class_c_timeout_s=7)
    async with serve(network, profile=ticked) as server, client_of(server.port) as client:
        profile = await client.inspection.profile("profile-Kuando Busylight")
        assert (profile.class_b, profile.class_c, profile.class_c_timeout_s) == (True, True, 7)
        assert (profile.region, profile.mac_version) == ("EU868", "LORAWAN_1_0_3")
        state = await client.inspection.device(LIGHT.upper())
        assert (state.device_class, state.last_seen_at) == ("CLASS_A", None)
        network.kept[LIGHT] = [uplink(3)]
        assert (await client.inspection.device(LIGHT)).last_seen_at == uplink(3).at
        with pytest.raises(NetworkUnknown):
            await client.inspection.profile("52f14cd4-c6f1-4fbd-8f87-4025e1d49242")


@pytest.mark.parametrize(("key", "may"), [("admin", True), ("tenant", True), ("look", False)])
async def test_the_right_to_write_is_found_out_without_effect(key: str, may: bool) -> None:
    network = SmallNetwork()
    async with serve(network) as server, client_of(server.port, key) as client:
        assert await client.inspection.may_enqueue(LIGHT) is may
    assert network.items[LIGHT] == []


async def test_a_wrong_key_is_no_missing_right() -> None:
    async with serve(SmallNetwork()) as server, client_of(server.port, "wrong") as client:
        with pytest.raises(NetworkRefused):
            await client.inspection.device(LIGHT)


async def test_an_old_server_and_an_unknown_class() -> None:
    with running_peer() as peer:
        peer.answer("DeviceService.Get", api.GetDeviceResponse(class_enabled=common.CLASS_A))
        peer.fail("ApplicationService.ListDeviceProfiles", grpc.StatusCode.UNIMPLEMENTED)
        async with client_of(peer.port) as client:
            assert not await client.inspection.lists_profiles("app")
            assert await client.inspection.device(LIGHT) == DeviceState(LIGHT, "CLASS_A", None)
            listed = api.ListApplicationDeviceProfilesResponse()
            peer.answer("ApplicationService.ListDeviceProfiles", listed)
            assert await client.inspection.lists_profiles("app")
