"""Reading back a device's events from a stream that never ends by itself."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import grpc
import pytest
import trio
from chirpstack_api import api

from lorawan.chirpstack import ChirpStackClient, ChirpStackSettings, ReplayLimits
from lorawan.events.model import Uplink
from lorawan.network import NetworkForbidden, NetworkTimeout, NetworkUnavailable
from tests.support.grpc_peer import GrpcPeer, running_peer
from tests.support.small_network import LIGHT, uplink, webhook_body

STREAM = "InternalService.StreamDeviceEvents"
FIRST_S, QUIET_S = 0.3, 0.15
PROMPT_S = 1.0


@pytest.fixture
def peer() -> Iterator[GrpcPeer]:
    with running_peer() as peer:
        yield peer


def settings(peer: GrpcPeer, *, replays_most: int = 8, **limits: Any) -> ChirpStackSettings:
    limits = {"first_s": FIRST_S, "quiet_s": QUIET_S, "total_s": 2.0} | limits
    return ChirpStackSettings(
        target=f"127.0.0.1:{peer.port}",
        api_key="k",
        replay=ReplayLimits(**limits),
        replays_most=replays_most,
    )


def item(f_cnt: int) -> Any:
    kind, body = webhook_body(uplink(f_cnt))
    return api.LogItem(id=f"{f_cnt}-0", description=kind, body=body.decode())


def stream(
    *batches: Sequence[Any], pause_s: float = 0.0, ends: bool = False, opens: bool = True
) -> Callable[[Any, grpc.ServicerContext], Iterator[Any]]:
    """A server that sends batches with pauses between them and then, as the real one, hangs."""

    def behave(_request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        left = threading.Event()
        context.add_callback(left.set)
        if opens:
            context.send_initial_metadata(())
        for batch in batches:
            yield from batch
            left.wait(pause_s)
        if not ends:
            left.wait(10)

    return behave


def counters(events: Sequence[object]) -> list[int]:
    return [event.f_cnt for event in events if isinstance(event, Uplink)]


async def test_events_come_oldest_first_and_the_silence_ends_it(peer: GrpcPeer) -> None:
    peer.answer(STREAM, stream([item(n) for n in range(10)]))
    async with ChirpStackClient(settings(peer)) as client:
        started = time.perf_counter()
        events = await client.replay(LIGHT.upper())
        took_s = time.perf_counter() - started
        assert counters(events) == list(range(10))
        assert QUIET_S < took_s < QUIET_S + PROMPT_S
        assert client.statistics().replays.events == 10
    assert peer.requests[0][1].dev_eui == LIGHT


async def test_pauses_between_looks_do_not_cut_the_newest_off(peer: GrpcPeer) -> None:
    """Each is shorter than the gap, by more than a busy machine adds; together they are longer."""
    quiet_s = 1.5
    batches = [[item(n) for n in range(first, first + 4)] for first in range(0, 20, 4)]
    peer.answer(STREAM, stream(*batches, pause_s=quiet_s / 3))
    async with ChirpStackClient(settings(peer, quiet_s=quiet_s, total_s=10.0)) as client:
        assert counters(await client.replay(LIGHT)) == list(range(20))


def test_the_quiet_gap_is_longer_than_the_servers_pause() -> None:
    assert ReplayLimits().quiet_s > 1.0


async def test_an_idle_device_has_no_events(peer: GrpcPeer) -> None:
    peer.answer(STREAM, stream())
    async with ChirpStackClient(settings(peer)) as client:
        assert await client.replay(LIGHT) == []


async def test_a_server_that_gives_no_sign_is_not_an_idle_device(peer: GrpcPeer) -> None:
    peer.answer(STREAM, stream(opens=False))
    async with ChirpStackClient(settings(peer)) as client:
        with pytest.raises(NetworkTimeout):
            await client.replay(LIGHT)
        assert client.statistics().calls.failed == {"NetworkTimeout": 1}


async def test_a_stream_that_ends_is_no_error(peer: GrpcPeer) -> None:
    peer.answer(STREAM, stream([item(1)], ends=True))
    async with ChirpStackClient(settings(peer)) as client:
        assert counters(await client.replay(LIGHT)) == [1]


async def test_a_refusal_is_told(peer: GrpcPeer) -> None:
    peer.fail(STREAM, grpc.StatusCode.UNAUTHENTICATED)
    async with ChirpStackClient(settings(peer)) as client:
        with pytest.raises(NetworkForbidden):
            await client.replay(LIGHT)


async def test_half_a_replay_is_an_error(peer: GrpcPeer) -> None:
    def break_off(_request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        yield item(1)
        context.abort(grpc.StatusCode.UNAVAILABLE, "shutting down")

    peer.answer(STREAM, break_off)
    async with ChirpStackClient(settings(peer)) as client:
        with pytest.raises(NetworkUnavailable):
            await client.replay(LIGHT)


@pytest.mark.parametrize(
    "bad",
    [
        api.LogItem(description="up", body="not json"),
        api.LogItem(description="up", body="{}"),
        api.LogItem(description="integration", body="{}"),
        api.LogItem(),
    ],
)
async def test_what_cannot_be_decoded_is_skipped_and_counted(peer: GrpcPeer, bad: Any) -> None:
    peer.answer(STREAM, stream([item(1), bad, item(2)]))
    async with ChirpStackClient(settings(peer)) as client:
        assert counters(await client.replay(LIGHT)) == [1, 2]
        assert client.statistics().replays.skipped == 1


@pytest.mark.parametrize(
    ("limits", "most"),
    [({"items_most": 5}, 5), ({"bytes_most": 1000}, 10), ({"total_s": 0.3}, 10_000)],
)
async def test_a_stream_that_never_falls_silent_is_cut(
    peer: GrpcPeer, limits: dict[str, Any], most: int
) -> None:
    def flood(_request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        left = threading.Event()
        context.add_callback(left.set)
        n = 0
        while not left.wait(0.002):
            n += 1
            yield item(n)

    peer.answer(STREAM, flood)
    async with ChirpStackClient(settings(peer, **limits)) as client:
        started = time.perf_counter()
        events = await client.replay(LIGHT)
        assert time.perf_counter() - started < PROMPT_S
        assert 1 <= len(events) <= most
        assert client.statistics().replays.truncated == 1


@pytest.mark.parametrize("opens", [True, False])
async def test_a_cancelled_replay_leaves_at_once_and_takes_its_thread_along(
    peer: GrpcPeer, opens: bool
) -> None:
    peer.answer(STREAM, stream([item(1)] if opens else [], opens=opens))
    async with ChirpStackClient(settings(peer, first_s=5.0, quiet_s=5.0, total_s=9.0)) as client:
        with trio.move_on_after(0.1) as scope:
            await client.replay(LIGHT)
        assert scope.cancelled_caught
        assert trio.current_time() - scope.deadline < 0.5
        assert client.statistics().replays.running == 0


async def test_replays_wait_for_one_another_and_can_be_cancelled(peer: GrpcPeer) -> None:
    peer.answer(STREAM, stream())
    limits = {"first_s": 5.0, "total_s": 9.0}
    async with ChirpStackClient(settings(peer, replays_most=2, **limits)) as client:
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(client.replay, LIGHT)
            with trio.fail_after(PROMPT_S):
                while len(peer.requests) < 2:
                    await trio.lowlevel.checkpoint()
            statistics = client.statistics().replays
            assert (statistics.running, statistics.waiting) == (2, 3)
            nursery.cancel_scope.cancel()
        statistics = client.statistics().replays
        assert (statistics.running, statistics.waiting) == (0, 0)
    assert len(peer.requests) == 2


async def test_a_replay_that_finds_no_free_stream_in_time_was_not_sent(peer: GrpcPeer) -> None:
    peer.answer(STREAM, stream([item(n) for n in range(9)], pause_s=0.2))
    refused: list[Exception] = []

    async def replay(client: ChirpStackClient) -> None:
        try:
            await client.replay(LIGHT)
        except NetworkUnavailable as error:
            refused.append(error)

    limits = {"first_s": 9.0, "quiet_s": 9.0, "total_s": 0.25}
    one_at_a_time = settings(peer, replays_most=1, **limits)
    async with ChirpStackClient(one_at_a_time) as client, trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(replay, client)
    assert 1 <= len(refused) <= 2
    assert len(peer.requests) == 3 - len(refused)


async def test_a_closed_client_replays_nothing(peer: GrpcPeer) -> None:
    async with ChirpStackClient(settings(peer)) as client:
        pass
    with pytest.raises(NetworkUnavailable, match="closed"):
        await client.replay(LIGHT)
