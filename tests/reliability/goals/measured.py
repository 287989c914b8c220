"""Runs the cells of goals on all cores; prints their rows, or keeps them as figures.

`python -m tests.reliability goal 5` measures one goal and prints it; nothing is written.
"""

import argparse
import logging
import math
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import msgspec
import structlog
from rich.console import Console

from tests.reliability.goals.building import Building
from tests.reliability.goals.cell import Cell, Found, Row
from tests.reliability.goals.goals import GOALS

BEFORE = Path(__file__).parent.parent / "as_of_0_1_0.json"


class Before(msgspec.Struct, frozen=True):
    """What an earlier version reached, measured the same way. Infinite values are None."""

    version: str
    commit: str
    seeds: str
    rows: dict[str, dict[str, Any]]


def read_before() -> Before | None:
    """The kept figures of the version before; None where there are none."""
    if not BEFORE.exists():
        return None
    return msgspec.json.decode(BEFORE.read_bytes(), type=Before)


def carry_out(number: int, cell: Cell, piece: int) -> Any:
    """The numbers of one piece of one cell."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    return GOALS[number].run[cell.key.split()[0]](*cell.args, piece)


def measure(
    numbers: Sequence[int],
    *,
    quick: bool = False,
    only: str = "",
    pieces_most: int | None = None,
    cores: int | None = None,
) -> Iterator[tuple[int, Found]]:
    """Each goal's figures as soon as all of its cells are measured; what two goals share is
    measured once. `only` limits it to cells with this in their key."""
    console, began = Console(highlight=False, stderr=True), time.perf_counter()
    wanted: dict[tuple[Any, ...], list[tuple[int, Cell, int]]] = {}
    for number in numbers:
        for cell in GOALS[number].cells(quick):
            for piece in cell.pieces[:pieces_most] if only in cell.key else ():
                run = GOALS[number].run[cell.key.split()[0]]
                wanted.setdefault((run, cell.args, piece), []).append((number, cell, piece))
    left = Counter(number for users in wanted.values() for number, _, _ in users)
    found: dict[int, dict[str, dict[int, Any]]] = {number: {} for number in numbers}
    with ProcessPoolExecutor(cores or len(os.sched_getaffinity(0))) as pool:
        longest_first = sorted(wanted.values(), key=lambda users: -_work(users[0][1]))
        running = {pool.submit(carry_out, *users[0]): users for users in longest_first}
        for count, done in enumerate(as_completed(running), 1):
            for number, cell, piece in running[done]:
                found[number].setdefault(cell.key, {})[piece] = done.result()
                left[number] -= 1
            took_s = time.perf_counter() - began
            console.print(f"{count}/{len(wanted)} {cell.key}: {took_s:.0f} s")
            for number in {number for number, _, _ in running[done]}:
                if not left[number]:
                    yield number, _in_order(found[number])


def _work(cell: Cell) -> float:
    """About how many orders a piece gives, so that no long one is left to the end."""
    first = cell.args[0]
    if isinstance(first, Building):
        return float(first.lights * (3 + cell.args[3]))
    return float(max((each for each in cell.args if isinstance(each, int)), default=0))


def _in_order(found: dict[str, dict[int, Any]]) -> Found:
    return {
        key: [result for _, result in sorted(pieces.items())]
        for key, pieces in sorted(found.items())
    }


def print_rows(number: int, found: Found) -> None:
    """As a person reads it."""
    before = read_before()
    console = Console(highlight=False, width=160)
    console.print(f"\n{number}. {GOALS[number].title}")
    for row in GOALS[number].rows(found):
        console.print(line(row, before), soft_wrap=True)


def line(row: Row, before: Before | None) -> str:
    """One row in plain text."""
    sign = "<=" if row.most else ">="
    goal = f"{sign} {number_of(row.limit, row.unit)}" if row.limit is not None else ""
    interval = interval_of(row)
    was = before.rows.get(row.key_before) if before else None
    verdict = "" if row.limit is None else "met" if row.met else "MISSED"
    if row.within_chance:
        verdict += " (within chance)"
    text = (
        f"  {row.what}: {number_of(row.measured, row.unit)} {interval} n={row.n} {goal} {verdict}"
    )
    if was:
        text += f" [0.1.0: {number_of(or_never(was['measured']), row.unit)}]"
    return text


def interval_of(row: Row) -> str:
    """Its ends; one that n does not bound is a question mark."""
    low, high = (
        "?" if math.isinf(end) else number_of(end, row.unit) for end in (row.low, row.high)
    )
    return f"({low}-{high})"


def number_of(value: float, unit: str) -> str:
    """With as many digits as say something."""
    if math.isinf(value):
        return "never"
    match unit:
        case "share":
            return f"{value:.4f}"
        case "figure":
            return f"{value:.3f}"
        case "s":
            return f"{value:.0f}"
        case _:
            return f"{value:.2f}"


def or_never(value: float | None) -> float:
    """A time as it is kept: None is never."""
    return math.inf if value is None else value


def keep_before(path: Path, version: str, commit: str, all_rows: Sequence[Row]) -> None:
    """Write or add to the figures of an earlier version."""
    known = read_before() if path == BEFORE else None
    rows = dict(known.rows) if known and known.commit == commit else {}
    for row in all_rows:
        rows[row.key_before] = {
            "measured": None if math.isinf(row.measured) else round(row.measured, 5),
            "low": None if math.isinf(row.low) else round(row.low, 5),
            "high": None if math.isinf(row.high) else round(row.high, 5),
            "n": row.n,
        }
    kept = Before(version, commit, "pieces 1, 2, ... of each cell; a piece is its seed", rows)
    encoded = msgspec.json.encode(kept, order="sorted")
    path.write_bytes(msgspec.json.format(encoded, indent=1) + b"\n")


def main(arguments: Sequence[str]) -> int:
    """`goal N ...`: measure and print."""
    parser = argparse.ArgumentParser("python -m tests.reliability goal", description=__doc__)
    parser.add_argument("numbers", nargs="*", type=int, metavar="N", help=f"{sorted(GOALS)}")
    parser.add_argument("--quick", action="store_true", help="few repetitions, wide intervals")
    parser.add_argument("--only", default="", help="only cells with this in their key")
    parser.add_argument("--pieces", type=int, help="so many pieces (seeds) of each cell at most")
    parser.add_argument("--cells", action="store_true", help="only list the keys of the cells")
    parser.add_argument("--cores", type=int, help="so many processes at most")
    parser.add_argument("--keep-as", metavar="VERSION", help="keep as what this version reached")
    parser.add_argument("--commit", default="", help="of that version")
    options = parser.parse_args(arguments)
    numbers = options.numbers or sorted(GOALS)
    if unknown := sorted(set(numbers) - set(GOALS)):
        parser.error(f"unknown: {unknown}; known: {sorted(GOALS)}")
    if options.cells:
        for number in numbers:
            for cell in GOALS[number].cells(options.quick):
                Console(highlight=False).print(f"goal {number}: {cell.key}")
        return 0
    for number, found in measure(
        numbers,
        quick=options.quick,
        only=options.only,
        pieces_most=options.pieces,
        cores=options.cores,
    ):
        print_rows(number, found)
        if options.keep_as:
            keep_before(BEFORE, options.keep_as, options.commit, GOALS[number].rows(found))
    return 0
