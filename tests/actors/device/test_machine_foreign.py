"""A light whose colour somebody else changes is named as such, and no other light is."""

import pytest

from actors.alerts.finding import AlertKind
from actors.alerts.light_rules import light_findings
from actors.alerts.policy import AlertPolicy
from actors.device import events as ev
from actors.device.foreign_sender import over_at
from actors.device.model import Phase
from lorawan.kuando import AFTER_JOIN, LightState
from tests.support.story import BLUE, GREEN, RED, Story


def told(story: Story) -> bool:
    findings = light_findings(story.device, story.now, AlertPolicy())
    (found,) = [one for one in findings if one.kind is AlertKind.FOREIGN_SENDER]
    return found.holds


def shows_red(*, keep: bool = True) -> Story:
    story = Story().settle()
    story.command(RED, keep=keep)
    story.carry()
    assert story.device.phase is Phase.IDLE
    return story


def foreign(story: Story, light: LightState = BLUE, *, after_s: float = 600.0) -> None:
    """A frame that is not ours reaches the light, which answers it."""
    story.wait(after_s)
    story.received += 1
    story.f_cnt_down += 1
    story.light = light
    story.uplink()


def test_the_second_change_within_an_hour_is_told_of_and_each_is_mended() -> None:
    story = shows_red()
    foreign(story)
    assert not told(story)
    assert story.device.last_error is None
    story.carry()
    assert story.device.reported == RED
    foreign(story, GREEN)
    assert told(story)
    assert "somebody else sends to this light: it showed 0,255,0,255,0" in (
        story.device.last_error or ""
    )
    story.carry()
    assert story.device.reported == RED
    assert told(story), "it is told of although it was mended"
    ends_at = over_at(story.device)
    assert ends_at is not None
    story.now = ends_at
    assert not told(story)


def test_changes_that_are_further_apart_are_not_told_of() -> None:
    story = shows_red()
    for _ in range(4):
        foreign(story, after_s=3_700.0)
        story.carry()
        assert not told(story)


def test_one_that_is_not_kept_to_its_colour_is_told_of_too() -> None:
    story = shows_red(keep=False)
    foreign(story)
    foreign(story, GREEN)
    assert told(story)


def test_a_change_while_it_is_being_brought_back_counts() -> None:
    story = shows_red()
    foreign(story)
    assert story.device.phase is Phase.AWAITING_VERIFY
    story.queue()
    foreign(story, GREEN, after_s=5.0)
    assert told(story)


def test_a_change_while_a_command_is_open_counts_once_no_earlier_frame_can_be_out() -> None:
    story = shows_red()
    story.wait(300)
    story.command(BLUE, "open")
    story.tell(ev.AttemptHeld(story.attempt.number, "no gateway is online"))
    foreign(story, GREEN, after_s=20.0)
    assert story.device.foreign == (), "the report before it is of the time of the earlier wish"
    story.wait(60.0)
    story.uplink()
    foreign(story, RED, after_s=60.0)
    assert [one.light for one in story.device.foreign] == [RED]


@pytest.mark.parametrize("in_words", [False, True])
def test_a_light_that_joins_again_and_again_is_dim_green_by_itself(in_words: bool) -> None:
    story = shows_red()
    for _ in range(4):
        story.wait(300)
        story.join(told=in_words)
        story.uplink()
        story.carry_until_idle()
        assert story.device.reported == RED
        assert story.device.foreign == ()


def test_a_light_that_changes_without_a_downlink_changes_by_itself() -> None:
    story = shows_red()
    for light in (BLUE, AFTER_JOIN, GREEN):
        story.wait(300)
        story.light = light
        story.uplink()
        story.carry_until_idle()
    assert story.device.foreign == ()


def test_our_own_bringing_back_counts_for_nothing() -> None:
    story = shows_red()
    for _ in range(4):
        foreign(story)
        before = story.device.foreign
        story.carry()
        assert story.device.phase is Phase.IDLE
        assert story.device.foreign == before
        story.now += 4_000


def test_the_colour_of_an_expired_command_that_is_heard_late_is_ours() -> None:
    story = shows_red()
    for number in range(4):
        story.wait(300)
        story.command(BLUE, f"short-{number}", ttl_s=60.0)
        story.queue()
        story.txack()
        story.deliver()  # its echo is lost
        story.now += 62.0
        story.tell(ev.Tick())
        assert story.device.command is None
        story.now += 400
        story.uplink()
        assert story.device.foreign == (), number
        story.carry_until_idle()
        assert story.device.reported == RED


def test_the_colour_of_a_superseded_command_that_is_heard_late_is_ours() -> None:
    story = shows_red()
    for number in range(4):
        story.wait(300)
        story.command(BLUE, f"first-{number}")
        story.queue()
        story.txack()
        story.command(RED, f"second-{number}")
        story.received += 1
        story.light = BLUE
        story.now += 2.0
        story.uplink()
        story.carry_until_idle()
        assert story.device.foreign == (), number


def test_a_light_that_no_command_was_given_belongs_to_whoever_sends() -> None:
    story = Story().settle()
    foreign(story)
    foreign(story, GREEN)
    assert story.device.foreign == ()
