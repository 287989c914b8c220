"""The dispatcher's reasons: moments of the steady time, made dates at its border."""

import pytest

from actors.downlink.hold_reasons import air_used_up, offline, refused, spaced
from actors.reasons import GatewayTold, Reason, dated, text_of
from actors.reasons.saying import moment

NOON = 1_760_011_200.0
"""2025-10-09 12:00 UTC."""
HALL = GatewayTold("0a", "Hall")


def words(reason: Reason, ahead_s: float, now: float) -> str:
    return text_of(dated(reason, ahead_s), now + ahead_s)


def test_a_reason_tells_the_date_that_the_machine_has_now() -> None:
    reason = offline([GatewayTold("0a", "Hall", NOON)])
    assert "Hall (since 12:00 UTC)" in words(reason, 0.0, NOON + 60)
    assert "Hall (since 13:30 UTC)" in words(reason, 5_400.0, NOON + 60)


def test_a_moment_far_away_is_told_with_its_day() -> None:
    assert "until 2025-10-10 12:00 UTC" in words(air_used_up([HALL], NOON + 86_400), 0.0, NOON)


def test_seconds_are_told_where_they_matter() -> None:
    assert words(spaced(NOON + 7.25), 0.0, NOON).startswith("waits until 12:00:07 UTC:")


@pytest.mark.parametrize("at", [1e12, -1e14])
def test_a_moment_that_no_calendar_has_is_no_error(at: float) -> None:
    assert moment(at, 0.0) == "some time"
    assert "until some time" in words(air_used_up([HALL], at), 0.0, 0.0)


def test_words_from_outside_stay_as_they_are() -> None:
    text = "gateway \x02x\x03 12:00 UTC {at} {text}"
    assert words(refused(text), 3_600.0, 0.0).endswith(f": {text}")
