"""A live client without a network, in virtual time."""

import json

import pytest
import trio
from trio.testing import MockClock

from actors.board.outlook import RiskTold, WarningTold
from actors.board.sight import EVERYTHING, Sight
from api.live.client import LiveClient
from api.live.hub import Hub
from api.live.protocol import Filter
from api.live.sight import LiveSight
from tests.support.fake_application import DEV_EUI, FakeApplication, a_light


class Peer:
    """The other end of a websocket: what it says, and what it got."""

    def __init__(
        self,
        application: FakeApplication,
        *,
        wanted: Filter | None = None,
        sight: Sight = EVERYTHING,
        name: str = "",
    ) -> None:
        self.says, self._receive = trio.open_memory_channel[str](100)
        self.heard: list[dict[str, object]] = []
        self.closed: tuple[int, str] | None = None
        self.reads = trio.Event()
        self.reads.set()
        self.hub = Hub(10, application.board)
        self.client = LiveClient(
            receive=self._receive.receive,
            send=self._take,
            close=self._close,
            clock=application.clock,
            hub=self.hub,
            sight=LiveSight(wanted or Filter(), application.board, sight, name),
            beat_s=20.0,
        )

    async def _take(self, text: str) -> None:
        with trio.CancelScope(shield=True):  # as the real server sends
            await self.reads.wait()
        self.heard.append(json.loads(text))

    async def _close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)


async def test_too_many_messages_end_it(
    application: FakeApplication, autojump_clock: MockClock
) -> None:
    peer = Peer(application)
    for _ in range(21):
        peer.says.send_nowait('{"type": "ping"}')
    with application.board.subscribe(10) as subscription:
        await peer.client.run(subscription)
    assert peer.closed == (1008, "too many messages")


async def test_a_client_may_ping_all_day(
    application: FakeApplication, autojump_clock: MockClock
) -> None:
    peer = Peer(application)
    with application.board.subscribe(10) as subscription:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(peer.client.run, subscription)
            for n in range(1_000):
                await peer.says.send(json.dumps({"type": "ping", "id": n}))
                await trio.sleep(1)
            nursery.cancel_scope.cancel()
    pongs = [message["id"] for message in peer.heard if message["type"] == "pong"]
    assert pongs == list(range(1_000))
    assert sum(message["type"] == "beat" for message in peer.heard) in (49, 50)


async def test_a_stuck_client_ends_as_soon_as_it_reads(
    application: FakeApplication, autojump_clock: MockClock
) -> None:
    peer = Peer(application)
    with application.board.subscribe(3) as subscription:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(peer.client.run, subscription)
            await trio.testing.wait_all_tasks_blocked()
            peer.reads = trio.Event()
            application.board.publish(a_light(name="stuck"))
            await trio.testing.wait_all_tasks_blocked()
            for n in range(10):
                application.board.publish(a_light(name=f"change {n}"))
            await trio.testing.wait_all_tasks_blocked()
            assert peer.closed is None, "its socket is full"
            peer.reads.set()
    assert peer.closed is not None
    assert peer.closed[0] == 1013


async def test_a_long_reason_is_cut_to_fit_a_close_frame(
    application: FakeApplication, autojump_clock: MockClock
) -> None:
    peer = Peer(application)
    peer.client.end(1012, "ä" * 200)
    with application.board.subscribe(3) as subscription:
        await peer.client.run(subscription)
    assert peer.closed is not None
    assert peer.closed[1] == "ä" * 61


@pytest.mark.parametrize("kinds", [{"device"}, {"alert", "gateway"}])
async def test_kinds_are_all_that_is_heard_of(
    application: FakeApplication, kinds: set[str], autojump_clock: MockClock
) -> None:
    peer = Peer(application, wanted=Filter(kinds=frozenset(kinds)))
    with application.board.subscribe(9) as subscription:
        with trio.move_on_after(1):
            await peer.client.run(subscription)
    snapshot = peer.heard[1]
    assert bool(snapshot["devices"]) is ("device" in kinds)
    assert bool(snapshot["gateways"]) is ("gateway" in kinds)


async def test_a_risk_travels_with_its_light(
    application: FakeApplication, autojump_clock: MockClock
) -> None:
    peer = Peer(application, wanted=Filter(kinds=frozenset({"device"})))
    number = application.board.number
    with application.board.subscribe(9) as subscription:
        with trio.move_on_after(1):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(peer.client.run, subscription)
                await trio.testing.wait_all_tasks_blocked()
                warned = RiskTold(0.62, (WarningTold("trend", 1.0),))
                application.board.tell_risk(DEV_EUI, warned)
    [light] = peer.heard[1]["devices"]  # type: ignore[misc]
    assert light["risk"] is None  # type: ignore[index]
    [change] = peer.heard[2]["changes"]  # type: ignore[misc]
    assert change["number"] == number + 1  # type: ignore[index]
    told = change["what"]["risk"]  # type: ignore[index]
    assert told == {"chance_30s": 0.62, "warnings": ["trend"]}


async def test_a_client_that_resumes_is_told_of_the_risk_it_missed(
    application: FakeApplication, autojump_clock: MockClock
) -> None:
    number = application.board.number
    application.board.tell_risk(DEV_EUI, RiskTold(0.8))
    peer = Peer(application, wanted=Filter(dev_euis=frozenset({DEV_EUI})))
    with application.board.subscribe(9, resume_from=number) as subscription:
        with trio.move_on_after(1):
            await peer.client.run(subscription)
    assert peer.heard[0]["resumed"] is True
    [change] = peer.heard[1]["changes"]  # type: ignore[misc]
    assert change["what"]["risk"]["chance_30s"] == 0.8  # type: ignore[index]
