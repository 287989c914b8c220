"""One run of a scenario: hours of faults, then quiet, with the oracle at every step.

Everything in the result but the time it took follows from the scenario alone.
"""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import trio

from actors.messaging.mailbox import Offer
from simulation.harness import determinism
from simulation.harness.build import build_world, without_logs
from simulation.harness.cluster.ledger import run_ledger
from simulation.harness.cluster.simulation import ClusterSimulation
from simulation.harness.fault_injector import Poison
from simulation.harness.invariants import bounds
from simulation.harness.learned_truth import LearnedTruth
from simulation.harness.oracle import Oracle, Violation
from simulation.harness.pace_promises import PacePromises
from simulation.harness.people import People
from simulation.harness.process import Process
from simulation.harness.quiet import Quiet
from simulation.harness.scenario import Scenario
from simulation.harness.trace import Trace
from simulation.world.chance import Chance

LOOK_S = 60.0
FLOOD_KINDS = 3
HOUR_S = 3_600.0

Progress = Callable[[float], None]
"""Told the world time in seconds now and then."""


class RunResult(msgspec.Struct, frozen=True):
    """What one run came to. `hash` is that of its trace; times in seconds."""

    seed: int
    command: str
    hash: str
    violation: Violation | None
    last_events: list[str]
    device_hours: float
    world_s: float
    took_s: float
    lives: int
    counts: dict[str, int]
    faults: dict[str, int]
    verified_s: list[float]
    shown_after_s: list[float]
    airtime_most_s: float

    @property
    def ok(self) -> bool:
        """No truth was broken."""
        return self.violation is None


class Simulation:
    """A scenario being run. To be made inside the run of Trio that runs it."""

    def __init__(self, scenario: Scenario, progress: Progress | None = None) -> None:
        # The names of the sources are part of what a seed means: they never change.
        chance = Chance(f"house/{scenario.seed}")
        self.scenario = scenario
        self.world = build_world(scenario)
        self.trace = Trace()
        self.oracle = Oracle(self.world, self.trace, prompt=scenario.prompt)
        self.world.watch(self.oracle)
        self.process = Process(scenario, self.world, self.oracle, chance)
        self.learned_truth = LearnedTruth(self.world)
        self.pace = PacePromises(self.world)
        self.people = People(scenario, self.process, self.oracle, chance)
        self.quiet = Quiet(
            self.world,
            self.process,
            self.oracle,
            slowed=self._slowed if scenario.prompt else None,
            push=self.people.push_once,
        )
        self.digests: dict[str, str] = {}
        """Of each light's trace, when the faults ended: after that, runs last as they need."""
        self._trouble = chance.of("trouble of the house")
        self._progress = progress or (lambda world_s: None)

    @property
    def lives(self) -> int:
        """Of the service."""
        return self.process.lives

    @property
    def faults(self) -> Counter[str]:
        """What went wrong in the service, and how often."""
        return self.process.injector.counts

    async def run(self) -> None:
        """Until it is quiet, or a truth is broken."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.world.run)
            await nursery.start(self.process.run)
            nursery.start_soon(self._look)
            nursery.start_soon(self._story, nursery.cancel_scope)
            await self.oracle.broken.wait()
            nursery.cancel_scope.cancel(reason="a truth is broken")

    async def _story(self, scope: trio.CancelScope) -> None:
        faults = self.scenario.service
        with trio.move_on_after(self.scenario.hours * HOUR_S):
            async with trio.open_nursery() as nursery:
                for dev_eui in self.world.stations:
                    nursery.start_soon(self.people.use, dev_eui)
                nursery.start_soon(self.people.push, list(self.world.stations))
                nursery.start_soon(self._now_and_then, faults.kill_every_s, self._kill)
                nursery.start_soon(self._now_and_then, faults.store_fails_every_s, self._fail)
                nursery.start_soon(self._now_and_then, faults.flood_every_s, self._flood)
                nursery.start_soon(self._now_and_then, faults.poison_every_s, self._poison)
        self.digests = {one: self.trace.digest_of(one) for one in self.world.stations}
        await self.quiet.come()
        if self.oracle.violation is None:
            scope.cancel(reason="it is quiet")

    async def _now_and_then(self, mean_s: float, happen: Callable[[], object]) -> None:
        rng = self.process.injector.source(str(happen.__name__))
        while mean_s > 0.0:
            await trio.sleep(rng.expovariate(1.0 / mean_s))
            happen()

    def _kill(self) -> None:
        self.process.kill("at some moment")

    def _fail(self) -> None:
        injector = self.process.injector
        injector.fail_until(
            trio.current_time() + self._trouble.uniform(*injector.faults.store_fails_s)
        )

    def _flood(self) -> None:
        """The same few events of one light again and again, all at once."""
        rng = self._trouble
        device = self.world.rules.devices[rng.choice(list(self.world.stations))]
        events = list(device.events)[-FLOOD_KINDS:]
        self.oracle.counts["floods"] += 1
        for _ in range(rng.randint(*self.scenario.service.flood_messages)):
            for event in events:
                self.process.deliver(event)
        self._check_bounds()

    def _poison(self) -> None:
        parts, dev_eui = self.process.parts, self._trouble.choice(list(self.world.stations))
        if parts is not None and self.process.application is not None:
            message: Any = Poison()
            if parts.fleet.post(dev_eui, message) is Offer.ACCEPTED:
                self.oracle.counts["poison"] += 1

    async def _look(self) -> None:
        while True:
            await trio.sleep(LOOK_S)
            self._progress(trio.current_time())
            self.oracle.look_around()
            self._check_bounds()
            self._check_what_is_learned()

    def _check_bounds(self) -> None:
        application = self.process.application
        if application is not None:
            for broken in bounds(application.supervisor.report()):
                self.oracle.breaks("service", broken)

    def _slowed(self) -> list[str]:
        return self.pace.slowed(self.process.paces())

    def _check_what_is_learned(self) -> None:
        parts = self.process.parts
        if self.scenario.prompt and parts is not None:
            waits_s = parts.fleetwide.learning.learner.knowledge.answer_waits_s
            self.oracle.counts["waits learned"] = len(waits_s)
            self.oracle.breaks("service", self.learned_truth.broken(waits_s))
            self.oracle.breaks("service", self.pace.broken(self.process.paces()))
            probes = self.oracle.air.counts["probes sent"]
            self.oracle.breaks("service", self.pace.probes(probes))


def simulate(scenario: Scenario, progress: Progress | None = None) -> RunResult:
    """Run a scenario from its beginning to quiet."""
    began_s = time.perf_counter()
    if scenario.faults == "leases":
        return _of_leases(scenario, began_s)

    async def main() -> tuple[Simulation | ClusterSimulation, float]:
        make = Simulation if scenario.cluster is None else ClusterSimulation
        simulation = make(scenario, progress)
        await simulation.run()
        return simulation, trio.current_time()

    with without_logs():
        simulation, world_s = determinism.run(main, seed=scenario.seed)
    oracle = simulation.oracle
    broken = oracle.violation
    return RunResult(
        seed=scenario.seed,
        command=scenario.command,
        hash=simulation.trace.digest(),
        violation=broken,
        last_events=simulation.trace.recent(broken.about) if broken is not None else [],
        device_hours=scenario.devices * world_s / HOUR_S,
        world_s=world_s,
        took_s=time.perf_counter() - began_s,
        lives=simulation.lives,
        counts=dict(sorted((oracle.counts + oracle.air.counts).items())),
        faults=faults_of(simulation),
        verified_s=oracle.took_s,
        shown_after_s=list(simulation.quiet.shown_s.values()),
        airtime_most_s=oracle.airtime_most_s,
    )


def _of_leases(scenario: Scenario, began_s: float) -> RunResult:
    """A run without lights: leases, shards and commits alone."""
    assert scenario.cluster is not None  # noqa: S101 - the profile has several houses
    ledger = run_ledger(scenario.seed, scenario.cluster, scenario.hours * 60.0)
    return RunResult(
        seed=scenario.seed,
        command=scenario.command,
        hash=ledger.digest(),
        violation=ledger.violation,
        last_events=list(ledger.lines)[-60:] if ledger.violation is not None else [],
        device_hours=scenario.devices * ledger.world_s / HOUR_S,
        world_s=ledger.world_s,
        took_s=time.perf_counter() - began_s,
        lives=sum(house.lives for house in ledger.houses),
        counts=dict(sorted(ledger.counted.items())),
        faults={},
        verified_s=[],
        shown_after_s=[],
        airtime_most_s=0.0,
    )


def faults_of(simulation: Simulation | ClusterSimulation) -> dict[str, int]:
    """What went wrong, and how often: in the world and in the service."""
    world = simulation.world
    counts = {f"air: {name}": n for name, n in world.radio.counts.items() if name in LOSSES}
    counts |= {f"webhook {name}": n for name, n in world.delivery.counts.items() if name in LATE}
    counts |= {f"call: {name}": n for name, n in world.network.faults.counts.items()}
    counts |= {f"gateway: {name}": n for name, n in world.trouble.items()}
    counts |= {f"service: {name}": n for name, n in simulation.faults.items()}
    return dict(sorted(counts.items()))


LOSSES = frozenset(
    {
        "uplink_lost",
        "uplink_collided",
        "uplink_deaf_gateway",
        "uplink_too_weak",
        "downlink_lost",
        "downlink_collided",
        "downlink_deaf_light",
        "downlink_too_weak",
        "downlink_dropped_class_a",
        "downlink_dropped_class_c",
        "downlink_dropped_emitting",
    }
)
LATE = frozenset({"lost", "doubled", "late"})
