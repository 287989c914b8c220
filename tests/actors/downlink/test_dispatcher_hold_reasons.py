"""The dispatcher's reasons: moments of the steady time, written out as dates at its border."""

import pytest

from actors.downlink.hold_reasons import air_used_up, dated, moment, offline, spaced

NOON = 1_760_011_200.0
"""2025-10-09 12:00 UTC."""


def test_a_reason_tells_the_date_that_the_machine_has_now() -> None:
    text = offline([("Hall", NOON)])
    assert "Hall (since 12:00 UTC)" in dated(text, 0.0, NOON + 60)
    assert "Hall (since 13:30 UTC)" in dated(text, 5_400.0, NOON + 60)


def test_a_moment_far_away_is_told_with_its_day() -> None:
    assert "until 2025-10-10 12:00 UTC" in dated(air_used_up(["Hall"], NOON + 86_400), 0.0, NOON)


def test_seconds_are_told_where_they_matter() -> None:
    assert dated(spaced(NOON + 7.25), 0.0, NOON).startswith("waits until 12:00:07 UTC:")


@pytest.mark.parametrize("at", [1e12, -1e14])
def test_a_moment_that_no_calendar_has_is_no_error(at: float) -> None:
    assert dated(f"until {moment(at)}", 0.0, 0.0) == "until some time"


def test_words_from_outside_stay_as_they_are() -> None:
    text = "gateway \x02x\x03 12:00 UTC {at}"
    assert dated(text, 3_600.0, 0.0) == text
