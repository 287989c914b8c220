"""What is wanted after a command that expired or was rejected is what was wanted before it."""

import pytest

from actors.device import events as ev
from actors.device.command import CommandStatus
from actors.device.effects import Inquire, Submit
from actors.device.model import Phase
from lorawan.kuando.frames import SetLight
from tests.support.story import BLUE, GREEN, RED, Story


def _red_and_kept() -> Story:
    story = Story().settle()
    story.command(RED, "red")
    story.carry()
    assert story.status_of("red") is CommandStatus.VERIFIED
    story.now += 60
    return story


def test_a_command_that_expires_at_once_leaves_the_kept_colour() -> None:
    # from the field: --ttl 0.01 on top of a verified, kept colour
    story = _red_and_kept()
    before = story.device.wanted
    story.command(GREEN, "green", ttl_s=0.01)
    story.wait(1)
    assert story.status_of("green") is CommandStatus.EXPIRED
    assert story.device.wanted == before
    assert story.device.phase is Phase.IDLE, "it shows red still"
    story.light = BLUE
    story.uplink()
    assert story.attempt.frame == SetLight(RED, reply=True)


def test_a_rejected_command_leaves_the_kept_colour() -> None:
    story = _red_and_kept()
    before = story.device.wanted
    story.command(GREEN, "green")
    story.tell(ev.AttemptRefused(story.attempt.number, "the server calls it invalid"))
    assert story.status_of("green") is CommandStatus.REJECTED
    assert story.device.wanted == before


def test_a_light_that_took_an_expired_colour_is_brought_back() -> None:
    story = _red_and_kept()
    story.command(GREEN, "green", ttl_s=20.0)
    story.queue()
    story.txack()
    story.deliver()
    story.wait(25)  # its answer is lost
    assert story.status_of("green") is CommandStatus.EXPIRED
    assert story.effect(Inquire) is not None, "the frame was out: what does the light say?"
    reason = story.commands["green"].reason or ""
    assert "its newest status shows red 255" in reason
    story.answer_inquiry(story.compose())
    assert isinstance(story.attempt.frame, SetLight)
    assert story.attempt.frame.light == RED
    story.carry()
    assert story.device.reported == RED
    assert story.device.phase is Phase.IDLE


def test_what_was_wanted_before_outlives_any_number_of_unfulfilled_commands() -> None:
    story = _red_and_kept()
    before = story.device.wanted
    story.command(GREEN, "a")
    story.command(BLUE, "b", ttl_s=5.0)
    story.wait(6)
    assert story.status_of("a") is CommandStatus.SUPERSEDED
    assert story.status_of("b") is CommandStatus.EXPIRED
    assert story.device.wanted == before
    story.command(GREEN, "c")
    story.carry_until_idle()
    assert story.device.wanted is not None
    assert story.device.wanted.light == GREEN
    assert story.device.wanted_before is None


@pytest.mark.parametrize("keep", [True, False])
def test_a_light_that_shows_the_expired_colour_is_brought_back_if_the_one_before_is_kept(
    keep: bool,
) -> None:
    story = Story().settle()
    story.command(RED, "red", keep=keep)
    story.carry()
    story.command(GREEN, "green", ttl_s=30.0)
    story.now = max(story.now, story.attempt.not_before)
    story.queue()
    story.deliver()
    story.tell(ev.AttemptHeld(0, "of another attempt"))
    story.wait(60)
    assert story.status_of("green") is CommandStatus.EXPIRED
    if story.device.inquiry is not None:
        story.answer_inquiry()
    story.uplink()
    assert (story.device.attempt is not None) is keep


def test_the_first_command_of_a_light_leaves_nothing_wanted() -> None:
    story = Story().settle()
    story.command(RED, ttl_s=10.0)
    story.tell(ev.AttemptHeld(story.attempt.number, "offline"))
    story.wait(11)
    assert story.device.wanted is None
    assert story.device.phase is Phase.IDLE


def test_settings_under_way_go_on_and_the_wish_before_follows() -> None:
    story = _red_and_kept()
    story.join()
    story.now += 5
    story.uplink()
    story.command(GREEN, "green", ttl_s=1.0)
    story.wait(2)
    assert story.status_of("green") is CommandStatus.EXPIRED
    assert story.device.phase is Phase.INITIALIZING
    story.carry_until_idle()
    assert story.device.reported == RED


def test_an_attempt_bears_the_end_of_its_command_and_no_other_does() -> None:
    story = Story().settle()
    story.command(RED, ttl_s=600.0)
    assert story.attempt.expires_at == story.commands["c1"].expires_at
    story.carry()
    story.light = BLUE
    story.now += 60
    story.uplink()
    submit = story.effect(Submit)
    assert submit is not None
    assert submit.attempt.expires_at is None, "to bring a light back has no end"
