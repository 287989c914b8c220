"""A command that nobody can pursue ends, and that is told like every verdict, once."""

import pytest
import trio
from trio.testing import MockClock

from actors.cluster.light_side import CRASHED
from actors.device.command import Command, CommandStatus
from actors.device.events import CommandRequested, Entry
from actors.device.events import Message as Mail
from actors.device.records import read_command
from actors.device.verdict import device_stream
from actors.messaging.mailbox import Offer
from actors.outgoing.model import Hook
from lorawan.kuando import LightState
from store.engine.memory import MemoryServers
from store.engine.shards import shard_of
from store.port import Table
from tests.support.cluster_house import House, Street
from tests.support.pretend_receiver import PretendReceiver, a_hook
from tests.support.running_application import make_world, running_application

RED = LightState(red=255, blue=0, green=0, on=255, off=0)


def cannot_take(house: House) -> None:
    """Whatever brings a command to its light raises, in this process."""
    post = house.parts.fleet.post

    def raises(dev_eui: str, mail: Mail) -> Offer | None:
        if isinstance(mail, Entry) and isinstance(mail.event, CommandRequested):
            raise TypeError("no such light can be")
        return post(dev_eui, mail)

    house.parts.fleet.post = raises  # type: ignore[method-assign]


def stored(servers: MemoryServers, command: Command) -> Command:
    """As the engine has it."""
    [master] = servers.masters
    assert master is not None
    disk = master.data.shard(shard_of(command.dev_eui)).disk
    record = disk.record(Table.COMMAND, command.id)
    assert record is not None
    return read_command(record)


async def hooked(house: House) -> None:
    """Somebody wants to be told of verdicts."""
    hook = a_hook(changed_at=house.application.clock.now())
    assert isinstance(await house.application.outgoing.save(hook, None), Hook)


@pytest.mark.parametrize("killed", ["never", "while it is tried", "once its end is stored"])
async def test_a_command_over_whose_taking_everything_raises_ends_and_is_told_once(
    autojump_clock: MockClock, killed: str
) -> None:
    world, receiver = make_world(lights=4), PretendReceiver()
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world, sender=receiver)
        await street.spread(nursery, "north", "south")
        await street.settled()
        fleet_house = street.fleet_house()
        await hooked(fleet_house)
        [owner] = [house for house in street.houses if house is not fleet_house]
        dev_eui = min(owner.lights)
        for house in street.houses:
            cannot_take(house)
        before = sum(rejected(house) for house in street.houses)
        command = await fleet_house.command(dev_eui, RED)
        if killed == "while it is tried":
            with trio.fail_after(5):
                while not owner.parts.dead_letters.total:  # noqa: ASYNC110
                    await trio.sleep(0.001)
            assert not stored(street.servers, command).status.final
            street.close(owner)
        elif killed == "once its end is stored":
            with trio.fail_after(5):
                while not stored(street.servers, command).status.final:  # noqa: ASYNC110
                    await trio.sleep(0.001)
            street.close(owner)
        done = await fleet_house.final(command.id, 60.0)
        assert (done.status, done.cause) == (CommandStatus.REJECTED, CRASHED)
        await street.owned_by_all()
        await trio.sleep(60)
        for house in street.houses:
            assert await house.application.commands.find(command.id) == done
            assert command.id not in house.parts.board.open_commands
        assert stored(street.servers, command) == done
        told = [one for one in receiver.taken if one.body["type"] == "command.ended"]
        assert [(one.data["command_id"], one.data["reason_code"]) for one in told] == [
            (command.id, "actor_crashed")
        ]
        verdicts = await fleet_house.store.entries(
            device_stream(dev_eui), since=0, until=1e12, most=10
        )
        assert [one.entry for one in verdicts] == [command.id]
        if killed != "once its end is stored":
            assert sum(rejected(house) for house in street.houses) == before + 1
        nursery.cancel_scope.cancel(reason="the test ends")


def rejected(house: House) -> float:
    """How many commands this process has counted as rejected."""
    labels = {"verdict": "rejected"}
    return house.parts.metrics.registry.get_sample_value("lamplighter_commands_total", labels) or 0


async def test_the_end_of_a_removed_lights_command_is_told(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    world, receiver = make_world(lights=2), PretendReceiver()
    await nursery.start(world.run)
    async with running_application(world, sender=receiver) as home:
        await home.settled()
        hook = a_hook(changed_at=home.now())
        assert isinstance(await home.application.outgoing.save(hook, None), Hook)
        gone = min(world.stations)
        world.network.disable(gone)
        command = await home.command(gone, RED)
        await trio.sleep(1)
        assert await home.application.removals.by_hand(gone) is None
        await trio.sleep(10)
        [told] = [one for one in receiver.taken if one.body["type"] == "command.ended"]
        assert (told.data["command_id"], told.data["status"]) == (command.id, "rejected")
        assert told.data["reason_code"] == "light_removed"
