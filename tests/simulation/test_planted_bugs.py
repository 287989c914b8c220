"""Bugs planted on purpose are found, each within as many seeds as it took with room to spare."""

import pytest

from simulation.harness.run import simulate
from simulation.harness.scenarios import scenario
from tests.simulation.hunt import hunt
from tests.simulation.planting import PLANTED

QUICK = (
    "baseline 0 and no fence when nothing is known",
    "counter not reset at a join",
    "colour read at the wrong offset",
    "flush of an item in flight",
    "persist after enqueue",
    "retry counted while held",
    "late echo of an older command accepted",
    "an echo is proof whatever its counter",
    "superseded, and still pursued",
    "failed is told although it is shown",
    "a poisoned message is handled again",
    "a full mailbox grows",
    "a light crashes on a duplicate",
)
"""Those that a few seeds find; `make planted` looks for all."""


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_found(name: str) -> None:
    found = hunt(name, 12)
    assert found is not None, f"{name}: not found in 12 seeds"


def test_there_are_more_than_ten_and_each_is_taken_out_again() -> None:
    assert len(PLANTED) >= 15
    for plant in PLANTED.values():
        with plant():
            pass
    assert simulate(scenario(1, "swarm")).violation is None
