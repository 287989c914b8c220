"""The service as its service manager sees it: a process that is started, killed and started again.

From the instant of a kill nothing of the old process reaches the disk, the network or a reader; the
next one knows what is on the disk, and nothing else.
"""

from collections.abc import Callable, Sequence

import trio

from actors.application import Application
from actors.board.changes import PaceTold
from actors.calibration.model import CalibrationPolicy
from actors.clocks.clock import RunClock
from actors.device.policy import Policy, RetryPlan
from actors.downlink import DispatchPolicy
from actors.downlink.planner import WaitingAttempt
from actors.fleet.delivery import Delivery
from actors.gateways import WatchPolicy
from actors.supervision import ChildState
from actors.wiring import Environment as Outside
from actors.wiring import Parts, Policies
from lorawan.events import Event, decode_json, decode_protobuf
from simulation.harness.fault_injector import FaultInjector
from simulation.harness.life import live
from simulation.harness.oracle import Oracle
from simulation.harness.scenario import Scenario
from simulation.harness.watched import WatchedNetwork, watched
from simulation.world.bodies import json_body, protobuf_body
from simulation.world.chance import Chance
from simulation.world.world import World
from store.memory import MemoryDisk, MemoryStore

TAKEN = frozenset({Delivery.DELIVERED, Delivery.REGISTERED})


class Process:
    """One service over many processes. `application` is None while it is down."""

    def __init__(self, scenario: Scenario, world: World, oracle: Oracle, chance: Chance) -> None:
        self.application: Application | None = None
        self.parts: Parts | None = None
        self.disk = MemoryDisk()
        self.lives = 0
        self.injector = FaultInjector(scenario.service, chance, self.kill)
        self._scenario = scenario
        self._world = world
        self._oracle = oracle
        self._chance = chance
        self._manager = chance.of("manager")
        self._scope = trio.CancelScope()
        self._killed = True
        self._policies = policies_of(scenario)
        self._clock_chance = chance.of("our clock")
        self._clock_off_s = 0.0

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep it running until cancelled."""
        self._world.delivery.sink = self.deliver
        task_status.started()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._set_clock_now_and_then)
            while True:
                await self._live()
                span_s = self._scenario.service.down_s if self.injector.armed else (0.5, 0.5)
                await trio.sleep(self._manager.uniform(*span_s))

    def paces(self) -> dict[str, PaceTold | None]:
        """What the service tells of the pace of each gateway."""
        if self.parts is None:
            return {}
        return {one: self.parts.fleetwide.dispatcher.pace(one) for one in self._world.gateways}

    def heal(self) -> None:
        """No fault any more; the clock of its host is set right, which it has to follow."""
        self.injector.armed = False
        self._clock_off_s = 0.0

    def revive(self) -> None:
        """Start the actors anew that were parked."""
        if self.application is not None and self.parts is not None:
            for child in self.parts.lights.report().children:
                if child.state is ChildState.PARKED:
                    self.application.supervisor.revive(child.id)

    def waiting(self) -> Sequence[WaitingAttempt]:
        """What waits for the air."""
        return self.parts.fleetwide.dispatcher.waiting() if self.parts is not None else ()

    async def _set_clock_now_and_then(self) -> None:
        every_s = self._scenario.service.clock_set_every_s
        while every_s:
            await trio.sleep(self._clock_chance.expovariate(1.0 / every_s))
            if self.injector.armed:
                self._draw_clock()
                self._oracle.note("service", "clock set", round(self._clock_off_s, 1))
                self._oracle.counts["clock of ours set"] += 1

    def _draw_clock(self) -> None:
        off_s = self._scenario.service.clock_off_s if self.injector.armed else 0.0
        self._clock_off_s = self._clock_chance.uniform(-off_s, off_s)

    def _wall(self) -> float:
        return self._world.kernel.right_at + trio.current_time() + self._clock_off_s

    @property
    def _settable_wall(self) -> Callable[[], float] | None:
        """None where nobody sets it during a life: it need not be looked at."""
        return self._wall if self._scenario.service.clock_set_every_s else None

    def kill(self, why: str) -> None:
        """SIGKILL. No effect while it is down."""
        if self._killed:
            return
        self._killed = True
        self.application = None
        self._oracle.note("service", "killed", why)
        self._oracle.counts["kills"] += 1
        self._oracle.killed()
        self.disk.take(None)  # whatever the old life still tries to write is refused
        self._scope.cancel(reason=why)

    def serves(self, application: Application) -> bool:
        """Whether it is the life that was asked."""
        return application is self.application

    def initialize(self, dev_eui: str, *, force: bool) -> None:
        """Have a light given its settings."""
        if self.application is not None:
            self.application.initializer.start([dev_eui], force=force)

    def deliver(self, event: Event) -> None:
        """A webhook; nobody sends it again."""
        self._oracle.note(event.device.dev_eui, "webhook", type(event).__name__.lower())
        if self.application is None:
            return
        match self._scenario.wire:
            case "json":
                event = decode_json(*json_body(event))
            case "protobuf":
                event = decode_protobuf(*protobuf_body(event))
            case _:
                pass
        if self.application.fleet.deliver(event) in TAKEN:
            self._oracle.taken(event)

    # ---------------------------------------------------------------- one life

    async def _live(self) -> None:
        self.lives += 1
        self._killed = False
        store = MemoryStore(
            self.disk, before_commit=self.injector.before_commit, after_commit=self._committed
        )
        await store.open()
        parts = Parts(self._outside(store), self._policies)
        self.parts = parts
        application = Application(parts)
        self._oracle.note("service", "starts", self.lives)
        with trio.CancelScope() as self._scope:
            async with trio.open_nursery() as nursery:
                await nursery.start(self._serve, application)
                self.application = None if self._killed else application
                await trio.sleep_forever()
        self.application = None
        self._killed = True

    async def _serve(
        self,
        application: Application,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        await live(
            application,
            self._oracle,
            "service",
            may_give_up=lambda: bool(self._scenario.service.part_crash),
            killed=lambda: self._killed,
            kill=self.kill,
            task_status=task_status,
        )

    async def _committed(self, writes: object) -> None:
        self._oracle.committed(writes)  # type: ignore[arg-type]
        await self.injector.after_commit(writes)  # type: ignore[arg-type]

    def _alive_in(self, life: int) -> Callable[[], bool]:
        """What happens to the remains of a killed life is nobody's concern."""
        return lambda: self.lives == life and not self._killed

    def _outside(self, store: MemoryStore) -> Outside:
        life = self._chance.of(f"life {self.lives}")
        alive = self._alive_in(self.lives)
        self._draw_clock()
        ids = self._chance.of(f"ids {self.lives}")
        return Outside(
            store=store,
            network=WatchedNetwork(self._world.network, self._oracle, self.injector, alive),
            clock=RunClock(self._wall(), wall=self._settable_wall, host="pretend"),
            rng=life,
            boot=f"{life.getrandbits(32):08x}",
            new_id=lambda: f"{ids.getrandbits(64):016x}",
            hooks=watched(self._oracle, self.injector, alive),
        )


def policies_of(scenario: Scenario) -> Policies:
    """The defaults, with what the region and the scenario ask for."""
    watch = WatchPolicy(poll_s=10.0, offline_after_s=90.0, poll_timeout_s=8.0)
    fixed = scenario.nothing_shared
    return Policies(
        device=Policy(plan=RetryPlan.FIXED if fixed else RetryPlan.LEARNED),
        dispatch=DispatchPolicy(
            rx2_dr=0 if scenario.sf12 else 3,
            paced=not fixed,
        ),
        watch=watch if scenario.quick_watch else WatchPolicy(),
        calibration=CalibrationPolicy(automatic=not fixed),
    )
