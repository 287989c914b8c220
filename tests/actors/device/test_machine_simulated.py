"""What the simulation found in the device machine: each story is the shortest that shows it."""

import msgspec
import pytest

from actors.device import events as ev
from actors.device.command import CommandStatus
from actors.device.effects import CommandChanged, Inquire
from actors.device.model import Phase, Stage
from lorawan.network import Activation
from tests.support.story import GREEN, RED, Story

HOUR_S = 3_600.0


def test_a_clock_that_was_set_back_between_two_runs_makes_nothing_wait_for_it() -> None:
    # swarm seed 254: the run before had a clock two hours ahead, and the light waited for those
    story = Story().settle()
    story.command(RED)
    story.carry(lost=True)
    story.wait(31)
    assert story.device.phase is Phase.RETRYING
    assert story.device.pursuit is not None
    due_at, expires_at = story.device.pursuit.next_at, story.commands["c1"].expires_at
    assert due_at is not None
    story.now -= 2 * HOUR_S
    story.tell(ev.Restored())
    assert story.device.pursuit.next_at is not None
    assert story.device.pursuit.next_at == pytest.approx(due_at - 2 * HOUR_S)
    assert story.device.last_frame_at is not None
    assert story.device.last_frame_at <= story.now
    changed = story.effect(CommandChanged)
    assert changed is not None
    lives = pytest.approx(expires_at - 2 * HOUR_S)
    assert changed.command.expires_at == lives, "as long as before"
    story.answer_inquiry()
    story.wait(30)
    assert story.device.phase is Phase.AWAITING_VERIFY


def test_a_clock_that_went_on_leaves_the_deadlines_alone() -> None:
    story = Story().settle()
    story.command(RED)
    before = story.device.command
    story.now += HOUR_S
    story.tell(ev.Restored())
    assert story.device.command == before


def test_a_refused_frame_is_no_failure_while_the_light_shows_what_is_wanted() -> None:
    # swarm seed 264: the echo overtook everything, and then the server called the look invalid
    story = Story().settle()
    story.command(RED)
    story.carry()
    assert story.status_of() is CommandStatus.VERIFIED
    story.light = GREEN  # somebody else
    story.now += 60
    story.uplink()
    assert story.device.phase is Phase.AWAITING_VERIFY
    story.light = RED
    story.now += 5
    story.uplink()
    story.tell(ev.AttemptRefused(story.attempt.number, "the server calls it invalid"))
    assert story.device.reported == RED
    assert story.device.phase is not Phase.FAILED


def test_an_answer_full_of_old_sessions_raises_no_new_question() -> None:
    # swarm seed 267: every answer held an uplink of a session long forgotten, and asked again
    story = Story().settle()
    old = [story.compose()]
    for _ in range(6):
        story.now += 60
        story.join()
        story.now += 5
        story.uplink()
    story.now += 10
    story.tell(msgspec.structs.replace(old[0], dev_addr="0badcafe", at=story.now - 400))
    assert story.effect(Inquire) is not None, "a stranger's session is worth one question"
    for _ in range(3):
        late = msgspec.structs.replace(old[0], dev_addr="0badcafe", at=story.now - 400)
        if story.device.inquiry is None:
            break
        number = story.device.inquiry.number
        now = Activation(story.dev_addr, story.f_cnt + 1, story.f_cnt_down)
        story.tell(ev.Inquired(number, (late,), now))
        assert story.effect(Inquire) is None
    assert story.device.inquiry is None
    assert story.device.attempt is None or story.device.attempt.stage is not Stage.TRANSMITTED
