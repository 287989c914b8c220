"""The promises that are cheap to hold against the real thing at every change; the rest is measured
by `make reliability`.
"""

from tests.reliability import burst, fixed_plan, outage, stats


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
    for seed in (7, 10):  # 77 and 46 s before the end of a silence was told
        ended = [at for at in outage.run(300.0, seed, 4) if at is not None]
        assert len(ended) == 4
        assert max(ended) <= outage.GOAL_S + outage.drain_s(4)
