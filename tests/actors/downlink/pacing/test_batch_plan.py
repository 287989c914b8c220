"""The batch plan, tried against answers that were not planned with."""

from random import Random

import pytest

from actors.downlink.pacing.batch_plan import FRAMES_MOST, BatchPlan, plan_batch

AIRTIME_S, ANSWER_S, GAP_S = 0.185, 0.267, 0.0425
RNG = Random(11)
QUICK = sorted(RNG.uniform(0.05, 0.3) for _ in range(200))
STEADY = [1.0] * 200
WIDE = sorted(RNG.uniform(1.0, 3.0) for _ in range(200))
TAILED = sorted(1.5 * RNG.lognormvariate(0.0, 0.5) for _ in range(200))
NO_JITTER = (0.0,)
JITTERS = tuple(n / 600 for n in range(-10, 60))


def plan(delays: list[float], jitters: tuple[float, ...] = NO_JITTER, **more: object) -> BatchPlan:
    kind = {"gap_s": GAP_S, "staggered": True, **more}
    return plan_batch(delays, jitters, AIRTIME_S, ANSWER_S, **kind)  # type: ignore[arg-type]


def heard_share(it: BatchPlan, delays: list[float], seed: int) -> float:
    """Batches one after the other, each answer against every frame."""
    rng, heard, given = Random(seed), 0, 0
    step_s = it.step_s or AIRTIME_S + GAP_S
    for _ in range(400):
        frames = [m * step_s for m in range(it.frames)] + [it.cycle_s]
        for start in frames[:-1]:
            begins = start + AIRTIME_S + rng.choice(delays)
            ends = begins + ANSWER_S
            given += 1
            heard += not any(one < ends and one + AIRTIME_S > begins for one in frames)
    return heard / given


@pytest.mark.parametrize("delays", [QUICK, STEADY, WIDE, TAILED])
@pytest.mark.parametrize("jitters", [NO_JITTER, JITTERS])
def test_at_least_nine_in_ten_answers_are_heard(
    delays: list[float], jitters: tuple[float, ...]
) -> None:
    it = plan(delays, jitters)
    assert 0.90 <= it.heard <= 1.0
    assert heard_share(it, delays, seed=3) >= 0.90


def test_frames_one_by_one_lose_hardly_an_answer() -> None:
    it = plan(QUICK, frames_most=1)
    assert it.frames == 1
    assert heard_share(it, QUICK, seed=4) >= 0.95


def test_a_light_that_answers_after_a_second_is_one_of_several() -> None:
    """One by one a frame takes 1.45 s and more; while one is answered others are sent."""
    it = plan(STEADY)
    assert 1 < it.frames <= FRAMES_MOST
    assert it.cycle_s / (it.frames * it.heard) < 0.75


def test_frames_a_status_apart_have_answers_that_do_not_meet() -> None:
    it = plan(STEADY)
    assert it.step_s >= ANSWER_S


def test_without_a_fine_tick_a_batch_is_ordered_at_once() -> None:
    assert plan(STEADY, staggered=False).step_s == 0.0


def test_no_frame_of_a_batch_is_sent_while_quick_lights_answer() -> None:
    """Their answers come before the next frame could be over."""
    assert plan([0.05, 0.06, 0.07] * 20, staggered=False).frames == 1


def test_the_same_delays_make_the_same_plan() -> None:
    assert plan(WIDE, JITTERS) == plan(WIDE, JITTERS)


@pytest.mark.parametrize("frames_most", [1, 2, 3])
def test_no_more_frames_than_allowed(frames_most: int) -> None:
    assert plan(WIDE, frames_most=frames_most).frames <= frames_most
