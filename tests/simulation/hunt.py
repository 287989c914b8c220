"""Seed after seed with a bug planted, until the oracle speaks."""

import re
from dataclasses import dataclass

from simulation.harness.run import simulate
from simulation.harness.scenarios import scenario
from tests.simulation import planted, planted_pace
from tests.simulation.planting import IN_A_RUSH, PLANTED

PLANTS = (planted, planted_pace)
"""Whose bugs are in `PLANTED`, once they are imported."""


@dataclass(frozen=True)
class Found:
    """After so many seeds, by this broken truth (numbers and names left out)."""

    seeds: int
    what: str


def hunt(name: str, seeds_most: int, first: int = 1) -> Found | None:
    for count, seed in enumerate(range(first, first + seeds_most), start=1):
        faults = "rush" if name in IN_A_RUSH else "swarm"
        with PLANTED[name]():
            result = simulate(planted.scene_of(name, scenario(seed, faults)))
        if result.violation is not None:
            return Found(count, general(result.violation.what))
    return None


def general(what: str) -> str:
    """Without what is of this seed only."""
    what = re.sub(r"LightState\([^)]*\)", "a colour", what)
    what = re.sub(r"\b[0-9a-f]{16}\b", "an id", what)
    return re.sub(r"\d+(\.\d+)?", "N", what)
