"""All houses of a cluster, as people and ChirpStack see them: any of them may be asked."""

import math
from collections import Counter
from collections.abc import Sequence

import trio

from actors.application import Application
from actors.downlink.planner import WaitingAttempt
from lorawan.events import Event
from simulation.harness.cluster.connection import WRONG_SIDE, Connection
from simulation.harness.cluster.engine_trouble import EngineTrouble
from simulation.harness.cluster.engine_watch import EngineWatch
from simulation.harness.cluster.house import House
from simulation.harness.cluster.oracle import ClusterOracle
from simulation.harness.scenario import Scenario
from simulation.world.chance import Chance
from simulation.world.world import World
from store.engine.memory import Master, MemoryServers
from store.engine.port import Accept, AcceptResult
from store.engine.shards import FLEET, shard_of

SETTLE_S = 50.0
"""What is kept for the engine is kept for 30 s; lapsed leases are taken within 9."""
REMEMBERED_S = 25.0
"""Of a failover that took more, a part is in no memory any more: what is kept for 30 s has to come
back within some seconds."""


class Houses:
    """The service as a whole."""

    def __init__(
        self,
        scenario: Scenario,
        world: World,
        servers: MemoryServers,
        oracle: ClusterOracle,
        chance: Chance,
    ) -> None:
        assert scenario.cluster is not None  # noqa: S101 - else there are no houses
        self.faults = scenario.cluster
        self.counts: Counter[str] = Counter()
        self.order = EngineWatch(oracle.breaks, oracle.carried_out)
        servers.told = self._told
        self.trouble = EngineTrouble(servers, self.faults, chance, self._failed_over)
        self._oracle = oracle
        self.servers = servers
        self._rng = chance.of("which house")
        self._sides = chance.of("sides of a split")
        self._pauses = chance.of("pauses at an enqueue")
        self._healed_s = math.inf
        self._owed: dict[str, str] = {}
        """Lights of which a failover took something that nobody has brought back yet, and the
        owner who knows it; empty where that is whoever accepted a command, or nobody."""
        self.all = [
            House(
                name,
                Connection(
                    servers,
                    self.trouble,
                    self.faults,
                    chance.of(f"connection {name}"),
                    self.counts,
                ),
                scenario,
                world,
                oracle,
                chance,
                self._enqueueing,
            )
            for name in "abcd"[: self.faults.houses]
        ]
        world.delivery.sink = self.deliver

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """All of them, and the engine's troubles, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.trouble.run)
            for house in self.all:
                nursery.start_soon(house.run)
            task_status.started()

    # ---------------------------------------------------------------- as people see them

    @property
    def application(self) -> Application | None:
        """Whoever a load balancer sends them to; None where nobody runs."""
        running = [house for house in self.all if house.application is not None]
        return self._rng.choice(running).application if running else None

    def serves(self, application: Application) -> bool:
        """Whether whoever was asked lives on."""
        return any(house.application is application for house in self.all)

    def initialize(self, dev_eui: str, *, force: bool) -> None:
        """Have a light given its settings, by whoever does that."""
        for house in self.all:
            here = house.parts.fleetwide_here if house.parts is not None else None
            if here is not None and house.alive:
                here.initializer.start([dev_eui], force=force)
                return

    def deliver(self, event: Event) -> None:
        """A webhook, to any house that listens."""
        self._oracle.note(event.device.dev_eui, "webhook", type(event).__name__.lower())
        running = [house for house in self.all if house.application is not None]
        if running:
            self._rng.choice(running).deliver(event)

    # ---------------------------------------------------------------- as an operator sees them

    def heal(self) -> None:
        """Everything is well from now on."""
        self._oracle.note("service", "healed")
        self._healed_s = trio.current_time()
        self.trouble.heal()
        for house in self.all:
            house.heal()

    def revive(self) -> None:
        """Start the actors anew that were parked."""
        if trio.current_time() > self._healed_s + SETTLE_S:
            self._oracle.settle()
        for house in self.all:
            house.revive()

    async def settled(self) -> None:
        """Wait until all that can come back has come: what may be lost, and did not, is lost."""
        await trio.sleep_until(self._healed_s + SETTLE_S)
        self._oracle.settle()

    def waiting(self) -> Sequence[WaitingAttempt]:
        """What waits for the air."""
        return [
            one
            for house in self.all
            if house.parts is not None and house.parts.fleetwide_here is not None
            for one in house.parts.fleetwide_here.dispatcher.waiting()
        ]

    # ---------------------------------------------------------------- what goes wrong

    def disturbed(self) -> None:
        """A house cannot bring back now what a failover took: that may be lost, or come late."""
        self._oracle.killed()
        self._owed = {
            dev_eui: owner
            for dev_eui, owner in self._owed.items()
            if self._oracle.missing(dev_eui) is not None
        }
        able = self._able()
        for dev_eui, owner in sorted(self._owed.items()):
            if owner not in able:
                self._oracle.excuse(dev_eui)
                self.counts["lights set back while somebody was away"] += 1
                del self._owed[dev_eui]
        self._oracle.promised.clear()

    def _able(self) -> set[str]:
        """The boots of those who can bring something back."""
        return {one.boot for one in self.all if one.application and not one.connection.away}

    def _failed_over(self, part: int, old: Master) -> None:
        self._oracle.note("service", "failover", part, old.answers)
        self._oracle.killed()
        master = self.servers.masters[part]
        assert master is not None  # noqa: S101 - it was just promoted
        self.order.begins(master)
        lost_since_s = math.inf if old.lost_since_s is None else old.lost_since_s
        forgotten = trio.current_time() - lost_since_s > REMEMBERED_S
        able = self._able()
        for dev_eui in self._oracle.lights:
            if self._oracle.missing(dev_eui) is not None:
                self.counts["lights set back by a failover"] += 1
                shard = shard_of(dev_eui)
                lost = self._oracle.who_accepted_what_is_lost(dev_eui)
                self._owed[dev_eui] = "" if lost else old.data.shard(shard).lease.owner
                self._oracle.set_back(dev_eui)
                if forgotten or not lost <= able:
                    self._oracle.excuse(dev_eui)
        for house in self.all:
            connection = house.connection
            connection.wrong_side = old.answers and self._sides.random() < WRONG_SIDE
            if house.application is None or connection.away:
                self.disturbed()

    def _told(self, master: Master, what: str, shard: str, asked: object, answer: object) -> None:
        self.order.told(master, what, shard, asked, answer)
        if what == "accept" and isinstance(asked, Accept) and isinstance(answer, AcceptResult):
            self._oracle.accepted_by(master, asked, answer)
        elif what in {"take", "give"} and answer:
            self._oracle.note("service", what, shard, str(asked))
            self._oracle.killed()

    def _enqueueing(self, house: House, dev_eui: str) -> None:
        """The guard of this house has let an enqueue pass: no other house's may, too."""
        for other in self.all:
            parts = other.parts
            if other is not house and other.alive and parts and parts.keeper.may_begin(FLEET):
                self._oracle.breaks(
                    dev_eui, f"{house.boot} enqueues, and {other.boot} might as well"
                )
        faults = self.faults
        if self.trouble.armed and self._pauses.random() < faults.pause_at_enqueue:
            self.counts["pauses at an enqueue"] += 1
            self.stop(house, self._pauses.uniform(*faults.pause_s))

    def stop(self, house: House, for_s: float) -> None:
        """The house stands still for so long."""
        self._oracle.note("service", "stands still", house.boot, f"{for_s:.1f}")
        house.connection.stand_still(for_s)
        self.disturbed()
