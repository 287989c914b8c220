"""How many frames of a light are lost is counted and fades; the fleet's share counts beside."""

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.link import loss_counters as lc
from actors.link.loss_counters import NONE_COUNTED, LossCounters


def test_without_counts_the_fleets_share_holds() -> None:
    assert lc.uplink_loss(None, 0.07) == lc.uplink_loss(NONE_COUNTED, 0.07) == pytest.approx(0.07)
    assert lc.downlink_loss(None, 0.03) == pytest.approx(0.03)


def test_one_lost_frame_of_ten_moves_it_little() -> None:
    counters = NONE_COUNTED
    for _ in range(9):
        counters = lc.uplink_heard(counters, 0)
    clean = lc.uplink_loss(counters, 0.07)
    counters = lc.uplink_heard(counters, 1)
    assert clean < 0.07 < lc.uplink_loss(counters, 0.07) < 0.1


def test_a_gap_counts_what_was_passed_over() -> None:
    counters = lc.uplink_heard(NONE_COUNTED, 3)
    one_by_one = LossCounters(
        uplinks_heard=1.0, uplinks_lost=round(lc.KEEP + lc.KEEP**2 + lc.KEEP**3, 4)
    )
    assert counters == one_by_one


def test_an_outage_of_hours_is_not_the_lights_loss() -> None:
    assert lc.uplink_heard(NONE_COUNTED, 5_000) == lc.uplink_heard(NONE_COUNTED, lc.GAP_MOST)
    assert lc.uplink_heard(NONE_COUNTED, -3) == lc.uplink_heard(NONE_COUNTED, 0)


def test_a_late_uplink_takes_its_loss_back() -> None:
    counters = lc.uplink_late(lc.uplink_heard(NONE_COUNTED, 1))
    assert counters.uplinks_lost == pytest.approx(0.0, abs=0.02)
    assert counters.uplinks == lc.uplink_heard(NONE_COUNTED, 1).uplinks
    assert lc.uplink_late(NONE_COUNTED) == NONE_COUNTED, "nothing was counted as lost"


def test_frames_out_are_counted_by_the_lights_own_counter() -> None:
    counters = lc.frame_taken(lc.frame_taken(lc.frame_taken(NONE_COUNTED)))
    counters = lc.status_heard(counters, 2)
    assert (counters.downlinks_heard, counters.downlinks_open) == (round(1 + lc.KEEP, 4), 0)
    assert counters.downlinks_lost == pytest.approx(1.0, abs=0.03)


def test_a_frame_that_crossed_the_status_waits_for_the_next_one() -> None:
    counters = lc.status_heard(lc.frame_taken(NONE_COUNTED), 0, settled=False)
    assert counters == lc.frame_taken(NONE_COUNTED)
    assert lc.status_heard(counters, 1).downlinks_lost == 0.0


def test_what_others_sent_says_nothing_of_our_frames() -> None:
    assert lc.status_heard(NONE_COUNTED, 7) == NONE_COUNTED
    counters = lc.status_heard(lc.frame_taken(NONE_COUNTED), 4)
    assert (counters.downlinks_heard, counters.downlinks_lost) == (1.0, 0.0)
    assert lc.status_heard(lc.frame_taken(NONE_COUNTED), -9).downlinks_lost == 1.0


def test_after_a_join_nobody_will_tell_of_what_was_out() -> None:
    counters = lc.session_began(lc.frame_taken(lc.uplink_heard(NONE_COUNTED, 0)))
    assert (counters.downlinks_open, counters.uplinks_heard) == (0, 1.0)
    assert lc.session_began(counters) is counters


def test_a_record_of_it_is_short() -> None:
    chance, counters = random.Random(5), NONE_COUNTED
    for _ in range(300):
        counters = lc.uplink_heard(counters, int(chance.random() < 0.2))
        counters = lc.status_heard(lc.frame_taken(counters), int(chance.random() < 0.9))
    text = msgspec.json.encode(counters)
    assert len(text) < 130
    assert msgspec.json.decode(text, type=LossCounters) == counters


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3, 0.7])
def test_the_share_of_a_steady_link_is_found_and_a_change_within_a_hundred_frames(
    share: float,
) -> None:
    chance, counters, seen = random.Random(3), NONE_COUNTED, []
    for count in range(4_000):
        counters = lc.status_heard(lc.frame_taken(counters), int(chance.random() >= share))
        if count >= 200:
            seen.append(lc.downlink_loss(counters, 0.03))
    mean = sum(seen) / len(seen)
    assert mean == pytest.approx(share + (0.03 - share) * 10 / 82, abs=0.015), "82 frames in all"
    for _ in range(100):
        counters = lc.status_heard(lc.frame_taken(counters), 1)
    assert lc.downlink_loss(counters, 0.03) < max(0.05, share / 3)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("uplink"), st.integers(-5, 100_000)),
            st.tuples(st.just("late"), st.just(0)),
            st.tuples(st.just("frame"), st.just(0)),
            st.tuples(st.sampled_from(["status", "crossed"]), st.integers(-70_000, 70_000)),
            st.tuples(st.just("join"), st.just(0)),
        ),
        max_size=60,
    )
)
def test_whatever_is_told_the_counts_stay_within_what_they_mean(
    told: list[tuple[str, int]],
) -> None:
    counters = NONE_COUNTED
    for what, number in told:
        match what:
            case "uplink":
                counters = lc.uplink_heard(counters, number)
            case "late":
                counters = lc.uplink_late(counters)
            case "frame":
                counters = lc.frame_taken(counters)
            case "join":
                counters = lc.session_began(counters)
            case _:
                counters = lc.status_heard(counters, number, settled=what == "status")
        assert min(msgspec.structs.astuple(counters)) >= 0
        bound = 1 / (1 - lc.KEEP) + 0.1
        assert counters.uplinks <= bound
        assert counters.downlinks <= bound
        assert 0 < lc.uplink_loss(counters, 0.07) < 1
        assert 0 < lc.downlink_loss(counters, 0.0) < 1
