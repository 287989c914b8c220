"""The actor of hooks over a real store writer and board; the test is the lights."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import trio

from actors.board.board import Board
from actors.clocks.clock import RunClock
from actors.device.command import Command, CommandStatus
from actors.device.model import Device
from actors.device.records import command_record, device_put
from actors.device.verdict import verdict_writes
from actors.outgoing.actor import Outgoing, OutgoingPorts
from actors.outgoing.model import Hook, Kind
from actors.storage.store_writer import StoreWriter
from lorawan.kuando import LightState
from store.memory import MemoryDisk, MemoryStore
from store.port import Put, Table, Write
from tests.support.fake_application import a_light
from tests.support.pretend_receiver import PretendReceiver, a_hook

EPOCH_AT = 1_800_000_000.0


@dataclass
class HookHouse:
    """One life of the actor."""

    outgoing: Outgoing
    board: Board
    store: MemoryStore
    writer: StoreWriter
    clock: RunClock
    scope: trio.CancelScope
    numbers: Any = 0

    def light(self, dev_eui: str = "2020202000000001", **changes: Any) -> Device:
        """Show a light."""
        device = a_light(dev_eui, **changes)
        self.board.publish(device)
        return device

    async def ended(self, command_id: str, dev_eui: str = "2020202000000001", **more: Any) -> None:
        """A light's actor stores how a command ended, and shows it unless it is `silent`."""
        silent, at = more.pop("silent", False), more.pop("at", None)
        now = self.clock.now() if at is None else at
        fields: dict[str, Any] = {"status": CommandStatus.VERIFIED, "ended_at": now} | more
        command = Command(
            command_id, dev_eui, LightState(1, 2, 3), True, now - 5, now + 900, **fields
        )
        writes: list[Write] = [
            Put(Table.COMMAND, command_id, command_record(command), now),
            *verdict_writes(command),
        ]
        if dev_eui in self.board.devices:
            writes.insert(0, device_put(self.board.devices[dev_eui], now))
        await self.writer.commit(writes)
        if not silent:
            self.board.publish(command)
        await trio.sleep(0.001)

    async def hook(self, *kinds: Kind, hook_id: str = "hook-1", **more: Any) -> Hook:
        """Keep a new hook; it must be taken."""
        asked = a_hook(hook_id, kinds or (Kind.VERDICTS,), **more)
        asked = msgspec.structs.replace(asked, changed_at=self.clock.now())
        made = await self.outgoing.save(asked, None)
        assert isinstance(made, Hook), made
        return made

    async def change(self, hook: Hook, **changes: Any) -> Hook:
        """Change a hook as it is now."""
        now = self.outgoing.hooks[hook.id]
        made = await self.outgoing.save(msgspec.structs.replace(now, **changes), now.revision)
        assert isinstance(made, Hook), made
        return made

    def kill(self) -> None:
        """Nothing of it goes on."""
        self.scope.cancel(reason="killed")


@asynccontextmanager
async def hook_house(
    receiver: PretendReceiver, disk: MemoryDisk, *, seed: int = 1, began: float = 0.0
) -> AsyncIterator[HookHouse]:
    """From a start to its end; the disk outlives it."""
    store = MemoryStore(disk)
    await store.open()
    rng = random.Random(seed)
    clock = RunClock(EPOCH_AT + trio.current_time() - began)
    board = Board(clock, f"boot-{seed}")
    writer = StoreWriter(store, clock, rng)
    outgoing = Outgoing(
        OutgoingPorts(
            board=board,
            store=store,
            store_writer=writer,
            clock=clock,
            rng=rng,
            sender=receiver,
            new_id=lambda: f"{rng.getrandbits(64):016x}",
        )
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(writer.run)
        await nursery.start(board.run)
        await nursery.start(outgoing.run)
        try:
            yield HookHouse(outgoing, board, store, writer, clock, nursery.cancel_scope)
        finally:
            nursery.cancel_scope.cancel(reason="the test ends")
    await store.close()
