"""The pretend server's life, and its stream of events; called with plain gRPC."""

import socket
import threading
from collections.abc import AsyncIterator
from typing import Any, NoReturn

import grpc
import pytest
import trio
import trio.testing
from chirpstack_api import api

from lorawan.events.model import Uplink
from lorawan.network import NetworkUnavailable, QueueItem
from simulation.world.server import GrpcServer
from tests.support.grpc_caller import PROMPT_S, Caller, serve
from tests.support.small_network import LIGHT, SmallNetwork, uplink, webhook_body

Code = grpc.StatusCode
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


class TestEventStream:
    async def read(self, caller: Caller, count: int, dev_eui: str = LIGHT) -> list[Any]:
        metadata = (("authorization", "Bearer admin"),)
        request = api.StreamDeviceEventsRequest(dev_eui=dev_eui)
        call = caller.internal.StreamDeviceEvents(request, timeout=PROMPT_S, metadata=metadata)

        def take() -> list[Any]:
            call.initial_metadata()
            return [next(call) for _ in range(count)]

        try:
            return await trio.to_thread.run_sync(take)
        finally:
            call.cancel()

    async def test_events_of_the_past_then_those_that_come(
        self, caller: Caller, network: SmallNetwork
    ) -> None:
        past, kept = [uplink(n) for n in range(23)], [uplink(n) for n in range(15, 24)]
        looks = 0

        async def replay(_dev_eui: str) -> list[Uplink]:
            nonlocal looks
            looks += 1
            return past if looks < 5 else kept

        network.replay = replay  # type: ignore[method-assign,assignment]
        items = await self.read(caller, 24)
        assert [each.description for each in items] == ["up"] * 24
        assert [each.body.encode() for each in items] == [
            webhook_body(uplink(n))[1] for n in range(24)
        ]
        assert len({each.id for each in items}) == 24
        assert items[0].time.seconds == int(uplink(0).at)

    async def test_it_confirms_at_once_and_then_hangs_on_an_idle_device(
        self, caller: Caller
    ) -> None:
        assert await self.read(caller, 0) == []
        assert await self.hangs(caller, LIGHT)

    async def test_a_dev_eui_in_capitals_names_a_stream_that_nobody_writes(
        self, caller: Caller, network: SmallNetwork
    ) -> None:
        network.items["ab" * 8], network.kept["ab" * 8] = [], [uplink(1)]
        assert [each.id for each in await self.read(caller, 1, "ab" * 8)]
        assert await self.hangs(caller, "AB" * 8)

    async def hangs(self, caller: Caller, dev_eui: str) -> bool:
        metadata = (("authorization", "Bearer admin"),)
        request = api.StreamDeviceEventsRequest(dev_eui=dev_eui)
        call = caller.internal.StreamDeviceEvents(request, timeout=0.2, metadata=metadata)
        with pytest.raises(grpc.RpcError) as caught:
            await trio.to_thread.run_sync(next, call)
        return caught.value.code() is Code.DEADLINE_EXCEEDED


class TestLife:
    async def test_it_comes_back_on_its_port(self, network: SmallNetwork) -> None:
        async with serve(network) as server:
            port = server.port
            for _ in range(3):
                caller = Caller(server)
                await caller.ask(caller.device.GetQueue, QUEUE_REQUEST)
                caller.channel.close()
                await server.stop()
                await server.start()
                assert server.port == port

    async def test_a_stopped_server_does_not_listen(self, network: SmallNetwork) -> None:
        async with serve(network) as server:
            await server.stop()
            await server.stop()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", server.port), 1).close()

    async def test_starting_twice_is_a_mistake(self, server: GrpcServer) -> None:
        with pytest.raises(RuntimeError, match="already"):
            await server.start()

    async def test_a_taken_port_is_told(self, network: SmallNetwork) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(OSError, match="taken"):
                await serve(network, port=port).start()

    async def test_a_grace_lets_a_call_end(self, network: SmallNetwork) -> None:
        entered, free = trio.Event(), trio.Event()
        answers: list[Any] = []

        async def slow(_dev_eui: str) -> list[QueueItem]:
            entered.set()
            await free.wait()
            return [QueueItem("slow", 15, b"")]

        async def ask(caller: Caller) -> None:
            answers.append(await caller.ask(caller.device.GetQueue, QUEUE_REQUEST))

        network.queue = slow  # type: ignore[method-assign,assignment]
        async with serve(network) as server:
            caller = Caller(server)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask, caller)
                await entered.wait()
                nursery.start_soon(server.stop, 2.0)
                await trio.testing.wait_all_tasks_blocked()
                free.set()
            caller.channel.close()
        assert answers[0].result[0].id == "slow"

    async def test_stopping_ends_a_backend_that_hangs_and_every_thread(
        self, network: SmallNetwork
    ) -> None:
        entered = trio.Event()

        async def hang(_dev_eui: str) -> NoReturn:
            entered.set()
            await trio.sleep_forever()

        async def ask(caller: Caller) -> None:
            code, _ = await caller.refusal(caller.device.GetQueue, QUEUE_REQUEST)
            assert code in {Code.UNAVAILABLE, Code.CANCELLED}

        network.queue = hang  # type: ignore[method-assign,assignment]
        async with serve(network) as server:
            caller = Caller(server)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask, caller)
                await entered.wait()
                with trio.fail_after(PROMPT_S):
                    await server.stop()
            caller.channel.close()
        names = [thread.name for thread in threading.enumerate()]
        assert not any(name.startswith("pretend-chirpstack") for name in names)

    async def test_a_server_left_by_cancellation_is_stopped(self, network: SmallNetwork) -> None:
        server = serve(network)

        async def run() -> None:
            async with server:
                await trio.sleep_forever()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(run)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert server.port
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), 1).close()

    async def test_an_unavailable_world_is_unavailable(
        self, caller: Caller, network: SmallNetwork
    ) -> None:
        network.failure = NetworkUnavailable("no power")
        refusal = await caller.refusal(caller.device.GetQueue, QUEUE_REQUEST)
        assert refusal == (Code.UNAVAILABLE, "no power")
