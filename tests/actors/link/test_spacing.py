"""Frames 5 s apart are allowed once nothing speaks against it, and no longer than that."""

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.link.spacing import AGAIN_FIRST, AGAIN_MOST, Spacing, SpacingRecord, interval


def answered(spacing: Spacing, answer_s: float, count: int, factor: int | None = 9) -> Spacing:
    for _ in range(count):
        spacing.answer(answer_s, factor)
    return spacing


def test_a_hundred_quick_answers_prove_it() -> None:
    spacing = answered(Spacing(), 0.3, 99)
    assert not spacing.proven
    assert answered(spacing, 0.3, 1).proven


def test_the_receive_window_after_the_answer_belongs_to_it() -> None:
    # 5 s less 0.267 s of status at SF9 and 1.1 s until its window is over are 3.63 s
    assert answered(Spacing(), 3.6, 100).proven
    assert not answered(Spacing(), 3.7, 100).proven


def test_slow_modulation_leaves_less_time_and_an_unknown_one_is_taken_to_be_slow() -> None:
    assert not answered(Spacing(), 2.0, 100, factor=12).proven
    assert answered(Spacing(), 1.9, 100, factor=12).proven
    assert not answered(Spacing(), 2.0, 100, factor=None).proven


def test_one_answer_that_takes_longer_takes_it_back_for_some_hundred() -> None:
    spacing = answered(Spacing(), 0.3, 500)
    spacing.answer(4.5, 9)
    assert not spacing.proven
    assert not answered(spacing, 0.3, 100).proven
    assert answered(spacing, 0.3, 400).proven


def tries(
    spacing: Spacing,
    share: float,
    count: int,
    *,
    gap_s: float,
    seed: int = 4,
    expected: float = 0.9,
) -> int:
    """How many frames of this kind it took until it was no longer proven."""
    chance = random.Random(seed)
    for number in range(count):
        spacing.tried(gap_s, expected, answered=chance.random() < share)
        if not spacing.proven:
            return number + 1
    return count + 1


@pytest.mark.parametrize("seed", range(20))
def test_near_frames_that_all_get_lost_end_it_within_eight(seed: int) -> None:
    spacing = answered(Spacing(), 0.3, 500)
    tries(spacing, 0.9, 200, gap_s=10.2, seed=seed)
    assert spacing.proven
    assert tries(spacing, 0.0, 20, gap_s=5.1) <= 8
    assert spacing.taken_back == 1


@pytest.mark.parametrize("seed", range(20))
def test_near_frames_that_are_lost_twice_as_often_end_it_sooner_or_later(seed: int) -> None:
    spacing = answered(Spacing(), 0.3, 500)
    tries(spacing, 0.9, 200, gap_s=10.2, seed=seed)
    assert tries(spacing, 0.6, 400, gap_s=5.1, seed=seed) <= 400


def test_near_frames_that_fare_as_well_hardly_ever_end_it() -> None:
    ended = 0
    for seed in range(100):
        spacing = answered(Spacing(), 0.3, 500)
        tries(spacing, 0.85, 100, gap_s=20.0, seed=seed + 1_000, expected=0.85)
        ended += tries(spacing, 0.85, 200, gap_s=5.1, seed=seed, expected=0.85) <= 200
    assert ended <= 5


def test_poor_lights_are_no_sign_against_it() -> None:
    spacing = answered(Spacing(), 0.3, 500)
    tries(spacing, 0.95, 200, gap_s=10.2, expected=0.95)
    assert tries(spacing, 0.5, 100, gap_s=5.1, expected=0.5) > 100, "no better was promised"


def test_a_middling_gap_says_nothing() -> None:
    spacing = answered(Spacing(), 0.3, 500)
    assert tries(spacing, 0.0, 100, gap_s=8.0) > 100


def test_a_proof_that_comes_late_is_no_loss() -> None:
    spacing = answered(Spacing(), 0.3, 500)
    for _ in range(100):
        spacing.tried(5.1, 0.9, answered=False)
        spacing.tried_late(5.1)
    assert spacing.proven


def test_what_was_taken_back_has_to_be_proven_by_ever_more_tries() -> None:
    spacing = answered(Spacing(), 0.3, 500)
    for times in range(1, 8):
        tries(spacing, 0.0, 60, gap_s=5.1)
        assert spacing.taken_back == times
        needed = min(AGAIN_FIRST * 2 ** (times - 1), AGAIN_MOST)
        for _ in range(needed - 1):
            spacing.tried(5.1, 0.9, answered=True)
        assert not spacing.proven
        spacing.tried(5.1, 0.9, answered=True)
        assert spacing.proven


def test_what_is_stored_goes_on() -> None:
    spacing = answered(Spacing(), 0.3, 120)
    tries(spacing, 0.9, 30, gap_s=10.2)
    again = Spacing(msgspec.json.decode(msgspec.json.encode(spacing.record()), type=SpacingRecord))
    assert again.proven
    assert again.record() == spacing.record()
    tries(again, 0.0, 20, gap_s=5.1)
    assert not Spacing(again.record()).proven


def test_the_interval_holds_the_share_and_narrows() -> None:
    few, many = interval(9.0, 10.0), interval(900.0, 1_000.0)
    assert few[0] < many[0] < 0.9 < many[1] < few[1]
    assert interval(0.0, 6.0) == (0.0, pytest.approx(0.475, abs=0.001))
    assert interval(6.0, 6.0) == (pytest.approx(0.525, abs=0.001), 1.0)


@given(st.floats(0.0, 1.0), st.floats(0.001, 1e6))
def test_an_interval_lies_within_0_and_1(share: float, tries: float) -> None:
    low, high = interval(share * tries, tries)
    assert 0.0 <= low <= high <= 1.0
