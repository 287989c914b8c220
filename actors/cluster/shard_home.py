"""Starts what belongs to a shard when this process takes it, and stops it when it is left.

Theory. The lease comes first, and each commit is conditioned on it; so whatever still runs of the
owner before changes nothing any more, and what is read after the take is the newest. Only then do
actors start. To leave goes the other way round: nothing new is taken in, what was read is dealt
with and stored, and then the lease is given. A shard that was lost is dropped where it stands: what
its actors had not stored is done again by its new owner, from the store and from the inbox.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog
import trio

from actors.cluster.flow import Flow
from actors.device.model import Device
from actors.device.records import read_device
from actors.fleet import Fleet
from actors.storage.store_writer import StoreWriter
from actors.storage.unreadable_records import UnreadableRecords
from store.engine.port import Lease, Snapshot
from store.engine.shards import FLEET, shard_of
from store.errors import StoreUnavailable
from store.port import Record, Table
from store.shards import ShardStore

log = structlog.get_logger()

DRAIN_S = 1.0
"""For the lights to deal with what was read; each takes milliseconds. The rest is read again."""
FLUSH_S = 3.0
"""For what they stored to be written. The keeper gives all of it 5 s."""
FLEETWIDE_TABLES = (Table.META, Table.IDEMPOTENCY)
DECODED_AT_ONCE = 250
"""Records between two checkpoints, 20 us each: 5 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetwidePart:
    """What runs once for the fleet: made and started, brought to rest, or stopped at once."""

    begin: Callable[[Snapshot], Awaitable[None]]
    """Make it anew, put back what the store knows, and start it."""
    rest: Callable[[], Awaitable[None]]
    """Begin nothing that cannot be taken back, and wait for what is under way (3 s at most)."""
    end: Callable[[], Awaitable[None]]
    """Stop it."""


class EventShards(Protocol):
    """Who reads ChirpStack's stream for the shards that run here."""

    def taking(self, shard: str, mark: str) -> None:
        """It is ours; its owner before had dealt with everything up to `mark`."""
        ...

    def taken(self, shard: str) -> None:
        """Its actors run here."""
        ...

    def leave(self, shard: str) -> None:
        """It is about to be given."""
        ...


class ShardHome:
    """One for each process: the keeper's hands. `odd` hears of a light whose record cannot be read,
    `began` of the lights whose actors were just started."""

    def __init__(
        self,
        store: ShardStore,
        store_writer: StoreWriter,
        fleet: Fleet,
        flow: Flow,
        unreadable: UnreadableRecords,
        fleetwide: FleetwidePart,
        *,
        odd: Callable[[], None],
        events: EventShards | None = None,
        began: Callable[[Sequence[str]], None],
    ) -> None:
        self._store = store
        self._store_writer = store_writer
        self._fleet = fleet
        self._flow = flow
        self._unreadable = unreadable
        self._fleetwide = fleetwide
        self._odd = odd
        self._events = events
        self._began = began
        self._known: set[str] = set()

    def knows(self, shard: str) -> bool:
        """Whether what is shown of a shard of lights is at least as new as what is stored: it was
        read under a lease of ours, and nobody else writes it since."""
        return shard in self._known

    # ---------------------------------------------------------------- the keeper's ports

    async def taken(self, shard: str, lease: Lease) -> None:
        """It is ours: read it and start its actors. Raises StoreError."""
        if self._events is not None:  # before the first commit, which stores a mark
            self._events.taking(shard, lease.source_mark)
        self._store.own(shard, lease)
        self._flow.taking(shard)
        await self._store.announce(shard)
        if shard == FLEET:
            snapshot = await self._read(shard, FLEETWIDE_TABLES)
            await self._fleetwide.begin(snapshot)
        else:
            snapshot = await self._read(shard, (Table.DEVICE,))
            records = snapshot.tables[Table.DEVICE]
            devices = await self._devices(records)
            self._check(shard, snapshot)  # a failover meanwhile may have set all of that back
            self._known.add(shard)
            odd = [record.key for record in records]
            await self._flow.show(shard, snapshot.lease, devices, odd)
            await self._fleet.restore(devices)
            self._began([device.dev_eui for device in devices])
        self._flow.taken(shard, snapshot.lease)
        if self._events is not None:
            self._events.taken(shard)
        log.debug("shard taken", shard=shard, epoch=lease.epoch)

    async def set_back(self, shard: str) -> None:
        """A failover forgot that it is ours: the store takes it again. Raises StoreUnavailable."""
        await self._store.announce(shard)
        self._flow.stepped_back([shard])

    async def leave(self, shard: str) -> None:
        """About to be given: bring it to rest and let it go."""
        if self._events is not None:
            self._events.leave(shard)
        if shard == FLEET:
            await self._fleetwide.rest()
        await self._flow.leave(shard)
        await self._end(shard, DRAIN_S)
        with trio.move_on_after(FLUSH_S):
            await self._store_writer.flush(shard)
        self._let_go(shard)

    async def fenced(self, shard: str) -> None:
        """It is not ours any more, or must not be: stop what runs for it, now."""
        self._store.disown(shard)
        self._known.discard(shard)
        self._flow.inbox.forget(shard)
        await self._end(shard, 0.0)
        self._let_go(shard)
        log.warning("shard dropped", shard=shard)

    # ---------------------------------------------------------------- how

    async def _read(self, shard: str, tables: Sequence[Table]) -> Snapshot:
        """What is stored of a shard that was announced.

        Raises StoreUnavailable where what is read is older than that: a master that was replaced
        can be read for some seconds, and its lights must not start from what is past.
        """
        snapshot = await self._store.engine.snapshot(shard, tables)
        self._check(shard, snapshot)
        return snapshot

    def _check(self, shard: str, snapshot: Snapshot) -> None:
        owned = self._store.owned.get(shard)
        if owned is None or snapshot.lease.token != owned.token or snapshot.lease.seq < 1:
            raise StoreUnavailable(f"shard {shard}: what is read is older than our take")

    async def _end(self, shard: str, drain_s: float) -> None:
        if shard == FLEET:
            await self._fleetwide.end()
        else:
            here = [dev_eui for dev_eui in self._fleet.actors if shard_of(dev_eui) == shard]
            await self._fleet.let_go(here, drain_s=drain_s)

    def _let_go(self, shard: str) -> None:
        """Others own it from now on, and their commits are followed after ours."""
        owned = self._store.statistics().shards.get(shard)
        self._store.disown(shard)
        self._known.discard(shard)
        shown = owned is not None and not owned.unconfirmed
        self._flow.forget(shard, (owned.epoch, owned.seq) if owned is not None and shown else None)

    async def _devices(self, records: Sequence[Record]) -> list[Device]:
        """The lights; an odd one stays in the store as it is, without an actor."""
        devices: list[Device] = []
        for count, record in enumerate(records, start=1):
            try:
                devices.append(read_device(record))
            except msgspec.MsgspecError as error:
                self._unreadable.found(Table.DEVICE, record.key, error)
                self._fleet.keep_out(record.key)
                self._odd()
            if count % DECODED_AT_ONCE == 0:
                await trio.lowlevel.checkpoint()
        self._unreadable.tell()
        return devices
