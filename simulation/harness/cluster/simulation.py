"""A cluster being run: minutes of faults in houses, engine and world, then quiet."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable

import trio

from simulation.harness.build import build_world
from simulation.harness.cluster.house import House
from simulation.harness.cluster.houses import Houses
from simulation.harness.cluster.oracle import ClusterOracle
from simulation.harness.cluster.silent_part import SilentPart
from simulation.harness.invariants import bounds
from simulation.harness.people import People
from simulation.harness.quiet import Quiet
from simulation.harness.scenario import Scenario
from simulation.harness.trace import Trace
from simulation.world.chance import Chance
from store.engine.memory import MemoryServers
from store.engine.shards import ALL_SHARDS, FLEET

HOUR_S = 3_600.0
LOOK_S = 10.0
WAITS_MOST_S = 150.0
"""What an inbox holds for a light that takes nothing is given up after a minute, unless the engine
does not answer: an outage takes half a minute. Who stands still, once or again and again, for
minutes, gives nothing up, and is asked when it goes on."""
STILL_S = 15.0
SHOWN_S = 3.0
BEATS_SOON = 0.8
BEAT_S = (5.0, 60.0)

Progress = Callable[[float], None]


class ClusterSimulation:
    """A scenario with several houses. To be made inside the run of Trio that runs it."""

    def __init__(self, scenario: Scenario, progress: Progress | None = None) -> None:
        assert scenario.cluster is not None  # noqa: S101 - else it is a `Simulation`
        chance = Chance(f"cluster/{scenario.seed}")
        faults = scenario.cluster
        self.scenario = scenario
        self.world = build_world(scenario)
        self.trace = Trace()
        servers = MemoryServers(
            replicas=faults.replicas,
            masters=faults.masters,
            lag_s=faults.lag_s,
            wall=self._wall,
            prefix=faults.prefix,
        )
        self.servers = servers
        self.oracle = ClusterOracle(self.world, self.trace, servers, faults.need)
        self.world.watch(self.oracle)
        self.houses = Houses(scenario, self.world, servers, self.oracle, chance)
        self.people = People(scenario, self.houses, self.oracle, chance)
        self.quiet = Quiet(self.world, self.houses, self.oracle)
        self._silent_part = SilentPart(
            self.houses, self.oracle, chance.of("silent part"), scenario, self.world
        )
        self._chance = chance
        self._one_part = chance.of("parted from one part")
        self._progress = progress or (lambda world_s: None)

    @property
    def lives(self) -> int:
        """Of all houses."""
        return sum(house.lives for house in self.houses.all)

    @property
    def faults(self) -> Counter[str]:
        """What went wrong in houses and engine, and how often."""
        counts = self.houses.counts + self.houses.trouble.counts
        for house in self.houses.all:
            counts += house.injector.counts
        return counts

    def _wall(self) -> float:
        return self.world.kernel.right_at + trio.current_time() + self.houses.trouble.clock_off_s

    async def run(self) -> None:
        """Until it is quiet, or a truth is broken."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.world.run)
            await nursery.start(self.houses.run)
            nursery.start_soon(self._look)
            nursery.start_soon(self._story, nursery.cancel_scope)
            await self.oracle.broken.wait()
            nursery.cancel_scope.cancel(reason="a truth is broken")

    async def _story(self, scope: trio.CancelScope) -> None:
        faults = self.houses.faults
        with trio.move_on_after(self.scenario.hours * HOUR_S):
            async with trio.open_nursery() as nursery:
                for dev_eui in self.world.stations:
                    nursery.start_soon(self.people.use, dev_eui)
                for every_s, happen in (
                    (faults.kill_every_s, self._kill),
                    (faults.leave_every_s, self._leave),
                    (faults.pause_every_s, self._pause),
                    (faults.cut_every_s, self._cut),
                    (faults.blind_every_s, self._blind),
                ):
                    nursery.start_soon(self._now_and_then, every_s, happen)
        self._beat_soon()
        await self._come_to_rest()
        if faults.silent_part and self.oracle.violation is None:
            await self._silent_part.come_and_go()
            await self._come_to_rest()
        if self.oracle.violation is None:
            scope.cancel(reason="it is quiet")

    async def _come_to_rest(self) -> None:
        await self.quiet.come()
        if self.oracle.violation is None:
            await self._look_at_the_end()

    def _beat_soon(self) -> None:
        """In most runs the next heartbeat of each light comes soon after the faults. A run that has
        to wait half an hour for one costs ten times more, and nothing happens in it meanwhile."""
        rng = self._chance.of("heartbeats")
        if rng.random() < BEATS_SOON:
            for station in self.world.stations.values():
                station.beat_in(rng.uniform(*BEAT_S))

    async def _now_and_then(
        self, every_s: float, happen: Callable[[House, random.Random], Awaitable[None]]
    ) -> None:
        rng = self._chance.of(happen.__name__)
        async with trio.open_nursery() as nursery:
            while every_s:
                await trio.sleep(rng.expovariate(1.0 / every_s))
                nursery.start_soon(happen, rng.choice(self.houses.all), rng)

    async def _kill(self, house: House, _rng: random.Random) -> None:
        if house.application is not None:
            house.kill("at some moment")
            self.houses.disturbed()
        await trio.lowlevel.checkpoint()

    async def _leave(self, house: House, _rng: random.Random) -> None:
        house.leave()
        await trio.lowlevel.checkpoint()

    async def _pause(self, house: House, rng: random.Random) -> None:
        self.houses.counts["pauses"] += 1
        self.houses.stop(house, rng.uniform(*self.houses.faults.pause_s))
        await trio.lowlevel.checkpoint()

    async def _cut(self, house: House, rng: random.Random) -> None:
        deaf, masters = rng.random() < 0.3, self.houses.faults.masters
        if masters > 1 and self._one_part.random() < 0.5:
            await self._cut_from(house, self._one_part.randrange(masters), rng)
            return
        self.houses.counts["partitions"] += 1
        self.oracle.note("service", "parted", house.boot, deaf)
        house.connection.part(cut_off=not deaf, deaf=deaf)
        self.houses.disturbed()
        await trio.sleep(rng.uniform(*self.houses.faults.cut_s))
        house.connection.part(cut_off=False, deaf=False)

    async def _cut_from(self, house: House, part: int, rng: random.Random) -> None:
        self.houses.counts["partitions from one part"] += 1
        self.oracle.note("service", "parted", house.boot, part)
        house.connection.part_from(part)
        self.houses.disturbed()
        await trio.sleep(rng.uniform(*self.houses.faults.cut_s))
        house.connection.join(part)

    async def _blind(self, house: House, rng: random.Random) -> None:
        self.houses.counts["houses parted from ChirpStack"] += 1
        self.oracle.note("service", "blind", house.boot)
        house.blind = True
        await trio.sleep(rng.uniform(*self.houses.faults.blind_s))
        house.blind = False

    async def _look(self) -> None:
        while True:
            await trio.sleep(LOOK_S)
            self._progress(trio.current_time())
            self.oracle.look_around()
            for house in self.houses.all:
                if house.application is not None:
                    for broken in bounds(house.application.supervisor.report()):
                        self.oracle.breaks("service", f"{house.boot}: {broken}")
                if house.parts is not None and not house.connection.still:
                    waits_s = house.parts.flow.inbox.statistics().oldest_wait_s
                    if waits_s > WAITS_MOST_S:
                        what = f"{house.boot}: an entry of an inbox has waited {waits_s:.0f} s"
                        self.oracle.breaks("service", what)

    # ---------------------------------------------------------------- what must hold in the end

    async def _look_at_the_end(self) -> None:
        self._check_owners()
        before = self._tokens()
        await trio.sleep(STILL_S)
        moved = sorted(set(self._tokens().items()) ^ set(before.items()))
        if moved:
            self.oracle.breaks("service", f"long after the last fault a shard moves: {moved[0]}")
        await self.houses.settled()
        for dev_eui in self.oracle.lights:
            missing = self.oracle.missing(dev_eui)
            if missing is not None:
                self.oracle.breaks(dev_eui, f"lost: {missing}")
        for command in self.oracle.promised.values():
            if command.id not in self.oracle.commands:
                self.oracle.breaks(command.dev_eui, "lost: an accepted command")
        await self._check_boards()

    async def _check_boards(self) -> None:
        """Every board shows what the engine has; a change may be on its way for a moment."""
        for _ in range(4):
            if self._odd() is None:
                return
            await trio.sleep(SHOWN_S)
        odd = self._odd()
        if odd is not None:
            self.oracle.breaks(*odd)

    def _odd(self) -> tuple[str, str] | None:
        for house in self.houses.all:
            for dev_eui, facts in self.oracle.lights.items():
                shown = house.parts.board.devices.get(dev_eui) if house.parts else None
                if shown != facts.record:
                    return dev_eui, f"{house.boot} shows another state than the one stored"
            for command in house.parts.board.open_commands.values() if house.parts else ():
                known = self.oracle.commands.get(command.id)
                if known is None or known.newest != command:
                    return command.dev_eui, f"{house.boot} shows a command that is not open"
        return None

    def _tokens(self) -> dict[str, str]:
        return {
            shard: data.lease.token
            for master in self.servers.masters
            if master is not None
            for shard, data in master.data.shards.items()
        }

    def _check_owners(self) -> None:
        load = {house.boot: 0 for house in self.houses.all}
        for shard in ALL_SHARDS:
            master = self.servers.masters[self.servers.part_of(shard)]
            owner = "" if master is None else master.data.shard(shard).lease.owner
            if owner not in load:
                self.oracle.breaks("service", f"{shard} has no owner long after the last fault")
                return
            load[owner] += 8 if shard == FLEET else 1
        fair = -(-sum(load.values()) // len(load))
        if max(load.values()) > fair + 1:
            self.oracle.breaks("service", f"the load is not balanced: {load}, fair is {fair}")
