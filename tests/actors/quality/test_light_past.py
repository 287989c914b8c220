"""What is remembered of a light: medians by day, counts, and a change of spreading factor."""

import msgspec
import pytest

from actors.device.sessions import REQUIRED_SNR_DB
from actors.quality.light_past import DAYS_KEPT, RECENT_MOST, LightPast, StoredPast


def filled(margins: list[float], factor: int = 9) -> LightPast:
    past = LightPast()
    for margin_db in margins:
        past.heard(margin_db, factor, REQUIRED_SNR_DB)
    return past


def test_a_day_has_a_median_once_enough_was_heard() -> None:
    past = filled([10.2] * 10 + [14.7] * 9)
    assert past.margin_today_db is None
    past.heard(14.7, 9, REQUIRED_SNR_DB)
    assert past.margin_today_db == pytest.approx(11.0, abs=0.6)


def test_margins_beyond_the_histogram_stay_at_its_ends() -> None:
    assert filled([-30.0] * 20).margin_today_db == pytest.approx(-3.5)
    assert filled([90.0] * 20).margin_today_db == pytest.approx(27.5)


def test_a_busy_day_overflows_nothing() -> None:
    past = filled([5.5, 5.5, 9.5] * 1_000)
    assert past.margin_today_db == pytest.approx(5.5, abs=0.5)
    past.counted(sent=40_000, heard=1, taken=2, received=3)
    assert past.counts == (32_767, 1, 2, 3)


def test_days_are_kept_for_a_fortnight_and_the_oldest_go() -> None:
    past = LightPast()
    for day in range(DAYS_KEPT + 3):
        past.counted(sent=day)
        past.day_over()
    days = list(past.days())
    assert len(days) == DAYS_KEPT + 1
    assert [day.sent for day in days] == [*range(3, DAYS_KEPT + 3), 0]


def test_another_spreading_factor_is_no_step_of_the_signal() -> None:
    past = filled([20.0] * 30, factor=12)
    past.day_over()
    for _ in range(30):
        past.heard(12.5, 9, REQUIRED_SNR_DB)  # SF9 needs 7.5 dB more than SF12
    (_, yesterday_db), (_, today_db) = past.margins(7)
    assert yesterday_db == pytest.approx(12.5 + 0.5, abs=0.6)
    assert today_db == pytest.approx(12.5, abs=0.6)
    assert set(past.recent_db()) == {12.5}


def test_the_newest_margins_and_joins_are_bounded() -> None:
    past = filled([float(one) for one in range(40)])
    assert past.recent_db() == [float(one) for one in range(40 - RECENT_MOST, 40)]
    past.joined(5.0, 100)
    past.joined(9.0, 1)
    assert past.joins_since(0.0) == 8
    assert past.joins_since(6.0) == 1


def test_it_is_the_same_after_the_store() -> None:
    past = filled([7.3] * 30)
    past.day_over()
    past.counted(sent=5, heard=4, taken=3, received=2)
    past.joined(7.0, 2)
    stored = msgspec.json.decode(msgspec.json.encode(past.stored()), type=StoredPast)
    again = LightPast(stored)
    assert list(again.days()) == list(past.days())
    assert again.recent == past.recent
    assert (again.joins, again.factor) == (past.joins, 9)
