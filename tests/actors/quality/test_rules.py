"""When a light is worth a warning, and when not any more."""

import pytest

from actors.device.sessions import REQUIRED_SNR_DB
from actors.quality import rules
from actors.quality.light_past import LightPast
from actors.quality.rules import Standing, theil_sen

DAY_S = 86_400.0


def with_days(margins: list[float]) -> LightPast:
    past = LightPast()
    for margin_db in margins:
        for _ in range(24):
            past.heard(margin_db, 9, REQUIRED_SNR_DB)
        past.day_over()
    return past


def test_a_day_that_is_off_does_not_turn_a_slope() -> None:
    line = [(day, 20.0 - day) for day in range(7)]
    line[3] = (3, 60.0)
    assert theil_sen(line) == pytest.approx(-1.0)


def test_a_margin_that_will_soon_be_too_small_is_warned_of() -> None:
    found = rules.trend(with_days([12.0, 10.5, 9.0, 7.5, 6.0, 4.5]), on=False)
    assert found.words is not None
    assert "from 12 dB to 4 dB" in found.words or "from 12 dB to 5 dB" in found.words
    assert "1.5 dB a day" in found.words


@pytest.mark.parametrize(
    "margins",
    [
        [12.0, 11.9, 12.1, 12.0, 12.0, 12.0],  # steady
        [24.0, 22.5, 21.0, 19.5, 18.0, 16.5],  # falls as fast, with much left
        [7.0, 6.8, 6.5, 6.3, 6.0, 5.8],  # low, and falls slowly
        [12.0, 10.0, 5.0],  # three days tell no trend
    ],
)
def test_a_margin_that_stays_or_has_much_left_is_not(margins: list[float]) -> None:
    assert rules.trend(with_days(margins), on=False).words is None


def test_a_trend_that_was_told_stays_until_it_is_clearly_over() -> None:
    slower = with_days([8.5, 8.0, 7.6, 7.2, 6.8, 6.4])
    assert rules.trend(slower, on=False).words is None
    assert rules.trend(slower, on=True).words is not None
    assert rules.trend(with_days([8.0, 8.0, 8.1, 8.0, 8.1]), on=True).words is None


def test_lost_uplinks_are_told_above_a_half_and_until_a_third() -> None:
    assert rules.counters(0.51, 30.0, on=False).words == "51 % of its statuses are lost"
    assert rules.counters(0.49, 30.0, on=False).words is None
    assert rules.counters(0.40, 30.0, on=True).words is not None
    assert rules.counters(0.34, 30.0, on=True).words is None
    assert rules.counters(0.9, 5.0, on=False).words is None, "five frames are no evidence"


def test_three_joins_in_a_day_are_flapping_until_a_day_without() -> None:
    past = LightPast()
    past.joined(1_000.0, 2)
    assert rules.flapping(past, 2_000.0, on=False).words is None
    past.joined(2_000.0, 1)
    assert "3 times" in (rules.flapping(past, 2_000.0, on=False).words or "")
    assert rules.flapping(past, 2_000.0 + DAY_S, on=True).words is not None
    assert rules.flapping(past, 2_001.0 + DAY_S, on=True).words is None


def moving(before_db: float, after_db: float, after: int = 12) -> LightPast:
    past = with_days([before_db])
    for margin_db in [before_db] * (24 - after) + [after_db] * after:
        past.heard(margin_db, 9, REQUIRED_SNR_DB)
    return past


def test_a_step_that_stays_is_told_with_what_it_was() -> None:
    found = rules.moved(moving(18.5, 8.5), 1_000.0, None)
    assert found.words is not None
    assert "from 18 dB to 8 dB at once" in found.words
    assert found.level_db == 18.5


def test_a_small_step_or_a_short_one_is_not_told() -> None:
    assert rules.moved(moving(18.5, 13.5), 1_000.0, None).words is None
    assert rules.moved(moving(18.5, 8.5, after=11), 1_000.0, None).words is None
    assert rules.moved(moving(8.5, 18.5), 1_000.0, None).words is None, "better is no trouble"


def test_a_step_is_over_when_the_signal_is_back_or_it_has_become_the_usual() -> None:
    told = Standing(1_000.0, 18.5)
    assert rules.moved(moving(18.5, 8.5), 2_000.0, told).words is not None
    assert rules.moved(moving(8.5, 17.0), 2_000.0, told).words is None
    assert rules.moved(moving(18.5, 8.5), 1_001.0 + 3 * DAY_S, told).words is None
