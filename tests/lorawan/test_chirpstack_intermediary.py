"""What a proxy answers in ChirpStack's place is never taken for ChirpStack's word.

From the field: proxies answer HTTP 404, 502 and others while the server behind them restarts
(traefik#1077, traefik#9956, traefik#6968); gRPC makes statuses of them.
"""

from collections.abc import Awaitable, Callable, Iterator

import pytest
import trio

from lorawan.chirpstack import ChirpStackClient, ChirpStackSettings, ReplayLimits
from lorawan.network import (
    HttpIntegration,
    NetworkFault,
    NetworkForbidden,
    NetworkIntermediary,
    NetworkInvalid,
    NetworkRefused,
    NetworkUnavailable,
    NetworkUnknown,
)
from simulation.world.server import GrpcServer
from tests.support.intermediary import Intermediary, running_intermediary
from tests.support.small_network import LIGHT, SmallNetwork, webhook_body

STATUSES = (
    200, 204, 301, 302, 307, 308, 400, 401, 403, 404, 405, 408, 413, 421, 429,
    500, 501, 502, 503, 504, 520,
)  # fmt: skip

CALLS: dict[str, Callable[[ChirpStackClient], Awaitable[object]]] = {
    "enqueue": lambda it: it.enqueue(LIGHT, f_port=15, data=b"", expires_at=1.0),
    "queue": lambda it: it.queue(LIGHT),
    "activation": lambda it: it.activation(LIGHT),
    "flush": lambda it: it.flush(LIGHT),
    "replay": lambda it: it.replay(LIGHT),
    "gateways": lambda it: it.gateways(),
    "devices": lambda it: it.devices("kuando"),
    "applications": lambda it: it.applications(),
    "http_integration": lambda it: it.http_integration("app"),
    "create_http_integration": lambda it: it.create_http_integration(
        HttpIntegration("app", "http://x", {})
    ),
    "inspected device": lambda it: it.inspection.device(LIGHT),
    "right to enqueue": lambda it: it.inspection.may_enqueue(LIGHT),
    "profiles listed": lambda it: it.inspection.lists_profiles("app"),
}


@pytest.fixture(scope="module")
def proxy() -> Iterator[Intermediary]:
    with running_intermediary() as proxy:
        yield proxy


def client_of(port: int) -> ChirpStackClient:
    replay = ReplayLimits(first_s=1.0, quiet_s=0.15, total_s=3.0)
    settings = ChirpStackSettings(target=f"127.0.0.1:{port}", api_key="admin", replay=replay)
    return ChirpStackClient(settings)


@pytest.mark.parametrize("status", STATUSES)
async def test_a_plain_http_answer_is_nobodys_verdict(proxy: Intermediary, status: int) -> None:
    for body in (b"", b"<html>not here</html>"):
        proxy.answer_with(status, body, ("server", "traefik"))
        async with client_of(proxy.port) as client:
            for name, call in CALLS.items():
                with pytest.raises(NetworkUnavailable) as caught:
                    await call(client)
                assert isinstance(caught.value, NetworkIntermediary), name
                told = str(caught.value)
                # gRPC itself forgets the status where the body overtakes it.
                assert f"HTTP {status}" in told or "not an answer of ChirpStack" in told, name


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (5, "NotFound"),  # Kong's words for a route that is away
        (5, "Not Found"),
        (5, "404 Not Found"),
        (5, ""),
        (3, "InvalidArgument"),
        (3, "Bad Request"),
        (3, ""),
        (7, "PermissionDenied"),
        (7, ""),
        (9, ""),
        (11, "OutOfRange"),
        (12, ""),  # Envoy's, and any other gRPC service's
        (12, "unknown service api.DeviceService"),
        (16, "Unauthenticated"),
        (16, "Unauthorized"),
    ],
)
async def test_a_proxy_that_speaks_grpc_gives_no_verdict_either(
    proxy: Intermediary, code: int, text: str
) -> None:
    headers = [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", str(code))]
    proxy.answer_headers([*headers, ("grpc-message", text)] if text else headers)
    async with client_of(proxy.port) as client:
        for call in CALLS.values():
            if code == 12 and call is CALLS["profiles listed"]:
                assert not await call(client)  # an old ChirpStack says just this
                continue
            with pytest.raises(NetworkIntermediary):
                await call(client)


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (5, "Object does not exist (id: 0102030405060708)", NetworkUnknown),
        (3, "FPort must be between 1 - 255", NetworkInvalid),
        (13, "FOREIGN KEY constraint failed", NetworkUnknown),
        (13, "database is locked", NetworkFault),
        (16, "InvalidToken", NetworkRefused),
        (16, "ExpiredSignature", NetworkRefused),
        (16, "", NetworkForbidden),
    ],
)
async def test_chirpstacks_own_words_count_through_a_proxy_too(
    proxy: Intermediary, code: int, text: str, expected: type[Exception]
) -> None:
    headers = [(":status", "200"), ("content-type", "application/grpc"), ("server", "envoy")]
    headers.append(("grpc-status", str(code)))
    proxy.answer_headers([*headers, ("grpc-message", text)] if text else headers)
    async with client_of(proxy.port) as client:
        with pytest.raises(expected) as caught:
            await client.enqueue(LIGHT, f_port=15, data=b"", expires_at=1.0)
    assert type(caught.value) is expected


async def test_the_client_works_at_once_when_the_server_behind_a_proxy_is_back() -> None:
    network = SmallNetwork()
    async with GrpcServer(network, api_key="admin", render=webhook_body, poll_s=0.05) as server:
        with running_intermediary(server.port) as proxy:
            async with client_of(proxy.port) as client:
                assert await client.queue(LIGHT) == []
                for status in (301, 401, 403, 404, 502):
                    proxy.answer_with(status)
                    with pytest.raises(NetworkUnavailable):
                        await client.queue(LIGHT)
                    with pytest.raises(NetworkUnavailable):
                        await client.enqueue(LIGHT, f_port=15, data=b"", expires_at=1.0)
                    proxy.pass_on()
                    with trio.fail_after(2.0):
                        await answered(client)
                assert await client.enqueue(LIGHT, f_port=15, data=b"", expires_at=1.0)
    assert len(network.items[LIGHT]) == 1


async def answered(client: ChirpStackClient) -> None:
    """Until a call gets through: breaking the connection off may cost the first one."""
    while True:
        try:
            await client.queue(LIGHT)
        except NetworkUnavailable:
            await trio.sleep(0.05)
        else:
            return
