"""What the goals put on paper: the short answer, a table of goals, and a page with every row."""

import math
from collections.abc import Sequence
from typing import Any

from tests.reliability.delays import MODELS, QUICK
from tests.reliability.goals import limits, single_orders
from tests.reliability.goals.cell import Found, Row, quantile_row
from tests.reliability.goals.goals import GOALS
from tests.reliability.goals.measured import Before, interval_of, number_of, or_never
from tests.reliability.goals.push_goals import pooled_pushes

Figures = dict[str, Found]
"""By the number of the goal."""


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def short_answer(goals: Figures, before: Before | None) -> str:
    """What a person who installs it wants to know first."""
    parts = ["## In short\n"]
    if "1" in goals:
        parts.append(_one_order(goals, before))
    if "5" in goals:
        measured = {key.split()[2] for key in goals["5"]}
        ticks = [tick_s for tick_s in (0.1, 1.0) if f"{tick_s:g}" in measured]
        parts.extend(_everybody(goals["5"], before, tick_s) for tick_s in ticks)
    return "\n".join(parts)


def _one_order(goals: Figures, before: Before | None) -> str:
    rows = []
    for loss in limits.WITHIN_30_S:
        whole = single_orders.pooled(goals["1"][f"orders {loss:g}"])
        row = [f"{loss:.0%}", *(_percent(single_orders.hits(whole, at), whole["n"])
                                for at in (10.0, 30.0, 120.0))]  # fmt: skip
        for delay in MODELS[1:]:
            slower = goals.get("2", {}).get(f"orders {delay} SF9 {loss:g}")
            if slower is None:
                row.append("-")
                continue
            pool = single_orders.pooled(slower)
            row.append(_percent(single_orders.hits(pool, 30.0), pool["n"]))
        row.append(f"{whole['frames'] / whole['n']:.2f}")
        row.append(_was(before, f"within 30 {loss:g}", percent=True))
        rows.append(row)
    heads = ["lost", "within 10 s", "**within 30 s**", "within 2 min"]
    heads += [f"within 30 s, answers after {delay}" for delay in MODELS[1:]]
    heads += ["frames", "within 30 s in 0.1.0"]
    return f"""**What share of the orders is verified within 30 seconds?** *Lost* is the share of
frames lost in each direction. Where nothing else is said a light answers after {QUICK}.

{table(heads, rows)}"""


def _everybody(found: Found, before: Before | None, tick_s: float) -> str:
    rows = []
    for lights in (100, 500, 1000):
        for name in limits.ARRANGEMENTS:
            row = [str(lights), name]
            for delay in MODELS:
                key = f"bulk {lights} {tick_s:g} {delay} {name}"
                if key not in found:
                    row.append("-")
                    continue
                whole = pooled_pushes(found[key])
                at = quantile_row(key, "", whole["late_s"], whole["n"], 0.999, None).measured
                row.append(f"**{number_of(at, 's')} s** ({_was(before, key)})")
            if set(row[2:]) != {"-"}:
                rows.append(row)
    heads = ["lights", "gateways", *(f"answers after {delay}" for delay in MODELS)]
    return f"""**How long until 99.9 % of all lights show a colour and have said so?** 5 % of the
frames lost, SF9, ChirpStack's tick at {tick_s:g} s{"" if tick_s == 1.0 else ", as advised"};
in brackets what 0.1.0 took. *Four cells* are gateways that share no light; *two* and *four
gateways* all hear all lights.

{table(heads, rows)}"""


def goals_table(goals: Figures, before: Before | None) -> str:
    """One line for each goal."""
    rows = []
    for number, goal in GOALS.items():
        if str(number) not in goals:
            continue
        found = [row for row in goal.rows(goals[str(number)]) if row.limit is not None]
        met = sum(row.met for row in found)
        missed = [row for row in found if not row.met]
        were = [row for row in found if _met_before(row, before) is not None]
        was = sum(bool(_met_before(row, before)) for row in were)
        rows.append([
            f"[{number}](reliability/goals.md#{number}-{_anchor(goal.title)})", goal.title,
            f"{met} of {len(found)}" if missed else f"all {len(found)}",
            str(sum(row.within_chance for row in missed)),
            f"{was} of {len(were)}" if were else "-",
        ])  # fmt: skip
    heads = ["", "goal", "met", "missed, but within chance", "met by 0.1.0"]
    return f"""## The goals

Each is a list of promises, one for each setting of the world.
[The page of goals](reliability/goals.md) has every one of them with what was reached, its interval,
and what 0.1.0 reached.

{table(heads, rows)}"""


def goals_page(goals: Figures, before: Before | None) -> str:
    """Every promise."""
    parts = [_HEAD.format(before=_measured_before(before))]
    for number, goal in GOALS.items():
        if str(number) not in goals:
            continue
        rows = [_row(row, before) for row in goal.rows(goals[str(number)])]
        heads = ["", "goal", "reached", "interval", "n", "", "0.1.0"]
        parts.append(f"## {number}. {goal.title}\n\n{goal.text}\n\n{table(heads, rows)}")
        if goal.why:
            parts.append(goal.why)
    return "\n".join(parts)


_HEAD = """# The goals, one by one

Generated by `make reliability`; do not edit. Intervals are of 99 % confidence; a question mark
stands where n is too small to bound the value. A goal counts as met by the measured value.
{before}
"""


def _measured_before(before: Before | None) -> str:
    if before is None:
        return ""
    return (
        f"The last column is what {before.version} reached, measured in the same way at commit "
        f"{before.commit}."
    )


def _row(row: Row, before: Before | None) -> list[str]:
    goal = ""
    if row.limit is not None:
        goal = f"{'<=' if row.most else '>='} {number_of(row.limit, row.unit)}"
    verdict = "" if row.limit is None else "met" if row.met else "**missed**"
    if row.within_chance:
        verdict += " (within chance)"
    return [row.what, goal, number_of(row.measured, row.unit), interval_of(row).strip("()"),
            str(row.n), verdict, _was(before, row.key_before, unit=row.unit)]  # fmt: skip


def _was(before: Before | None, key: str, *, unit: str = "s", percent: bool = False) -> str:
    one: dict[str, Any] | None = before.rows.get(key) if before is not None else None
    if one is None:
        return "-"
    value = or_never(one["measured"])
    if percent:
        return f"{100.0 * value:.1f} %"
    return number_of(value, unit) + (" s" if unit == "s" and not math.isinf(value) else "")


def _met_before(row: Row, before: Before | None) -> bool | None:
    one = before.rows.get(row.key_before) if before is not None else None
    if one is None or row.limit is None:
        return None
    value = or_never(one["measured"])
    return value <= row.limit if row.most else value >= row.limit


def _percent(hits: int, n: int) -> str:
    """With more digits where they are nines, rounded down: never 100 % where one failed."""
    value = 100.0 * hits / n
    digits = 1 if value < 99.0 else 2 if value < 99.9 else 3
    return f"{math.floor(value * 10**digits) / 10**digits:.{digits}f} %"


def _anchor(title: str) -> str:
    kept = "".join(each for each in title.lower() if each.isalnum() or each in " -")
    return kept.replace(" ", "-")
