"""The plots of the page, from the figures alone.

Each plot says in its title what is to be seen, and names its units.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
mpl.rcParams.update({"svg.hashsalt": "lamplighter", "font.size": 10, "axes.grid": True})

import matplotlib.pyplot as plt  # noqa: E402 - the backend is chosen first
from matplotlib.axes import Axes  # noqa: E402

from tests.reliability import evidence, mixture, outage  # noqa: E402
from tests.reliability.goals import single_orders  # noqa: E402

DAY_S = 86_400.0
TICKS_S = {1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3_600: "1 h", 86_400: "24 h"}


def draw(figures: dict[str, Any], folder: Path) -> None:
    """One SVG for each experiment that has figures."""
    goals = figures.get("goals", {})
    if "1" in goals:
        _evidence(goals["1"], folder / "evidence.svg")
    if "3" in goals:
        _mixture(goals["3"], folder / "mixture.svg")
    if "outage" in figures:
        _outage(figures["outage"], folder / "outage.svg")
    if "burst" in figures:
        _burst(figures["burst"], folder / "burst.svg")


def _evidence(found: dict[str, Any], path: Path) -> None:
    figure, axes = plt.subplots(figsize=(7.5, 4.2))
    for loss in evidence.LOSSES:
        whole = single_orders.pooled(found[f"orders {loss:g}"])
        times = sorted(took_s for took_s in whole["late_s"] if took_s is not None)
        late = len(whole["late_s"])
        shares = [(late - count) / whole["n"] for count in range(len(times) + 1)]
        axes.step([1.0, *times], [max(s, 1e-6) for s in shares], where="post", label=f"{loss:.0%}")
    _time_axis(axes)
    axes.set_xlim(single_orders.LATE_S, DAY_S)
    axes.set_yscale("log")
    axes.set_ylim(1e-4, 1)
    axes.set_ylabel("share of commands not yet verified")
    axes.set_title("Not yet verified, by time since the order (lower is better)")
    axes.legend(title="loss per frame")
    _save(figure, path)


def _mixture(found: dict[str, Any], path: Path) -> None:
    figure, axes = plt.subplots(figsize=(7.5, 4.2))
    times = [10 ** (n / 40) for n in range(int(40 * 4.95))]
    total = [0.0] * len(times)
    for kind, weight in mixture.WEIGHTS.items():
        trials = [trial for run in found[f"mixture {kind}"] for trial in run]
        ended = [t["verified_s"] for t in trials if t["verified_s"] is not None]
        part = [sum(one <= at for one in ended) / len(trials) for at in times]
        axes.plot(times, part, linewidth=1, label=f"{kind} ({weight:.0%} of the fleet)")
        total = [sum_ + weight * one for sum_, one in zip(total, part, strict=True)]
    axes.plot(times, total, "k", linewidth=2.5, label="the whole fleet")
    _time_axis(axes)
    axes.set_ylabel("share of commands verified")
    axes.set_title("A mixed fleet: verified, by time since the order")
    axes.legend()
    _save(figure, path)


def _outage(found: dict[str, Any], path: Path) -> None:
    figure, axes = plt.subplots(figsize=(7.5, 4.2))
    lights = max(outage.LIGHTS)
    for number, outage_s in enumerate(outage.OUTAGES_S):
        runs = found[f"{outage_s:g} {lights}"]
        for run in runs:
            ended = sorted(each for each in run if each is not None)
            axes.step(
                [0.0, *ended],
                range(len(ended) + 1),
                where="post",
                color=f"C{number}",
                label=f"{outage_s / 60:.0f} min" if run is runs[0] else None,
            )
    limit_s = outage.GOAL_S + outage.drain_s(lights)
    axes.axvline(limit_s, color="k", linestyle="--", label=f"goal: {limit_s:.0f} s")
    axes.set_xlabel("seconds since the gateway's backhaul was back")
    axes.set_ylabel(f"commands verified, of {lights}")
    axes.set_title(f"{lights} orders given during an outage, one line per run")
    axes.legend(title="outage", loc="lower right")
    _save(figure, path)


def _burst(found: dict[str, Any], path: Path) -> None:
    figure, both = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True)
    for axes, way, title in zip(
        both, ("naive", "ours"), ("All at once", "Lamplighter"), strict=True
    ):
        one = found[f"{way} 9 1"][0]
        _steps(axes, one["shown_s"], "lights that show the colour")
        _steps(axes, one["heard_s"], "first answers heard")
        axes.set_title(f"{title}: {one['heard']} of 100 answers heard")
        axes.set_xlabel("seconds since the orders")
        axes.legend(loc="upper left")
    both[0].set_ylabel("lights (of 100)")
    _save(figure, path)


def _steps(axes: Axes, times: Sequence[float], label: str) -> None:
    axes.step([0.0, *times], range(len(times) + 1), where="post", label=label)


def _time_axis(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_xlim(1, DAY_S)
    axes.set_xticks(list(TICKS_S), list(TICKS_S.values()))
    axes.minorticks_off()
    axes.set_xlabel("time since the order")


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
