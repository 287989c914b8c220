"""Records that cannot be read are kept, told and listed; what belongs to them stays, too."""

from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from actors.commands import CommandOrder
from actors.fleet.delivery import Delivery
from actors.refusal import Refusal
from actors.storage.unreadable_records import UnreadableRecord
from lorawan.kuando.light_state import LightState
from simulation.world.world import World
from store.memory import MemoryDisk
from store.port import Put, Table
from tests.support.running_application import POLICIES, make_world, running_application

RED = LightState(255, 0, 0)


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world()
    nursery.start_soon(world.run)
    return world


async def lived(world: World) -> tuple[MemoryDisk, str, str, float]:
    """A disk with a light, its command, and the time."""
    disk = MemoryDisk()
    async with running_application(world, disk) as home:
        await home.settled()
        dev_eui = next(iter(world.stations))
        command = await home.command(dev_eui, RED, idempotency_key="key", fingerprint="print")
        await home.final(command.id)
        return disk, dev_eui, command.id, home.now()


@pytest.mark.parametrize(
    ("word", "by"),
    [
        (b'"phase":"idle"', b'"phase":"meditating"'),  # a word of a newer version
        (b'{"v":1,', b'{"v":2,'),  # a newer version altogether
        (b'"uplinks":', b'"uplinks":"many","x":'),  # damage
    ],
)
async def test_a_light_whose_record_cannot_be_read_is_kept_and_told(
    world: World, autojump_clock: MockClock, word: bytes, by: bytes
) -> None:
    disk, dev_eui, command_id, now = await lived(world)
    record = disk.record(Table.DEVICE, dev_eui)
    assert record is not None
    odd = record.value.replace(word, by, 1)
    assert odd != record.value
    disk.apply([Put(Table.DEVICE, dev_eui, odd, now)])

    short = replace(POLICIES, sweep=replace(POLICIES.sweep, retention_s=600.0))
    async with running_application(world, disk, seed=8, policies=short) as home:
        await trio.sleep(2_700)  # it is heard, listed, and past every retention
        kept = disk.record(Table.DEVICE, dev_eui)
        assert kept is not None
        assert kept.value == odd, "it was written over"
        assert dev_eui not in home.devices
        assert home.parts.fleet.statistics().deliveries[Delivery.FULL] > 0
        assert await home.application.commands.find(command_id) is not None, (
            "its command was dropped"
        )
        (one,) = home.application.unreadable.listed()
        assert (one.table, one.key) == ("device", dev_eui)
        (alert,) = [one for one in home.board.alerts() if one.kind == "record_unreadable"]
        assert dev_eui in str(alert)
        outcome = await home.application.commands.give(
            CommandOrder(dev_eui=dev_eui, light=RED, keep=True)
        )
        assert outcome is Refusal.UNREADABLE
        assert len(home.devices) == len(world.stations) - 1  # the others live

    disk.apply([Put(Table.DEVICE, dev_eui, record.value, now)])  # the newer program is back
    async with running_application(world, disk, seed=9) as home:
        await trio.sleep(3_600)
        assert dev_eui in home.devices
        assert not home.application.unreadable.listed()
        assert all(one.closed_at for one in home.board.alerts() if one.kind == "record_unreadable")


async def test_a_key_that_cannot_be_read_is_nobodys(
    world: World, autojump_clock: MockClock
) -> None:
    disk, dev_eui, _, now = await lived(world)
    (record,) = disk.records(Table.IDEMPOTENCY)
    odd = record.value.replace(b'{"v":1,', b'{"v":9,')
    disk.apply([Put(Table.IDEMPOTENCY, record.key, odd, now)])
    async with running_application(world, disk, seed=8) as home:
        outcome = await home.application.commands.give(
            CommandOrder(
                dev_eui=dev_eui, light=RED, keep=True, idempotency_key="key", fingerprint="print"
            )
        )
        assert outcome is Refusal.KEY_REUSED
        kept = disk.record(Table.IDEMPOTENCY, record.key)
        assert kept is not None
        assert kept.value == odd


async def test_a_command_that_cannot_be_read_says_so(
    world: World, autojump_clock: MockClock
) -> None:
    disk, dev_eui, command_id, now = await lived(world)
    record = disk.record(Table.COMMAND, command_id)
    assert record is not None
    odd = record.value.replace(b'"status":"verified"', b'"status":"glorified"')
    disk.apply([Put(Table.COMMAND, command_id, odd, now)])
    async with running_application(world, disk, seed=8) as home:
        with pytest.raises(UnreadableRecord, match="glorified"):
            await home.application.commands.find(command_id)
        assert [one.id for one in await home.application.commands.of_device(dev_eui, 9)] == []


async def test_every_record_says_its_version(world: World, autojump_clock: MockClock) -> None:
    disk, *_ = await lived(world)
    for table in (Table.DEVICE, Table.COMMAND, Table.IDEMPOTENCY):
        records = disk.records(table)
        assert records
        assert all(record.value.startswith(b'{"v":1,') for record in records)
