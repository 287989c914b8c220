"""A few hundred seeds of the swarm, and some of each named profile: every truth holds in all."""

import os

import pytest

from api.cli.simulation.campaign import Failed, campaign
from api.cli.simulation.scenario import NAMED, scenario

SEEDS = range(1, 301)
FOUND = (
    2,  # a step cut off by a crash between its commit and its consequences
    176,  # the txack of an older item taken for that of one in doubt
    254,  # our clock set back between two runs
    264,  # failed, although the newest status shows it
    267,  # an inquiry whose answer asked again, for ever
    1059,  # a frame of somebody else's counted as ours: the oracle's own mistake
    1329,  # more airtime than the hour allows
)
"""Seeds that found something once; what each found has a test of its own, too."""


@pytest.mark.timeout(400)
def test_no_seed_of_the_swarm_breaks_a_truth() -> None:
    seeds = sorted({*SEEDS, *FOUND})
    broken = []
    scenarios = (scenario(seed, "swarm") for seed in seeds)
    runs = verified = 0
    for result in campaign(scenarios, os.cpu_count() or 1, lambda: True):
        runs += 1
        if isinstance(result, Failed):
            broken.append(f"{result.command}\n{result.error}")
        elif result.violation is not None:
            broken.append(f"{result.command}\n{result.violation}")
        else:
            verified += result.counts.get("verified", 0)
    assert not broken, "\n\n".join(broken)
    assert runs == len(seeds)
    assert verified > 10 * runs, "the runs are not empty"


@pytest.mark.parametrize("faults", list(NAMED))
def test_the_named_profiles_break_no_truth(faults: str) -> None:
    for result in campaign((scenario(seed, faults) for seed in (1, 2)), 1, lambda: True):
        assert not isinstance(result, Failed), result
        assert result.violation is None, f"{result.command}\n{result.violation}"
        assert result.counts["verified"] > 0
        if faults != "calm":
            assert result.faults
