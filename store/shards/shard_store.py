"""One fleet in an engine that many processes share, used as if it were one store.

Reads see every shard, whoever owns it. Writes reach only the shards that this process owns: a
request for another one, or for one that was taken over, fails by itself with StoreTaken.

Each commit tells everybody what it changed (`feed.py`); nobody has to think of that.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
import trio

from store.engine.port import Accept, AcceptResult, Engine, Lease
from store.errors import StoreClosed, StoreError, StoreTaken, StoreUnavailable
from store.port import ALL_STREAMS, Entry, Put, Record, Streams, Table, Write
from store.shards.acceptor import Acceptor
from store.shards.owned import HandedIn, ShardStatistics
from store.shards.routing import shards_of_key, shards_of_stream, shards_of_table
from store.shards.shard_writer import LOOK_EVERY_S, LostEnds, Marks, ShardWriter

__all__ = ["Marks", "ShardStatistics", "ShardStore", "ShardStoreStatistics"]


class ShardStoreStatistics(msgspec.Struct, frozen=True):
    """Of this process, since its start (of a shard: since it was taken)."""

    shards: Mapping[str, ShardStatistics]
    accepts_repeated: int
    """Accepted commands that a failover had lost, accepted once more."""


class ShardStore:
    """A `Store` over an engine, for the process that is called `boot`.

    `steady` is seconds on a clock that only rises, as the keeper's.
    """

    def __init__(
        self, engine: Engine, boot: str, *, steady: Callable[[], float] = trio.current_time
    ) -> None:
        self.engine = engine
        self.boot = boot
        self._writer = ShardWriter(engine, boot, steady)
        self._acceptor = Acceptor(engine, steady)
        self._on_doubted: Callable[[], None] = _nothing
        self._steady = steady
        self._made_good_at = float("-inf")
        self._opened = False
        self._positions: dict[str, tuple[int, int, int]] = {}
        """Where each shard was seen last; `_before`, under the token before that."""
        self._connections = 0
        """Of the engine, when it was last looked for what a failover lost."""
        self._before: dict[str, tuple[int, int]] = {}

    # ------------------------------------------------------------------------------- ownership

    @property
    def owned(self) -> Mapping[str, Lease]:
        """The shards that are written here, by the lease that they were taken under."""
        return self._writer.owned

    def own(self, shard: str, lease: Lease) -> None:
        """Write this shard from now on, under a lease that was just taken."""
        seen = self._positions.get(shard, (0, 0, 0))
        before = seen[:2] if seen[0] < lease.epoch else self._before.get(shard, (0, 0))
        self._writer.own(shard, lease, before)

    def disown(self, shard: str) -> None:
        """Write this shard no more. What waits for it fails with StoreTaken."""
        self._writer.disown(shard)

    async def announce(self, shard: str) -> None:
        """An empty commit, by which everybody sees the new owner.

        Raises StoreUnavailable where it is not known to be durable, StoreTaken where the shard is
        somebody else's by now.
        """
        await self._writer.announce(shard)

    def settled(self, shard: str) -> bool:
        """Whether everything that was handed in for this shard is durable."""
        return self._writer.settled(shard)

    def observed(self, leases: Mapping[str, Lease]) -> None:
        """What somebody saw of any shards: a number that went back is a failover that lost some.

        A beat as well: it rises where nothing is committed, and a command may be lost beside it.
        """
        for shard, lease in leases.items():
            position = (lease.epoch, lease.seq, lease.beat)
            known = self._positions.get(shard, position)
            if position < known:
                self._writer.failed_over = True
            elif lease.epoch > known[0]:
                self._before[shard] = known[:2]
            self._positions[shard] = position

    def doubt(self) -> None:
        """The engine did not answer somebody: a failover, perhaps."""
        self._writer.failed_over = True

    def listen(
        self,
        *,
        marks: Marks | None = None,
        fenced: Callable[[str], None] | None = None,
        retaken: Callable[[str, Lease], None] | None = None,
        lost: Callable[[str, int], None] | None = None,
        replayed: Callable[[str, int], None] | None = None,
        records: Callable[[str], Sequence[Put]] | None = None,
        lost_ends: LostEnds | None = None,
        accepted_again: Callable[[Accept], Accept] | None = None,
        accepted: Callable[[Accept, AcceptResult], None] | None = None,
        doubted: Callable[[], None] | None = None,
        alone: Callable[[], bool] | None = None,
        known_s: Callable[[str], float] | None = None,
    ) -> None:
        """Who is asked and told; what is not given stays as it is. None of them may raise or wait,
        but for `lost_ends`.

        `marks(shard)`: up to where the shard's inbox and ChirpStack's stream are dealt with; asked
        at each commit. `fenced(shard)`: somebody else owns it; it is not written any more.
        `retaken(shard, lease)`: a failover had lost our lease, and this is the new one.
        `lost(shard, commits)`: so many acknowledged commits were lost and not kept here any more.
        `replayed(shard, commits)`: so many were lost, and are stored again as they were.
        `records(shard)`: all records of a shard that are in memory, to be put again then.
        `lost_ends(shard, lease)`: what more is to be written then, where the engine has the shard
        as it was under this lease; asked before it is taken. May raise StoreError.
        `accepted_again(accept)`: the same command, marked as one that a failover had lost.
        `accepted(accept, answer)`: the engine's answer to a command, before whoever gave it has
        that. Where this process owns the shard, no bell rings for it.
        `doubted()`: the engine was away from somebody here, or set back: another master may answer
        by now, which lacks what was read from the one before, and has what was not.
        `alone()`: no other process needs to hear of a commit at once; asked at each.
        `known_s(shard)`: for how long it is known here that a shard has had an owner; one that was
        taken just now may have been somebody's for months.
        """
        writer = self._writer
        writer.marks = marks or writer.marks
        writer.on_fenced = fenced or writer.on_fenced
        writer.on_retaken = retaken or writer.on_retaken
        writer.on_lost = lost or writer.on_lost
        writer.on_replayed = replayed or writer.on_replayed
        writer.records = records or writer.records
        writer.lost_ends = lost_ends or writer.lost_ends
        writer.alone = alone or writer.alone
        writer.known_s = known_s or writer.known_s
        self._acceptor.mark_again = accepted_again or self._acceptor.mark_again
        self._acceptor.told = accepted or self._acceptor.told
        self._on_doubted = doubted or self._on_doubted

    def statistics(self) -> ShardStoreStatistics:
        """Counters, now."""
        return ShardStoreStatistics(self._writer.statistics(), self._acceptor.repeated)

    # --------------------------------------------------------------------------------- writing

    @property
    def durability_warnings(self) -> Sequence[str]:
        """Why an acknowledged commit may be lost here; known after `open`."""
        return self.engine.durability_warnings

    @property
    def exposure_warnings(self) -> Sequence[str]:
        """None: there are no files here."""
        return ()

    @property
    def check_every_s(self) -> float | None:
        """A failover is noticed, and a mark stored, where nothing is written."""
        return LOOK_EVERY_S

    async def open(self) -> None:
        """Open the engine; owns nothing yet. Idempotent."""
        await self.engine.open()
        self._opened = True

    async def close(self) -> None:
        """Close the engine; idempotent, shields itself."""
        self._opened = False
        await self.engine.close()

    async def check(self) -> None:
        """Look at the leases, send what is left, and accept again what a failover lost."""
        await self._writer.check()
        await self._make_good()

    async def commit(self, writes: Sequence[Write]) -> None:
        """One request, durable when this returns. Raises StoreTaken where its shard is not ours."""
        (failure,) = await self.commit_each([writes])
        if failure is not None:
            raise failure

    def handed_in(self, writes: Sequence[Write]) -> Sequence[Write]:
        """Marked with the ownership of its shard: lost and taken again, that is another one."""
        return self._writer.handed_in(writes)

    def part_of(self, handed_in: Sequence[Write]) -> str:
        """The shard, as it was when they were handed in; that of another process has none."""
        owned = handed_in.owned if isinstance(handed_in, HandedIn) else None
        return "" if owned is None else owned.log.shard

    def parts_of(self, table: Table, key: str | None = None) -> Collection[str]:
        """Shards."""
        return shards_of_table(table) if key is None else shards_of_key(table, key)

    async def commit_each(self, requests: Sequence[Sequence[Write]]) -> Sequence[StoreError | None]:
        """Each request into its shard, in few commits; one outcome for each."""
        outcomes = await self._writer.commit_each(requests)
        if None in outcomes and self._steady() - self._made_good_at >= LOOK_EVERY_S:
            await self._make_good()
        return outcomes

    async def _make_good(self) -> None:
        """Accept again what a failover may have lost, as soon as the engine answers: who commits
        all the time never comes to a check. What does not answer is asked again by a later one."""
        connections = self.engine.connections
        known = connections == self._connections
        if known and not self._writer.failed_over and not self._acceptor.failed:
            await trio.lowlevel.checkpoint()
            return
        self._connections = connections
        self._made_good_at = self._steady()
        self._writer.failed_over = self._acceptor.failed = False
        self._on_doubted()
        try:
            await self._acceptor.repeat_lost()
        except BaseException:  # whoever called it left: the next one does it
            self._acceptor.failed = True
            raise

    async def accept(self, accept: Accept) -> AcceptResult:
        """Store a command for a light of any shard; durable when this returns.

        Raises StoreUnavailable where nobody knows whether it is stored: the same id again, or the
        same key, is harmless. For 30 s it is remembered, and repeated where a failover lost it.
        """
        return await self._acceptor.accept(msgspec.structs.replace(accept, by=self.boot))

    async def prune(
        self, *, tables: Sequence[Table], before: float, most: int, which: Streams = ALL_STREAMS
    ) -> int:
        """As `Store.prune`, of the shards that are owned here."""
        if not self._opened:
            raise StoreClosed("the store is not open")
        gone = 0
        for shard, lease in self.owned.items():
            if gone >= most:
                break
            try:
                gone += await self.engine.prune(
                    shard,
                    lease.token,
                    tables=tables,
                    before=before,
                    most=most - gone,
                    which=which,
                )
            except StoreTaken:
                continue  # the next commit or check deals with it
        return gone

    # --------------------------------------------------------------------------------- reading

    async def get(self, table: Table, key: str) -> Record | None:
        """One record; a command is looked for in every shard at once.

        Of a shard that is owned here it has all that was acknowledged here. Raises StoreUnavailable
        where the engine lacks some of that, as after a fail-over until it is sent again.
        """
        shards = shards_of_key(table, key)
        if len(shards) == 1 and shards[0] in self.owned:
            [record] = await self.read(shards[0], table, [key])
            return record
        try:
            found = await self.engine.get([(shard, table, key) for shard in shards])
        except StoreUnavailable:
            if len(shards) == 1:
                raise
            return await self._get_from_any(shards, table, key)
        return next((record for record in found if record is not None), None)

    async def read(self, shard: str, table: Table, keys: Sequence[str]) -> Sequence[Record | None]:
        """One record for each key, of one shard; of one that is owned here as `get`."""
        known = self._writer.acknowledged(shard)
        reading = await self.engine.read(shard, table, keys)
        self._check_read(shard, reading.lease, known)
        return reading.records

    async def _get_from_any(self, shards: Sequence[str], table: Table, key: str) -> Record | None:
        """Where a part of the engine is silent. Raises StoreUnavailable where only that may have
        it: nobody knows then whether it is there."""
        found: list[Record] = []
        failures: list[StoreError] = []

        async def ask(shard: str) -> None:
            try:
                [record] = await self.engine.get([(shard, table, key)])
            except StoreError as error:
                failures.append(error)
                return
            if record is not None:
                found.append(record)
                nursery.cancel_scope.cancel(reason="it is found")

        async with trio.open_nursery() as nursery:  # 64 at most; the engine bounds what it asks
            for shard in shards:
                nursery.start_soon(ask, shard)
        if found:
            return found[0]
        for error in failures:
            if not isinstance(error, StoreUnavailable):
                raise error
        if failures:
            why = f"no part of the store that answers has this {table}, and others are silent"
            raise StoreUnavailable(f"{why}: {failures[0]}") from failures[0]
        return None

    async def scan(self, table: Table) -> Sequence[Record]:
        """Every record of a table, of all shards, by key; of those that are owned as `get`."""
        records: list[Record] = []
        failures: list[StoreError] = []

        async def scan(shard: str) -> None:
            known = self._writer.acknowledged(shard)
            try:
                snapshot = await self.engine.snapshot(shard, [table])
                self._check_read(shard, snapshot.lease, known)
                records.extend(snapshot.tables[table])
            except StoreError as error:
                failures.append(error)
                nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:  # 65 at most; the engine bounds what it asks
            for shard in shards_of_table(table):
                nursery.start_soon(scan, shard)
        if failures:
            raise failures[0]
        return sorted(records, key=lambda record: record.key)

    def _check_read(self, shard: str, found: Lease, known: tuple[str, int] | None) -> None:
        """Nobody may go on from what was before that which was acknowledged."""
        if known is not None and (found.token != known[0] or found.seq < known[1]):
            self.doubt()
            why = "what is stored is older than what was acknowledged, which is sent again"
            raise StoreUnavailable(f"shard {shard}: {why}")

    async def entries(
        self, stream: str, *, since: float, until: float, most: int, newest_first: bool = True
    ) -> Sequence[Entry]:
        """At most `most` entries of a stream with since <= at < until, merged over its shards."""
        if most < 1:
            await trio.lowlevel.checkpoint()
            return []
        return await self.engine.entries(
            shards_of_stream(stream),
            stream,
            since=since,
            until=until,
            most=most,
            newest_first=newest_first,
        )


def _nothing() -> None:
    """Until somebody is told."""
