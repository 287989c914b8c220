"""What a light knows of being disabled in ChirpStack, and when it knows it no longer."""

import pytest

from actors.board.reachability import disabled_since
from actors.device import events as ev
from actors.device.model import Obstacle
from lorawan.network import Activation
from tests.support.story import RED, Story


def found(story: Story, disabled: bool | None) -> None:
    """An inquiry is answered, with this of the device's setting."""
    story.now += 3_000
    story.tell(ev.Swept())
    assert story.device.inquiry is not None
    story.tell(ev.Inquired(story.device.inquiry.number, disabled=disabled))


def test_an_inquiry_says_that_it_is_disabled_and_the_next_that_it_is_not() -> None:
    story = Story().settle()
    found(story, None)
    assert story.device.disabled_at is None
    found(story, True)
    since = story.now
    assert disabled_since(story.device) == since
    found(story, True)
    found(story, None)
    assert disabled_since(story.device) == since, "not learned anew, and not forgotten"
    found(story, False)
    assert disabled_since(story.device) is None


def test_its_next_uplink_says_that_it_is_enabled_again() -> None:
    story = Story().settle()
    found(story, True)
    story.now += 60
    story.uplink()
    assert disabled_since(story.device) is None


@pytest.mark.parametrize("disabled", [True, None])
def test_an_uplink_of_before_that_the_answer_holds_says_nothing(disabled: bool | None) -> None:
    story = Story().settle()
    lost = story.compose()
    found(story, True)
    since = story.now
    story.now += 3_000
    story.tell(ev.Swept())
    assert story.device.inquiry is not None
    running = Activation(story.dev_addr, story.f_cnt + 1, story.f_cnt_down)
    number = story.device.inquiry.number
    story.tell(ev.Inquired(number, (lost,), activation=running, disabled=disabled))
    assert story.device.session is not None
    assert story.device.session.f_cnt == lost.f_cnt
    assert disabled_since(story.device) == since


def test_a_hold_tells_it_and_outlives_the_attempt_until_a_frame_is_queued() -> None:
    story = Story().settle()
    story.command(RED)
    story.tell(ev.AttemptHeld(story.attempt.number, "disabled", Obstacle.DISABLED))
    assert story.device.disabled_at == story.now
    story.tell(ev.AttemptHeld(story.attempt.number, "no gateway is online"))
    assert story.device.disabled_at is not None
    story.queue()
    assert disabled_since(story.device) is None


@pytest.mark.parametrize("obstacle", [Obstacle.CLASS_A, Obstacle.FOREIGN_ITEM])
def test_another_obstacle_that_was_looked_up_says_that_it_is_enabled(obstacle: Obstacle) -> None:
    story = Story().settle()
    found(story, True)
    story.command(RED)
    story.tell(ev.AttemptHeld(story.attempt.number, "it is so", obstacle))
    assert disabled_since(story.device) is None
