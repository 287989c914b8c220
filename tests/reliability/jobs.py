"""What each experiment runs, in pieces that processes can share.

A piece is a name, plain arguments and a seed, and gives plain numbers back, so that the same piece
gives the same numbers anywhere.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import structlog

from tests.reliability import bulk, burst, evidence, fixed_plan, mixture, outage


@dataclass(frozen=True, slots=True)
class Job:
    """One piece. `key` says where in its experiment the result belongs."""

    experiment: str
    key: str
    args: tuple[Any, ...]


def jobs_of(experiment: str, *, quick: bool) -> list[Job]:
    """All pieces of an experiment."""
    made: list[Job] = []

    def add(key: str, *args: Any) -> None:
        made.append(Job(experiment, key, args))

    match experiment:
        case "plan" | "evidence":
            for loss in fixed_plan.LOSSES:
                for seed in range(1 if quick else 4):
                    add(f"{loss:g}", loss, 1_000 if quick else 2_500, 1 + seed)
        case "mixture":
            add("normal", "normal", 1_000 if quick else 4_000, 1)
            add("gateway outage", "gateway outage", 100 if quick else 500, 2)
            add("unpowered", "unpowered", 50 if quick else 200, 3)
        case "outage":
            for seed in range(1 if quick else 10):
                for outage_s in outage.OUTAGES_S:
                    for lights in outage.LIGHTS:
                        add(f"{outage_s:g} {lights}", outage_s, 1 + seed, lights)
        case "burst":
            for way in ("ours", "naive"):
                for factor, gateways in ((9, 1), (7, 1), (9, 2), (7, 2)):
                    for seed in range(1 if quick else 3):
                        add(f"{way} {factor} {gateways}", way, 1 + seed, factor, gateways)
        case "bulk":
            for tick_s in (1.0, 0.1):
                for hasty in (False, True):
                    for lights, runs in ((100, 2 if quick else 10), (500, 0 if quick else 2)):
                        for seed in range(runs):
                            add(f"{lights} {tick_s:g} {hasty}", lights, tick_s, 1 + seed, hasty)
        case "airtime":
            add("overload", 1)
    return made


def carry_out(job: Job) -> Any:
    """The numbers of one piece."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    return CARRIED_OUT_BY[job.experiment](*job.args)


def _burst(way: str, *args: Any) -> Any:
    return asdict(burst.ours(*args) if way == "ours" else burst.naive(*args))


def _bulk(lights: int, tick_s: float, seed: int, hasty: bool) -> Any:
    return asdict(bulk.push(lights, tick_s, seed, quick=hasty))


def _airtime(seed: int) -> Any:
    sent = bulk.overload(seed)
    return {
        "frames": len(sent),
        "ours_s": bulk.busiest_hour_s(sent, ours=True),
        "all_s": bulk.busiest_hour_s(sent, ours=False),
    }


CARRIED_OUT_BY: dict[str, Callable[..., Any]] = {
    "plan": lambda *args: [asdict(each) for each in fixed_plan.run(*args)],
    "evidence": lambda *args: [list(each) for each in evidence.run(*args)],
    "mixture": lambda *args: [asdict(each) for each in mixture.run(*args)],
    "outage": outage.run,
    "burst": _burst,
    "bulk": _bulk,
    "airtime": _airtime,
}
EXPERIMENTS = tuple(CARRIED_OUT_BY)
