"""Goals of single orders: in time, also with slower answers; who is given up."""

from collections.abc import Mapping
from dataclasses import asdict
from statistics import fmean, pvariance
from typing import Any

from tests.reliability import mixture, stats
from tests.reliability.delays import MODELS, QUICK
from tests.reliability.goals import dark_lights, limits, single_orders
from tests.reliability.goals.cell import Cell, Found, Goal, Row, mean_row, pieces, share_row

SLOWER = tuple(model for model in MODELS if model != QUICK)

# ------------------------------------------------------------------ one order


def _orders_cells(quick: bool) -> list[Cell]:
    made = []
    for kind in ("orders", "spaced"):
        for loss in limits.WITHIN_30_S:
            seeds, orders = (pieces(1), 500) if quick else (pieces(_seeds(kind, loss)), 2_500)
            made.append(Cell(f"{kind} {loss:g}", (loss, QUICK, 9, 1.0, orders), seeds))
    return made


def _seeds(kind: str, loss: float) -> int:
    """Ten thousand orders where there are nines to be told apart."""
    if kind == "spaced":
        return 2 if loss == 0.05 else 1
    return 4 if loss <= 0.05 else 2


def _orders_rows(found: Found) -> list[Row]:
    rows: list[Row] = []
    for kind, goal in (("orders", limits.WITHIN_30_S_CLOSE), ("spaced", limits.WITHIN_30_S)):
        for loss in limits.WITHIN_30_S:
            if f"{kind} {loss:g}" in found:
                rows += _order_rows(kind, loss, goal, found)
    return rows


def _order_rows(kind: str, loss: float, goal: Mapping[float, float], found: Found) -> list[Row]:
    whole = single_orders.pooled(found[f"{kind} {loss:g}"])
    n, at = whole["n"], f"{loss:.0%} lost"
    if kind == "spaced":
        at += ", two frames to a light 10 s apart"
    rows = [
        share_row(
            f"{kind} within {within_s:g} {loss:g}",
            f"{at}: verified within {within_s:g} s",
            single_orders.hits(whole, within_s),
            n,
            limit,
            before=f"within {within_s:g} {loss:g}",
        )
        for within_s, limit in (
            (30.0, goal.get(loss, limits.WITHIN_30_S[loss])),
            (120.0, limits.WITHIN_120_S.get(loss)),
        )
    ]
    frames = mean_row(
        f"{kind} frames {loss:g}",
        f"{at}: frames per verified order",
        whole["frames"],
        whole["squares"],
        n,
        limits.FRAMES[loss],
        "frames",
        before=f"frames {loss:g}",
    )
    return [*rows, frames]


# ------------------------------------------------------------------ slower answers


def _slower_cells(quick: bool) -> list[Cell]:
    seeds, orders = (pieces(1), 300) if quick else (pieces(1), 1_500)
    made = [
        Cell(f"orders {delay} SF9 {loss:g}", (loss, delay, 9, 1.0, orders), seeds)
        for delay in SLOWER
        for loss in limits.WITHIN_30_S
    ]
    made += [
        Cell(f"orders {delay} SF12 0.05", (0.05, delay, 12, 0.1, orders), seeds) for delay in MODELS
    ]
    return [*made, Cell("change", ("0.2 s", "4 s", 100), pieces(1 if quick else 4))]


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
    seeds, orders = (pieces(1), 500) if quick else (pieces(4), 2_500)
    made = [
        Cell(
            f"orders {loss:g}",
            (loss, QUICK, 9, 1.0, orders),
            seeds if quick else pieces(_seeds("orders", loss)),
        )
        for loss in limits.GIVEN_UP
    ]
    made += [
        Cell(f"dark {loss:g}", (loss, 50 if quick else 300), pieces(1)) for loss in (0.05, 0.20)
    ]
    for kind, orders in (("normal", 4_000), ("gateway outage", 500), ("unpowered", 200)):
        made.append(Cell(f"mixture {kind}", (kind, orders // 10 if quick else orders), pieces(1)))
    return made


def _mixture(kind: str, orders: int, seed: int) -> list[dict[str, Any]]:
    return [asdict(each) for each in mixture.run(kind, orders, seed)]


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
        own = [trial["colours"] for piece in found[f"mixture {kind}"] for trial in piece]
        mean += weight * fmean(own)
        variance += weight**2 * pvariance(own) / len(own)
        n += len(own)
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


ONE_ORDER = Goal(
    "One order, verified in time",
    """One order at a time to each of 50 lights, each with a gateway of its own, at any moment
between two heartbeats. So many frames are lost in each direction, one as independent of the other
as in any other. ChirpStack's tick is 1 s, SF9 both ways, answers after 0.05-0.3 s. Firmware that
answers so soon is proven safe for frames 5 s apart after its first hundred answers; the second half
says what a firmware gets for which that is not so.""",
    _orders_cells,
    {"orders": single_orders.measure, "spaced": single_orders.measure_spaced},
    _orders_rows,
)
SLOWER_ANSWERS = Goal(
    "The same with slower answers, and no needless retry",
    """The same orders to lights that answer later. At SF12 both ways ChirpStack's tick is 0.1 s. A
retry was needless if the answer to a frame before it was still on its way, and arrived. The change
of firmware: lights that answered after 0.2 s answer after 4 s from one order to the next, with
nothing to tell the service of it.""",
    _slower_cells,
    {"orders": single_orders.measure, "change": single_orders.measure_change},
    _slower_rows,
)
GIVEN_UP = Goal(
    "Well lights are not given up, dark ones not sent to",
    """A light counts as given up when the service calls its order overdue: no further attempt is
timed, only what the light lets be heard brings one. The lights without power went dark at any
moment of the 14 h before the order. The mixed fleet is described on the page of all measurements.
""",
    _given_up_cells,
    {"orders": single_orders.measure, "dark": dark_lights.measure, "mixture": _mixture},
    _given_up_rows,
)
