"""What a campaign prints: for a person on a terminal, or as JSON for a program.

A failing seed comes with the command that runs it again and with the last events of the light
concerned, so that nobody has to search for the beginning.
"""

from statistics import quantiles
from typing import Any

from rich.console import Console
from rich.table import Table

from simulation.harness.campaign import FailedRun, Totals
from simulation.harness.run import RunResult

SHOWN_MOST = 5
"""Violations printed whole; the others by their seed."""


def tell(totals: Totals, took_s: float, single: RunResult | None, out: Console) -> None:
    """The summary."""
    for broken in totals.violations[:SHOWN_MOST]:
        tell_violation(broken, out)
    for failed in totals.failed[:SHOWN_MOST]:
        tell_failed(failed, out)
    if len(totals.violations) > SHOWN_MOST:
        rest = ", ".join(str(one.seed) for one in totals.violations[SHOWN_MOST:])
        out.print(f"Broken too in seeds {rest}.")
    table = Table(box=None, show_header=False, pad_edge=False)
    rate = totals.device_hours / took_s if took_s else 0.0
    table.add_row("runs", f"{totals.runs}, {len(totals.violations) + len(totals.failed)} broken")
    table.add_row("simulated", f"{totals.device_hours:,.0f} device-hours, {rate:,.0f} a second")
    table.add_row("lives of the service", f"{totals.lives:,}")
    if single is not None:
        table.add_row("trace", single.hash)
        table.add_row("time to verify", words_of(single.verified_s))
        table.add_row("as wanted after the faults", words_of(single.shown_after_s))
        table.add_row("most airtime in an hour", f"{single.airtime_most_s:.1f} s of one gateway")
    table.add_row("commands and answers", counted(totals.counts))
    table.add_row("faults", counted(totals.faults) or "none")
    out.print(table)


def tell_violation(broken: RunResult, out: Console) -> None:
    """One broken truth, its story and how to see it again."""
    found = broken.violation
    assert found is not None  # noqa: S101 - asked by the caller
    out.print(f"\nSeed {broken.seed} broke a truth: {found.about}: {found.what}", markup=False)
    for line in broken.last_events:
        out.print(f"  {line}", markup=False)
    out.print(f"Again: {broken.command}\n", markup=False)


def tell_failed(failed: FailedRun, out: Console) -> None:
    """The simulation itself broke."""
    out.print(f"\nSeed {failed.seed} broke the simulation itself:\n{failed.error}", markup=False)
    out.print(f"Again: {failed.command}\n", markup=False)


def as_json(totals: Totals, took_s: float, single: RunResult | None) -> dict[str, Any]:
    """The same for a program."""
    return {
        "runs": totals.runs,
        "ok": totals.ok,
        "took_s": round(took_s, 3),
        "device_hours": round(totals.device_hours, 3),
        "lives": totals.lives,
        "counts": totals.counts,
        "faults": totals.faults,
        "violations": totals.violations,
        "failed": totals.failed,
        "result": single,
    }


def words_of(values_s: list[float]) -> str:
    """Median, 95th percentile and longest of some times."""
    if not values_s:
        return "none"
    if len(values_s) == 1:
        return f"{values_s[0]:.1f} s"
    cuts = quantiles(values_s, n=20, method="inclusive")
    return f"median {cuts[9]:.1f} s, 95 % {cuts[18]:.1f} s, longest {max(values_s):.1f} s"


def counted(counts: dict[str, int]) -> str:
    """`12 verified, 3 superseded`."""
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))
