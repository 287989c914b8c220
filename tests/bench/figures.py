"""What is measured, and how it is shown.

A figure names its unit, and its aim where there is one; percentiles are of all samples, none thrown
away.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `aim` is the most that it should be; None where nothing was promised."""

    bench: str
    what: str
    value: float
    unit: str
    aim: float | None = None
    note: str = ""

    @property
    def missed(self) -> bool:
        """True when there is an aim and the value is above it."""
        return self.aim is not None and self.value > self.aim


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that at least `percent` % of all do not exceed. Needs a sample."""
    ordered = sorted(samples)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def latencies(bench: str, what: str, samples_s: Sequence[float], note: str = "") -> list[Figure]:
    """p50 and p99 of some durations, in milliseconds."""
    return [
        Figure(bench, f"{what}, p{percent}", percentile(samples_s, percent) * 1e3, "ms", None, note)
        for percent in (50, 99)
    ]


def medians(rounds: Sequence[Figure]) -> list[Figure]:
    """One figure for each that was measured several times: the median, with the newest note."""
    values: dict[tuple[str, str], list[float]] = {}
    newest: dict[tuple[str, str], Figure] = {}
    for each in rounds:
        key = (each.bench, each.what)
        values.setdefault(key, []).append(each.value)
        newest[key] = each
    return [replace(newest[key], value=median(found)) for key, found in values.items()]


def show(figures: Sequence[Figure], console: Console) -> None:
    """A table for people."""
    table = Table(title="Lamplighter, measured", title_justify="left")
    for heading in ("bench", "figure", "value", "unit", "aim", "note"):
        numeric = heading in {"value", "aim"}
        table.add_column(heading, justify="right" if numeric else "left", no_wrap=numeric)
    last = ""
    for each in figures:
        if last not in ("", each.bench):
            table.add_section()
        table.add_row(
            each.bench if each.bench != last else "",
            each.what,
            f"[red]{_number(each.value)}[/red]" if each.missed else _number(each.value),
            each.unit,
            "" if each.aim is None else f"<= {_number(each.aim)}",
            each.note,
        )
        last = each.bench
    console.print(table)


def as_json(machine: dict[str, Any], figures: Sequence[Figure]) -> bytes:
    """The same for programs."""
    listed = [asdict(each) | {"missed": each.missed} for each in figures]
    document = msgspec.json.encode({"machine": machine, "figures": listed})
    return msgspec.json.format(document, indent=2) + b"\n"


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
