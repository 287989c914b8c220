"""One of an engine's servers may be silent: what lies with the others goes on."""

import pytest

from simulation.harness.cluster.faults import draw
from simulation.harness.run import simulate
from simulation.harness.scenarios import scenario
from tests.simulation.hunt import hunt


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [37, 73])
def test_lights_of_other_parts_are_commanded_and_shown_while_one_is_silent(seed: int) -> None:
    result = simulate(scenario(seed, "cluster"))

    assert result.violation is None, result.last_events
    assert any(what.startswith("a part is silent") for what in result.counts)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("name", "seed", "what"),
    [
        ("what a silent part has unread holds up the feeds of all", 8, "does not show what was"),
        ("a look at leases fails where the list of members is away", 21, "was not pursued within"),
        ("what is read waits for every part of the store", 73, "not ready within"),
    ],
)
def test_a_silent_part_that_holds_up_others_is_found(name: str, seed: int, what: str) -> None:
    found = hunt(name, 3, first=seed)

    assert found is not None
    assert what in found.what


def test_a_third_of_the_swarm_has_several_servers_of_which_one_is_away() -> None:
    drawn = [draw(seed) for seed in range(300)]
    several = [one for one in drawn if one.masters == 3]
    assert 80 < len(several) < 120
    assert all(one.silent_part and one.prefix and one.replicas for one in several)
    assert {one.hangs for one in several} == {0.0, 0.5, 1.0}
    assert sum(one.outage_every_s > 0 for one in several) > len(several) / 2
    assert not any(one.silent_part or one.hangs or one.prefix for one in drawn if one.masters == 1)
