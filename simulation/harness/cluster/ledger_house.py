"""A house in which keeper and shard store are the production code, and the lights only count."""

import random
from collections.abc import Callable

import trio

from actors.clocks.clock import RunClock
from actors.cluster.keeper import Keeper, KeeperPorts
from simulation.harness.cluster.connection import Connection
from simulation.harness.cluster.faults import ClusterFaults
from simulation.harness.cluster.ledger_light import ShardActor
from simulation.harness.cluster.ledger_watch import LedgerWatch
from simulation.world.chance import Chance
from store.engine.memory import MemoryEngine
from store.engine.port import Lease, Member
from store.engine.shards import FLEET
from store.errors import StoreError
from store.port import Put
from store.shards import ShardStore

RIGHT_AT = 1_767_225_600.0
LOOK_S = 2.0


class LedgerHouse:
    """One process over many lives. `keeper` and `store` are None while it is down."""

    def __init__(
        self,
        name: str,
        connection: Connection,
        faults: ClusterFaults,
        chance: Chance,
        watch: LedgerWatch,
        lights: dict[str, list[str]],
        fleet: Callable[["LedgerHouse"], None],
    ) -> None:
        self.name = name
        self.boot = ""
        self.connection = connection
        self.keeper: Keeper | None = None
        self.store: ShardStore | None = None
        self.lives = 0
        self.crashed: str | None = None
        self._chance = chance
        self._faults = faults
        self._watch = watch
        self._lights = lights
        self._fleet = fleet
        self._rng = chance.of(f"house {name}")
        self._scope = trio.CancelScope()
        self._rate = 1.0 + self._rng.uniform(-faults.rate, faults.rate)
        self._actors: dict[str, tuple[ShardActor, trio.CancelScope]] = {}
        self._power = trio.Event()
        self._sigterm = trio.Event()

    async def run(self) -> None:
        """Keep it running until cancelled."""
        while True:
            await self._live()
            with trio.move_on_after(self._rng.uniform(*self._faults.down_s)):
                await self._power.wait()

    def heal(self) -> None:
        """Start it, if it is down, and at once from now on; join it to everything."""
        self.connection.part(cut_off=False, deaf=False)
        self.connection.wrong_side = False
        self.connection.go_on()
        self._power.set()

    def kill(self) -> None:
        """SIGKILL."""
        self.connection.go_on()
        self._scope.cancel(reason="killed")

    def leave(self) -> None:
        """SIGTERM: give everything, then end."""
        self._sigterm.set()

    async def _leave_when_told(self, keeper: Keeper) -> None:
        await self._sigterm.wait()
        await keeper.leave()
        self._scope.cancel(reason="left")

    def elapsed(self) -> float:
        """What its steady clock counts."""
        return trio.current_time() * self._rate

    @property
    def alive(self) -> bool:
        """Whether it runs, and does not stand still."""
        return self.keeper is not None and not self.connection.still

    # ---------------------------------------------------------------- one life

    async def _live(self) -> None:
        self.lives += 1
        self.boot = f"{self.name}{self.lives}"
        engine = self.connection.open()
        clock = RunClock(RIGHT_AT + trio.current_time(), elapsed=self.elapsed)
        self.connection.go_on()
        self._actors = {}
        self._sigterm = trio.Event()
        with trio.CancelScope() as self._scope:
            async with trio.open_nursery() as nursery:
                await engine.open()
                store = ShardStore(engine, self.boot, steady=clock.steady)
                ports = KeeperPorts(
                    taken=lambda shard, lease: self._taken(nursery, engine, store, shard, lease),
                    set_back=store.announce,
                    leave=lambda shard: self._leave(store, shard),
                    fenced=lambda shard: self._fenced(store, shard),
                    looked=store.observed,
                    failed=store.doubt,
                    sees_network=lambda: True,
                    can_serve=lambda: True,
                )
                member = Member(self.boot, self.name, "1", 0)
                keeper = Keeper(engine, member, ports, clock)
                store.listen(
                    marks=self._marks,
                    fenced=lambda shard: self._told_fenced(keeper, shard),
                    retaken=keeper.told_retaken,
                    records=self._records,
                )
                nursery.start_soon(engine.hear, lambda shard: self._rang(keeper, shard))
                nursery.start_soon(self._check, store)
                await nursery.start(keeper.run)
                self.keeper, self.store = keeper, store
                nursery.start_soon(self._enqueue)
                nursery.start_soon(self._leave_when_told, keeper)
                await trio.sleep_forever()
        self.keeper = self.store = None
        self._watch.lost_its_memory(self.boot)

    def _rang(self, keeper: Keeper, shard: str) -> None:
        keeper.rang(shard)
        if shard in self._actors:
            self._actors[shard][0].bell.set()

    async def _check(self, store: ShardStore) -> None:
        """As the store writer does, now and then."""
        while True:
            await trio.sleep(LOOK_S)
            try:
                await store.check()
            except StoreError:
                continue

    def _marks(self, shard: str) -> tuple[str, str]:
        return (self._actors[shard][0].mark if shard in self._actors else "0-0", "")

    def _records(self, shard: str) -> list[Put]:
        return self._actors[shard][0].puts() if shard in self._actors else []

    # ---------------------------------------------------------------- ports

    async def _taken(
        self,
        nursery: trio.Nursery,
        engine: MemoryEngine,
        store: ShardStore,
        shard: str,
        lease: Lease,
    ) -> None:
        rng = random.Random(f"{self._chance.seed}/{self.boot}/{shard}/{lease.epoch}")
        store.own(shard, lease)
        actor = ShardActor(
            self.boot, shard, self._lights.get(shard, []), engine, store, self._watch, rng
        )
        await store.announce(shard)
        await actor.restore(store.owned.get(shard, lease))
        self._actors[shard] = (actor, trio.CancelScope())
        if shard in self._lights:
            nursery.start_soon(self._act, shard)

    async def _act(self, shard: str) -> None:
        if shard in self._actors:
            actor, scope = self._actors[shard]
            with scope:
                await actor.run()

    async def _leave(self, store: ShardStore, shard: str) -> None:
        if shard in self._actors and shard in self._lights:
            await self._actors[shard][0].drain()
        await self._fenced(store, shard)

    async def _fenced(self, store: ShardStore, shard: str) -> None:
        self._fenced_now(shard)
        store.disown(shard)
        await trio.lowlevel.checkpoint()

    def _told_fenced(self, keeper: Keeper, shard: str) -> None:
        self._fenced_now(shard)
        keeper.told_fenced(shard)

    def _fenced_now(self, shard: str) -> None:
        if shard in self._actors:
            self._actors.pop(shard)[1].cancel(reason="fenced")

    async def _enqueue(self) -> None:
        """The one effect of the fleet's owner that nothing fences."""
        while True:
            await trio.sleep(self._rng.uniform(0.2, 1.5))
            if self.alive and self.keeper is not None and self.keeper.may_begin(FLEET):
                self._fleet(self)
