"""The command: `python -m tests.reliability [NAME ...] [--quick]`; `make reliability`.

`python -m tests.reliability goal [N ...] [--quick] [--only KEY]` measures and prints goals alone.

What was measured is kept in `docs/reliability/figures.json`, and the page and its plots are made of
that alone; an experiment that is not run again keeps its figures.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from tests.reliability import drawing, page
from tests.reliability.goals import measured, pages
from tests.reliability.goals.goals import GOALS
from tests.reliability.jobs import EXPERIMENTS, carry_out, jobs_of

DOCS = Path(__file__).parent.parent.parent / "docs"
FIGURES = DOCS / "reliability" / "figures.json"
NAMES = ("goals", *EXPERIMENTS)


def rounded(value: Any) -> Any:
    """To a tenth: the plots show no more, and the file stays small."""
    if isinstance(value, float) and abs(value) >= 10.0:
        return round(value, 1)
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list | tuple) else value


def main() -> int:
    """Measure, draw, write; the exit code."""
    if sys.argv[1:2] == ["goal"]:
        return measured.main(sys.argv[2:])
    parser = argparse.ArgumentParser("python -m tests.reliability", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="few repetitions, wide intervals")
    parser.add_argument("--draw", action="store_true", help="measure nothing, only draw")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(NAMES)):
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(NAMES)}")
    FIGURES.parent.mkdir(exist_ok=True)
    figures: dict[str, Any] = {}
    if FIGURES.exists():
        kept = msgspec.json.decode(FIGURES.read_bytes())
        figures = {name: found for name, found in kept.items() if name in NAMES}
    names = () if options.draw else options.names or NAMES
    if "goals" in names:
        goals = figures.setdefault("goals", {})
        for number, found in measured.measure(sorted(GOALS), quick=options.quick):
            goals[str(number)] = found
            write(figures)
    measure(tuple(name for name in names if name != "goals"), figures, quick=options.quick)
    drawing.draw(figures, FIGURES.parent)
    (DOCS / "reliability.md").write_text(page.text(figures), encoding="utf-8")
    goals_page = pages.goals_page(figures.get("goals", {}), measured.read_before())
    (FIGURES.parent / "goals.md").write_text(goals_page, encoding="utf-8")
    return 0


def write(figures: dict[str, Any]) -> None:
    """Keep what was measured so far."""
    FIGURES.write_bytes(msgspec.json.encode(rounded(figures), order="sorted") + b"\n")


def measure(names: tuple[str, ...], figures: dict[str, Any], *, quick: bool) -> None:
    """Run the pieces on all cores; each experiment replaces its old figures when all are there."""
    console, began = Console(highlight=False), time.perf_counter()
    jobs = [job for name in names for job in jobs_of(name, quick=quick)]
    missing = {name: sum(job.experiment == name for job in jobs) for name in names}
    found: dict[str, dict[str, list[Any]]] = {name: {} for name in names}
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        running = {pool.submit(carry_out, job): job for job in jobs}
        for number, done in enumerate(as_completed(running), 1):
            job = running[done]
            found[job.experiment].setdefault(job.key, []).append((job.args, done.result()))
            took_s = time.perf_counter() - began
            console.print(f"{number}/{len(jobs)} {job.experiment} {job.key}: {took_s:.0f} s")
            missing[job.experiment] -= 1
            if not missing[job.experiment]:
                figures[job.experiment] = {
                    key: [result for _, result in sorted(results, key=lambda pair: str(pair[0]))]
                    for key, results in found[job.experiment].items()
                }
                write(figures)


if __name__ == "__main__":
    sys.exit(main())
