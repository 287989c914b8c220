"""No accepted command stays open for ever because whoever ended it is gone, and a fail-over took
that.

A process ends a command, gives its lights to another and leaves; then the engine is set back to
before all of this. Only the next owner's memory has what the light was told since.
"""

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock

from actors.device.command import Command, CommandStatus, StepKind
from actors.device.records import read_command
from lorawan.kuando import LightState
from store.engine.memory import Fate, MemoryServers
from store.engine.shards import shard_of
from store.port import Table
from tests.support.cluster_house import House, Street
from tests.support.running_application import make_world

RED = LightState(red=255, blue=0, green=0, on=255, off=0)
BLUE = LightState(red=0, blue=255, green=0, on=255, off=0)
GREEN = LightState(red=0, blue=0, green=255, on=255, off=0)


class Story:
    """`north` owns a light, and only it knows how the first of two commands ended."""

    def __init__(self) -> None:
        self.world = make_world(lights=4)
        self.street = Street(self.world, MemoryServers(replicas=1))
        self.dev_eui = next(iter(self.world.stations))

    async def begin(self, nursery: trio.Nursery) -> House:
        await nursery.start(self.world.run)
        [north] = await self.street.open(nursery, "north")
        await self.street.owned_by_all()
        await self.street.settled()
        return north

    async def hand_over(self, north: House, south: House) -> None:
        """`north` leaves, and is gone; `south` owns all, and the engine is set back."""
        with trio.fail_after(30):
            await north.application.leave()
        self.street.close(north)
        await self.street.owned_by_all()
        assert self.dev_eui in south.lights
        self.street.servers.fail_over()

    def stored(self, command: Command) -> Command:
        [master] = self.street.servers.masters
        assert master is not None
        disk = master.data.shard(shard_of(self.dev_eui)).disk
        record = disk.record(Table.COMMAND, command.id)
        assert record is not None
        return read_command(record)

    async def ended(self, command: Command) -> Command:
        """As the engine has it, well before it would expire."""
        with trio.fail_after(30):
            while not (stored := self.stored(command)).status.final:  # noqa: ASYNC110
                await trio.sleep(0.5)
        return stored


Given = Callable[[Story, House], Awaitable[Command]]


async def pursued(story: Story, north: House) -> Command:
    """The replica knows that the light pursues it."""
    first = await north.command(story.dev_eui, RED)
    await trio.sleep(0.05)
    story.street.hold_replicas()
    assert not story.stored(first).status.final
    return first


async def accepted(story: Story, north: House) -> Command:
    """The replica knows only that it was accepted."""
    north.engine.fate = lambda request: Fate(delay_s=0.5 if request.name == "commit" else 0.0)
    first = await north.command(story.dev_eui, RED)
    story.street.hold_replicas()
    await trio.sleep(0.6)
    north.engine.fate = lambda request: Fate()
    return first


@pytest.mark.parametrize("given", [pursued, accepted])
@pytest.mark.parametrize("shown", [True, False])
async def test_what_was_superseded_is_so_again(
    autojump_clock: MockClock, given: Given, shown: bool
) -> None:
    async with trio.open_nursery() as nursery:
        story = Story()
        north = await story.begin(nursery)
        if shown:
            [south] = await story.street.open(nursery, "south")
            await trio.sleep(20)
        dark = north if story.dev_eui in north.lights else south
        light = next(one for one in story.world.stations if one in dark.lights)
        story.dev_eui = light
        first = await given(story, dark)
        second = await dark.command(light, BLUE)
        await dark.final(first.id)
        if not shown:
            [south] = await story.street.open(nursery, "south")
            await trio.sleep(1)
        other = south if dark is north else north
        assert (other.parts.board.command(first.id) is not None) is shown
        await story.hand_over(dark, other)
        assert not story.stored(first).status.final, "that is what the fail-over took"

        ended = await story.ended(first)
        assert ended.status is CommandStatus.SUPERSEDED
        assert ended.superseded_by == second.id
        await other.final(first.id, 30.0)
        await trio.sleep(1)  # where it was in the inbox, its light comes to it as well
        assert other.parts.board.command(first.id) == story.stored(first)
        assert (await other.final(second.id)).status is CommandStatus.VERIFIED
        assert first.id not in other.parts.board.open_commands
        nursery.cancel_scope.cancel(reason="the test ends")


async def test_what_was_verified_is_so_again_and_its_light_is_not_told_anew(
    autojump_clock: MockClock,
) -> None:
    async with trio.open_nursery() as nursery:
        story = Story()
        north = await story.begin(nursery)
        command = await pursued(story, north)
        assert (await north.final(command.id)).status is CommandStatus.VERIFIED
        [south] = await story.street.open(nursery, "south")
        await trio.sleep(1)
        await story.hand_over(north, south)
        made = south.parts.fleet.actors[story.dev_eui].device.attempts_made

        ended = await story.ended(command)
        assert ended.status is CommandStatus.VERIFIED
        assert ended.timeline[-1].kind is StepKind.VERIFIED
        await trio.sleep(30)
        light = south.parts.fleet.actors[story.dev_eui].device
        assert light.attempts_made == made
        assert light.wanted is not None
        assert light.wanted.command_id == command.id
        nursery.cancel_scope.cancel(reason="the test ends")


async def test_the_light_goes_on_with_what_it_pursues(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        story = Story()
        north = await story.begin(nursery)
        command = await pursued(story, north)
        [south] = await story.street.open(nursery, "south")
        await story.hand_over(north, south)
        done = await south.final(command.id)
        assert done.status is CommandStatus.VERIFIED
        newer = await south.command(story.dev_eui, GREEN)
        assert (await south.final(newer.id)).status is CommandStatus.VERIFIED
        nursery.cancel_scope.cancel(reason="the test ends")
