"""`lamplighter simulate`: run the actors with seeds, and tell whether every promise was kept.

The exit code is 0 when every promise was kept, 1 when one was broken, 2 for options that make no
sense.
"""

import itertools
import os
import random
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from api.cli.console import errors, print_line

if TYPE_CHECKING:
    from rich.progress import Progress

    from simulation.harness.campaign import FailedRun, Totals
    from simulation.harness.run import RunResult
    from simulation.harness.scenario import Scenario

FRESH_SEEDS = 10**9


def simulate(
    seed: Annotated[
        int | None, typer.Option(min=0, help="The first seed; a fresh one unless given.")
    ] = None,
    faults: Annotated[
        str,
        typer.Option(
            help="calm, city, storm, hell; a mixture per seed: swarm, cluster, crashes, leases."
        ),
    ] = "swarm",
    devices: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Lights: 4, or drawn by a swarm's seed.")
    ] = None,
    gateways: Annotated[
        int | None, typer.Option(min=1, max=100, help="Gateways: 2, or drawn by a swarm's seed.")
    ] = None,
    hours: Annotated[float | None, typer.Option(min=0.01, max=10_000, help="With faults.")] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="How many, from the first one on.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Go on with new seeds for so long.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; one per core.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Run the production actors in a world of faults, in virtual time; hold them to the truth."""
    from simulation.harness import report
    from simulation.harness.campaign import Totals
    from simulation.harness.run import RunResult
    from simulation.harness.scenarios import PROFILE_NAMES, scenario

    if faults not in PROFILE_NAMES:
        errors.print(f"--faults is one of {', '.join(PROFILE_NAMES)}, not {faults!r}", markup=False)
        raise typer.Exit(2)
    first = seed if seed is not None else random.SystemRandom().randrange(FRESH_SEEDS)
    if seeds is None and minutes is None:
        seeds = 1

    def scenarios() -> Iterator["Scenario"]:
        numbers = itertools.count(first) if seeds is None else range(first, first + seeds)
        for number in numbers:
            yield scenario(number, faults, devices=devices, gateways=gateways, hours=hours)

    began_s = time.monotonic()
    single: RunResult | FailedRun | None = None
    if seeds == 1:
        single = _one(next(scenarios()), quiet=as_json)
        totals = Totals()
        totals.add(single)
    else:
        until_s = float("inf") if minutes is None else began_s + minutes * 60.0
        totals = _many(scenarios(), seeds, jobs or os.cpu_count() or 1, until_s, quiet=as_json)
    took_s = time.monotonic() - began_s
    result = single if isinstance(single, RunResult) else None
    if as_json:
        print_line(report.as_json(totals, took_s, result))
    else:
        out = Console(highlight=False, soft_wrap=True)
        if seed is None:
            out.print(f"Fresh seeds from {first}.")
        report.tell(totals, took_s, result, out)
    raise typer.Exit(0 if totals.ok else 1)


def _one(one: "Scenario", *, quiet: bool) -> "RunResult | FailedRun":
    from simulation.harness.campaign import attempt
    from simulation.harness.run import HOUR_S, simulate

    if quiet:
        return attempt(one)
    with _progress("simulated hours") as bar:
        task = bar.add_task(f"seed {one.seed}", total=None)
        try:
            return simulate(one, lambda world_s: bar.update(task, completed=world_s / HOUR_S))
        except Exception:  # noqa: BLE001 - told with its traceback by the report
            return attempt(one)


def _many(
    scenarios: Iterator["Scenario"],
    seeds: int | None,
    jobs: int,
    until_s: float,
    *,
    quiet: bool,
) -> "Totals":
    from simulation.harness.campaign import Totals, campaign

    totals = Totals()
    with _progress("seeds", disable=quiet) as bar:
        task = bar.add_task("simulating", total=seeds)
        for result in campaign(scenarios, jobs, lambda: time.monotonic() < until_s):
            totals.add(result)
            broken = len(totals.violations) + len(totals.failed)
            bar.update(task, advance=1, description=f"simulating, {broken} broken")
    return totals


def _progress(unit: str, *, disable: bool = False) -> "Progress":
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=disable,
    )
