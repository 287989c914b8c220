"""Seed after seed with a bug planted, until the oracle speaks."""

import re
from dataclasses import dataclass

from simulation.harness.cluster.faults import draw
from simulation.harness.cluster.ledger import run_ledger
from simulation.harness.oracle import Violation
from simulation.harness.run import simulate
from simulation.harness.scenarios import scenario
from tests.simulation import planted, planted_cluster, planted_pace
from tests.simulation.planting import IN_A_CLUSTER, IN_A_LEDGER, IN_A_RUSH, PLANTED

PLANTS = (planted, planted_pace, planted_cluster)
"""Whose bugs are in `PLANTED`, once they are imported."""


@dataclass(frozen=True)
class Found:
    """After so many seeds, by this broken truth (numbers and names left out)."""

    seeds: int
    what: str


def hunt(name: str, seeds_most: int, first: int = 1) -> Found | None:
    for count, seed in enumerate(range(first, first + seeds_most), start=1):
        with PLANTED[name]():
            violation = _violation(name, seed)
        if violation is not None:
            return Found(count, general(violation.what))
    return None


def _violation(name: str, seed: int) -> Violation | None:
    if name in IN_A_LEDGER:
        return run_ledger(seed, planted_cluster.ledger_of(name, draw(seed))).violation
    if name in IN_A_CLUSTER:
        scene = planted_cluster.scene_of_cluster(name, scenario(seed, "cluster"))
        return simulate(scene).violation
    faults = "rush" if name in IN_A_RUSH else "swarm"
    return simulate(planted.scene_of(name, scenario(seed, faults))).violation


def general(what: str) -> str:
    """Without what is of this seed only."""
    what = re.sub(r"(?<!command )\b[a-d]\d+\b", "a house", what)
    what = re.sub(r"LightState\([^)]*\)", "a colour", what)
    what = re.sub(r"\b[0-9a-f]{16}\b", "an id", what)
    return re.sub(r"\d+(\.\d+)?", "N", what)
