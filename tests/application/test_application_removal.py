"""Lights that leave ChirpStack leave the board; lights that only somebody claims do not fill it.

From the field: a light that was taken down stayed on every board, was alerted hourly, and failed
every rollout (AirQo-api#7004, breeze#3933, Pi.Alert#509).
"""

from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock

from actors.board.changes import DeviceRemoved
from actors.device.command import CommandStatus
from actors.fleet.delivery import Delivery
from actors.refusal import Refusal
from actors.rollouts.model import Order, PartState
from lorawan.events.model import DeviceInfo, Uplink
from lorawan.kuando import LightState
from simulation.world.world import World
from store.memory import MemoryStore
from store.port import Table, Write
from tests.support.cluster_house import Street
from tests.support.running_application import RunningApplication, make_world, running_application

RED, GREEN = LightState(255, 0, 0), LightState(0, 255, 0)


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world(lights=3)
    await nursery.start(world.run)
    return world


def claimed(dev_eui: str, f_cnt: int = 1) -> Uplink:
    info = DeviceInfo(dev_eui=dev_eui, application_id="x", device_profile_name="Kuando Busylight")
    return Uplink(device=info, at=1.0, dev_addr="01020304", f_cnt=f_cnt, f_port=15, data=b"")


async def records(home: RunningApplication) -> set[str]:
    return {record.key for record in await home.parts.environment.store.scan(Table.DEVICE)}


async def test_a_light_deleted_in_chirpstack_leaves_by_itself(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        gone, *others = sorted(world.stations)
        with home.parts.board.subscribe() as seen:
            world.network.disable(gone)
            command = await home.command(gone, RED)
            await trio.sleep(30)
            world.network.delete(gone)
            await trio.sleep(1_800)
            assert sorted(home.devices) == others
            told = [one.what for one in await anext(seen) if isinstance(one.what, DeviceRemoved)]
        assert [one.dev_eui for one in told] == [gone]
        ended = await home.application.commands.find(command.id)
        assert ended is not None
        assert ended.status is CommandStatus.REJECTED
        assert ended.reason is not None
        assert ended.timeline[-1].reason == ended.reason
        assert await records(home) == set(others)
        found = await home.application.queries.history(
            gone, since=0, until=home.now() + 1, most=100
        )
        assert "removed" in {line.kind for line in found.lines}
        await trio.sleep(3_600)
        assert [a for a in home.board.alerts() if a.subject == gone and a.closed_at is None] == []
        assert await home.application.removals.by_hand(gone) is Refusal.UNKNOWN_DEVICE


async def test_a_late_webhook_does_not_bring_it_back_but_the_listing_does(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        dev_eui = min(world.stations)
        device = world.network.rules.devices[dev_eui]
        world.network.delete(dev_eui)
        assert await home.application.removals.by_hand(dev_eui) is None
        assert home.application.fleet.deliver(claimed(dev_eui)) is Delivery.UNKNOWN
        await trio.sleep(1_000)
        assert dev_eui not in home.devices
        world.network.rules.devices[dev_eui] = device
        await trio.sleep(1_000)
        assert dev_eui in home.devices


async def test_what_only_webhooks_claim_never_fills_the_fleet(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        answers = [
            home.application.fleet.deliver(claimed(f"{number:016x}")) for number in range(2_000)
        ]
        assert answers.count(Delivery.REGISTERED) == 500
        assert set(answers) == {Delivery.REGISTERED, Delivery.FULL}
        await trio.sleep(60)
        assert len(home.devices) == 3, home.parts.fleetwide.device_discovery.statistics()
        assert await records(home) == set(world.stations)
        assert home.application.fleet.deliver(claimed("f" * 16)) is Delivery.REGISTERED


@pytest.mark.parametrize("lacking", [1, 3])
async def test_a_listing_that_fails_removes_nothing(
    world: World, autojump_clock: MockClock, lacking: int
) -> None:
    async with running_application(world) as home:
        await home.settled()
        for dev_eui in sorted(world.stations)[:lacking]:
            world.network.delete(dev_eui)
        world.network.faults.down = True
        await trio.sleep(7_200)
        assert len(home.devices) == 3


async def test_a_removed_light_is_no_failure_of_a_rollout(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        first, second, third = sorted(world.stations)
        world.network.disable(first)
        order = Order(
            dev_euis=(first, second, third),
            light=GREEN,
            keep=True,
            ttl_s=None,
            name="all",
            pace_per_min=1.0,
            failures_most=0,
        )
        rollout = await home.application.rollouts.create(order)
        assert not isinstance(rollout, Refusal)
        await trio.sleep(30)
        for dev_eui in (first, third):  # one commanded already, one waiting
            assert await home.application.removals.by_hand(dev_eui) is None
        await trio.sleep(300)
        seen = home.application.rollouts.repository.inspect(rollout.id)
        assert seen is not None
        assert [part.state for part in seen.parts] == [
            PartState.REMOVED,
            PartState.VERIFIED,
            PartState.REMOVED,
        ]
        assert (seen.rollout.removed, seen.rollout.failed, seen.rollout.state) == (2, 0, "done")


async def test_a_disabled_light_gets_no_item_and_shows_its_colour_once_enabled(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        dev_eui = min(world.stations)
        world.network.disable(dev_eui)
        command = await home.command(dev_eui, RED)
        await trio.sleep(1_200)
        found = await home.application.commands.find(command.id)
        assert found is not None
        assert found.status is CommandStatus.HELD
        assert "disabled in ChirpStack" in (found.reason or "")
        assert len(world.network.rules.devices[dev_eui].queue) == 0
        assert "light_held" in {a.kind for a in home.board.alerts() if a.closed_at is None}
        world.network.disable(dev_eui, disabled=False)
        done = await home.final(command.id, 300)
        assert done.status is CommandStatus.VERIFIED
        await trio.sleep(120)
        assert "light_held" not in {a.kind for a in home.board.alerts() if a.closed_at is None}


async def test_a_queue_can_be_flushed_by_hand(world: World, autojump_clock: MockClock) -> None:
    async with running_application(world) as home:
        await home.settled()
        dev_eui = min(world.stations)
        device = world.network.rules.devices[dev_eui]
        world.network.disable(dev_eui)
        world.network.inject(dev_eui, b"\xca\xfe", f_port=7)
        assert await home.application.flusher.flush(dev_eui) is None
        assert len(device.queue) == 0
        await trio.sleep(1)
        found = await home.application.queries.history(
            dev_eui, since=0, until=home.now() + 1, most=100
        )
        assert {"flushed": "by hand"} in [line.detail for line in found.lines]
        assert await home.application.flusher.flush("ff" * 8) is Refusal.UNKNOWN_DEVICE
        world.network.faults.down = True
        assert await home.application.flusher.flush(dev_eui) is Refusal.NETWORK_FAILING


async def test_a_removal_by_hand_is_carried_out_whole_though_whoever_asked_left(
    world: World, autojump_clock: MockClock
) -> None:
    slow_s = 0.0

    async def slowly(writes: Sequence[Write]) -> None:
        await trio.sleep(slow_s)

    store = MemoryStore(before_commit=slowly)
    async with running_application(world, store=store) as home:
        await home.settled()
        gone, *others = sorted(world.stations)
        slow_s = 3.0
        with trio.move_on_after(1.0):
            await home.application.removals.by_hand(gone)
        await trio.sleep(3.0)
        assert sorted(home.devices) == sorted(home.parts.fleet.actors) == others
        assert await records(home) == set(others)


async def test_a_removal_is_carried_out_however_long_the_engine_is_away(
    world: World, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Else its light would be there without an actor, and hold up its commands for ever."""
    street = Street(world)
    [house] = await street.open(nursery, "north")
    await street.owned_by_all()
    await street.settled()
    dev_eui = min(world.stations)
    world.network.disable(dev_eui)
    in_hand = await house.command(dev_eui, RED)
    await trio.sleep(1)
    house.engine.cut_off = True
    assert await house.application.removals.by_hand(dev_eui) is Refusal.NO_REPLY
    assert await house.application.removals.by_hand(dev_eui) is Refusal.NO_REPLY  # asked again
    assert dev_eui in house.parts.board.devices
    await trio.sleep(20)
    house.engine.cut_off = False
    await street.owned_by_all()
    await trio.sleep(5)
    assert dev_eui not in house.parts.board.devices
    assert dev_eui not in house.lights
    assert (await house.final(in_hand.id)).status is CommandStatus.REJECTED
    found = await house.application.queries.history(dev_eui, since=0, until=1e12, most=100)
    assert [line.kind for line in found.lines].count("removed") == 1
    world.network.disable(dev_eui, disabled=False)
    await trio.sleep(1_000)
    assert dev_eui in house.lights, "ChirpStack lists it"
