"""The audit entry of a command lies in the commit in which its light takes it: both or neither."""

from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock

from actors.commands import Accepted, CommandOrder
from actors.device.command import CommandStatus
from actors.refusal import Refusal
from actors.storage import audit
from actors.storage.audit import Act, AuditEntry, AuditLog
from lorawan.kuando import LightState
from store.engine.memory import MemoryServers
from store.engine.shards import FLEET, shard_of
from store.errors import StoreError
from store.memory import MemoryDisk, MemoryStore
from store.port import Append, Put, Store, Table, Write
from tests.support.cluster_house import Street
from tests.support.running_application import make_world, running_application

RED = LightState(red=255, blue=0, green=0, on=255, off=0)


def order(log: AuditLog, dev_eui: str, key: str | None = None) -> CommandOrder:
    """As a caller by the name of alice gives it."""
    made = log.made(Act.COMMAND, dev_eui, by="alice", scope="operator", detail={"light": "red"})
    return CommandOrder(
        dev_eui=dev_eui,
        light=RED,
        keep=True,
        idempotency_key=key,
        fingerprint="red",
        by="alice",
        audit=made,
    )


async def told(store: Store) -> list[AuditEntry]:
    page = await audit.read(store, since=0.0, until=1e12, most=100)
    return page.entries


class Watched(MemoryStore):
    """A store that keeps each request."""

    def __init__(self, disk: MemoryDisk) -> None:
        super().__init__(disk)
        self.requests: list[Sequence[Write]] = []

    async def commit_each(self, requests: Sequence[Sequence[Write]]) -> Sequence[StoreError | None]:
        self.requests += requests
        return await super().commit_each(requests)


async def test_alone_it_is_part_of_the_request_that_stores_the_command(
    autojump_clock: MockClock,
) -> None:
    world, store = make_world(lights=2), Watched(MemoryDisk())
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        async with running_application(world, store=store) as home:
            await home.settled()
            dev_eui = next(iter(world.stations))
            first = await home.application.commands.give(
                order(home.application.audit, dev_eui, "once")
            )
            again = await home.application.commands.give(
                order(home.application.audit, dev_eui, "once")
            )
            refused = await home.application.commands.give(order(home.application.audit, "f" * 16))
            assert isinstance(first, Accepted)
            assert isinstance(again, Accepted)
            assert (again.command.id, again.repeated) == (first.command.id, True)
            assert refused is Refusal.UNKNOWN_DEVICE
            [entry] = await told(store)
            assert (entry.by, entry.what, entry.on) == ("alice", "command", dev_eui)
            assert entry.detail == {"command_id": first.command.id, "light": "red"}
            [request] = [one for one in store.requests if any(is_audit(write) for write in one)]
            stored = {(w.table, w.key) for w in request if isinstance(w, Put)}
            assert (Table.COMMAND, first.command.id) in stored
            assert (Table.DEVICE, dev_eui) in stored
        nursery.cancel_scope.cancel(reason="the test ends")


def is_audit(write: Write) -> bool:
    return isinstance(write, Append) and write.stream == audit.STREAM


@pytest.mark.parametrize("killed", [False, True])
async def test_in_a_cluster_it_lies_in_the_shard_of_its_light_once_whoever_dies(
    autojump_clock: MockClock, killed: bool
) -> None:
    world, servers = make_world(lights=6), MemoryServers()
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world, servers)
        await street.spread(nursery, "north", "south")
        owner = next(house for house in street.houses if house.lights)
        north = next(house for house in street.houses if house is not owner)
        dev_eui = min(owner.lights)
        given = await north.application.commands.give(
            order(north.application.audit, dev_eui, "once")
        )
        assert isinstance(given, Accepted)
        if killed:
            owner.kill()  # its light may have taken the command, or not yet
        again = await north.application.commands.give(
            order(north.application.audit, dev_eui, "once")
        )
        assert isinstance(again, Accepted)
        assert again.command.id == given.command.id
        done = await north.final(given.command.id)
        assert done.status is CommandStatus.VERIFIED
        [entry] = await told(north.store)
        assert entry.detail["command_id"] == given.command.id
        there = await north.engine.entries(
            [shard_of(dev_eui)], audit.STREAM, since=0.0, until=1e12, most=9
        )
        assert [one.entry for one in there] == [entry.id]
        # what is of no light alone goes to the fleet's shard, and both are read as one
        north.application.audit.write(Act.ROLLOUT, "r1", by="bob", scope="operator")
        await trio.sleep(2)
        assert [one.what for one in await told(north.store)] == ["rollout", "command"]
        [rollout] = await north.engine.entries([FLEET], audit.STREAM, since=0.0, until=1e12, most=9)
        assert audit.read_entry(rollout).on == "r1"
        nursery.cancel_scope.cancel(reason="the test ends")
