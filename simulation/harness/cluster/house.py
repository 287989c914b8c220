"""One house of a cluster as its service manager sees it: the whole of a process but its web."""

from collections.abc import Callable

import trio

from actors.clocks.clock import RunClock
from actors.cluster.house_clock import house_clock
from actors.cluster_application import ClusterApplication
from actors.clustered import ClusterOptions, ClusterParts
from actors.environment import Environment
from actors.supervision import ChildState
from lorawan.events import Event, decode_json, decode_protobuf
from simulation.harness.cluster.connection import Connection
from simulation.harness.cluster.house_network import HouseNetwork
from simulation.harness.cluster.oracle import ClusterOracle
from simulation.harness.fault_injector import FaultInjector
from simulation.harness.life import live
from simulation.harness.process import TAKEN, policies_of
from simulation.harness.scenario import Scenario
from simulation.harness.watched import FOLLOWING, WatchedNetwork, watched
from simulation.world.bodies import json_body, protobuf_body
from simulation.world.chance import Chance
from simulation.world.world import World
from store.engine.memory import MemoryEngine
from store.errors import StoreError
from store.shards import ShardStore

CRASHES = (*FOLLOWING, "StoreTaken")
"""An actor may notice by its own commit that its shard is another's, before it is stopped. While
its process stands still, or the engine is away, one that was about to start is late as well."""
RESTART_S = 1.0
"""After which a service manager starts anew what could not start."""
ALONE_S = 8.0
"""A web server waits for those whom it serves, when it is told to end."""


class House:
    """`application` and `parts` are None while it is down."""

    def __init__(
        self,
        name: str,
        connection: Connection,
        scenario: Scenario,
        world: World,
        oracle: ClusterOracle,
        chance: Chance,
        enqueueing: Callable[["House", str], None],
    ) -> None:
        assert scenario.cluster is not None  # noqa: S101 - else there are no houses
        self.name = name
        self.boot = ""
        self.lives = 0
        self.connection = connection
        self.application: ClusterApplication | None = None
        self.parts: ClusterParts | None = None
        self.blind = False
        """ChirpStack cannot be reached from here."""
        self.injector = FaultInjector(scenario.service, Chance(f"{chance.seed}/{name}"), self.kill)
        self._faults = scenario.cluster
        self._scenario = scenario
        self._world = world
        self._oracle = oracle
        self._chance = chance
        self._enqueueing = enqueueing
        self._rng = chance.of(f"house {name}")
        self._rate = 1.0 + self._rng.uniform(-self._faults.rate, self._faults.rate)
        self._scope = trio.CancelScope()
        self._killed = True
        self._power = trio.Event()
        self._sigterm = trio.Event()
        self._nursery: trio.Nursery | None = None

    async def run(self) -> None:
        """Keep it running until cancelled."""
        while True:
            await self._live()
            with trio.move_on_after(self._rng.uniform(*self._faults.down_s)):
                await self._power.wait()
            await trio.sleep(0.1)

    @property
    def alive(self) -> bool:
        """Whether it runs, and does not stand still."""
        return self.application is not None and not self.connection.still

    def heal(self) -> None:
        """Start it where it is down, and join it to everything."""
        self.injector.armed = False
        self.blind = False
        self.connection.part(cut_off=False, deaf=False)
        self.connection.join_all()
        self.connection.wrong_side = False
        self.connection.go_on()
        self._power.set()

    def kill(self, why: str) -> None:
        """SIGKILL. No effect while it is down."""
        if self._killed:
            return
        self._killed = True
        self.application = self.parts = None
        self._oracle.note("service", "killed", self.boot, why)
        self._oracle.counts["kills"] += 1
        self._oracle.killed()
        self._scope.cancel(reason=why)
        self.connection.go_on()

    def leave(self) -> None:
        """SIGTERM: give every shard to the others, then end."""
        self._sigterm.set()

    def deliver(self, event: Event) -> None:
        """A webhook; nobody sends it again."""
        if self._nursery is not None and self.application is not None:
            self._nursery.start_soon(self._take, self.application, event)

    def revive(self) -> None:
        """Start the actors anew that were parked."""
        if self.application is None or self.parts is None:
            return
        for child in self.parts.lights.report().children:
            if child.state is ChildState.PARKED:
                self.application.supervisor.revive(child.id)

    # ---------------------------------------------------------------- one life

    async def _live(self) -> None:
        self.lives += 1
        self.boot = f"{self.name}{self.lives}"
        self._killed = False
        self._sigterm = trio.Event()
        self._oracle.note("service", "starts", self.boot)
        with trio.CancelScope() as self._scope:
            try:
                parts = await self._made(self.connection.open())
            except StoreError as error:
                self._oracle.note("service", "cannot start", self.boot, str(error))
                await trio.sleep(RESTART_S)
                self._killed = True
                return
            async with trio.open_nursery() as nursery:
                application = ClusterApplication(parts)
                await nursery.start(self._serve, application)
                self._nursery = nursery
                if not self._killed:
                    self.application, self.parts = application, parts
                nursery.start_soon(self._leave_when_told, application)
                await trio.sleep_forever()
        self._nursery = self.application = self.parts = None
        self._killed = True

    def _crashes(self) -> tuple[str, ...]:
        return (*CRASHES, "StartTimedOut") if self.connection.slow else CRASHES

    async def _made(self, engine: MemoryEngine) -> ClusterParts:
        """As `api.service` makes it. Raises StoreError."""
        await engine.open()
        machine = RunClock(
            self._world.kernel.right_at + trio.current_time(),
            elapsed=lambda: trio.current_time() * self._rate,
        )
        clock, ahead_s = await house_clock(engine, machine)
        store = ShardStore(engine, self.boot, steady=clock.steady)
        await store.open()
        life, ids = self._chance.of(f"life {self.boot}"), self._chance.of(f"ids {self.boot}")
        alive = self._alive_in(self.lives)
        network = WatchedNetwork(self._world.network, self._oracle, self.injector, alive)
        environment = Environment(
            store=store,
            network=HouseNetwork(
                network,
                self._oracle,
                self.connection,
                blind=lambda: self.blind,
                alive=alive,
                enqueueing=lambda dev_eui: self._enqueueing(self, dev_eui),
            ),
            clock=clock,
            rng=life,
            boot=self.boot,
            new_id=lambda: f"{ids.getrandbits(64):016x}",
            hooks=watched(self._oracle, self.injector, alive, self._crashes),
        )
        options = ClusterOptions(name=self.name, need=self._faults.need, clock_ahead_s=ahead_s)
        return ClusterParts(environment, policies_of(self._scenario), store, options)

    async def _serve(
        self,
        application: ClusterApplication,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        await live(
            application,
            self._oracle,
            "house",
            may_give_up=lambda: bool(self._scenario.service.part_crash),
            killed=lambda: self._killed,
            kill=self.kill,
            task_status=task_status,
        )

    async def _leave_when_told(self, application: ClusterApplication) -> None:
        await self._sigterm.wait()
        self._oracle.note("service", "leaves", self.boot)
        self._oracle.counts["orderly ends"] += 1
        await application.leave()
        self._killed = True
        self.application = self.parts = None
        self._scope.cancel(reason="left")

    async def _take(self, application: ClusterApplication, event: Event) -> None:
        with trio.move_on_after(ALONE_S):  # ChirpStack gives up then
            await self.connection.wait_while_still()
            match self._scenario.wire:
                case "json":
                    event = decode_json(*json_body(event))
                case "protobuf":
                    event = decode_protobuf(*protobuf_body(event))
                case _:
                    pass
            if await application.event_door.deliver(event) in TAKEN:  # type: ignore[misc]
                self._oracle.taken(event)

    def _alive_in(self, life: int) -> Callable[[], bool]:
        return lambda: self.lives == life and not self._killed
