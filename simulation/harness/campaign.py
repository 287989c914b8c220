"""Many seeds, on as many cores as there are: each run alone in a process of a pool.

Runs share nothing, so what a seed finds in a campaign it finds alone, too. A crash of the
simulation itself is a finding like any other.
"""

import multiprocessing
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait

import msgspec

from simulation.harness.run import RunResult, simulate
from simulation.harness.scenario import Scenario

AHEAD = 4
"""Runs handed to each process in advance, so that none waits for the next seed."""


class FailedRun(msgspec.Struct, frozen=True):
    """The simulation itself broke on this scenario."""

    seed: int
    command: str
    error: str


class Totals(msgspec.Struct):
    """What all runs of a campaign came to."""

    runs: int = 0
    device_hours: float = 0.0
    lives: int = 0
    counts: dict[str, int] = {}
    faults: dict[str, int] = {}
    violations: list[RunResult] = []
    failed: list[FailedRun] = []

    def add(self, result: RunResult | FailedRun) -> None:
        """One more run."""
        self.runs += 1
        if isinstance(result, FailedRun):
            self.failed = [*self.failed, result]
            return
        self.device_hours += result.device_hours
        self.lives += result.lives
        self.counts = dict(Counter(self.counts) + Counter(result.counts))
        self.faults = dict(Counter(self.faults) + Counter(result.faults))
        if not result.ok:
            self.violations = [*self.violations, result]

    @property
    def ok(self) -> bool:
        """No run found anything."""
        return not self.violations and not self.failed


def attempt(scenario: Scenario) -> RunResult | FailedRun:
    """Run one scenario; what breaks in the simulation itself comes back as a value."""
    try:
        return simulate(scenario)
    except Exception:  # noqa: BLE001 - whatever it is, it is told with its traceback
        return FailedRun(scenario.seed, scenario.command, traceback.format_exc())


def campaign(
    scenarios: Iterable[Scenario], jobs: int, going_on: Callable[[], bool]
) -> Iterator[RunResult | FailedRun]:
    """Run scenarios, as many at a time as `jobs`, while `going_on`; results as they come."""
    if jobs <= 1:
        for scenario in scenarios:
            if not going_on():
                return
            yield attempt(scenario)
        return
    todo = iter(scenarios)
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        running: set[Future[RunResult | FailedRun]] = set()
        while True:
            while going_on() and len(running) < jobs * AHEAD:
                upcoming = next(todo, None)
                if upcoming is None:
                    break
                running.add(pool.submit(attempt, upcoming))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
