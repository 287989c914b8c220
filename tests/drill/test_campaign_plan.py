"""A campaign's plan comes to the faults that it was asked for."""

import pytest

from tests.cluster.rounds import COUNTS, Pattern, confirmed_rounds, lossy_rounds
from tests.cluster.worn_site import HOW


@pytest.mark.parametrize("seed", range(20))
def test_the_rounds_come_to_the_numbers(seed: int) -> None:
    rounds = confirmed_rounds(500, 100, seed)
    assert sum(COUNTS[each].kills for each in rounds) == 500
    assert sum(COUNTS[each].failovers for each in rounds) == 100
    assert not any(COUNTS[each].lossy for each in rounds)
    assert {each for each in Pattern if not COUNTS[each].lossy} == set(rounds)
    assert rounds == confirmed_rounds(500, 100, seed)
    assert rounds != confirmed_rounds(500, 100, seed + 1)


def test_where_no_replica_confirms_no_process_is_killed() -> None:
    rounds = lossy_rounds(100, 1)
    assert sum(COUNTS[each].lossy for each in rounds) == len(rounds) == 100
    assert not any(COUNTS[each].kills for each in rounds)


def test_every_round_can_be_done() -> None:
    assert HOW.keys() == set(Pattern)
