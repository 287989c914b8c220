"""`lamplighter simulate`: seeds in, a verdict out.

Exit code 0 when every promise was kept, 1 when one was broken, 2 for options that make no sense.
"""

import itertools
import os
import random
import sys
import time
from collections.abc import Iterator

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.cli.console import errors
from simulation.harness import report
from simulation.harness.campaign import Failed, Totals, attempt, campaign
from simulation.harness.run import HOUR_S, Result, simulate
from simulation.harness.scenario import PROFILE_NAMES, Scenario, scenario

FRESH_SEEDS = 10**9


def run_simulate(
    *,
    seed: int | None,
    faults: str,
    devices: int | None,
    gateways: int | None,
    hours: float | None,
    seeds: int | None,
    minutes: float | None,
    jobs: int | None,
    as_json: bool,
) -> int:
    """The exit code. Without a seed, seeds nobody has run before are taken."""
    if faults not in PROFILE_NAMES:
        errors.print(f"--faults is one of {', '.join(PROFILE_NAMES)}, not {faults!r}", markup=False)
        return 2
    first = seed if seed is not None else random.SystemRandom().randrange(FRESH_SEEDS)
    if seeds is None and minutes is None:
        seeds = 1

    def scenarios() -> Iterator[Scenario]:
        numbers = itertools.count(first) if seeds is None else range(first, first + seeds)
        for number in numbers:
            yield scenario(number, faults, devices=devices, gateways=gateways, hours=hours)

    began_s = time.monotonic()
    if seeds == 1:
        single = _one(next(scenarios()), quiet=as_json)
        totals = Totals()
        totals.add(single)
    else:
        single = None
        until_s = float("inf") if minutes is None else began_s + minutes * 60.0
        totals = _many(scenarios(), seeds, jobs or os.cpu_count() or 1, until_s, quiet=as_json)
    took_s = time.monotonic() - began_s
    result = single if isinstance(single, Result) else None
    if as_json:
        body = msgspec.json.encode(report.as_json(totals, took_s, result))
        sys.stdout.write(body.decode() + "\n")
    else:
        out = Console(highlight=False, soft_wrap=True)
        if seed is None:
            out.print(f"Fresh seeds from {first}.")
        report.tell(totals, took_s, result, out)
    return 0 if totals.ok else 1


def _one(one: Scenario, *, quiet: bool) -> Result | Failed:
    if quiet:
        return attempt(one)
    with _progress("simulated hours") as bar:
        task = bar.add_task(f"seed {one.seed}", total=None)
        try:
            return simulate(one, lambda world_s: bar.update(task, completed=world_s / HOUR_S))
        except Exception:  # noqa: BLE001 - told with its traceback by the report
            return attempt(one)


def _many(
    scenarios: Iterator[Scenario], seeds: int | None, jobs: int, until_s: float, *, quiet: bool
) -> Totals:
    totals = Totals()
    with _progress("seeds", disable=quiet) as bar:
        task = bar.add_task("simulating", total=seeds)
        for result in campaign(scenarios, jobs, lambda: time.monotonic() < until_s):
            totals.add(result)
            broken = len(totals.violations) + len(totals.failed)
            bar.update(task, advance=1, description=f"simulating, {broken} broken")
    return totals


def _progress(unit: str, *, disable: bool = False) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=disable,
    )
