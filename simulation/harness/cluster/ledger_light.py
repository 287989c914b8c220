"""The simplest actors that a shard may have: lights that count, and obey commands from the inbox.

They stand for the real ones where only shards, leases, commits and inboxes are looked at: hours of
takes, gives and failovers in a fraction of a second. What they store must never fall back.
"""

import random

import msgspec
import trio

from simulation.harness.cluster.ledger_watch import LedgerWatch
from store.engine.places import id_order
from store.engine.port import Engine, Lease
from store.errors import StoreTaken, StoreUnavailable
from store.port import Put, Table, Write
from store.shards import ShardStore

LIGHTS = 12
LOOK_S = 1.0
COUNT_EVERY_S = (0.3, 3.0)
RETRY_S = 0.2


class LedgerLight(msgspec.Struct):
    """A light as stored."""

    dev_eui: str
    count: int = 0
    inbox: str = "0-0"
    wish: str = ""
    """The newest command that it obeyed."""
    obeyed: list[str] = []


class LedgerCommand(msgspec.Struct):
    """A command as stored, and as it lies in the inbox."""

    id: str
    dev_eui: str
    status: str = "accepted"


_lights = msgspec.json.Decoder(LedgerLight)
_commands = msgspec.json.Decoder(LedgerCommand)
encode = msgspec.json.Encoder().encode


class ShardActor:
    """All lights of one shard that this house owns, under one lease."""

    def __init__(
        self,
        house: str,
        shard: str,
        lights: list[str],
        engine: Engine,
        store: ShardStore,
        watch: LedgerWatch,
        rng: random.Random,
    ) -> None:
        self.bell = trio.Event()
        self.mark = "0-0"
        self.records: dict[str, LedgerLight] = {}
        self.draining = False
        self._idle = trio.Event()
        self._counts_at_s = 0.0
        self._house = house
        self._shard = shard
        self._lights = lights
        self._engine = engine
        self._store = store
        self._watch = watch
        self._rng = rng

    async def restore(self, lease: Lease) -> None:
        """What the owner before has left. Raises StoreUnavailable, StoreTaken."""
        snapshot = await self._engine.snapshot(self._shard, [Table.DEVICE])
        if snapshot.lease.token != lease.token:
            raise StoreTaken(f"shard {self._shard} has another owner")
        self.mark = snapshot.lease.inbox_mark
        for record in snapshot.tables[Table.DEVICE]:
            self.records[record.key] = _lights.decode(record.value)

    def puts(self) -> list[Put]:
        """All records in memory."""
        return [_put(light) for light in self.records.values()]

    async def run(self) -> None:
        """Until cancelled, or until somebody else has the shard."""
        try:
            for dev_eui in self._lights:
                if dev_eui not in self.records:
                    await self._store_light(LedgerLight(dev_eui))
            while not self.draining:
                self.bell = trio.Event()
                await self._read_inbox()
                if trio.current_time() >= self._counts_at_s:
                    self._counts_at_s = trio.current_time() + self._rng.uniform(*COUNT_EVERY_S)
                    light = self.records[self._rng.choice(self._lights)]
                    await self._store_light(msgspec.structs.replace(light, count=light.count + 1))
                with trio.move_on_after(LOOK_S):
                    await self.bell.wait()
        except StoreTaken:
            pass
        finally:
            self._idle.set()

    async def drain(self) -> None:
        """Begin nothing new; return when nothing is under way."""
        self.draining = True
        self.bell.set()
        await self._idle.wait()

    async def _read_inbox(self) -> None:
        try:
            found = await self._engine.read_inboxes({self._shard: self.mark}, 500)
        except StoreUnavailable:
            return
        for entry in found.get(self._shard, ()):
            asked = _commands.decode(entry.message)
            light = self.records[asked.dev_eui]
            if id_order(entry.id) > id_order(light.inbox):
                await self._obey(light, asked, entry.id)
            self.mark = entry.id

    async def _obey(self, light: LedgerLight, asked: LedgerCommand, entry_id: str) -> None:
        if asked.id in light.obeyed:
            return
        changed = msgspec.structs.replace(
            light,
            count=light.count + 1,
            inbox=entry_id,
            wish=asked.id,
            obeyed=[*light.obeyed, asked.id],
        )
        done = msgspec.structs.replace(asked, status="obeyed")
        await self._commit([_put(changed), Put(Table.COMMAND, done.id, encode(done), 1.0)], changed)

    async def _store_light(self, light: LedgerLight) -> None:
        await self._commit([_put(light)], light)

    async def _commit(self, writes: list[Write], light: LedgerLight) -> None:
        while True:
            try:
                await self._store.commit(writes)
                break
            except StoreUnavailable:  # whether it was carried out is unknown: the very same again
                await trio.sleep(RETRY_S)
        self.records[light.dev_eui] = light
        self._watch.acknowledged(self._house, self._shard, light.dev_eui, light.count)
        for write in writes:
            if isinstance(write, Put) and write.table is Table.COMMAND:
                self._watch.obeyed(self._house, self._shard, write.key)


def _put(light: LedgerLight) -> Put:
    return Put(Table.DEVICE, light.dev_eui, encode(light), 1.0)
