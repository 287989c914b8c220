"""What a light does when a gateway that was silent for a while speaks again."""

import pytest

from actors.device import events as ev
from actors.device.command import CommandStatus
from actors.device.model import Phase
from lorawan.kuando.frames import AutoUplink
from tests.support.story import RED, Story

BACK = ev.GatewayReturned("gw-1")


def _expire(story: Story, times: int) -> None:
    """So many items in turn are taken by nobody; the light waits for the time of the next."""
    for _ in range(times):
        if story.device.attempt is None:
            story.wait(_waits_s(story))
        story.queue()
        story.expire()


def _waits_s(story: Story) -> float:
    waiting = story.device.pursuit or story.device.setup
    assert waiting is not None
    assert waiting.next_at is not None
    return waiting.next_at - story.now


def test_a_light_whose_frames_nobody_took_tries_at_once() -> None:
    story = Story().settle()
    story.command(RED)
    _expire(story, 4)
    assert _waits_s(story) > 60
    story.tell(BACK)
    assert story.device.phase is Phase.AWAITING_VERIFY
    assert story.attempt.not_before == story.now
    assert story.commands["c1"].timeline[-1].reason == "tried again: gateway gw-1 is heard again"
    story.carry()
    assert story.status_of() is CommandStatus.VERIFIED


def test_what_is_in_the_queue_meanwhile_starts_with_the_shortest_wait_again() -> None:
    story = Story().settle()
    story.command(RED)
    _expire(story, 4)
    story.wait(_waits_s(story))
    story.queue()
    before = story.attempt
    story.tell(BACK)
    assert story.attempt == before, "the item may be sent yet"
    story.expire()
    assert _waits_s(story) == pytest.approx(10, rel=0.11)


def test_settings_that_nobody_took_go_out_at_once() -> None:
    story = Story()
    story.join()
    story.uplink()
    _expire(story, 4)
    assert _waits_s(story) > 60
    story.tell(BACK)
    assert story.attempt.frame == AutoUplink(on=True)
    assert story.attempt.not_before == story.now
    assert story.device.phase is Phase.INITIALIZING


def test_settings_in_the_queue_meanwhile_start_with_the_shortest_wait_again() -> None:
    story = Story()
    story.join()
    story.uplink()
    _expire(story, 3)
    story.wait(_waits_s(story))
    story.queue()
    story.tell(BACK)
    story.expire()
    assert _waits_s(story) == pytest.approx(10, rel=0.11)


def test_a_gateway_that_does_not_hear_the_light_is_no_concern_of_its() -> None:
    story = Story().settle()
    story.command(RED)
    _expire(story, 4)
    before = story.device
    story.tell(ev.GatewayReturned("gw-9"))
    assert story.device is before


def test_attempts_that_were_sent_keep_their_times() -> None:
    story = Story().settle()
    story.command(RED)
    story.lose_attempt()
    assert story.device.phase is Phase.RETRYING
    before = story.device
    story.tell(BACK)
    assert story.device is before


def test_a_light_without_a_wish_stays_as_it_is() -> None:
    story = Story().settle()
    before = story.device
    story.tell(BACK)
    assert story.device is before


def test_a_light_that_missed_its_frames_tries_again_when_its_gateway_is_answered() -> None:
    story = Story().settle()
    story.command(RED)
    story.spend_attempts()
    assert story.device.phase is Phase.FAILED
    story.now += 60
    story.tell(ev.GatewayReturned("gw-2", answered=True))
    story.tell(BACK)
    assert story.device.phase is Phase.FAILED, "another's gateway; nothing that nobody took"
    story.tell(ev.GatewayReturned("gw-1", answered=True))
    assert story.commands["c1"].timeline[-1].reason == (
        "tried again: frames through gateway gw-1 are answered again"
    )
    story.carry()
    assert story.status_of() is CommandStatus.VERIFIED


def test_a_frame_that_is_out_meanwhile_stays_the_only_one() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    before = story.attempt
    story.tell(ev.GatewayReturned("gw-1", answered=True))
    assert story.attempt == before
