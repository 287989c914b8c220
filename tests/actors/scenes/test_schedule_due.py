"""What follows from a schedule, its mark and the date."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.clocks.server_clock import ClockDifference
from actors.replace import replace
from actors.scenes.calendar import due_within
from actors.scenes.due import Apply, Missed, Remark, Wait, agreed, decide, right_date
from actors.scenes.model import Schedule

NOON = 1_780_315_200.0  # 2026-06-01 12:00 UTC
HOUR = 3_600.0
UNKNOWN = ClockDifference(None, None, 0.0)


def schedule(**more: Any) -> Schedule:
    fields: dict[str, Any] = {
        "id": "s",
        "name": "evening",
        "cron": "0 12 * * *",
        "created_at": 0.0,
        "changed_at": 0.0,
        "mark": NOON - HOUR,
    }
    return Schedule(**(fields | more))


def test_it_waits_for_its_next_time() -> None:
    assert decide(schedule(), "UTC", NOON - 1) == Wait(NOON)
    assert decide(schedule(enabled=False), "UTC", NOON + 1) == Wait(None)


def test_a_time_is_due_until_its_limit_and_is_then_missed() -> None:
    assert decide(schedule(), "UTC", NOON) == Apply(NOON)
    assert decide(schedule(), "UTC", NOON + HOUR - 1) == Apply(NOON)
    assert decide(schedule(), "UTC", NOON + HOUR) == Missed(NOON, 1)


def test_of_several_times_the_newest_is_due_and_the_others_are_counted() -> None:
    often = schedule(cron="*/10 * * * *", mark=NOON - 10 * HOUR)
    assert decide(often, "UTC", NOON + 1) == Apply(NOON, skipped=60 - 1)
    ancient = schedule(cron="* * * * *", mark=0.0)
    assert decide(ancient, "UTC", NOON) == Apply(NOON, skipped=1_000)


def test_its_own_time_zone_goes_before_the_sites() -> None:
    assert decide(schedule(), "Europe/Berlin", NOON - 1) == Wait(NOON + 22 * HOUR)
    own = schedule(time_zone="Europe/Berlin", mark=NOON - 3 * HOUR)
    assert decide(own, "UTC", NOON - 1) == Apply(NOON - 2 * HOUR, 0) or decide(
        own, "UTC", NOON - 1
    ) == Missed(NOON - 2 * HOUR, 1)


def test_a_clock_that_is_put_back_brings_no_time_again() -> None:
    applied = schedule(mark=NOON + 5)
    assert decide(applied, "UTC", NOON - HOUR) == Wait(NOON + 24 * HOUR)
    assert decide(applied, "UTC", NOON) == Wait(NOON + 24 * HOUR)


def test_a_mark_of_a_wrong_clock_gives_way_only_where_two_clocks_agree() -> None:
    wrong = schedule(mark=NOON + 10 * 365 * 24 * HOUR)
    assert decide(wrong, "UTC", NOON, sure=True) == Remark()
    assert isinstance(decide(wrong, "UTC", NOON), Wait)


@pytest.mark.parametrize(
    ("stepped_s", "difference", "off_s"),
    [
        (0.0, UNKNOWN, 0.0),
        (5e8, UNKNOWN, 0.0),
        (5e8, ClockDifference(-5e8, -5e8 + 1, -5e8), -5e8),  # set away from ChirpStack's
        (5e8, ClockDifference(-0.1, 0.1, 0.0), 0.0),  # set to ChirpStack's
        (0.0, ClockDifference(3_599.0, 3_600.0, 3_599.0), 0.0),  # theirs was always another
        (90.0, ClockDifference(3_509.0, 3_510.0, 3_509.0), 0.0),
        (-7_200.0, ClockDifference(7_200.0, 7_201.0, 7_200.0), 7_200.0),
    ],
)
def test_the_date_is_that_of_the_clock_that_did_not_jump(
    stepped_s: float, difference: ClockDifference, off_s: float
) -> None:
    assert right_date(NOON, stepped_s, difference) == NOON + off_s


def test_two_clocks_agree_only_where_both_are_known() -> None:
    assert not agreed(UNKNOWN)
    assert not agreed(ClockDifference(None, 5.0, 0.0))
    assert agreed(ClockDifference(-1.0, 5.0, 0.0))
    assert not agreed(ClockDifference(100.0, 101.0, 100.0))


CRONS = ["*/15 * * * *", "30 2 * * *", "0 0 * * *", "0 */6 * * *", "45 1 * * 0"]
ZONES = ["Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "UTC"]


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(CRONS),
    st.sampled_from(ZONES),
    st.integers(1_760_000_000, 1_800_000_000).map(float),
    st.lists(st.floats(1.0, 20_000.0), min_size=1, max_size=20),
    st.data(),
)
def test_no_time_is_applied_twice_and_none_is_skipped_unseen(
    cron: str, zone: str, begin: float, pauses: list[float], data: st.DataObject
) -> None:
    """Looks at any moments, crashes before the mark is stored, clocks that are put back: each time
    is applied under its own key at most once with another result, counted, or told as missed."""
    one = schedule(cron=cron, time_zone=zone, mark=begin, late_most_s=3 * HOUR)
    date, accounted = begin, 0
    keys: set[float] = set()
    for pause in pauses:
        date += pause
        seen = date - data.draw(st.sampled_from([0.0, 0.0, 900.0]))
        decision = decide(one, "UTC", seen)
        if isinstance(decision, Wait):
            continue
        if isinstance(decision, Apply):
            assert decision.due_at not in keys, "applied twice"
            assert decision.due_at > one.mark
            if data.draw(st.booleans()):  # it crashed before the mark was stored
                again = decide(one, "UTC", seen)
                assert again == decision, "begun again under the same key"
            keys.add(decision.due_at)
            accounted += 1 + decision.skipped
        else:
            assert isinstance(decision, Missed)
            accounted += decision.count
        one = replace(one, mark=max(one.mark, seen))
    assert accounted == sum(1 for _ in due_within(cron, zone, begin, one.mark))
