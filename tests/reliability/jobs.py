"""What each experiment runs, in pieces that processes can share.

A piece is a name, plain arguments and a seed, and gives plain numbers back, so that the same piece
gives the same numbers anywhere.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import structlog

from tests.reliability import burst, fixed_plan, outage, overload


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
        case "plan":
            for loss in fixed_plan.LOSSES:
                for seed in range(1 if quick else 2):
                    add(f"{loss:g}", loss, 500 if quick else 1_500, 1 + seed)
        case "outage":
            for seed in range(1 if quick else 10):
                for outage_s in outage.OUTAGES_S:
                    for lights in outage.LIGHTS:
                        add(f"{outage_s:g} {lights}", outage_s, 1 + seed, lights)
        case "burst":
            for way in ("ours", "naive"):
                for factor, gateways in ((9, 1), (9, 2)):
                    for seed in range(1 if quick else 3):
                        add(f"{way} {factor} {gateways}", way, 1 + seed, factor, gateways)
        case "airtime":
            add("overload", 1)
    return made


def carry_out(job: Job) -> Any:
    """The numbers of one piece."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    return CARRIED_OUT_BY[job.experiment](*job.args)


def _burst(way: str, *args: Any) -> Any:
    return asdict(burst.ours(*args) if way == "ours" else burst.naive(*args))


def _airtime(seed: int) -> Any:
    sent = overload.overload(seed)
    return {
        "frames": len(sent),
        "ours_s": overload.busiest_hour_s(sent, ours=True),
        "all_s": overload.busiest_hour_s(sent, ours=False),
    }


CARRIED_OUT_BY: dict[str, Callable[..., Any]] = {
    "plan": lambda *args: [asdict(each) for each in fixed_plan.run(*args)],
    "outage": outage.run,
    "burst": _burst,
    "airtime": _airtime,
}
EXPERIMENTS = tuple(CARRIED_OUT_BY)
