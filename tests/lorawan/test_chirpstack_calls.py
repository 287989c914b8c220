"""Unary calls against a real gRPC server that misbehaves: deadlines, cancellation, bounds."""

import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest
import trio
import trio.testing
from chirpstack_api import api

from lorawan.chirpstack import ChirpStackClient, ChirpStackSettings, Deadlines
from lorawan.network import NetworkTimeout, NetworkUnavailable
from tests.support.grpc_peer import GrpcPeer, running_peer
from tests.support.small_network import LIGHT

SHORT_S = 0.2
PROMPT_S = 3.0
"""Real time by which something must have come back; generous, for a busy machine."""

QUEUE = "DeviceService.GetQueue"
ENQUEUE = "DeviceService.Enqueue"


@pytest.fixture
def peer() -> Iterator[GrpcPeer]:
    with running_peer() as peer:
        peer.answer(QUEUE, api.GetDeviceQueueItemsResponse())
        yield peer


@pytest.fixture
async def client(peer: GrpcPeer) -> AsyncIterator[ChirpStackClient]:
    async with ChirpStackClient(settings(peer)) as client:
        yield client


def settings(peer: GrpcPeer, **changes: Any) -> ChirpStackSettings:
    return ChirpStackSettings(target=f"127.0.0.1:{peer.port}", api_key="the-key", **changes)


def hasty(peer: GrpcPeer, **changes: Any) -> ChirpStackSettings:
    deadlines = Deadlines(enqueue_s=SHORT_S, read_s=SHORT_S, flush_s=SHORT_S, page_s=SHORT_S)
    return settings(peer, deadlines=deadlines, **changes)


async def enqueue(client: ChirpStackClient) -> str:
    return await client.enqueue(LIGHT, f_port=15, data=b"\x01", expires_at=1.0)


async def test_a_call_carries_the_key(peer: GrpcPeer, client: ChirpStackClient) -> None:
    await client.queue(LIGHT)
    assert peer.metadata[0]["authorization"] == "Bearer the-key"


@pytest.mark.parametrize(
    ("call", "method"),
    [
        (ENQUEUE, enqueue),
        (QUEUE, lambda client: client.queue(LIGHT)),
        ("DeviceService.GetActivation", lambda client: client.activation(LIGHT)),
        ("DeviceService.FlushQueue", lambda client: client.flush(LIGHT)),
        ("GatewayService.List", lambda client: client.gateways()),
        ("TenantService.List", lambda client: client.devices("x")),
        ("ApplicationService.GetHttpIntegration", lambda client: client.http_integration("a")),
    ],
)
class TestEveryCall:
    async def test_ends_at_its_deadline(self, peer: GrpcPeer, call: str, method: Any) -> None:
        peer.hang(call)
        async with ChirpStackClient(hasty(peer)) as client:
            started = time.perf_counter()
            with pytest.raises(NetworkTimeout, match="unknown"):
                await method(client)
        assert SHORT_S * 0.9 < time.perf_counter() - started < SHORT_S + PROMPT_S

    async def test_is_cancelled_at_once_on_both_sides(
        self, peer: GrpcPeer, client: ChirpStackClient, call: str, method: Any
    ) -> None:
        arrived = threading.Event()
        peer.hang(call, after=lambda _request: arrived.set())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(method, client)
            assert await trio.to_thread.run_sync(arrived.wait, PROMPT_S)
            cancelled_at = trio.current_time()
            nursery.cancel_scope.cancel(reason="nobody waits for it any more")
        assert trio.current_time() - cancelled_at < PROMPT_S
        assert await trio.to_thread.run_sync(peer.broken_off.wait, PROMPT_S)
        assert client.statistics().calls.in_flight == 0


async def test_an_enqueue_may_have_taken_effect_though_no_reply_came(peer: GrpcPeer) -> None:
    taken: list[Any] = []
    peer.hang(ENQUEUE, after=taken.append)
    async with ChirpStackClient(hasty(peer)) as client:
        with pytest.raises(NetworkTimeout):
            await enqueue(client)
        assert [request.queue_item.dev_eui for request in taken] == [LIGHT]
        assert client.statistics().calls.failed == {"NetworkTimeout": 1}


async def test_a_connection_lost_after_sending_is_ambiguous(
    peer: GrpcPeer, client: ChirpStackClient
) -> None:
    arrived = threading.Event()
    peer.hang(ENQUEUE, after=lambda _request: arrived.set())

    async def lose() -> None:
        await trio.to_thread.run_sync(arrived.wait, PROMPT_S)
        await trio.to_thread.run_sync(peer.stop)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(lose)
        with pytest.raises(NetworkTimeout, match="unknown"):
            await enqueue(client)
    assert len(peer.requests) == 1


async def test_nobody_listening_had_no_effect(peer: GrpcPeer, client: ChirpStackClient) -> None:
    peer.stop()
    with pytest.raises(NetworkUnavailable, match="cannot be reached") as caught:
        await enqueue(client)
    assert not isinstance(caught.value, NetworkTimeout)
    assert isinstance(caught.value.__cause__, grpc.RpcError)


async def test_the_client_goes_on_after_the_server_came_back(
    peer: GrpcPeer, client: ChirpStackClient
) -> None:
    await client.queue(LIGHT)
    peer.stop()
    with pytest.raises(NetworkUnavailable):
        await client.queue(LIGHT)
    peer.start()
    with trio.fail_after(2):
        while True:
            try:
                assert await client.queue(LIGHT) == []
                break
            except NetworkUnavailable:
                await trio.lowlevel.checkpoint()


async def test_a_hundred_calls_at_a_time(peer: GrpcPeer) -> None:
    together = threading.Barrier(100)

    def meet(_request: Any, _context: Any) -> Any:
        together.wait(5)
        return api.GetDeviceQueueItemsResponse()

    peer.answer(QUEUE, meet)
    async with ChirpStackClient(settings(peer, in_flight_most=100)) as client:
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(client.queue, LIGHT)
        assert client.statistics().calls.started == 100
        assert client.statistics().calls.failed == {}


async def test_no_more_calls_are_in_flight_than_allowed(peer: GrpcPeer) -> None:
    now, most, lock = 0, 0, threading.Lock()
    three = threading.Barrier(3)

    def count(_request: Any, _context: Any) -> Any:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        three.wait(5)
        with lock:
            now -= 1
        return api.GetDeviceQueueItemsResponse()

    peer.answer(QUEUE, count)
    three_at_most = settings(peer, in_flight_most=3)
    async with ChirpStackClient(three_at_most) as client, trio.open_nursery() as nursery:
        for _ in range(60):
            nursery.start_soon(client.queue, LIGHT)
    assert most == 3
    assert len(peer.requests) == 60


async def test_a_call_that_finds_no_free_place_in_time_was_not_sent(peer: GrpcPeer) -> None:
    peer.hang(ENQUEUE)
    deadlines = Deadlines(read_s=SHORT_S)
    one = settings(peer, deadlines=deadlines, in_flight_most=1)
    async with ChirpStackClient(one) as client, trio.open_nursery() as nursery:
        nursery.start_soon(enqueue, client)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(NetworkUnavailable, match="nothing was sent") as caught:
            await client.queue(LIGHT)
        assert not isinstance(caught.value, NetworkTimeout)
        nursery.cancel_scope.cancel()
    assert QUEUE not in [call for call, _ in peer.requests]


async def test_a_task_that_waits_for_a_place_can_be_cancelled(peer: GrpcPeer) -> None:
    peer.hang(ENQUEUE)
    async with ChirpStackClient(settings(peer, in_flight_most=1)) as client:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(enqueue, client)
            await trio.testing.wait_all_tasks_blocked()  # it has the place, and keeps it
            nursery.start_soon(client.queue, LIGHT)
            await trio.testing.wait_all_tasks_blocked()
            assert client.statistics().calls.waiting == 1
            nursery.cancel_scope.cancel()
        assert client.statistics().calls.waiting == 0
        assert client.statistics().calls.in_flight == 0


async def test_a_closed_client_sends_nothing(peer: GrpcPeer) -> None:
    async with ChirpStackClient(settings(peer)) as client:
        pass
    with pytest.raises(NetworkUnavailable, match="closed"):
        await client.queue(LIGHT)
    assert peer.requests == []


async def test_closing_ends_the_calls_in_flight(peer: GrpcPeer) -> None:
    peer.hang(ENQUEUE)
    failures: list[Exception] = []

    async def caller(client: ChirpStackClient) -> None:
        try:
            await enqueue(client)
        except NetworkTimeout as error:
            failures.append(error)

    async with trio.open_nursery() as nursery:
        async with ChirpStackClient(settings(peer)) as client:
            nursery.start_soon(caller, client)
            await trio.testing.wait_all_tasks_blocked()
        with trio.fail_after(PROMPT_S):
            while not failures:
                await trio.lowlevel.checkpoint()


def test_a_reply_after_the_end_of_trio_disturbs_nobody(
    peer: GrpcPeer, caplog: pytest.LogCaptureFixture
) -> None:
    arrived = threading.Event()

    async def leave() -> None:
        async with ChirpStackClient(settings(peer)) as client:
            with trio.move_on_after(0.05):
                await enqueue(client)

    peer.hang(ENQUEUE, after=lambda _request: arrived.set())
    with caplog.at_level(logging.ERROR):
        trio.run(leave)
        assert peer.broken_off.wait(PROMPT_S)
    assert arrived.is_set()
    assert caplog.records == []


async def test_calls_take_one_thread_together_and_leave_none_behind(peer: GrpcPeer) -> None:
    before = set(threading.enumerate())

    def added() -> int:
        now = set(threading.enumerate()) - before
        return sum(not thread.name.startswith("peer") for thread in now)

    peer.hang(ENQUEUE)
    async with ChirpStackClient(settings(peer)) as client:
        for _ in range(30):
            await client.queue(LIGHT)
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(enqueue, client)
            await trio.testing.wait_all_tasks_blocked()
            assert added() == 1
            nursery.cancel_scope.cancel()
    with trio.fail_after(5):
        while added():
            await trio.lowlevel.checkpoint()
