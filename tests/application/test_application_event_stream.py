"""Events out of ChirpStack's stream: none is lost while the service is away, none is told twice."""

import random
from collections import Counter

import pytest
import trio
from trio.testing import MockClock

from actors.device.command import CommandStatus
from actors.event_stream.reader import QUIET_S
from lorawan.events.model import Event, TxAck, Uplink
from lorawan.kuando import LightState
from simulation.world.bodies import protobuf_body
from simulation.world.world import World
from store.memory import MemoryDisk
from tests.support.memory_streams import MemorySource, MemoryStreams
from tests.support.running_application import RunningApplication, make_world, running_application

RED = LightState(255, 0, 0)
HEARTBEAT_S = 60.0


class Streamed:
    """A world that writes its events into streams, and all that it made."""

    def __init__(self, world: World, **histories: int) -> None:
        self.world = world
        self.made: list[Event] = []
        self.streams = MemoryStreams(lambda: world.kernel.now_at, **histories)
        world.delivery.stream = self._write

    def _write(self, event: Event) -> None:
        self.made.append(event)
        self.streams.add(event.device.dev_eui, *protobuf_body(event))

    @property
    def source(self) -> MemorySource:
        return MemorySource(self.streams)

    def uplinks(self) -> Counter[str]:
        return Counter(one.device.dev_eui for one in self.made if isinstance(one, Uplink))


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world(lights=3, heartbeat_s=HEARTBEAT_S)
    await nursery.start(world.run)
    return world


def counted(home: RunningApplication) -> Counter[str]:
    return Counter({one.dev_eui: one.uplinks for one in home.devices.values()})


async def all_told(home: RunningApplication, streamed: Streamed) -> None:
    """Every uplink that the world made was taken in, once."""
    with trio.move_on_after(30):
        while counted(home) != streamed.uplinks():  # noqa: ASYNC110 - virtual time
            await trio.sleep(0.1)
    assert counted(home) == streamed.uplinks()


async def test_without_webhooks_lights_are_set_up_and_commanded(
    world: World, autojump_clock: MockClock
) -> None:
    streamed = Streamed(world, history=1_000, device_history=100)
    async with running_application(world, events=streamed.source, webhooks=False) as home:
        await home.settled()
        command = await home.command(min(world.stations), RED)
        assert (await home.final(command.id, 60)).status is CommandStatus.VERIFIED
        await all_told(home, streamed)
        assert home.application.readiness.check().warnings == ()
        rendered = home.application.metrics.render().decode()
        assert "lamplighter_event_stream_connected 1.0" in rendered
        assert "lamplighter_events_missed_total 0.0" in rendered


async def test_what_happens_while_the_service_is_down_is_read_when_it_is_back(
    world: World, autojump_clock: MockClock
) -> None:
    streamed = Streamed(world, history=10_000, device_history=10)
    disk = MemoryDisk()
    async with running_application(world, disk, events=streamed.source, webhooks=False) as home:
        await home.settled()
        before = sum(counted(home).values())
    await trio.sleep(1_800)
    async with running_application(world, disk, events=streamed.source, webhooks=False) as home:
        await all_told(home, streamed)
        assert sum(counted(home).values()) > before + 60
        assert home.parts.events.stream is not None
        assert home.parts.events.stream.statistics().gaps == 0
        assert not any(one.session and one.session.missing for one in home.devices.values())


async def test_a_stop_longer_than_the_history_is_filled_from_the_streams_of_the_lights(
    world: World, autojump_clock: MockClock
) -> None:
    streamed = Streamed(world, history=10, device_history=100)
    disk = MemoryDisk()
    async with running_application(world, disk, events=streamed.source, webhooks=False) as home:
        await home.settled()
    await trio.sleep(1_800)
    async with running_application(world, disk, events=streamed.source, webhooks=False) as home:
        await all_told(home, streamed)
        assert home.parts.events.stream is not None
        found = home.parts.events.stream.statistics()
        assert found.gaps == 1
        assert found.filled > 60


async def test_a_crash_at_any_moment_loses_no_event(
    world: World, autojump_clock: MockClock
) -> None:
    """What is not committed at the crash is gone from memory: it is read again."""
    streamed = Streamed(world, history=10_000, device_history=100)
    disk, rng = MemoryDisk(), random.Random(5)
    async with running_application(world, disk, events=streamed.source, webhooks=False) as home:
        await home.settled()
    for _ in range(40):
        async with running_application(world, disk, events=streamed.source, webhooks=False) as home:
            await trio.sleep(rng.expovariate(1 / 20))
            if rng.random() < 0.3:
                await home.command(rng.choice(sorted(world.stations)), RED)
        await trio.sleep(rng.expovariate(1 / 20))
    async with running_application(world, disk, events=streamed.source, webhooks=False) as home:
        await all_told(home, streamed)


async def test_an_event_that_comes_both_ways_is_told_once(
    world: World, autojump_clock: MockClock
) -> None:
    streamed = Streamed(world, history=1_000, device_history=100)
    async with running_application(world, events=streamed.source) as home:
        await home.settled()
        command = await home.command(min(world.stations), RED)
        assert (await home.final(command.id, 60)).status is CommandStatus.VERIFIED
        await all_told(home, streamed)
        await trio.sleep(10)
        frames = sum(isinstance(one, TxAck) for one in streamed.made)
        rendered = home.application.metrics.render().decode()
        assert f"lamplighter_frames_total {frames}.0" in rendered
        assert home.parts.events.stream is not None
        assert home.parts.events.stream.statistics().repeated > frames
        assert all(one.duplicates == 0 for one in home.devices.values())


async def test_a_redis_that_is_away_is_told_and_read_on_when_it_is_back(
    world: World, autojump_clock: MockClock
) -> None:
    streamed = Streamed(world, history=1_000, device_history=100)
    async with running_application(world, events=streamed.source, webhooks=False) as home:
        await home.settled()
        streamed.streams.away = "connection refused"
        await trio.sleep(300)
        (text,) = home.application.readiness.check().warnings
        assert text == "ChirpStack's stream of events cannot be read: connection refused"
        opened = [one.kind for one in home.board.alerts() if one.closed_at is None]
        assert "event_stream" in opened
        streamed.streams.away = None
        await all_told(home, streamed)
        assert home.application.readiness.check().warnings == ()
        await trio.sleep(120)
        assert not [one for one in home.board.alerts() if one.closed_at is None]


async def test_after_a_fail_over_that_lost_entries_all_that_is_left_is_told_once(
    world: World, autojump_clock: MockClock
) -> None:
    streamed = Streamed(world, history=1_000, device_history=100)
    async with running_application(world, events=streamed.source, webhooks=False) as home:
        await home.settled()
        await all_told(home, streamed)
        streamed.streams.away = "fail-over"
        await trio.sleep(1)
        streamed.streams.fail_over(3)
        streamed.streams.away = None
        await trio.sleep(180)
        await all_told(home, streamed)
        assert all(one.duplicates == 0 for one in home.devices.values())


async def test_a_stream_that_chirpstack_writes_no_more_is_left_for_its_own_answers(
    world: World, autojump_clock: MockClock
) -> None:
    """It was moved to another Redis, say: the old one can be read, and is silent for ever."""
    streamed = Streamed(world, history=1_000, device_history=100)
    async with running_application(world, events=streamed.source, webhooks=False) as home:
        await home.settled()
        world.delivery.stream = None
        await trio.sleep(QUIET_S + HEARTBEAT_S)
        command = await home.command(min(world.stations), RED)
        assert (await home.final(command.id, 300)).status is CommandStatus.VERIFIED
        await trio.sleep(1_800)
        opened = [one.kind for one in home.board.alerts() if one.closed_at is None]
        assert "webhooks_missing" in opened
