"""Hooks by the real application: told what lights prove, over restarts and take-overs."""

import trio
from trio.testing import MockClock

from actors.outgoing.model import Hook, Kind
from lorawan.kuando import LightState
from store.engine.shards import FLEET
from store.memory import MemoryDisk
from tests.support.cluster_house import Street
from tests.support.pretend_receiver import PretendReceiver, a_hook
from tests.support.running_application import make_world, running_application

RED, BLUE = LightState(255, 0, 0), LightState(0, 0, 255)


async def test_verdicts_and_states_of_real_lights_are_told_over_a_restart(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    world = make_world(lights=2)
    await nursery.start(world.run)
    receiver, disk = PretendReceiver(), MemoryDisk()
    one, two = world.stations
    async with running_application(world, disk, sender=receiver) as home:
        await home.settled()
        made = await home.application.outgoing.save(
            a_hook(kinds=(Kind.VERDICTS, Kind.STATES), changed_at=home.now()), None
        )
        assert isinstance(made, Hook)
        first = await home.command(one, RED)
        await home.final(first.id)
        await trio.sleep(1)
        receiver.answer = lambda body: None
        second, third = await home.command(one, BLUE), await home.command(two, BLUE)
        await home.final(second.id)
        await home.final(third.id)
    receiver.answer = lambda body: 200
    async with running_application(world, disk, seed=8, sender=receiver):
        await trio.sleep(60)
    assert receiver.verdicts() == {one: [first.id, second.id], two: [third.id]}
    shown = [
        posted.data["shown"]
        for posted in receiver.taken
        if posted.body["type"] == "light.changed" and posted.data["dev_eui"] == one
    ]
    assert {"red": 255, "green": 0, "blue": 0, "on": 255, "off": 0} in shown
    assert shown[-1] == {"red": 0, "green": 0, "blue": 255, "on": 255, "off": 0}


async def test_the_process_that_takes_the_fleet_over_goes_on_where_the_one_before_stood(
    autojump_clock: MockClock,
) -> None:
    world, receiver = make_world(lights=4), PretendReceiver()
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world, sender=receiver)
        houses = await street.open(nursery, "north", "south")
        await trio.sleep(30)
        await street.owned_by_all()
        await street.settled()
        [owner] = [house for house in houses if FLEET in house.owned]
        made = await owner.application.outgoing.save(
            a_hook(changed_at=owner.application.clock.now()), None
        )
        assert isinstance(made, Hook)
        given: dict[str, list[str]] = {}
        for turn in range(3):
            light = LightState(turn + 1, 0, 0)
            asked = [(eui, await street.houses[0].command(eui, light)) for eui in world.stations]
            if turn == 1:
                [owner] = [house for house in street.houses if FLEET in house.owned]
                street.close(owner)
            for dev_eui, command in asked:
                given.setdefault(dev_eui, []).append(command.id)
                await street.houses[0].final(command.id)
            if turn == 1:
                receiver.answer = lambda body: None
        await street.owned_by_all()
        receiver.answer = lambda body: 200
        await trio.sleep(120)
        assert receiver.verdicts() == given
        nursery.cancel_scope.cancel(reason="the test ends")
