"""When cron expressions are due, over every change of a clock that a time zone knows."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.scenes.calendar import BadCalendar, check, due_within, next_due, zone_of

BERLIN = "Europe/Berlin"
ZONES = [
    BERLIN,
    "America/New_York",
    "America/Havana",  # put back at midnight
    "Australia/Lord_Howe",  # by half an hour
    "Asia/Kathmandu",
    "Pacific/Apia",  # left out a whole day
    "Africa/Casablanca",
    "UTC",
]


def at(text: str, zone: str = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def told(times: list[float], zone: str = BERLIN) -> list[str]:
    return [datetime.fromtimestamp(one, ZoneInfo(zone)).strftime("%d %H:%M%z") for one in times]


def test_a_time_that_does_not_exist_is_due_once_right_after_the_gap() -> None:
    found = next_due("30 2 * * *", BERLIN, at("2026-03-28T12:00"), 2)
    assert told(found) == ["29 03:00+0200", "30 02:30+0200"]
    several = next_due("15,45 2 * * *", BERLIN, at("2026-03-28T12:00"), 2)
    assert told(several) == ["29 03:00+0200", "30 02:15+0200"]


def test_a_time_that_exists_twice_is_due_the_first_time_only() -> None:
    found = next_due("30 2 * * *", BERLIN, at("2026-10-24T12:00"), 2)
    assert told(found) == ["25 02:30+0200", "26 02:30+0100"]
    between = found[0] + 1_800  # 02:00 for the second time
    assert told(next_due("30 2 * * *", BERLIN, between, 1)) == ["26 02:30+0100"]


def test_what_repeats_within_hours_goes_by_the_time_that_passes() -> None:
    hourly = next_due("0 * * * *", BERLIN, at("2026-10-25T00:30"), 4)
    assert [after - before for before, after in pairwise(hourly)] == [3_600.0] * 3
    assert told(hourly)[1:3] == ["25 02:00+0200", "25 02:00+0100"]
    over_the_gap = next_due("*/20 * * * *", BERLIN, at("2026-03-29T01:30"), 3)
    assert told(over_the_gap) == ["29 01:40+0100", "29 03:00+0200", "29 03:20+0200"]


@pytest.mark.parametrize("cron", ["", "* * * *", "0 0 0 * * *", "61 * * * *", "0 0 30 2 *", "x"])
def test_what_is_no_calendar_is_refused(cron: str) -> None:
    with pytest.raises(BadCalendar):
        check(cron, "UTC")


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../etc/passwd", "/etc/localtime", "a\0b"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(BadCalendar):
        zone_of(zone)


minutes = st.sampled_from(["0", "30", "59", "15,45", "*/20", "*"])
hours = st.sampled_from(["0", "1", "2", "3", "23", "1-4", "*/6", "*"])
days = st.sampled_from(["* * *", "* * 0", "1 * *", "29 2 *", "L * *"])
crons = st.builds("{} {} {}".format, minutes, hours, days)
moments = st.integers(
    int(datetime(2010, 1, 1, tzinfo=UTC).timestamp()),
    int(datetime(2037, 1, 1, tzinfo=UTC).timestamp()),
).map(float)


@settings(max_examples=200, deadline=None)
@given(crons, st.sampled_from(ZONES), moments, st.integers(0, 6))
def test_times_follow_each_other_and_do_not_depend_on_where_one_begins(
    cron: str, zone: str, after: float, cut: int
) -> None:
    found = next_due(cron, zone, after, 8)
    assert all(before < following for before, following in pairwise([after, *found]))
    assert all(one % 60 == 0 or zone == "Africa/Casablanca" for one in found)
    if len(found) > cut + 1:
        assert next_due(cron, zone, found[cut], 1) == [found[cut + 1]], "as a mark begins it"
        assert list(due_within(cron, zone, found[0], found[cut])) == found[1 : cut + 1]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 23), st.integers(0, 59), st.sampled_from(ZONES), moments)
def test_a_daily_time_is_due_once_a_day_whatever_the_clocks_do(
    hour: int, minute: int, zone: str, after: float
) -> None:
    found = next_due(f"{minute} {hour} * * *", zone, after, 6)
    dates = [datetime.fromtimestamp(one, ZoneInfo(zone)).date() for one in found]
    assert len(set(dates)) == len(dates)
    assert all((b - a).days == 1 or zone == "Pacific/Apia" for a, b in pairwise(dates))
