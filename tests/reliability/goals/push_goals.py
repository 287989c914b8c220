"""Goals of one order to many lights at once: answers heard, time until all are verified."""

from typing import Any

from tests.reliability.delays import MODELS, QUICK, STEADY
from tests.reliability.goals import limits, pushes
from tests.reliability.goals.building import Building
from tests.reliability.goals.cell import (
    Cell,
    Found,
    Goal,
    Row,
    mean_row,
    pieces,
    quantile_row,
    share_row,
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
            pieces(1 if quick or known else 3),
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
        whole = pooled_pushes(found[cell.key])
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
                times = 2 if quick else _pushes(tick_s, delay, lights, name)
                building = Building(lights, gateways, apart, delay, 9, tick_s)
                if times:
                    made.append(
                        Cell(
                            f"bulk {lights} {tick_s:g} {delay} {name}",
                            (building, 0.05, True, times, pushes.LIMIT_S),
                            pieces(1),
                        )
                    )
    return made


def _pushes(tick_s: float, delay: str, lights: int, arrangement: str) -> int:
    """How often each is pushed to; large fleets only where that tells something new."""
    prompt = delay in (QUICK, STEADY)
    match lights:
        case 100:
            return 10 if tick_s < 1.0 else 5
        case 500:
            return (2 if prompt else 1) if tick_s < 1.0 else 2 * (delay == QUICK)
        case _:
            return int(prompt if tick_s < 1.0 else delay == QUICK and arrangement == "one gateway")


def _bulk_rows(found: Found) -> list[Row]:
    rows: list[Row] = []
    for (tick_s, delay), planned in limits.PLANNED_S.items():
        for lights, all_planned in planned.items():
            for name, planned_s in zip(limits.ARRANGEMENTS, all_planned, strict=True):
                key = f"bulk {lights} {tick_s:g} {delay} {name}"
                if key not in found:
                    continue
                whole = pooled_pushes(found[key])
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
                2 if quick else _mixed_pushes(lights, delay),
                pushes.LIMIT_S,
            ),
            pieces(1),
        )
        for delay in MODELS
        for lights in ((100,) if quick else limits.MIXED_S)
    ]


def _mixed_pushes(lights: int, delay: str) -> int:
    return 12 if lights == 100 else 4 if delay == QUICK else 1


def _mixed_rows(found: Found) -> list[Row]:
    rows: list[Row] = []
    for delay in MODELS:
        for lights, goals in limits.MIXED_S.items():
            key = f"mixed {lights} {delay}"
            if key not in found:
                continue
            whole = pooled_pushes(found[key])
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


def pooled_pushes(found: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """All pushes of all pieces as one."""
    every = [push for piece in found for push in piece]
    whole: dict[str, Any] = {
        key: sum(push[key] for push in every)
        for key in ("n", "frames", "answers", "heard", "overlaps", "dropped")
    }
    never = float("inf")
    whole["late_s"] = [never if t is None else t for push in every for t in push["late_s"]]
    return whole


BURST = Goal(
    "A burst of 100 hears its answers",
    """100 orders at one moment; no frame is lost but to gateways that send while an answer comes. A
service that has *nothing learned yet* knows its lights, and neither how they answer nor what stands
between it and the air. Overlaps are frames of ours that two gateways in reach of one light had on
the air at once.""",
    _burst_cells,
    {"burst": pushes.measure},
    _burst_rows,
)
EVERYBODY = Goal(
    "One colour for everybody",
    """One order to every light at one moment, several times in a row; 5 % of the frames lost in
each direction, SF9 both ways. The service has sent single orders before, and so knows its lights.
Pushes of one kind are pooled, as 100 lights have no 99.9 %.""",
    _bulk_cells,
    {"bulk": pushes.measure},
    _bulk_rows,
)
MIXED = Goal(
    "One colour for everybody, where every tenth light is poor",
    """One gateway, ChirpStack's tick 0.1 s. Every tenth light loses 30 % of the frames in each
direction, the others 2.2 %: 5 % in all.""",
    _mixed_cells,
    {"mixed": pushes.measure},
    _mixed_rows,
)
