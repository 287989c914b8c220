"""Several processes serve one fleet: the production actors on one engine, in virtual time."""

import itertools
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.cluster.inbox_shard import PARKED_S
from actors.cluster.light_side import PARKED
from actors.device.command import CommandStatus
from actors.device.model import Device
from actors.outgoing.requests import Remove
from actors.refusal import Refusal
from actors.supervision import ChildState
from lorawan.kuando import LightState
from store.engine.memory import Fate, MemoryServers, Request
from store.engine.shards import ALL_SHARDS, FLEET, shard_of
from store.port import Table
from tests.support.cluster_house import Street
from tests.support.running_application import make_world

RED = LightState(red=255, blue=0, green=0, on=255, off=0)
BLUE = LightState(red=0, blue=255, green=0, on=255, off=0)


async def test_one_process_on_the_cluster_layout_verifies_a_command(
    autojump_clock: MockClock,
) -> None:
    world = make_world(lights=4)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world)
        [house] = await street.open(nursery, "north")
        await street.owned_by_all()
        await street.settled()
        assert house.owned == set(ALL_SHARDS)
        assert house.lights == set(world.stations)
        dev_eui = next(iter(world.stations))
        command = await house.command(dev_eui, RED)
        assert command.status is CommandStatus.ACCEPTED
        done = await house.final(command.id)
        assert done.status is CommandStatus.VERIFIED
        assert house.parts.board.gateways.keys() == world.gateways.keys()
        nursery.cancel_scope.cancel(reason="the test ends")


async def test_three_processes_share_the_shards_and_each_takes_any_command_and_any_webhook(
    autojump_clock: MockClock,
) -> None:
    world = make_world(lights=12)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world)
        houses = await street.open(nursery, "north", "south", "west")
        await trio.sleep(30)  # shards are given until all have a fair share
        await street.owned_by_all()
        await street.settled()
        assert sum(len(house.owned) for house in houses) == len(ALL_SHARDS)
        assert min(len(house.owned) for house in houses) > 8
        assert sorted(itertools.chain(*(house.lights for house in houses))) == sorted(
            world.stations
        )
        for dev_eui, house in zip(world.stations, itertools.cycle(houses), strict=False):
            command = await house.command(dev_eui, RED)
            assert (await house.final(command.id)).status is CommandStatus.VERIFIED
        await trio.sleep(3)
        boards = [house.parts.board for house in houses]
        assert boards[0].devices == boards[1].devices == boards[2].devices
        assert boards[0].gateways == boards[1].gateways == boards[2].gateways
        nursery.cancel_scope.cancel(reason="the test ends")


@pytest.mark.parametrize("whose", ["the light's owner", "the fleet's owner"])
async def test_a_command_outlives_the_process_that_took_it(
    autojump_clock: MockClock, whose: str
) -> None:
    world = make_world(lights=12)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world)
        await street.spread(nursery, "north", "south", "west")
        fleet_house = street.fleet_house()
        if whose == "the fleet's owner":
            victim = fleet_house
            dev_eui = next(iter(world.stations))
        else:
            victim = next(one for one in street.houses if one is not fleet_house and one.lights)
            dev_eui = next(iter(victim.lights))
        command = await victim.command(dev_eui, BLUE)
        street.close(victim)
        other = street.houses[0]
        with trio.fail_after(300):
            done = None
            while done is None or not done.status.final:
                await trio.sleep(1)
                done = await other.application.commands.find(command.id)
        assert done.status is CommandStatus.VERIFIED
        await street.owned_by_all()
        assert sum(len(house.owned) for house in street.houses) == len(ALL_SHARDS)
        nursery.cancel_scope.cancel(reason="the test ends")


async def test_a_command_that_a_failover_took_with_its_pursuit_is_pursued_once_it_is_repeated(
    autojump_clock: MockClock,
) -> None:
    world = make_world(lights=6)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world, MemoryServers(replicas=1))
        await street.spread(nursery, "north", "south")
        owner = next(one for one in street.houses if one.lights)
        [acceptor] = [one for one in street.houses if one is not owner]
        street.hold_replicas()
        dev_eui = next(iter(owner.lights))
        command = await acceptor.command(dev_eui, BLUE)
        pursued = await acceptor.parts.board.wait_command(
            command.id, lambda one: len(one.timeline) > 1, 10.0
        )
        assert pursued is not None, "what is shown here is about to be lost"
        street.close(owner)
        street.servers.fail_over()
        done = None
        with trio.fail_after(300):
            while done is None or not done.status.final:
                await trio.sleep(1)
                done = await acceptor.application.commands.find(command.id)
        assert done.status is CommandStatus.VERIFIED
        nursery.cancel_scope.cancel(reason="the test ends")


async def test_an_unknown_light_is_refused_and_an_equal_request_finds_its_command(
    autojump_clock: MockClock,
) -> None:
    world = make_world(lights=2)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world)
        north, south = await street.open(nursery, "north", "south")
        await trio.sleep(20)
        await street.owned_by_all()
        await street.settled()
        dev_eui = next(iter(world.stations))
        first = await north.command(dev_eui, RED, idempotency_key="k", fingerprint="red")
        again = await south.command(dev_eui, RED, idempotency_key="k", fingerprint="red")
        assert again.id == first.id
        assert await south.refusal(dev_eui, BLUE, idempotency_key="k") is Refusal.KEY_REUSED
        assert await south.refusal("ff" * 8, BLUE) is Refusal.UNKNOWN_DEVICE
        new = "20202041000000ff"
        owner = next(house for house in street.houses if house.reads(shard_of(new)))
        owner.parts.fleet.register(Device(dev_eui=new))
        await owner.command(new, RED)  # though its record is just on its way
        await trio.sleep(1)
        assert all(new in house.parts.board.devices for house in street.houses)
        nursery.cancel_scope.cancel(reason="the test ends")


async def test_a_light_that_is_given_up_anywhere_is_shown_and_alerted_everywhere(
    autojump_clock: MockClock,
) -> None:
    world = make_world(lights=12)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world)
        await street.spread(nursery, "north", "south")
        fleet_house = street.fleet_house()
        [owner] = [one for one in street.houses if one is not fleet_house]
        dev_eui = next(iter(owner.lights))
        for _ in range(6):  # one more than its budget
            owner.parts.fleet.post(dev_eui, "nonsense")  # type: ignore[arg-type]
            await trio.sleep(11)
        await trio.sleep(10)
        for house in street.houses:
            assert f"device {dev_eui}" in house.parts.board.actors, house.name
            assert "actor_parked" in {alert.kind for alert in house.parts.board.alerts()}
        street.close(owner)
        await street.owned_by_all()
        await trio.sleep(10)
        assert f"device {dev_eui}" not in fleet_house.parts.board.actors
        command = await fleet_house.command(dev_eui, RED)
        assert (await fleet_house.final(command.id)).status is CommandStatus.VERIFIED
        nursery.cancel_scope.cancel(reason="the test ends")


async def test_what_was_given_up_once_for_the_fleet_is_so_no_longer_where_its_shard_is_left(
    autojump_clock: MockClock,
) -> None:
    world = make_world(lights=2)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world)
        await street.open(nursery, "north", "south")
        await street.owned_by_all()
        before = street.fleet_house()
        for _ in range(6):  # one more than its budget
            nonsense = Remove("no reply", None, None)  # type: ignore[arg-type]
            before.parts.fleetwide.outgoing.mailbox.offer(nonsense)
            await trio.sleep(8)
        assert before.parts.board.actors["hooks"].state is ChildState.PARKED
        await trio.sleep(10)
        for house in street.houses:
            assert "actor_parked" in {one.kind for one in house.parts.board.alerts()}

        for moves_from in (before, *(one for one in street.houses if one is not before)):
            moves_from.engine.cut_off = True
            await trio.sleep(30)
            moves_from.engine.cut_off = False
            await trio.sleep(90)
            assert street.fleet_house() is not moves_from
            for house in street.houses:
                assert "hooks" not in house.parts.board.actors, house.name
                opened = [one for one in house.parts.board.alerts() if one.closed_at is None]
                assert "actor_parked" not in {one.kind for one in opened}
        assert street.fleet_house() is before
        nursery.cancel_scope.cancel(reason="the test ends")


@pytest.mark.parametrize("is_offline", [True, False])
async def test_a_gateway_that_was_deleted_while_nobody_watched_is_known_no_longer(
    autojump_clock: MockClock, is_offline: bool
) -> None:
    world = make_world(lights=2)
    gateway_id = next(iter(world.gateways))
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world)
        await street.open(nursery, "north", "south")
        await street.owned_by_all()
        await trio.sleep(60)
        gateways = street.fleet_house().parts.board.gateways
        assert gateways[gateway_id].online
        if is_offline:
            world.stop_gateway(gateway_id)
            with trio.fail_after(900):
                while gateways[gateway_id].online:  # noqa: ASYNC110 nobody tells of it
                    await trio.sleep(1)
        for one in [*street.houses]:
            street.close(one)
        world.stop_gateway(gateway_id)
        del world.network.rules.gateways[gateway_id]
        await street.open(nursery, "west", "east")
        await street.owned_by_all()
        await trio.sleep(300)
        for one in street.houses:
            view = one.parts.board.gateways[gateway_id]
            assert (view.known, view.online) == (False, False)
            opened = [alert for alert in one.parts.board.alerts() if alert.closed_at is None]
            assert "gateway_offline" not in {alert.kind for alert in opened}

        await street.open(nursery, "new")
        assert gateway_id not in street.houses[-1].parts.board.gateways
        assert len(street.houses[-1].parts.board.gateways) == len(world.gateways) - 1
        nursery.cancel_scope.cancel(reason="the test ends")


async def test_nothing_is_kept_of_what_was_told_of_a_light_that_was_taken_off(
    autojump_clock: MockClock,
) -> None:
    world = make_world(lights=6)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world)
        await street.spread(nursery, "north", "south")
        fleet_house = street.fleet_house()
        [owner] = [one for one in street.houses if one is not fleet_house]
        dev_eui = next(iter(owner.lights))
        keys = [f"view/actor/device {dev_eui}", f"view/risk/{dev_eui}"]

        async def kept() -> int:
            asked = [(FLEET, Table.META, key) for key in keys]
            return sum(one is not None for one in await owner.engine.get(asked))

        for _ in range(6):  # one more than its budget
            owner.parts.fleet.post(dev_eui, "nonsense")  # type: ignore[arg-type]
            await trio.sleep(11)
        await trio.sleep(120)
        assert await kept() == len(keys)
        world.network.delete(dev_eui)
        assert await owner.parts.removals.remove(dev_eui, "by hand")
        await trio.sleep(10)
        assert dev_eui not in fleet_house.parts.board.devices
        assert await kept() == 0
        nursery.cancel_scope.cancel(reason="the test ends")


async def test_a_take_that_a_failover_took_back_writes_nothing_old_over_what_is_stored(
    autojump_clock: MockClock,
) -> None:
    world = make_world(lights=4)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world, MemoryServers(replicas=1))
        [north] = await street.open(nursery, "north")
        await street.owned_by_all()
        await street.settled()
        [south] = await street.open(nursery, "south")
        await trio.sleep(20)
        dev_eui = next(iter(north.lights))
        shard = shard_of(dev_eui)
        south.engine.fate = lambda request: Fate(lost=request.name == "read_feeds")
        done = await north.final((await north.command(dev_eui, RED)).id)
        assert done.status is CommandStatus.VERIFIED
        behind = south.parts.board.devices[dev_eui]
        assert behind.wanted is None, "it shows what is past"
        [master] = street.servers.masters
        assert master is not None
        master.catch_up()
        newest = master.data.shard(shard).disk.record(Table.DEVICE, dev_eui)

        def fate(request: Request) -> Fate:
            if request.name == "snapshot" and shard in request.about:
                return Fate(delay_s=2.0)
            return Fate(lost=request.name == "read_feeds")

        south.engine.fate = fate
        street.close(north)
        with trio.fail_after(60):
            while shard not in south.store.owned:  # noqa: ASYNC110 - nobody tells
                master.replicas[0].held = master.data.shard(shard).lease.owner == "north"
                await trio.sleep(0.01)
        street.servers.fail_over()
        south.engine.fate = lambda request: Fate()
        await street.owned_by_all()
        [master] = street.servers.masters
        assert master is not None
        stored = master.data.shard(shard).disk.record(Table.DEVICE, dev_eui)
        assert newest is not None
        assert stored is not None
        assert stored.at >= newest.at
        assert south.parts.board.devices[dev_eui].wanted is not None
        nursery.cancel_scope.cancel(reason="the test ends")


async def test_what_a_failover_took_of_another_process_was_never_sent(
    autojump_clock: MockClock,
) -> None:
    """It was shown before a replica had it, and whoever stored it died with it."""
    world = make_world(lights=6)
    frames: list[str] = []
    enqueue = world.network.enqueue

    async def noted(dev_eui: str, **more: Any) -> str:
        frames.append(dev_eui)
        return await enqueue(dev_eui, **more)

    world.network.enqueue = noted  # type: ignore[method-assign]
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world, MemoryServers(replicas=1, lag_s=0.05), need=1)
        await street.spread(nursery, "north", "south")
        fleet_house = street.fleet_house()
        [owner] = [one for one in street.houses if one is not fleet_house]
        dev_eui = next(iter(owner.lights))
        [master] = street.servers.masters
        assert master is not None
        replica = master.replicas[0]

        def told(_master: object, what: str, shard: str, asked: object, _answer: object) -> None:
            if what == "commit" and shard == shard_of(dev_eui) and command.id in repr(asked):
                replica.held = True  # the light's first step with it is the last to be carried out

        owner.engine.hears = lambda name: False  # so that it looks only after this is accepted
        command = await fleet_house.command(dev_eui, RED)
        street.servers.told = told
        board = fleet_house.parts.board
        frames.clear()
        with trio.fail_after(30):
            while board.devices[dev_eui].attempt is None:  # noqa: ASYNC110 - it is watched
                await trio.sleep(0.01)
        await trio.sleep(5)
        assert replica.held
        assert dev_eui not in frames, "nobody has it but a master that is about to die"
        street.close(owner)
        street.servers.fail_over()
        street.servers.told = lambda *_: None
        with trio.fail_after(600):
            done = await fleet_house.final(command.id)
        assert done.status is CommandStatus.VERIFIED
        assert dev_eui in frames
        nursery.cancel_scope.cancel(reason="the test ends")


async def test_a_command_for_a_light_that_was_given_up_ends_and_holds_nobody_up(
    autojump_clock: MockClock,
) -> None:
    world = make_world(lights=6)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world)
        await street.spread(nursery, "north", "south")
        fleet_house = street.fleet_house()
        [owner] = [one for one in street.houses if one is not fleet_house]
        dev_eui = next(iter(owner.lights))
        for _ in range(6):  # one more than its budget
            owner.parts.fleet.post(dev_eui, "nonsense")  # type: ignore[arg-type]
            await trio.sleep(11)
        command = await owner.command(dev_eui, RED)
        await fleet_house.application.commands.ask_status(dev_eui)  # lies between two commands
        later = await fleet_house.command(dev_eui, BLUE)
        shard = shard_of(dev_eui)
        await trio.sleep(PARKED_S / 2)
        mark = owner.parts.flow.inbox.mark(shard)
        assert owner.parts.board.command(command.id) == command, (
            "it waits for somebody to revive it"
        )
        for one in (command, later):
            with trio.fail_after(PARKED_S):
                done = await owner.final(one.id)
            assert (done.status, done.cause) == (CommandStatus.REJECTED, PARKED)
            assert done.reason == "its light's actor crashed too often, and nobody revived it"
        await trio.sleep(5)
        assert owner.parts.flow.inbox.mark(shard) != mark
        assert owner.parts.flow.inbox.statistics().open == 0
        for house in street.houses:
            assert command.id not in house.parts.board.open_commands
            assert (await house.final(command.id, 1.0)).status is CommandStatus.REJECTED
        owner.application.supervisor.revive(f"device {dev_eui}")
        again = await fleet_house.command(dev_eui, BLUE)
        assert (await fleet_house.final(again.id)).status is CommandStatus.VERIFIED
        nursery.cancel_scope.cancel(reason="the test ends")
