"""A light's actor crashes when its step is stored, and a fail-over takes that step for a moment.

Its process sends it again; until then the engine has the light as it was before.
"""

from contextlib import suppress
from dataclasses import replace
from typing import TypeGuard

import pytest
import trio
from trio.testing import MockClock

from actors.device.actor import DeviceActor
from actors.device.command import CommandStatus
from actors.device.records import read_command, read_device
from lorawan.kuando import LightState
from store.engine.memory import Fate, MemoryServers
from store.engine.shards import shard_of
from store.errors import StoreUnavailable
from store.port import Put, Record, Table, Write
from tests.support.cluster_house import House, Street
from tests.support.running_application import make_world

RED = LightState(red=255, blue=0, green=0, on=255, off=0)


class CrashedHereError(Exception):
    """What the test makes fail."""


class CutOff:
    """A store's writer whose caller crashes once the end of a command is stored, and asks whether
    it was when a fail-over has just taken it."""

    def __init__(self, house: House, servers: MemoryServers) -> None:
        self.end: Put | None = None
        self.asked = 0
        self._house, self._servers = house, servers

    async def commit(self, writes: list[Write]) -> None:
        await self._house.parts.store_writer.commit(writes)
        ends = [one for one in writes if is_end(one)]
        if ends and self.end is None:
            [self.end] = ends
            raise CrashedHereError("it is stored")

    async def read(self, table: Table, key: str) -> Record | None:
        self.asked += 1
        if self.asked == 1:
            self._servers.fail_over()
            slow = Fate(delay_s=0.5)  # what is sent again comes later than this question
            self._house.engine.fate = lambda one: slow if one.name == "commit" else Fate()
            with suppress(StoreUnavailable):
                await self._house.engine.look([shard_of(key)])  # the next call reaches the other
        return await self._house.parts.store_writer.read(table, key)


def is_end(write: Write) -> TypeGuard[Put]:
    """Whether it is a command that is final."""
    if not isinstance(write, Put) or write.table is not Table.COMMAND:
        return False
    return read_command(Record(write.key, write.value, write.at)).status.final


@pytest.mark.parametrize("processes", [1, 2])
async def test_a_verdict_that_was_stored_stays(autojump_clock: MockClock, processes: int) -> None:
    world = make_world(lights=4)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world, MemoryServers(replicas=1))
        if processes == 1:
            await street.open(nursery, "north")
            await street.owned_by_all()
            await street.settled()
        else:
            await street.spread(nursery, "north", "south")
        owner = next(one for one in street.houses if one.lights)
        dev_eui = next(iter(owner.lights))
        actor = owner.parts.fleet.actors[dev_eui]
        assert isinstance(actor, DeviceActor)
        cut_off = CutOff(owner, street.servers)
        actor._ports = replace(owner.parts.light_ports, store_writer=cut_off)
        command = await owner.command(dev_eui, RED)
        await trio.sleep(1.0)
        street.hold_replicas()
        for house in street.houses:
            done = await house.final(command.id, 60.0)
            assert done.status is CommandStatus.VERIFIED
        await trio.sleep(120.0)

        [master] = street.servers.masters
        assert master is not None
        disk = master.data.shard(shard_of(dev_eui)).disk
        end, light = disk.record(Table.COMMAND, command.id), disk.record(Table.DEVICE, dev_eui)
        assert cut_off.asked == 1
        assert cut_off.end is not None
        assert end is not None
        assert end.value == cut_off.end.value, "there is one verdict, and it stays as it was"
        assert light is not None
        assert read_device(light).command is None
        for house in street.houses:
            assert house.parts.board.command(command.id) == read_command(end)
        nursery.cancel_scope.cancel(reason="the test ends")
