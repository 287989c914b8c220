"""ChirpStack's clock against ours: what is proven, and nothing else."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.clocks.server_clock import ServerClock

START = 1_760_000_000.0


def test_nothing_is_corrected_while_nothing_is_known() -> None:
    server = ServerClock()
    assert server.ahead_s(START) == 0.0
    assert server.difference(START).at_least_s is None
    assert server.difference(START).at_most_s is None


def test_a_time_from_the_future_proves_that_the_server_is_ahead() -> None:
    server = ServerClock()
    server.told(START + 119.8, START)
    assert server.ahead_s(START) == 119.0
    assert server.difference(START).used_s == pytest.approx(119.8)


def test_a_webhook_that_is_late_proves_nothing() -> None:
    server = ServerClock()
    server.told(START - 300.0, START)
    assert server.difference(START).used_s == 0.0
    assert server.difference(START).at_least_s == -300.0


def test_items_are_given_the_shorter_life_while_all_webhooks_are_old_by_our_date() -> None:
    server = ServerClock()
    server.told(START - 1_688.0, START)
    assert server.ahead_s(START) == -1_628.0, "it may have been a listing, a minute old"
    server.told(START - 1_687.5, START + 1.0, live=True)
    assert server.ahead_s(START + 1.0) == -1_678.0, "a webhook is ten seconds old at most"
    assert server.unproven_s(START + 1.0) == 10.0


def test_a_txack_ends_the_doubt_whether_webhooks_are_late_or_our_date_is_ahead() -> None:
    server = ServerClock()
    server.told(START - 300.0, START, live=True)
    server.caused(START + 5.2, START + 5.0)
    assert server.ahead_s(START + 6.0) == 0.0
    assert server.unproven_s(START + 6.0) == 0.0


def test_news_that_is_young_gives_items_their_whole_life() -> None:
    server = ServerClock()
    server.told(START - 4.9, START, live=True)
    assert server.ahead_s(START) == 0.0


def test_a_consequence_dated_before_its_cause_proves_that_the_server_is_behind() -> None:
    server = ServerClock()
    server.caused(START - 89.5, START)
    server.told(START - 89.5, START + 0.5)
    assert server.ahead_s(START + 1) == -89.0
    shown = server.difference(START + 1)
    assert (shown.at_least_s, shown.at_most_s) == (-90.0, -89.5)


def test_a_server_that_is_set_forward_is_followed() -> None:
    server = ServerClock()
    server.caused(START + 0.1, START)
    server.told(START + 0.1, START + 0.2)
    server.told(START + 61.0, START + 1.0)
    assert server.ahead_s(START + 1.0) == 60.0


def test_a_server_that_is_set_back_is_followed() -> None:
    server = ServerClock()
    server.told(START + 0.1, START + 0.2)
    server.caused(START - 58.0, START + 1.0)
    assert server.ahead_s(START + 2.0) == -59.0


def test_old_bounds_are_forgotten_when_new_ones_come() -> None:
    server = ServerClock()
    server.told(START + 50.0, START)
    for after_s in range(30, 700, 30):
        server.told(START + after_s - 0.1, START + after_s)
    assert server.ahead_s(START + 700) == 0.0


def test_a_step_of_our_own_clock_changes_the_date_but_not_the_steady_time() -> None:
    server = ServerClock()
    server.told(START + 120.0, START)
    assert server.ahead_s(START, stepped_s=120.0) == 120.0
    assert server.difference(START, stepped_s=120.0).used_s == 0.0


def test_without_evidence_the_server_has_the_date_of_the_machine() -> None:
    assert ServerClock().ahead_s(START, stepped_s=-45.25) == -45.0


def test_a_time_that_no_clock_tells_is_passed_over() -> None:
    server = ServerClock()
    server.told(1e300, START)
    server.caused(-math.inf, START)
    assert server.ahead_s(START) == 0.0


@given(
    offset_s=st.floats(-1e6, 1e6),
    delays=st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=1, max_size=30),
)
def test_the_truth_always_lies_between_the_bounds(
    offset_s: float, delays: list[tuple[float, float]]
) -> None:
    """Whatever the delays: a server ahead by `offset_s` is never taken to be farther off."""
    server = ServerClock()
    now = START
    for until_written_s, until_read_s in delays:
        asked_at = now
        written_at = asked_at + until_written_s
        now = written_at + until_read_s
        server.caused(written_at + offset_s, asked_at)
        server.told(written_at + offset_s, now)
    shown = server.difference(now)
    assert shown.at_least_s is not None
    assert shown.at_most_s is not None
    assert shown.at_least_s - 1e-3 <= offset_s <= shown.at_most_s + 1e-3
    assert abs(shown.used_s) <= abs(offset_s) + 1e-3
