"""A command may be taken back until it is verified; what was wanted before is wanted again."""

import pytest

from actors.device import events as ev
from actors.device.command import CommandStatus, StepKind
from actors.device.effects import AnswerCaller, CommandChanged, Submit, Withdraw
from actors.device.model import Phase, Stage
from actors.device.withdrawal import NOT_OPEN, REMEMBERED
from lorawan.kuando.frames import SetLight
from tests.support.story import BLUE, GREEN, RED, Story


def _red_and_kept() -> Story:
    story = Story().settle()
    story.command(RED, "red")
    story.carry()
    assert story.status_of("red") is CommandStatus.VERIFIED
    story.now += 60
    return story


def _take_back(story: Story, name: str | None, *, nothing: bool = False, by: str = "") -> str:
    story.tell(ev.WithdrawRequested(name, nothing, by))
    answer = story.effect(AnswerCaller)
    assert answer is not None
    return answer.text


def test_a_command_that_waits_here_leaves_nothing_behind() -> None:
    story = _red_and_kept()
    before = story.device.wanted
    story.command(GREEN, "green")
    assert _take_back(story, "green", by="alice") == "withdrawn green"
    ended = story.commands["green"]
    assert ended.status is CommandStatus.WITHDRAWN
    assert (ended.withdrawn_by, ended.ended_at) == ("alice", story.now)
    assert ended.reason == "withdrawn by alice; nothing of it was sent"
    assert ended.timeline[-1].kind is StepKind.WITHDRAWN
    assert story.effect(Withdraw) is not None, "the dispatcher forgets it"
    assert story.device.wanted == before
    assert (story.device.phase, story.device.attempt) == (Phase.IDLE, None)


@pytest.mark.parametrize("stage", [Stage.QUEUED, Stage.TRANSMITTED])
def test_what_is_in_flight_is_told_and_the_light_that_takes_it_is_brought_back(
    stage: Stage,
) -> None:
    story = _red_and_kept()
    story.command(GREEN, "green")
    story.now = max(story.now, story.attempt.not_before)
    item = story.queue()
    if stage is Stage.TRANSMITTED:
        story.txack()
    _take_back(story, "green")
    assert story.effect(Withdraw) is None, "nothing in flight is flushed"
    reason = story.commands["green"].reason or ""
    assert ("queue" in reason) is (stage is Stage.QUEUED)
    assert reason.endswith("may still take it, and is then brought back")
    if stage is Stage.QUEUED:
        story.txack(item)
    story.light, story.received = GREEN, story.received + 1
    story.now += 5
    if story.device.inquiry is not None:
        story.answer_inquiry()
    story.uplink()
    assert story.status_of("green") is CommandStatus.WITHDRAWN, "never verified afterwards"
    assert story.attempt.frame == SetLight(RED, reply=True)
    story.carry()
    assert story.device.reported == RED
    assert story.device.phase is Phase.IDLE


def test_the_first_command_taken_back_leaves_nothing_wanted() -> None:
    story = Story().settle()
    story.command(RED, "red")
    _take_back(story, "red")
    assert story.device.wanted is None
    assert story.device.phase is Phase.IDLE


def test_keeping_nothing_forgets_what_was_wanted_before() -> None:
    story = _red_and_kept()
    story.command(GREEN, "green")
    _take_back(story, "green", nothing=True)
    assert (story.device.wanted, story.device.wanted_before) == (None, None)
    story.light = BLUE
    story.uplink()
    assert story.device.phase is Phase.IDLE, "nobody brings it back"


def test_nothing_is_asked_of_a_light_that_was_being_brought_back() -> None:
    story = _red_and_kept()
    story.light = BLUE
    story.uplink()
    assert story.device.pursuit is not None
    assert story.device.pursuit.restoring
    assert _take_back(story, None, nothing=True) == "withdrawn"
    assert (story.device.wanted, story.device.pursuit) == (None, None)
    assert story.device.phase is Phase.IDLE
    story.now += 60
    story.uplink()
    assert story.effect(Submit) is None


def test_a_command_that_ended_or_is_not_known_is_not_open() -> None:
    story = _red_and_kept()
    before = story.device
    assert _take_back(story, "red") == NOT_OPEN
    assert _take_back(story, "never heard of") == NOT_OPEN
    assert story.device is before


def test_an_older_command_taken_back_leaves_the_newest_alone() -> None:
    story = _red_and_kept()
    story.command(GREEN, "green")
    story.command(BLUE, "blue")
    assert _take_back(story, "green") == NOT_OPEN
    assert story.status_of("green") is CommandStatus.SUPERSEDED
    story.carry_until_idle()
    assert story.status_of("blue") is CommandStatus.VERIFIED


def test_a_command_taken_back_and_read_again_from_an_inbox_is_none() -> None:
    story = _red_and_kept()
    story.command(GREEN, "green")
    _take_back(story, "green")
    story.command(GREEN, "green")
    assert story.device.command is None
    story.tell(ev.CommandRequested("green", GREEN, True, 60.0, accepted_at=story.now, again=True))
    changed = story.effect(CommandChanged)
    assert changed is not None, "an engine that lost its end is told it"
    assert changed.command.status is CommandStatus.WITHDRAWN
    assert story.device.command is None


def test_what_was_wanted_and_read_again_is_not_wanted_again() -> None:
    story = _red_and_kept()
    _take_back(story, None, nothing=True)
    story.command(RED, "red")
    assert story.device.command is None
    assert story.device.wanted is None


def test_the_ids_that_are_remembered_have_a_bound() -> None:
    story = _red_and_kept()
    for number in range(REMEMBERED + 3):
        story.command(GREEN, f"c{number}")
        _take_back(story, f"c{number}")
    assert len(story.device.withdrawn) == REMEMBERED
    assert story.device.withdrawn[-1] == f"c{REMEMBERED + 2}"


def test_settings_under_way_go_on_and_the_wish_before_follows() -> None:
    story = _red_and_kept()
    story.join()
    story.now += 5
    story.uplink()
    story.command(GREEN, "green")
    _take_back(story, "green")
    assert story.device.phase is Phase.INITIALIZING
    story.carry_until_idle()
    assert story.device.reported == RED


def test_a_light_that_failed_rests_after_its_command_is_taken_back() -> None:
    story = _red_and_kept()
    story.command(GREEN, "green")
    for _ in range(20):
        if story.device.phase is Phase.FAILED:
            break
        if story.device.attempt is not None:
            story.now = max(story.now, story.attempt.not_before)
            story.queue()
            story.txack()
        if story.device.inquiry is not None:
            story.answer_inquiry()
        story.wait(120)
    assert story.device.phase is Phase.FAILED
    _take_back(story, "green")
    assert story.device.phase is Phase.IDLE
    assert "not answered" in (story.commands["green"].reason or "")
