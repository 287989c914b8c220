"""ChirpStack's stream in a cluster: each process reads all of it, and no event is lost or told
twice while shards change their owners."""

from collections import Counter

import pytest
import trio
from trio.testing import MockClock

from actors.device.command import CommandStatus
from lorawan.events.model import Event, TxAck, Uplink
from lorawan.kuando import LightState
from lorawan.stream.errors import StreamUnavailable
from simulation.world.bodies import protobuf_body
from simulation.world.world import World
from tests.support.cluster_house import House, Street
from tests.support.memory_streams import MemorySource, MemoryStreams
from tests.support.running_application import make_world

RED = LightState(255, 0, 0)


class StreamedStreet(Street):
    """Houses that hear of events by the stream; webhooks as well where `webhooks` says so."""

    def __init__(self, world: World, *, webhooks: bool = False, history: int = 10_000) -> None:
        super().__init__(world, events=lambda: MemorySource(self.streams))
        self.made: list[Event] = []
        self.webhooks = webhooks
        self.streams = MemoryStreams(
            lambda: world.kernel.now_at, history=history, device_history=200
        )
        world.delivery.stream = self._write

    def _write(self, event: Event) -> None:
        self.made.append(event)
        self.streams.add(event.device.dev_eui, *protobuf_body(event))

    async def _deliver(self, event: Event) -> None:
        if self.webhooks:
            await super()._deliver(event)

    def uplinks(self) -> Counter[str]:
        return Counter(one.device.dev_eui for one in self.made if isinstance(one, Uplink))

    async def all_told(self) -> None:
        """Every uplink was taken in, once, and every board shows it."""
        with trio.move_on_after(60):
            while not all(counted(one) == self.uplinks() for one in self.houses):  # noqa: ASYNC110
                await trio.sleep(0.1)
        for house in self.houses:
            assert counted(house) == self.uplinks()


def counted(house: House) -> Counter[str]:
    devices = house.parts.board.devices.values()
    return Counter({one.dev_eui: one.uplinks for one in devices})


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world(lights=6, gateways=3, heartbeat_s=60.0)
    await nursery.start(world.run)
    return world


async def test_lights_of_three_processes_are_set_up_and_commanded_by_the_stream_alone(
    world: World, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    street = StreamedStreet(world)
    await street.spread(nursery, "a", "b", "c")
    for house, dev_eui in zip(street.houses * 2, sorted(world.stations), strict=True):
        command = await house.command(dev_eui, RED)
        assert (await house.final(command.id, 120)).status is CommandStatus.VERIFIED
    await street.all_told()
    assert all(house.parts.events.warnings() == [] for house in street.houses)


async def test_a_process_that_dies_loses_no_event_of_the_stream(
    world: World, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    street = StreamedStreet(world)
    await street.spread(nursery, "a", "b", "c")
    await street.all_told()
    for name in ("d", "e"):
        street.close(street.houses[0])
        await trio.sleep(25)
        await street.open(nursery, name)
        await street.owned_by_all()
    await trio.sleep(60)
    await street.all_told()


async def test_what_a_light_did_not_take_is_told_by_whoever_takes_its_shard_over(
    world: World, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    street = StreamedStreet(world)
    await street.spread(nursery, "a", "b")
    await street.all_told()
    house = street.houses[0]
    actors = house.parts.fleet.actors
    actors[min(actors)].mailbox.close()  # as that of an actor that is parked
    await trio.sleep(300)
    street.close(house)
    await street.owned_by_all()
    await street.all_told()


async def test_shards_that_are_given_lose_no_event_of_the_stream(
    world: World, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    street = StreamedStreet(world)
    await street.spread(nursery, "a", "b", "c")
    for _ in range(2):
        house = street.houses[0]
        await house.application.leave()
        street.close(house)
        await street.owned_by_all()
        await trio.sleep(70)
        await street.all_told()


async def test_all_processes_down_for_longer_than_the_history_fill_it_from_the_lights_streams(
    world: World, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    street = StreamedStreet(world, history=20)
    await street.spread(nursery, "a", "b")
    await street.all_told()
    for house in list(street.houses):
        street.close(house)
    await trio.sleep(1_200)
    await street.open(nursery, "c", "d")
    await street.owned_by_all()
    await street.all_told()


async def test_what_comes_by_webhook_to_any_process_as_well_is_told_once(
    world: World, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    street = StreamedStreet(world, webhooks=True)
    await street.spread(nursery, "a", "b")
    house = street.fleet_house()
    frames_before = sum(isinstance(one, TxAck) for one in street.made)
    rendered_before, repeated_before = frames_of(house), repeated(house)
    command = await house.command(min(world.stations), RED)
    assert (await house.final(command.id, 120)).status is CommandStatus.VERIFIED
    await trio.sleep(30)
    await street.all_told()
    frames = sum(isinstance(one, TxAck) for one in street.made) - frames_before
    assert frames_of(house) - rendered_before == frames
    assert repeated(house) == repeated_before


def repeated(house: House) -> int:
    """Events that lights were told again; after a shard was taken some are read again."""
    return sum(one.duplicates for one in house.parts.board.devices.values())


def frames_of(house: House) -> int:
    lines = house.application.metrics.render().decode().splitlines()
    [line] = [one for one in lines if one.startswith("lamplighter_frames_total ")]
    return int(float(line.split()[1]))


class OwnSource(MemorySource):
    """The stream as one process reaches it."""

    away: str | None = None

    async def _answered(self) -> None:
        await super()._answered()
        if self.away is not None:
            raise StreamUnavailable(self.away)


async def test_a_process_that_cannot_read_the_stream_is_alerted_wherever_the_alerts_are_made(
    world: World, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    street = StreamedStreet(world)
    sources: list[OwnSource] = []

    def source() -> OwnSource:
        sources.append(OwnSource(street.streams))
        return sources[-1]

    street.events = source
    houses = await street.open(nursery, "a", "b")
    await street.owned_by_all()
    fleet = street.fleet_house()
    [other] = [one for one in houses if one is not fleet]

    def told_at(house: House) -> list[tuple[str, str]]:
        return [
            (one.subject, one.summary)
            for one in house.parts.board.alerts()
            if one.kind == "event_stream" and one.closed_at is None
        ]

    def opened() -> list[tuple[str, str]]:
        boards = [told_at(house) for house in street.houses]
        assert all(board == boards[0] for board in boards)
        return boards[0]

    async def until(told: bool, most_s: float) -> None:
        """Everywhere, or nowhere any more."""
        with trio.fail_after(most_s):
            while any(bool(told_at(one)) is not told for one in street.houses):  # noqa: ASYNC110
                await trio.sleep(1)

    await trio.sleep(120)
    assert opened() == []
    sources[houses.index(other)].away = "the password is wrong"
    await until(told=True, most_s=180)
    [(subject, text)] = opened()
    assert subject == f"stream at {other.name}"
    assert text.startswith(f"process {other.name}: ")
    assert text.endswith("the password is wrong")
    sources[houses.index(other)].away = None
    await until(told=False, most_s=300)

    sources[houses.index(fleet)].away = "the password is wrong"
    await until(told=True, most_s=180)
    await trio.sleep(30)
    [(subject, _)] = opened()
    assert subject == "stream", "where the alerts are made it is not told twice"
    fleet.engine.cut_off = True
    await trio.sleep(60)
    fleet.engine.cut_off = False
    await trio.sleep(300)
    assert street.fleet_house() is other
    [(subject, _)] = opened()
    assert subject == f"stream at {fleet.name}"
    street.close(fleet)
    await until(told=False, most_s=400)
