"""A light's lost frames are counted each way, and each once, however late and often it is told."""

import msgspec
import pytest

from actors.device import events as ev
from actors.link.loss_counters import NONE_COUNTED, LossCounters
from tests.support.story import RED, Story


def counted(story: Story) -> LossCounters:
    return NONE_COUNTED if story.device.losses is None else story.device.losses


def clean() -> Story:
    """A settled light of which nothing was counted yet."""
    story = Story().settle()
    story.uplink()
    story.device = msgspec.structs.replace(story.device, losses=None)
    return story


def test_uplinks_passed_over_are_lost_and_one_that_comes_late_is_not() -> None:
    story = clean()
    for _ in range(2):
        story.compose()
    late = story.compose()
    story.now += 60
    story.uplink()
    assert (counted(story).uplinks_heard, counted(story).uplinks_lost) == (
        1.0,
        pytest.approx(3.0, abs=0.15),
    )
    story.tell(late)
    story.tell(late)  # and once more
    assert counted(story).uplinks_heard == 2.0
    assert counted(story).uplinks_lost == pytest.approx(2.0, abs=0.15)


def test_the_first_uplink_of_a_session_passes_over_none() -> None:
    story = clean()
    story.join()
    story.f_cnt += 9
    story.now += 5
    story.uplink()
    assert counted(story).uplinks_lost == 0.0


def test_a_frame_that_the_light_counts_has_arrived_and_one_that_it_does_not_is_lost() -> None:
    story = clean()
    story.command(RED)
    story.carry()
    assert (counted(story).downlinks_heard, counted(story).downlinks_lost) == (1.0, 0.0)
    story.now += 60
    story.command(RED, "c2")
    story.carry(lost=True)
    assert counted(story).downlinks_open == 1
    story.now += 5
    story.uplink()
    assert counted(story).downlinks_lost == 1.0
    assert counted(story).downlinks_open == 0


@pytest.mark.parametrize("first", ["txack", "counter"])
def test_a_frame_is_counted_once_whoever_tells_of_it(first: str) -> None:
    story = clean()
    story.command(RED)
    story.queue()
    taken = story.taken()
    if first == "txack":
        story.tell(taken)
    else:
        story.tell(ev.AttemptTransmitted(story.attempt.number, "gw-1"))
    story.tell(taken)
    story.tell(taken)
    assert counted(story).downlinks_open == 1


def test_a_txack_that_comes_after_the_answer_leaves_nothing_open() -> None:
    story = clean()
    story.command(RED)
    story.queue()
    taken = story.taken()
    story.deliver()
    story.now += 1.0
    story.uplink()  # verified; its webhook was quicker
    story.tell(taken)
    story.now += 900
    story.uplink()
    assert counted(story).downlinks_lost == 0.0


def test_a_frame_on_its_way_while_the_light_speaks_is_left_open() -> None:
    story = clean()
    story.command(RED)
    story.queue()
    heartbeat = story.compose()
    story.now += 0.5
    story.txack()
    story.tell(heartbeat)
    assert counted(story).downlinks_open == 1
    story.deliver()
    story.now += 2.0
    story.uplink()
    assert (counted(story).downlinks_heard, counted(story).downlinks_lost) == (1.0, 0.0)


def test_what_the_network_itself_sends_is_none_of_ours() -> None:
    story = clean()
    story.received += 5  # by somebody else, or by MAC commands of the server
    story.now += 60
    story.uplink()
    assert (counted(story).downlinks_heard, counted(story).downlinks_lost) == (0.0, 0.0)


def test_a_join_leaves_open_frames_uncounted() -> None:
    story = clean()
    story.command(RED)
    story.carry(lost=True)
    story.join()
    story.now += 5
    story.uplink()
    assert (counted(story).downlinks_open, counted(story).downlinks_lost) == (0, 0.0)


def test_a_txack_of_the_session_before_is_none_of_this_one() -> None:
    story = clean()
    story.command(RED)
    story.queue()
    taken = story.taken()
    story.now += 30
    story.join()
    story.now += 5
    story.tell(taken)
    assert counted(story).downlinks_open == 0


def test_uplinks_that_only_an_inquiry_tells_were_not_lost_on_the_air() -> None:
    story = clean()
    untold = [story.compose() for _ in range(3)]
    story.asked().answer_inquiry(*untold)
    assert counted(story).uplinks_heard > 2.9
    assert counted(story).uplinks_lost == 0.0
