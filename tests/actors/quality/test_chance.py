"""The chance that a command is verified within 30 s: arithmetic that a person can check."""

import pytest

from actors.link.loss_counters import LossCounters
from actors.quality.chance import (
    Prior,
    attempts_within,
    chance_of,
    losses_of,
    odds_dark,
    statuses_missed,
)

PRIOR = Prior(0.07, 0.03)


def test_three_attempts_fit_10_s_apart_and_four_where_5_s_are_proven() -> None:
    assert attempts_within(0x58, frozenset()) == 3
    assert attempts_within(None, frozenset({0x58})) == 3
    assert attempts_within(0x58, frozenset({0x58})) == 4


def test_a_chance_is_that_of_one_answer_among_the_attempts() -> None:
    assert chance_of(0.05, 0.05, 3, 0.0) == pytest.approx(1 - (1 - 0.95 * 0.95) ** 3)
    assert chance_of(0.5, 0.0, 1, 0.0) == pytest.approx(0.5)


def test_a_light_as_likely_dark_as_not_halves_it() -> None:
    assert chance_of(0.1, 0.1, 3, 1.0) == pytest.approx(chance_of(0.1, 0.1, 3, 0.0) / 2)


def test_a_status_is_missed_once_it_is_overdue_and_not_before() -> None:
    assert statuses_missed(0.0, 900.0) == 0
    assert statuses_missed(900.0, 900.0) == 0
    assert statuses_missed(961.0, 900.0) == 1
    assert statuses_missed(4 * 900.0 + 61.0, 900.0) == 4
    assert statuses_missed(1e9, 900.0) == 20


def test_silence_of_a_good_light_says_more_than_that_of_a_poor_one() -> None:
    good = odds_dark(4_000.0, 4, 0.02, 4e-7)
    poor = odds_dark(4_000.0, 4, 0.5, 4e-7)
    assert good > 1_000 * poor
    assert poor == pytest.approx(4_000.0 * 4e-7 * 16)


def test_without_counts_the_fleet_is_believed() -> None:
    assert losses_of(LossCounters(), PRIOR) == pytest.approx((0.07, 0.03))


def test_who_loses_uplinks_is_expected_to_lose_downlinks() -> None:
    up, down = losses_of(LossCounters(uplinks_heard=35, uplinks_lost=35), PRIOR)
    assert up == pytest.approx((0.7 + 35) / 80)
    assert down == pytest.approx(0.03 * up / 0.07)


def test_downlinks_that_were_counted_outweigh_that() -> None:
    counters = LossCounters(uplinks_heard=35, uplinks_lost=35, downlinks_heard=70)
    assert losses_of(counters, PRIOR)[1] < 0.03


def test_statuses_that_are_overdue_count_as_lost() -> None:
    counters = LossCounters(uplinks_heard=70)
    before, after = losses_of(counters, PRIOR)[0], losses_of(counters, PRIOR, missed=4)[0]
    assert after > before + 0.04
