import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lorawan.airtime import AirtimeLedger, downlink_airtime_s, region
from lorawan.airtime.ledger import ENTRIES_MOST, WINDOW_S

SF12_S = downlink_airtime_s(5, region("EU868").rx2())
SF7_S = downlink_airtime_s(5, region("EU868").rx2(5))
START = 1_767_323_045.678901
SECONDS = st.floats(0, 4000)
AIRTIMES = st.floats(0.01, 3.0) | st.sampled_from([SF7_S, SF12_S])


def small(duty_cycle=0.1, window_s=100.0):
    """A ledger of 10 s in 100 s, so that few frames fill it."""
    return AirtimeLedger(duty_cycle, window_s=window_s)


def most_in_any_window(frames, window_s):
    """The most airtime that any window of this length holds, by its real overlap.

    The overlap changes its slope only where a window begins or ends at a frame's edge.
    """
    edges = [edge for at, airtime_s in frames for edge in (at, at + airtime_s)]
    begins = [*edges, *(edge - window_s for edge in edges)]
    return max(
        (
            sum(
                max(0.0, min(at + airtime_s, begin + window_s) - max(at, begin))
                for at, airtime_s in frames
            )
            for begin in begins
        ),
        default=0.0,
    )


def test_the_oracle_counts_overlap():
    frames = [(0.0, 2.0), (50.0, 2.0), (101.0, 2.0)]
    assert most_in_any_window(frames, 100.0) == pytest.approx(4.0)
    assert most_in_any_window(frames, 101.0) == pytest.approx(4.0)
    assert most_in_any_window(frames, 103.0) == pytest.approx(6.0)


@pytest.mark.parametrize(("airtime_s", "frames"), [(SF12_S, 272), (SF7_S, 6996)])
def test_a_budget_may_be_spent_at_once(airtime_s, frames):
    ledger = AirtimeLedger(region("EU868").duty_cycle)
    assert ledger.room_at(START, 360.0) == START
    assert ledger.room_at(START, 360.001) > START
    now = START
    sent = 0
    while ledger.room_at(now, airtime_s) == now:
        ledger.charge(now, airtime_s)
        now += airtime_s
        sent += 1
    assert sent == frames
    assert ledger.spent(now) == pytest.approx(frames * airtime_s)
    assert ledger.room_at(now, airtime_s) == pytest.approx(START + airtime_s + WINDOW_S)


def test_room_comes_when_the_oldest_frames_have_left():
    ledger = small()
    for at, airtime_s in ((0.0, 4.0), (10.0, 3.0), (20.0, 3.0)):
        ledger.charge(at, airtime_s)
    assert ledger.room_at(30.0, 0.5) == 104.0
    assert ledger.room_at(30.0, 4.0) == 104.0
    assert ledger.room_at(30.0, 4.5) == 113.0
    assert ledger.room_at(30.0, 10.0) == 123.0
    assert ledger.spent(103.9) == 10.0
    assert ledger.spent(104.0) == 6.0
    assert ledger.room_at(104.0, 4.0) == 104.0


def test_what_can_never_fit():
    ledger = small()
    assert ledger.room_at(0.0, 10.0) == 0.0
    assert ledger.room_at(0.0, 10.001) == math.inf


def test_asking_charges_nothing():
    ledger = small()
    ledger.room_at(0.0, 9.0)
    assert (ledger.spent(0.0), len(ledger)) == (0.0, 0)


def test_without_a_limit_there_is_always_room_and_still_an_account():
    ledger = AirtimeLedger(None)
    for second in range(100):
        ledger.charge(float(second), 1.0)
    assert ledger.room_at(100.0, 1000.0) == 100.0
    assert ledger.spent(100.0) == 100.0
    assert ledger.spent(100.0 + WINDOW_S) == 0.0


def test_a_late_fact_counts_for_the_rest_of_its_window():
    ledger = small()
    ledger.spent(100.0)
    ledger.charge(50.0, 8.0)
    ledger.charge(-20.0, 8.0)
    assert ledger.spent(100.0) == 8.0
    assert ledger.room_at(100.0, 3.0) == 158.0


def test_facts_beyond_the_budget_are_counted():
    ledger = small()
    ledger.charge(0.0, 8.0)
    ledger.charge(20.0, 8.0)
    assert ledger.spent(30.0) == 16.0
    assert ledger.room_at(30.0, 1.0) == 108.0
    assert ledger.room_at(30.0, 9.0) == 128.0


def test_an_earlier_time_is_answered_for_the_newest():
    ledger = small()
    ledger.spent(50.0)
    assert ledger.room_at(49.0, 1.0) == 50.0


def test_a_clock_set_back_is_believed_and_everything_counts_as_just_sent():
    ledger = small()
    ledger.charge(86_400.0, 8.0)
    assert ledger.spent(86_400.0) == 8.0
    assert ledger.spent(0.0) == 8.0
    assert ledger.room_at(0.0, 3.0) == 100.0
    assert ledger.spent(100.0) == 0.0


@pytest.mark.parametrize("duty_cycle", [0.0, -0.1, 1.1, math.nan])
def test_no_such_duty_cycle(duty_cycle):
    with pytest.raises(ValueError, match="duty cycle"):
        AirtimeLedger(duty_cycle)


@pytest.mark.parametrize("airtime_s", [-1.0, math.nan, math.inf])
def test_no_such_airtime(airtime_s):
    ledger = small()
    with pytest.raises(ValueError, match="airtime"):
        ledger.charge(0.0, airtime_s)
    with pytest.raises(ValueError, match="airtime"):
        ledger.room_at(0.0, airtime_s)


def test_memory_is_bounded_and_nothing_is_forgotten():
    ledger = AirtimeLedger(None)
    frames = ENTRIES_MOST * 3
    gap_s = WINDOW_S / frames / 2
    for number in range(frames):
        ledger.charge(number * gap_s, 0.01)
    assert len(ledger) <= ENTRIES_MOST
    now = frames * gap_s
    assert ledger.spent(now) == pytest.approx(frames * 0.01)
    # Coalesced frames leave up to a second late, never early.
    assert ledger.spent(WINDOW_S + 900.0) == pytest.approx(frames / 2 * 0.01, rel=0.01)
    assert ledger.spent(now + WINDOW_S + 2.0) == 0.0


def test_what_was_coalesced_leaves_late_rather_than_early():
    ledger = AirtimeLedger(None, window_s=10.0, entries_most=20)
    for number in range(21):
        ledger.charge(1000.0 + number / 50, 0.01)
    assert len(ledger) < 20
    assert ledger.spent(1010.44) == pytest.approx(0.21)
    assert ledger.spent(1011.0) == 0.0


def test_memory_is_bounded_even_when_nobody_asks():
    ledger = AirtimeLedger(0.1, window_s=100.0, entries_most=200)
    for number in range(5000):
        ledger.charge(number * 7.0, 0.01)
        assert len(ledger) <= 200
    ledger.charge(5000 * 7.0, 9.9)
    assert ledger.room_at(5000 * 7.0, 0.1) > 5000 * 7.0
    assert ledger.spent(1e6) == 0.0


def test_a_reservation_ahead_does_not_move_the_clock():
    ledger = small()
    ledger.charge(500.0, 8.0)
    assert ledger.room_at(0.0, 2.0) == 0.0
    assert ledger.room_at(0.0, 3.0) == 608.0


def test_the_bound_must_hold_two_entries_a_second():
    with pytest.raises(ValueError, match="entries_most"):
        AirtimeLedger(0.1, entries_most=100)


def test_no_residue_after_many_frames():
    ledger = small()
    for number in range(20_000):
        ledger.charge(number * 0.7, 0.1 + number / 1e6)
    assert ledger.spent(1e6) == 0.0


@settings(max_examples=200)
@given(st.lists(st.tuples(SECONDS, AIRTIMES), max_size=60))
def test_no_window_ever_holds_more_than_the_budget(wishes):
    """Wishes may come in any order of time; each is sent when the ledger allows it."""
    ledger = AirtimeLedger(0.01, window_s=300.0)
    sent = []
    for at, airtime_s in wishes:
        allowed = ledger.room_at(START + at % 300.0 + len(sent) * 10.0, airtime_s)
        ledger.charge(allowed, airtime_s)
        sent.append((allowed, airtime_s))
    assert most_in_any_window(sent, 300.0) <= 3.0 + 1e-5


@given(st.lists(AIRTIMES, max_size=40), AIRTIMES)
def test_room_is_given_as_early_as_the_rule_allows(charged, airtime_s):
    """Just before the time given, too much of what was charged would still count."""
    ledger = AirtimeLedger(0.1, window_s=100.0)
    now = START
    for frame_s in charged:
        ledger.charge(now, frame_s)
        now += frame_s
    allowed = ledger.room_at(now, airtime_s)
    if allowed > now:
        frames = []
        at = START
        for frame_s in charged:
            frames.append((at + frame_s + 100.0, frame_s))
            at += frame_s
        counting = sum(frame_s for leaves_at, frame_s in frames if leaves_at > allowed - 1e-3)
        assert counting + airtime_s > 10.0 - 1e-3
