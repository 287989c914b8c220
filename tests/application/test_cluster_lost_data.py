"""An engine that was emptied, as by FLUSHALL: nobody writes on as if nothing were missing."""

import trio
from trio.testing import MockClock

from actors.device.command import CommandStatus
from actors.refusal import Refusal
from lorawan.kuando import LightState
from store.engine.shards import ALL_SHARDS
from tests.support.cluster_house import two_houses

RED = LightState(red=255, blue=0, green=0, on=255, off=0)
BLUE = LightState(red=0, blue=255, green=0, on=255, off=0)


async def test_nothing_is_commanded_until_a_person_has_restored_it(
    autojump_clock: MockClock,
) -> None:
    async with two_houses(lights=6) as (street, _):
        await street.settled()
        houses, world = street.houses, street.world
        dev_eui = next(iter(world.stations))
        command = await houses[0].command(dev_eui, RED)
        assert (await houses[1].final(command.id)).status is CommandStatus.VERIFIED
        await trio.sleep(65)
        [master] = street.servers.masters
        assert master is not None
        kept = master.read().copy()

        street.servers.empty()
        await trio.sleep(10)
        for house in houses:
            began = trio.current_time()
            assert await house.refusal(dev_eui, BLUE) is Refusal.STORE_FAILING
            assert trio.current_time() - began < 20.0
            assert house.parts.board.devices.keys() == world.stations.keys(), "it is still shown"
        await trio.sleep(60)
        found = master.read()
        assert not any(found.shard(name).lease.epoch for name in ALL_SHARDS), "none is taken"

        found.shards = kept.shards  # as it was a minute ago, like the copy of a file
        await trio.sleep(30)
        again = await houses[1].command(dev_eui, BLUE)
        assert (await houses[0].final(again.id)).status is CommandStatus.VERIFIED
