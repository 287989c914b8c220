"""Seeds of the swarm, and some of each named profile: every truth holds in all.

All tests try a few; `make seeds` tries 200, as is done before a change lands.
"""

from collections.abc import Iterable

import pytest

from simulation.harness.campaign import FailedRun, attempt
from simulation.harness.scenario import Scenario
from simulation.harness.scenarios import NAMED, scenario
from tests.simulation.extent import MANY, SEEDS

CHUNK = 10
FOUND = (
    2,  # a step cut off by a crash between its commit and its consequences
    176,  # the txack of an older item taken for that of one in doubt
    254,  # our clock set back between two runs
    264,  # failed, although the newest status shows it
    267,  # an inquiry whose answer asked again, for ever
    1059,  # a frame of somebody else's counted as ours: the oracle's own mistake
    1329,  # more airtime than the hour allows
    700021,  # the pretend server took a light's answer about RX2 for one to a later change
    9602849,  # the pretend light took an accept of its life before
    9621621,  # settings told to be lost, and not sent again
    9624169,  # no air left for what the oracle waited for
    9648049,  # restarted by its own watchdog while the oracle waited for another light
)
"""Seeds that found something once; what each found in the service has a test of its own, too."""
FOUND_SMALL = (
    9801196,  # airtime is used up, and the lights were told that others are before them
)
"""Likewise, in the small worlds of the campaigns."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_no_seed_of_the_swarm_breaks_a_truth(first: int) -> None:
    verified = _verified_in(scenario(seed, "swarm") for seed in range(first, first + CHUNK))
    assert verified > 5 * CHUNK, "the runs are not empty"  # 76 of the quietest ten


@pytest.mark.timeout(300)
def test_no_seed_that_once_found_something_does_so_again() -> None:
    """All tests try the newest four."""
    _verified_in(scenario(seed, "swarm") for seed in (FOUND if MANY else FOUND[-4:]))
    _verified_in(scenario(seed, "swarm", devices=5, gateways=2, hours=0.75) for seed in FOUND_SMALL)


def _verified_in(scenarios: Iterable[Scenario]) -> int:
    """Run these; how many commands were verified in all."""
    verified = 0
    for one in scenarios:
        result = attempt(one)
        assert not isinstance(result, FailedRun), f"{result.command}\n{result.error}"
        assert result.violation is None, f"{result.command}\n{result.violation}"
        verified += result.counts.get("verified", 0)
    return verified


@pytest.mark.parametrize("faults", list(NAMED))
def test_the_named_profiles_break_no_truth(faults: str) -> None:
    for seed in (1, 2) if MANY else (1,):
        result = attempt(scenario(seed, faults))
        assert not isinstance(result, FailedRun), result
        assert result.violation is None, f"{result.command}\n{result.violation}"
        assert result.counts["verified"] > 0
        if faults != "calm":
            assert result.faults
