"""What slows a gateway down, and that it always recovers."""

import pytest

from actors.downlink.pacing.back_off import BackOff
from actors.downlink.pacing.batch_plan import FRAMES_MOST


def grown() -> BackOff:
    it = BackOff()
    for _ in range(100):
        it.first_answer(0.95, FRAMES_MOST, answered=True)
    assert it.frames == FRAMES_MOST
    return it


def test_a_batch_grows_by_one_after_three_clean_answers_for_each_frame() -> None:
    it, sizes = BackOff(), []
    for _ in range(3 + 6 + 9):
        it.first_answer(0.95, 4, answered=True)
        sizes.append(it.frames)
    assert sizes == [1] * 2 + [2] * 6 + [3] * 9 + [4]


def test_a_batch_grows_no_further_than_planned() -> None:
    it = BackOff()
    for _ in range(100):
        it.first_answer(0.95, 2, answered=True)
    assert it.frames == 2


def test_answers_lost_as_promised_slow_nobody() -> None:
    """Every fifth, of lights that lose every fifth."""
    it = grown()
    for n in range(1_000):
        it.first_answer(0.8, FRAMES_MOST, answered=n % 5 != 0)
    assert (it.frames, it.slower, it.missing) == (FRAMES_MOST, 1.0, 0)


def test_answers_missing_beyond_what_is_promised_halve_the_batch() -> None:
    it, told = grown(), 0
    while it.missing == 0:
        it.first_answer(0.9, FRAMES_MOST, answered=told % 3 == 0)
        told += 1
    assert 4 <= told < 40
    assert (it.frames, it.slower) == (FRAMES_MOST // 2, 1.25)
    assert it.reason == "first answers were missing"


def test_a_late_txack_sends_one_at_a_time_and_no_closer_than_txacks_came() -> None:
    it = grown()
    it.txack_late(0.5, since_last_s=1.9, airtime_s=0.185)
    assert (it.frames, it.gap_s) == (1, 1.9)
    it.txack_late(4.0, since_last_s=0.7, airtime_s=0.185)
    assert it.gap_s == pytest.approx(1.9 * 1.3)
    assert it.late == 2


def test_a_refusal_sends_one_at_a_time() -> None:
    it = grown()
    it.frame_refused(since_last_s=0.3, airtime_s=0.185)
    assert (it.frames, it.refused) == (1, 1)


def test_a_batch_does_not_grow_for_two_hundred_lights_after_a_late_txack() -> None:
    it = grown()
    it.txack_late(0.5, since_last_s=1.0, airtime_s=0.185)
    for _ in range(199):
        it.first_answer(0.95, FRAMES_MOST, answered=True)
    assert it.frames == 1
    for _ in range(4):
        it.first_answer(0.95, FRAMES_MOST, answered=True)
    assert it.frames == 2


def worst() -> BackOff:
    it = grown()
    for _ in range(10):
        it.txack_late(5.0, since_last_s=60.0, airtime_s=1.32)
    for _ in range(400):
        it.first_answer(0.9, FRAMES_MOST, answered=False)
    assert (it.frames, it.slower) == (1, 8.0)
    assert it.gap_s == pytest.approx(14.0 * 1.32)
    return it


def test_good_frames_end_the_worst_back_off() -> None:
    it = worst()
    for _ in range(4_000):
        it.txack_in_time()
        it.first_answer(0.9, FRAMES_MOST, answered=True)
    assert (it.frames, it.slower, it.reason) == (FRAMES_MOST, 1.0, None)
    assert it.gap_s < 0.1


def test_time_alone_ends_the_worst_back_off() -> None:
    it = worst()
    for at in range(0, 3 * 3_600, 60):
        it.fade(float(at))
    assert it.slower < 1.01
    assert it.gap_s < 0.1
    assert it.reason is None


def test_it_never_grows_without_bound() -> None:
    it = BackOff()
    for _ in range(1_000):
        it.txack_late(50.0, since_last_s=60.0, airtime_s=1.32)
    assert it.gap_s <= 14.0 * 1.32
