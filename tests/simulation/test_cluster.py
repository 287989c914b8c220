"""Several houses on one engine keep every promise, whatever parts, kills or stops them."""

import pytest

from simulation.harness.cluster.faults import draw
from simulation.harness.cluster.ledger import run_ledger
from simulation.harness.run import simulate
from simulation.harness.scenarios import scenario
from tests.simulation.extent import MANY
from tests.simulation.hunt import hunt

QUICK = (
    "a commit is conditioned on its epoch only",
    "a commit counts without WAIT",
)
"""Those that one or two seeds find; `make planted` looks for all."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [1, 5, 14, 20, 24, 20038])
def test_shards_leases_and_commits_keep_their_promises(seed: int) -> None:
    ledger = run_ledger(seed, draw(seed))

    assert ledger.violation is None, list(ledger.lines)[-40:]
    assert ledger.counted["commit done"] > 500


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("faults", "seed"),
    [
        ("cluster", 12),  # a parked light was told a status: the oracle's own mistake
        ("cluster", 16),  # two houses had clocks that were 37 minutes apart
        ("cluster", 1001757),  # stopped again before it went on: the oracle's own mistake
        ("cluster", 1012563),  # asked an engine that was set back what was stored
        ("crashes", 2169),  # nobody noticed a failover that took a command
    ],
)
def test_whole_houses_keep_their_promises(faults: str, seed: int) -> None:
    """Cluster 106 is run by `test_one_seed_one_trace.py`, which asks the same of it."""
    result = simulate(scenario(seed, faults))

    assert result.violation is None, result.last_events
    assert result.counts["verified"] > 0
    assert result.lives >= 2


@pytest.mark.timeout(240)
@pytest.mark.parametrize("faults", ["cluster", "crashes"])
@pytest.mark.parametrize("seed", range(3, 23 if MANY else 4))
def test_no_seed_of_several_houses_breaks_a_truth(faults: str, seed: int) -> None:
    """All tests try one; `make seeds` tries 20."""
    result = simulate(scenario(seed, faults))

    assert result.violation is None, result.last_events


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_found(name: str) -> None:
    found = hunt(name, 3)
    assert found is not None, f"{name}: not found in 3 seeds"


def test_a_swarm_of_clusters_is_drawn_from_its_seed_alone_and_mixed() -> None:
    assert draw(11) == draw(11)
    drawn = [draw(seed) for seed in range(300)]
    for name in ("kill", "leave", "pause", "cut", "fail_over", "missing", "outage", "moving"):
        present = sum(getattr(one, f"{name}_every_s") > 0 for one in drawn)
        assert 30 < present < 240, name
    assert {one.houses for one in drawn} == {2, 3, 4}
    assert {one.need for one in drawn} == {0, 1}
    assert {one.masters for one in drawn} == {1, 3}
    assert all(one.need or not one.old_lives for one in drawn)
