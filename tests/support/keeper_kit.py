"""Processes of a cluster reduced to their keepers, on an engine in memory and in virtual time."""

from collections.abc import Callable, Sequence

import trio

from actors.clocks.clock import RunClock
from actors.cluster.keeper import Keeper, KeeperPorts, KeeperTimes
from store.engine.memory import MemoryEngine, MemoryServers
from store.engine.port import Engine, Lease, Member
from store.engine.shards import ALL_SHARDS

WALL = 1_760_000_000.0


class House:
    """One process: its keeper, and what the keeper told it to do."""

    def __init__(self, engine: Engine, name: str, times: KeeperTimes | None = None) -> None:
        self.engine = engine
        self.boot = name
        self.running: dict[str, Lease] = {}
        """Shards whose actors run here."""
        self.log: list[tuple[str, str]] = []
        self.sees_network = True
        self.can_serve = True
        self.start_s = 0.01
        self.drain_s = 0.02
        self.trouble: Callable[[str, str], None] = lambda what, shard: None
        """Raises what a port is to raise."""
        ports = KeeperPorts(
            taken=self._taken,
            set_back=self._set_back,
            leave=self._leave,
            fenced=self._fenced,
            sees_network=lambda: self.sees_network,
            can_serve=lambda: self.can_serve,
        )
        member = Member(boot=name, name=name, version="1", beat=0)
        self.keeper = Keeper(engine, member, ports, RunClock(WALL), times)
        self._scope: trio.CancelScope | None = None

    async def begin(self, nursery: trio.Nursery) -> None:
        """Start its keeper; returns after its first look."""
        await nursery.start(self._run)

    def kill(self) -> None:
        """It is gone, without a word."""
        assert self._scope is not None
        self._scope.cancel()
        self.running.clear()

    async def _run(self, task_status: trio.TaskStatus[None]) -> None:
        with trio.CancelScope() as self._scope:
            await self.keeper.run(task_status)

    async def _taken(self, shard: str, lease: Lease) -> None:
        self.log.append(("taken", shard))
        self.trouble("taken", shard)
        await trio.sleep(self.start_s)
        self.running[shard] = lease

    async def _set_back(self, shard: str) -> None:
        """As a store does: look, and take again what was forgotten."""
        self.log.append(("set back", shard))
        self.trouble("set back", shard)
        found = (await self.engine.look([shard]))[shard]
        if shard in self.running and found.token == self.running[shard].token:
            return
        lease = await self.engine.take(shard, found, self.boot)
        if lease is not None:
            if shard in self.running:
                self.running[shard] = lease
            self.keeper.told_retaken(shard, lease)

    async def _leave(self, shard: str) -> None:
        self.log.append(("leave", shard))
        self.trouble("leave", shard)
        await trio.sleep(self.drain_s)
        self.running.pop(shard, None)

    async def _fenced(self, shard: str) -> None:
        self.log.append(("fenced", shard))
        self.running.pop(shard, None)
        await trio.lowlevel.checkpoint()


class Town:
    """Several houses on one engine."""

    def __init__(
        self,
        nursery: trio.Nursery,
        servers: MemoryServers | None = None,
        *,
        need: int = 0,
        times: KeeperTimes | None = None,
    ) -> None:
        self.nursery = nursery
        self.servers = servers or MemoryServers()
        self.need = need
        self.times = times
        self.houses: list[House] = []
        self.ways: dict[str, MemoryEngine] = {}
        """The way of each house to the engine."""

    async def house(self, name: str) -> House:
        """One more, which begins now."""
        engine = MemoryEngine(self.servers, need=self.need)
        await engine.open()
        self.ways[name] = engine
        return await self.house_on(engine, name)

    async def house_on(self, engine: Engine, name: str) -> House:
        """One more on an engine of its own, which is open; it begins now."""
        house = House(engine, name, self.times)
        self.houses.append(house)
        await house.begin(self.nursery)
        return house

    def loads(self) -> dict[str, int]:
        """The number of shards that run in each house."""
        return {house.boot: len(house.running) for house in self.houses if house.running}

    def owners(self, shard: str) -> Sequence[str]:
        """The houses in which this shard runs."""
        return [house.boot for house in self.houses if shard in house.running]

    def complete(self) -> bool:
        """Whether each shard runs in one house."""
        return all(len(self.owners(shard)) == 1 for shard in ALL_SHARDS)

    async def until(self, true: Callable[[], bool], most_s: float = 60.0) -> float:
        """Wait for this, in virtual time; how long it took."""
        began = trio.current_time()
        with trio.fail_after(most_s):
            while not true():  # noqa: ASYNC110 - looked at from outside
                await trio.sleep(0.01)
        return trio.current_time() - began
