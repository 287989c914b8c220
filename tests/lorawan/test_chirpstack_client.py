"""The client against the pretend server: what goes in at one end comes out at the other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lorawan.chirpstack import ChirpStackClient, ChirpStackSettings, ReplayLimits
from lorawan.network import (
    Activation,
    DeviceState,
    NetworkFault,
    NetworkForbidden,
    NetworkInvalid,
    NetworkRefused,
    NetworkTimeout,
    NetworkUnknown,
    QueueItem,
)
from simulation.world.server import GrpcServer
from tests.support.small_network import LIGHT, OTHER, SmallNetwork, uplink, webhook_body

EXPIRES_AT = 1_700_000_000.123456


@pytest.fixture
def network() -> SmallNetwork:
    return SmallNetwork()


@pytest.fixture
async def server(network: SmallNetwork) -> AsyncIterator[GrpcServer]:
    async with GrpcServer(
        network,
        api_key="admin",
        read_only_key="look",
        tenant_key="tenant",
        render=webhook_body,
        poll_s=0.05,
    ) as server:
        yield server


def opened(server: GrpcServer, key: str = "admin") -> ChirpStackClient:
    replay = ReplayLimits(first_s=1.0, quiet_s=0.15, total_s=3.0)
    target = f"127.0.0.1:{server.port}"
    return ChirpStackClient(ChirpStackSettings(target=target, api_key=key, replay=replay))


@pytest.fixture
async def client(server: GrpcServer) -> AsyncIterator[ChirpStackClient]:
    async with opened(server) as client:
        yield client


async def test_an_item_is_queued_and_read_back_to_the_microsecond(
    client: ChirpStackClient,
) -> None:
    data = bytes.fromhex("ff0000ff00")
    item_id = await client.enqueue(LIGHT.upper(), f_port=15, data=data, expires_at=EXPIRES_AT)
    expected = QueueItem(id=item_id, f_port=15, data=data, expires_at=EXPIRES_AT)
    assert await client.queue(LIGHT) == [expected]


async def test_a_flush_empties_the_queue(client: ChirpStackClient, network: SmallNetwork) -> None:
    await client.enqueue(LIGHT, f_port=15, data=b"", expires_at=EXPIRES_AT)
    await client.flush(LIGHT)
    assert await client.queue(LIGHT) == []
    assert network.items[LIGHT] == []


async def test_pending_and_attempted_items_are_told(
    client: ChirpStackClient, network: SmallNetwork
) -> None:
    items = [
        QueueItem("a", 15, b"\x01", is_pending=True, confirmed=True, f_cnt_down=8),
        QueueItem("b", 15, b"\x02", expires_at=EXPIRES_AT),
    ]
    network.items[LIGHT] = items
    assert await client.queue(LIGHT) == items


async def test_the_session_is_told_or_none(client: ChirpStackClient, network: SmallNetwork) -> None:
    assert await client.activation(LIGHT) is None
    network.sessions[LIGHT] = Activation("01020304", f_cnt_up=5, f_cnt_down=9)
    assert await client.activation(LIGHT) == network.sessions[LIGHT]


async def test_more_events_than_one_look_come_back_in_order(
    client: ChirpStackClient, network: SmallNetwork
) -> None:
    network.kept[LIGHT] = [uplink(n) for n in range(25)]
    events = await client.replay(LIGHT)
    assert [event.at for event in events] == [event.at for event in network.kept[LIGHT]]


async def test_an_idle_device_replays_nothing(client: ChirpStackClient) -> None:
    assert await client.replay(LIGHT) == []


async def test_an_unknown_device_with_an_admins_key(client: ChirpStackClient) -> None:
    with pytest.raises(NetworkUnknown):
        await client.enqueue(OTHER, f_port=15, data=b"", expires_at=EXPIRES_AT)
    with pytest.raises(NetworkUnknown):
        await client.activation(OTHER)
    assert await client.queue(OTHER) == []
    await client.flush(OTHER)


async def test_an_unknown_device_with_a_tenants_key_is_not_told_from_no_right(
    server: GrpcServer,
) -> None:
    async with opened(server, "tenant") as client:
        with pytest.raises(NetworkForbidden, match="unknown"):
            await client.enqueue(OTHER, f_port=15, data=b"", expires_at=EXPIRES_AT)
        for call in (client.queue, client.activation, client.flush, client.replay):
            with pytest.raises(NetworkForbidden, match="unknown"):
                await call(OTHER)


async def test_a_read_only_key_reads_only(server: GrpcServer, network: SmallNetwork) -> None:
    async with opened(server, "look") as client:
        assert await client.queue(LIGHT) == []
        with pytest.raises(NetworkForbidden, match="read-only"):
            await client.enqueue(LIGHT, f_port=15, data=b"", expires_at=EXPIRES_AT)
        with pytest.raises(NetworkForbidden, match="read-only"):
            await client.flush(LIGHT)
    assert network.items[LIGHT] == []


async def test_a_wrong_key_is_refused_for_good(server: GrpcServer) -> None:
    async with opened(server, "wrong") as client:
        with pytest.raises(NetworkRefused) as caught:
            await client.queue(LIGHT)
    assert not isinstance(caught.value, NetworkForbidden)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (NetworkFault("database down"), NetworkFault),
        (NetworkTimeout("lost reply"), NetworkTimeout),
        (NetworkInvalid("bad"), NetworkInvalid),
        (NetworkRefused("no"), NetworkRefused),
    ],
)
async def test_a_failure_of_the_world_arrives_as_what_it_is(
    client: ChirpStackClient,
    network: SmallNetwork,
    failure: Exception,
    expected: type[Exception],
) -> None:
    network.failure = failure
    for attempt in (client.queue, client.activation, client.flush, client.replay):
        with pytest.raises(expected):
            await attempt(LIGHT)
    with pytest.raises(expected):
        await client.enqueue(LIGHT, f_port=15, data=b"", expires_at=EXPIRES_AT)


async def test_nonsense_does_not_leave(client: ChirpStackClient, network: SmallNetwork) -> None:
    with pytest.raises(NetworkInvalid):
        await client.queue("")
    with pytest.raises(NetworkInvalid):
        await client.enqueue(LIGHT, f_port=271, data=b"", expires_at=EXPIRES_AT)
    assert client.statistics().calls.started == 0
    assert network.items[LIGHT] == []


async def test_an_authority_file_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    missing = str(tmp_path / "ca.pem")
    settings = ChirpStackSettings(target="127.0.0.1:1", api_key="k", tls=True, ca_file=missing)
    with pytest.raises(FileNotFoundError):
        async with ChirpStackClient(settings):
            pass


async def test_how_a_device_is_configured(client: ChirpStackClient, network: SmallNetwork) -> None:
    assert await client.device(LIGHT) == DeviceState(LIGHT, "CLASS_C", name=f"light {LIGHT}")
    network.states[LIGHT] = DeviceState(LIGHT, "CLASS_A", disabled=True)
    state = await client.device(LIGHT.upper())
    assert (state.disabled, state.device_class, state.class_c_profile) == (True, "CLASS_A", None)
    network.states[LIGHT] = DeviceState(LIGHT, "CLASS_A")
    assert (await client.device(LIGHT)).class_c_profile is True
    with pytest.raises(NetworkUnknown):
        await client.device(OTHER)
