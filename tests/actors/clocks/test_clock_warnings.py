"""What people are told of clocks, from what was seen of them."""

import pytest

from actors.clocks.clock import ClockNews
from actors.clocks.clock_warnings import ClockWarnings, span_words
from actors.clocks.server_clock import ClockDifference

SAME = ClockDifference(-0.2, 0.4, 0.0)
STILL = ClockNews()


def differ(ahead_s: float) -> ClockDifference:
    return ClockDifference(ahead_s, ahead_s + 0.5, ahead_s)


def test_what_a_time_server_corrects_is_not_told() -> None:
    trouble = ClockWarnings()
    assert not trouble.see(ClockNews(stepped_s=1.2), SAME, 0.0)
    assert not trouble.see(ClockNews(slept_s=3.0), SAME, 1.0)
    assert not trouble.see(STILL, differ(-2.0), 2.0)


def test_a_step_is_told_for_a_quarter_of_an_hour_of_steady_time() -> None:
    trouble = ClockWarnings()
    assert trouble.see(ClockNews(stepped_s=120.0), SAME, 10.0)
    assert trouble.host == "this machine's clock was set forward by 2 min"
    assert not trouble.see(STILL, SAME, 900.0)
    assert trouble.see(STILL, SAME, 910.0)
    assert trouble.host is None


def test_a_difference_is_told_anew_only_when_it_changed() -> None:
    trouble = ClockWarnings()
    assert trouble.see(STILL, differ(92.0), 0.0)
    assert trouble.server is not None
    assert "92 s ahead of" in trouble.server
    assert not trouble.see(STILL, differ(93.0), 1.0)
    assert trouble.see(STILL, differ(-3_700.0), 2.0)
    assert "62 min behind" in trouble.server
    assert trouble.see(STILL, SAME, 3.0)
    assert trouble.server is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (-119.0, "119 s"), (600.0, "10 min"), (7_200.0, "2 h"), (6e8, "6944 d")],
)
def test_a_span_is_told_in_the_unit_that_fits(seconds: float, words: str) -> None:
    assert span_words(seconds) == words
