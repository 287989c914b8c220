"""Lead and tick, learned from orders and txacks of a made-up scheduler."""

import math
from random import Random

import pytest

from actors.downlink.pacing.lead_times import LeadEstimator, LeadTimes


def learned(
    tick_s: float, *, count: int = 60, keeps_step: bool = False, careful_s: float = 1.0
) -> LeadTimes:
    rng, it, at = Random(5), LeadEstimator(careful_s), 0.37
    for _ in range(count):
        sent_at = math.ceil((at + 0.01) / tick_s) * tick_s
        acked_at = sent_at + rng.uniform(0.05, 0.15)
        it.add(at, acked_at - at)
        at = acked_at + (0.4 if keeps_step else rng.uniform(0.3, 2.3))
    return it.known()


def test_nothing_is_ordered_ahead_before_five_txacks() -> None:
    known = learned(1.0, count=4)
    assert (known.lead_s, known.safe_lead_s, known.shortest_s) == (0.0, 0.0, None)
    assert learned(1.0, count=5).shortest_s is not None


def test_the_tick_holds_as_set_until_twenty_txacks() -> None:
    known = learned(0.1, count=19)
    assert (known.tick_s, known.tick_measured, known.fine) == (1.0, False, False)
    assert learned(0.1, count=20).fine


@pytest.mark.parametrize("tick_s", [0.05, 0.1, 0.2])
def test_a_fine_tick_is_recognised(tick_s: float) -> None:
    assert learned(tick_s).fine


@pytest.mark.parametrize("tick_s", [0.5, 1.0, 2.0])
def test_a_coarse_tick_is_recognised_and_taken_for_no_finer_than_it_is_set(tick_s: float) -> None:
    known = learned(tick_s)
    assert known.tick_measured
    assert not known.fine
    assert known.tick_s == pytest.approx(max(tick_s, 1.0), rel=0.35)


def test_orders_that_keep_step_with_the_tick_do_not_pass_for_a_fine_one() -> None:
    """All txacks come then after the same time, as with a fine tick."""
    known = learned(1.0, keeps_step=True)
    assert (known.tick_measured, known.fine, known.tick_s) == (False, False, 1.0)


def test_with_a_coarse_tick_the_lead_is_what_no_frame_undercut() -> None:
    known = learned(1.0)
    assert known.lead_s == known.shortest_s
    assert known.lead_s < 0.2
    assert known.jitters_s == (0.0,)


def test_with_a_fine_tick_one_frame_in_ten_may_be_early() -> None:
    known = learned(0.1)
    assert known.shortest_s is not None
    assert known.shortest_s < known.lead_s < 0.2
    early = sum(one < 0.0 for one in known.jitters_s)
    assert 0 < early <= len(known.jitters_s) // 10


def test_where_nothing_may_overlap_the_lead_is_below_the_shortest() -> None:
    known = learned(0.1)
    assert known.shortest_s is not None
    assert known.shortest_s < 0.1, "another way may be shorter by as much"
    assert known.safe_lead_s == 0.0


def test_a_slow_way_is_believed_only_so_far() -> None:
    """Should the webhooks be quick again all at once, little is lost."""
    it = LeadEstimator(1.0)
    for at in range(60):
        it.add(at * 1.37, 3.0)
    assert it.known().lead_s == 0.5
    assert it.known().safe_lead_s == 0.2
