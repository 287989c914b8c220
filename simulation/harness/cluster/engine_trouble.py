"""What goes wrong in the engine: failovers, lost replication, old masters that live on, outages."""

import math
import random
from collections import Counter
from collections.abc import Awaitable, Callable

import trio

from simulation.harness.cluster.faults import ClusterFaults
from simulation.world.chance import Chance
from store.engine.memory import Master, MemoryServers
from store.engine.shards import ALL_SHARDS

START_S = 30.0
"""Until an actor has to be ready."""


class EngineTrouble:
    """Torments one engine. `armed` is false once everything is to be well.

    `failed_over` is called with the part and the old master, just after another was promoted.
    """

    def __init__(
        self,
        servers: MemoryServers,
        faults: ClusterFaults,
        chance: Chance,
        failed_over: Callable[[int, Master], None],
    ) -> None:
        self.armed = True
        self.counts: Counter[str] = Counter()
        self.moving: set[str] = set()
        """Shards whose slot is on the move."""
        self.clock_off_s = 0.0
        self.old: dict[int, Master] = {}
        """Old masters that live on."""
        self._servers = servers
        self._faults = faults
        self._chance = chance
        self._ways = chance.of("engine hangs or refuses")
        self._failed_over = failed_over
        self._busy: set[int] = set()
        self._healed_s = math.inf

    @property
    def lately(self) -> bool:
        """Whether somebody who waits for the engine may have waited for as long as a start may
        take."""
        return self.armed or trio.current_time() - self._healed_s < START_S

    async def run(self) -> None:
        """Until cancelled."""
        faults = self._faults
        async with trio.open_nursery() as nursery:
            for every_s, happen in (
                (faults.fail_over_every_s, self._fail_over),
                (faults.missing_every_s, self._miss_a_replica),
                (faults.outage_every_s, self._go_away),
                (faults.moving_every_s, self._move_a_slot),
                (faults.clock_every_s, self._set_clock),
            ):
                nursery.start_soon(self._now_and_then, every_s, happen)

    def heal(self) -> None:
        """Every server is there, replicates and has the right time."""
        self.armed = False
        self._healed_s = trio.current_time()
        self.moving.clear()
        self.clock_off_s = 0.0
        for part, master in self._old_and_new():
            if part in self.old and master is self.old[part]:
                master.read_only = True
                continue
            master.answers, master.hangs = True, False
            for replica in master.replicas:
                replica.held = False
        self.old.clear()

    def _old_and_new(self) -> list[tuple[int, Master]]:
        found = list(self.old.items())
        return found + [(n, one) for n, one in enumerate(self._servers.masters) if one is not None]

    async def _now_and_then(
        self, every_s: float, happen: Callable[[random.Random], Awaitable[None]]
    ) -> None:
        rng = self._chance.of(f"engine {happen.__name__}")
        while every_s:
            await trio.sleep(rng.expovariate(1.0 / every_s))
            if self.armed:
                await happen(rng)

    def fail_over_now(self, part: int) -> None:
        """Its best replica is promoted in an instant."""
        self._failed_over(part, self._servers.fail_over(part))

    def _hangs(self) -> bool:
        """Whether a server that goes away has those wait who ask it."""
        share = self._faults.hangs
        hangs = bool(share) and self._ways.random() < share
        self.counts["servers that hang"] += hangs
        return hangs

    async def _fail_over(self, rng: random.Random) -> None:
        faults = self._faults
        part = rng.randrange(len(self._servers.masters))
        lossy = rng.random() < faults.lossy
        least = lossy and rng.random() < 0.5
        lives = rng.random() < faults.old_lives
        dead_s, behind_s = rng.uniform(*faults.fail_over_s), rng.uniform(*faults.lossy_s)
        master = self._servers.masters[part]
        if part in self._busy or master is None or not master.replicas:
            return
        self._busy.add(part)
        self.counts["failovers, lossy" if lossy else "failovers"] += 1
        if lossy:
            for replica in master.replicas[: 1 if self._faults.need and not least else 2]:
                replica.held = True
            await trio.sleep(behind_s)
        if not lives and self.armed:  # else everything was healed meanwhile
            self._servers.stop(part, hangs=self._hangs())
        await trio.sleep(dead_s)
        if self.armed:
            old = self._servers.fail_over(part, least=least, old_lives=lives)
            self._failed_over(part, old)
            if lives:
                self.counts["old masters that live on"] += 1
                self.old[part] = old
                await trio.sleep(faults.old_lives_s)
                old.read_only = True
                self.old.pop(part, None)
        self._busy.discard(part)

    async def _miss_a_replica(self, rng: random.Random) -> None:
        master = self._servers.masters[rng.randrange(len(self._servers.masters))]
        away_s = rng.uniform(*self._faults.missing_s)
        if master is None or not master.replicas:
            return
        replica = rng.choice(master.replicas)
        self.counts["replicas away"] += 1
        replica.held = True
        await trio.sleep(away_s)
        replica.held = False

    async def _go_away(self, rng: random.Random) -> None:
        away_s = rng.uniform(*self._faults.outage_s)
        part = rng.randrange(len(self._servers.masters))
        if part in self._busy:
            return
        self._busy.add(part)
        self.counts["outages of the engine"] += 1
        self._servers.stop(part, hangs=self._hangs())
        await trio.sleep(away_s)
        self._servers.go_on(part)
        self._busy.discard(part)

    async def _move_a_slot(self, rng: random.Random) -> None:
        shard, moving_s = rng.choice(ALL_SHARDS), rng.uniform(*self._faults.moving_s)
        self.counts["slots moved"] += 1
        self.moving.add(shard)
        await trio.sleep(moving_s)
        self.moving.discard(shard)

    async def _set_clock(self, rng: random.Random) -> None:
        self.counts["engine's clock set"] += 1
        self.clock_off_s = rng.uniform(-self._faults.clock_off_s, self._faults.clock_off_s)
        await trio.lowlevel.checkpoint()
