"""The goals: for each its cells, and the rows that its figures make."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.reliability import mixture, stats
from tests.reliability.delays import MODELS, QUICK
from tests.reliability.goals import dark_lights, limits, pushes, single_orders
from tests.reliability.goals.building import Building
from tests.reliability.goals.cell import (
    Cell,
    Found,
    Row,
    mean_row,
    quantile_row,
    share_row,
)

SLOWER = tuple(model for model in MODELS if model != QUICK)


@dataclass(frozen=True, slots=True)
class Goal:
    """What is promised, in a sentence; its cells; its rows."""

    number: int
    title: str
    cells: Callable[[bool], list[Cell]]
    run: dict[str, Callable[..., Any]]
    """What measures a cell, by the first word of its key."""
    rows: Callable[[Found], list[Row]]


def _pieces(count: int) -> tuple[int, ...]:
    return tuple(range(1, 1 + count))


# ------------------------------------------------------------------ one order


def _orders_cells(quick: bool) -> list[Cell]:
    pieces, orders = (_pieces(1), 500) if quick else (_pieces(4), 2_500)
    return [
        Cell(f"orders {loss:g}", (loss, QUICK, 9, 1.0, orders), pieces)
        for loss in limits.WITHIN_30_S
    ]


def _orders_rows(found: Found) -> list[Row]:
    rows: list[Row] = []
    for loss in limits.WITHIN_30_S:
        if f"orders {loss:g}" not in found:
            continue
        whole = single_orders.pooled(found[f"orders {loss:g}"])
        n, at = whole["n"], f"{loss:.0%} lost"
        for within_s, goal in ((30.0, limits.WITHIN_30_S), (120.0, limits.WITHIN_120_S)):
            rows.append(
                share_row(
                    f"within {within_s:g} {loss:g}",
                    f"{at}: verified within {within_s:g} s",
                    single_orders.hits(whole, within_s),
                    n,
                    goal.get(loss),
                )
            )
        rows.append(
            mean_row(
                f"frames {loss:g}",
                f"{at}: frames per verified order",
                whole["frames"],
                whole["squares"],
                n,
                limits.FRAMES[loss],
                "frames",
            )
        )
    return rows


# ------------------------------------------------------------------ slower answers


def _slower_cells(quick: bool) -> list[Cell]:
    pieces, orders = (_pieces(1), 300) if quick else (_pieces(2), 1_000)
    made = [
        Cell(f"orders {delay} SF9 {loss:g}", (loss, delay, 9, 1.0, orders), pieces)
        for delay in SLOWER
        for loss in limits.WITHIN_30_S
    ]
    made += [
        Cell(f"orders {delay} SF12 0.05", (0.05, delay, 12, 0.1, orders), pieces)
        for delay in MODELS
    ]
    return [*made, Cell("change", ("0.2 s", "4 s", 100), _pieces(1 if quick else 4))]


def _slower_rows(found: Found) -> list[Row]:
    rows: list[Row] = []
    for cell in _slower_cells(quick=True):
        if cell.key not in found:
            continue
        whole = single_orders.pooled(found[cell.key])
        if cell.key == "change":
            what, limit = "after a change from 0.2 to 4 s", limits.NEEDLESS_AFTER_CHANGE
        else:
            loss, delay, factor = cell.args[:3]
            what = f"answers after {delay}, SF{factor}, {loss:.0%} lost"
            limit = limits.NEEDLESS
            slower = limits.WITHIN_30_S[loss] - limits.SLOWER
            rows.append(
                share_row(
                    f"within 30 {cell.key}",
                    f"{what}: verified within 30 s",
                    single_orders.hits(whole, 30.0),
                    whole["n"],
                    slower if factor == 9 else limits.WITHIN_30_S_SF12,
                )
            )
        rows.append(
            share_row(
                f"needless {cell.key}",
                f"{what}: needless retries",
                whole["needless"],
                whole["n"],
                limit,
                most=True,
            )
        )
    return rows


# ------------------------------------------------------------------ given up


def _given_up_cells(quick: bool) -> list[Cell]:
    pieces, orders = (_pieces(1), 500) if quick else (_pieces(4), 2_500)
    made = [
        Cell(f"orders {loss:g}", (loss, QUICK, 9, 1.0, orders), pieces) for loss in limits.GIVEN_UP
    ]
    made += [
        Cell(f"dark {loss:g}", (loss, 50 if quick else 300), _pieces(1)) for loss in (0.05, 0.20)
    ]
    for kind, orders in (("normal", 4_000), ("gateway outage", 500), ("unpowered", 200)):
        made.append(Cell(f"mixture {kind}", (kind, orders // 10 if quick else orders), _pieces(1)))
    return made


def _mixture(kind: str, orders: int, seed: int) -> dict[str, Any]:
    trials = mixture.run(kind, orders, seed)
    return {
        "n": len(trials),
        "frames": sum(each.colours for each in trials),
        "squares": sum(each.colours**2 for each in trials),
    }


def _given_up_rows(found: Found) -> list[Row]:
    rows: list[Row] = []
    for loss, limit in limits.GIVEN_UP.items():
        if f"orders {loss:g}" in found:
            whole = single_orders.pooled(found[f"orders {loss:g}"])
            rows.append(
                share_row(
                    f"given up {loss:g}",
                    f"{loss:.0%} lost: well lights given up",
                    whole["overdue"],
                    whole["n"],
                    limit,
                    most=True,
                )
            )
    for loss in (0.05, 0.20):
        if f"dark {loss:g}" in found:
            whole = single_orders.pooled(found[f"dark {loss:g}"])
            rows.append(
                mean_row(
                    f"dark {loss:g}",
                    f"{loss:.0%} lost before: frames to a light without power",
                    whole["frames"],
                    whole["squares"],
                    whole["n"],
                    limits.FRAMES_TO_DARK,
                    "frames",
                )
            )
    if all(f"mixture {kind}" in found for kind in mixture.WEIGHTS):
        rows.append(_mixture_row(found))
    return rows


def _mixture_row(found: Found) -> Row:
    """Each kind weighted; the variance of the whole is that of the weighted means."""
    mean = variance = 0.0
    n = 0
    for kind, weight in mixture.WEIGHTS.items():
        whole = single_orders.pooled(found[f"mixture {kind}"])
        own = whole["frames"] / whole["n"]
        mean += weight * own
        variance += weight**2 * max(0.0, whole["squares"] / whole["n"] - own**2) / whole["n"]
        n += whole["n"]
    half = stats.Z * variance**0.5
    return Row(
        "mixture",
        "mixed fleet (1 % without power, 2 % behind a gateway that is away): frames per order",
        "frames",
        n,
        mean,
        mean - half,
        mean + half,
        limits.FRAMES_MIXTURE,
    )


# ------------------------------------------------------------------ bursts


def _burst_cells(quick: bool) -> list[Cell]:
    return [
        Cell(
            f"burst SF{factor} {gateways} {delay} {'known' if known else 'cold'}",
            (
                Building(100, gateways, delay=delay, spreading_factor=factor),
                0.0,
                known,
                (1 if quick else 3) if known else 1,
                1_000.0,
            ),
            _pieces(1 if quick or known else 3),
        )
        for delay in MODELS
        for factor in (9, 12)
        for gateways in (1, 2)
        for known in (True, False)
    ]


def _burst_rows(found: Found) -> list[Row]:
    rows: list[Row] = []
    overlaps = n = 0
    for cell in _burst_cells(quick=True):
        if cell.key not in found:
            continue
        building, _, known = cell.args[:3]
        whole = _pooled_pushes(found[cell.key])
        overlaps, n = overlaps + whole["overlaps"], n + whole["frames"]
        rows.append(
            share_row(
                cell.key,
                f"answers after {building.delay}, SF{building.spreading_factor}, "
                f"{_count(building.gateways)}, {'known' if known else 'nothing learned yet'}: "
                "first answers heard",
                whole["heard"],
                whole["n"],
                limits.HEARD_KNOWN if known else limits.HEARD_COLD,
            )
        )
    if rows:
        rows.append(
            share_row("overlaps", "frames of ours that overlap", overlaps, n, 0.0, most=True)
        )
    return rows


def _count(gateways: int) -> str:
    return {1: "one gateway", 2: "two gateways", 4: "four gateways"}[gateways]


# ------------------------------------------------------------------ one colour for everybody


def _bulk_cells(quick: bool) -> list[Cell]:
    made = []
    for tick_s, delay in limits.PLANNED_S:
        for lights in (100,) if quick else (100, 500, 1000):
            for name, (gateways, apart) in limits.ARRANGEMENTS.items():
                pushes_each = 2 if quick else {100: 10, 500: 2, 1000: 1}[lights]
                building = Building(lights, gateways, apart, delay, 9, tick_s)
                made.append(
                    Cell(
                        f"bulk {lights} {tick_s:g} {delay} {name}",
                        (building, 0.05, True, pushes_each, pushes.LIMIT_S),
                        _pieces(1),
                    )
                )
    return made


def _bulk_rows(found: Found) -> list[Row]:
    rows: list[Row] = []
    for (tick_s, delay), planned in limits.PLANNED_S.items():
        for lights, all_planned in planned.items():
            for name, planned_s in zip(limits.ARRANGEMENTS, all_planned, strict=True):
                key = f"bulk {lights} {tick_s:g} {delay} {name}"
                if key not in found:
                    continue
                whole = _pooled_pushes(found[key])
                what = f"{lights} lights, tick {tick_s:g} s, answers after {delay}, {name}"
                limit = round(limits.ALLOWANCE * planned_s)
                rows.append(
                    quantile_row(key, f"{what}: 99.9 %", whole["late_s"], whole["n"], 0.999, limit)
                )
                rows.append(
                    mean_row(
                        f"frames {key}",
                        f"{what}: frames per light",
                        whole["frames"],
                        _geometric(whole["frames"], whole["n"]),
                        whole["n"],
                        limits.FRAMES_PUSH[delay],
                        "frames",
                    )
                )
    return rows


def _geometric(frames: int, n: int) -> float:
    """The sum of squares of so many frames, if each were the last with the same chance."""
    mean = frames / n
    return n * (2.0 * mean * mean - mean)


# ------------------------------------------------------------------ a mixed fleet


def _mixed_cells(quick: bool) -> list[Cell]:
    return [
        Cell(
            f"mixed {lights} {delay}",
            (
                Building(lights, delay=delay, tick_s=0.1),
                None,
                True,
                2 if quick else {100: 20, 500: 4}[lights],
                pushes.LIMIT_S,
            ),
            _pieces(1),
        )
        for delay in MODELS
        for lights in ((100,) if quick else limits.MIXED_S)
    ]


def _mixed_rows(found: Found) -> list[Row]:
    rows: list[Row] = []
    for delay in MODELS:
        for lights, goals in limits.MIXED_S.items():
            key = f"mixed {lights} {delay}"
            if key not in found:
                continue
            whole = _pooled_pushes(found[key])
            for share, limit_s in zip((0.99, 0.999), goals, strict=True):
                rows.append(
                    quantile_row(
                        f"{key} {share:g}",
                        f"{lights} lights, answers after {delay}: {share * 100:g} %",
                        whole["late_s"],
                        whole["n"],
                        share,
                        limit_s if delay == QUICK else None,
                    )
                )
    return rows


def _pooled_pushes(pieces: list[list[dict[str, Any]]]) -> dict[str, Any]:
    every = [push for piece in pieces for push in piece]
    whole: dict[str, Any] = {
        key: sum(push[key] for push in every)
        for key in ("n", "frames", "answers", "heard", "overlaps")
    }
    never = float("inf")
    whole["late_s"] = [never if t is None else t for push in every for t in push["late_s"]]
    return whole


GOALS = {
    1: Goal(
        1,
        "One order, verified in time",
        _orders_cells,
        {"orders": single_orders.measure},
        _orders_rows,
    ),
    2: Goal(
        2,
        "The same with slower answers, and no needless retry",
        _slower_cells,
        {"orders": single_orders.measure, "change": single_orders.measure_change},
        _slower_rows,
    ),
    3: Goal(
        3,
        "Well lights are not given up, dark ones not sent to",
        _given_up_cells,
        {"orders": single_orders.measure, "dark": dark_lights.measure, "mixture": _mixture},
        _given_up_rows,
    ),
    4: Goal(
        4,
        "A burst of 100 hears its answers",
        _burst_cells,
        {"burst": pushes.measure},
        _burst_rows,
    ),
    5: Goal(
        5,
        "One colour for everybody",
        _bulk_cells,
        {"bulk": pushes.measure},
        _bulk_rows,
    ),
    7: Goal(
        7,
        "One colour for everybody, where every tenth light is poor",
        _mixed_cells,
        {"mixed": pushes.measure},
        _mixed_rows,
    ),
}
