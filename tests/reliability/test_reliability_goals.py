"""The promises that are cheap to hold against the real thing at every change; the rest is measured
by `make reliability`.
"""

import pytest

from tests.reliability import burst, fixed_plan, outage, stats
from tests.reliability.delays import QUICK, STEADY, UNEVEN
from tests.reliability.goals import dark_lights, pushes, single_orders
from tests.reliability.goals.building import Building
from tests.reliability.goals.push_goals import pooled_pushes


def test_the_fixed_plan_agrees_with_its_closed_form() -> None:
    loss, trials = 0.20, fixed_plan.run(0.20, 300, seed=1)
    form = fixed_plan.closed_form(loss, queue_s=1.0, answer_s=1.0)
    n = len(trials)
    for hits, expected in (
        (sum(t.shown for t in trials), form.shown),
        (sum(t.verified for t in trials), form.verified),
    ):
        low, high = stats.share(hits, n)
        assert low <= expected <= high
    _, low, high = stats.mean([t.frames for t in trials])
    assert low <= form.frames <= high


def test_a_burst_hears_its_answers_and_the_naive_one_does_not() -> None:
    ours = burst.ours(1, 9, lights=40)
    assert ours.answers == 40
    assert ours.heard >= burst.GOAL * ours.answers
    naive = burst.naive(1, 9, lights=40)
    assert naive.heard < 0.2 * naive.answers


def test_after_a_short_outage_everything_is_verified_within_the_drain() -> None:
    lights = 20
    ended = outage.run(300.0, 1, lights)
    assert len(ended) == lights
    assert max(at for at in ended if at is not None) <= outage.GOAL_S + outage.drain_s(lights)
    assert None not in ended


def test_few_lights_that_tried_in_vain_for_long_do_not_sit_out_their_wait() -> None:
    tick_s = 1.0  # the first of them waits for ChirpStack's scheduler
    for seed in (7, 10):  # 77 and 46 s before the end of a silence was told
        ended = [at for at in outage.run(300.0, seed, 4) if at is not None]
        assert len(ended) == 4
        assert max(ended) <= outage.GOAL_S + tick_s + outage.drain_s(4)


@pytest.mark.timeout(180)
def test_a_fifth_of_the_frames_lost_leaves_nine_orders_of_ten_verified_within_30_s() -> None:
    whole = single_orders.measure(0.20, QUICK, 9, 1.0, 250, 1, lived_s=3_600.0)
    assert single_orders.hits(whole, 30.0) >= 0.92 * whole["n"]  # three attempts 40 s apart: 0.65
    assert single_orders.hits(whole, 120.0) >= 0.98 * whole["n"]
    assert whole["frames"] <= 1.7 * whole["n"]
    assert whole["overdue"] <= 0.015 * whole["n"]


def test_no_order_is_retried_while_its_answer_is_on_its_way() -> None:
    whole = single_orders.measure(0.0, UNEVEN, 9, 1.0, 150, 1, lived_s=0.0)
    assert whole["needless"] <= 2
    assert single_orders.hits(whole, 30.0) == whole["n"]


@pytest.mark.timeout(180)
def test_a_light_without_power_gets_one_frame_or_two() -> None:
    whole = dark_lights.measure(0.05, 12, 1, lights=12, most_s=14_400.0)
    assert whole["frames"] <= 1.6 * whole["n"]


def test_a_burst_hears_answers_that_come_after_a_second_as_well() -> None:
    whole = pooled_pushes([pushes.measure(Building(40, delay=STEADY), 0.0, True, 2, 600.0, 1)])
    assert whole["heard"] >= 0.8 * whole["n"]  # with 0.35 s for every answer: 0.48


def test_lights_that_answer_after_a_second_are_verified_as_fast_as_prompt_ones() -> None:
    building = Building(50, delay=STEADY, tick_s=0.1)
    whole = pooled_pushes([pushes.measure(building, 0.05, True, 2, 1_000.0, 1)])
    assert whole["late_s"][-2] <= 120.0  # 0.35 s for every answer: 500 s
    assert whole["frames"] <= 1.3 * whole["n"]


def test_gateways_that_share_lights_never_send_at_once() -> None:
    building = Building(40, gateways=2, tick_s=0.1)
    whole = pooled_pushes([pushes.measure(building, 0.05, True, 1, 600.0, 1)])
    assert whole["overlaps"] == 0
    assert max(whole["late_s"]) <= 120.0
