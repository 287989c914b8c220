"""What became of each attempt is told once, with times only where it is clear what was answered."""

import msgspec
import pytest

from actors.device import events as ev
from actors.device.command import CommandStatus
from actors.device.model import Phase
from actors.device.policy import Policy
from actors.link.judgement import AttemptJudged
from lorawan.airtime import uplink_airtime_s
from lorawan.events.model import Modulation
from tests.support.story import BLUE, RED, Story

STATUS_S = uplink_airtime_s(25, Modulation(9, 125_000))


class Told(Story):
    """A story that keeps all that was told of its attempts."""

    def __init__(self, *, sw_rev: int = 61) -> None:
        super().__init__(sw_rev=sw_rev, policy=Policy())
        self.judged: list[AttemptJudged] = []

    def tell(self, event: ev.DeviceEvent, chance: float = 0.5) -> list[object]:  # type: ignore[override]
        effects = super().tell(event, chance)
        self.judged += [one for one in effects if isinstance(one, AttemptJudged)]
        return effects  # type: ignore[return-value]

    def lose(self) -> None:
        """A frame goes out, and its window closes."""
        self.now = max(self.now, self.attempt.not_before)
        self.queue()
        self.txack()
        self.wait(8.3)
        self.answer_inquiry()

    def retry(self) -> None:
        """The next attempt is due, and goes out."""
        goal = self.device.pursuit
        assert goal is not None
        assert goal.next_at is not None
        self.wait(goal.next_at - self.now)
        self.now = max(self.now, self.attempt.not_before)
        self.queue()
        self.txack()

    def deliver_late(self, after_s: float | None) -> None:
        """The frame that was given up arrived; its answer is told so much later, or not yet."""
        self.received += 1
        self.light = RED
        if after_s is not None:
            self.now += after_s
            self.uplink()

    def answer(self, after_s: float) -> None:
        """The frame arrives, and its answer is told so long after its txack."""
        self.deliver()
        self.now += after_s
        self.uplink()


def begun(sw_rev: int = 61) -> Told:
    story = Told(sw_rev=sw_rev)
    story.settle()
    story.judged.clear()
    story.command(RED)
    return story


def test_an_answer_to_the_only_frame_is_told_with_its_times() -> None:
    story = begun()
    story.queue()
    number = story.attempt.number
    story.txack()
    story.answer(2.0)
    assert story.status_of() is CommandStatus.VERIFIED
    (judged,) = story.judged
    assert (judged.number, judged.gateway_id, judged.first) == (number, "gw-1", True)
    assert (judged.answered, judged.late, judged.gap_s) == (True, False, None)
    assert (judged.sw_rev, judged.spreading_factor) == (61, 9)
    assert 0.85 < judged.expected < 0.95
    assert judged.answer_s == pytest.approx(2.0 - 0.2 - STATUS_S)
    assert judged.server_delay_s == pytest.approx(2.0 - 0.2 - STATUS_S)


def test_a_frame_without_an_answer_is_told_when_its_window_closes_and_the_next_with_its_gap() -> (
    None
):
    story = begun()
    story.lose()
    (first,) = story.judged
    assert (first.first, first.answered, first.late, first.answer_s) == (True, False, False, None)
    story.retry()
    story.answer(1.0)
    _, second = story.judged
    assert (second.first, second.answered) == (False, True)
    assert second.gap_s is not None
    assert 10.0 <= second.gap_s <= 12.0
    # one of two frames arrived: which, nobody knows
    assert (second.answer_s, second.server_delay_s) == (None, None)


def test_that_the_light_counts_all_frames_does_not_tell_which_it_answers() -> None:
    """It may be slow: an answer to the first, twelve seconds late, counts the second as well."""
    story = begun()
    story.now = max(story.now, story.attempt.not_before)
    story.queue()
    story.txack()
    story.received += 1  # it arrives, and its answer is lost
    story.wait(8.3)
    story.answer_inquiry()
    story.retry()
    story.answer(1.5)
    assert (story.judged[-1].answered, story.judged[-1].answer_s) == (True, None)


def test_a_proof_that_comes_before_the_next_frame_is_told_as_late() -> None:
    story = begun()
    story.lose()
    story.deliver_late(1.0)
    assert story.status_of() is CommandStatus.VERIFIED
    unanswered, late = story.judged
    assert (late.number, late.late, late.answered) == (unanswered.number, True, True)
    assert late.answer_s == pytest.approx(8.3 + 1.0 - 0.2 - STATUS_S)


def test_a_late_answer_amid_the_next_frame_is_told_without_times() -> None:
    story = begun()
    story.lose()
    story.deliver_late(None)
    story.retry()
    # it speaks in the very moment of the second txack, so before that frame was over
    story.uplink()
    assert story.status_of() is CommandStatus.VERIFIED
    late = story.judged[-1]
    assert (late.late, late.answer_s, late.server_delay_s) == (True, None, None)
    assert len(story.judged) == 2, "of the second frame nothing is known"


def test_what_an_inquiry_finds_has_no_time_on_our_clock() -> None:
    story = begun()
    story.queue()
    story.txack()
    story.deliver()
    story.now += 1.0
    lost = story.compose()
    story.wait(8.0)
    story.answer_inquiry(lost)
    assert story.status_of() is CommandStatus.VERIFIED
    unanswered, late = story.judged
    assert (unanswered.answered, late.answered, late.late) == (False, True, True)
    assert late.answer_s is None
    assert late.server_delay_s == pytest.approx(1.0 - 0.2 - STATUS_S)


def test_an_answer_whose_txack_was_lost_is_told_without_times() -> None:
    story = begun()
    story.queue()
    story.answer(1.0)
    (judged,) = story.judged
    assert (judged.answered, judged.answer_s, judged.server_delay_s) == (True, None, None)


def test_a_light_that_counts_the_frame_and_shows_another_colour_has_answered() -> None:
    story = begun()
    story.queue()
    story.txack()
    story.received += 1
    story.now += 1.0
    story.uplink(light=BLUE)
    (judged,) = story.judged
    assert judged.answered, "the air carried it both ways"


def test_a_heartbeat_of_software_that_does_not_answer_tells_no_answer_time() -> None:
    story = Told(sw_rev=41)
    story.settle()
    story.command(RED)
    while story.judged == []:
        story.carry()
    assert all(one.answer_s is None for one in story.judged)


def test_while_no_gateway_could_hear_an_answer_nothing_is_told() -> None:
    story = begun()
    story.queue()
    story.txack()
    story.tell(ev.GatewayHealthChanged("gw-1", online=False))
    story.wait(9.0)
    assert story.judged == []


def test_the_last_of_the_settings_is_told_and_teaches_the_answer_time_too() -> None:
    story = Told()
    story.join()
    story.now += 5
    story.uplink()
    for _ in range(2):  # whether settings are answered by themselves nobody says
        story.carry(answered=False)
        story.wait(10.3)
    story.carry()
    assert story.device.phase is Phase.IDLE
    (judged,) = story.judged
    assert (judged.first, judged.answered) == (True, True)
    assert judged.answer_s == pytest.approx(1.0 - 0.2 - STATUS_S)


def test_no_attempt_is_told_twice_but_for_a_late_proof() -> None:
    story = begun()
    for _ in range(3):
        story.lose()
        goal = story.device.pursuit
        assert goal is not None
        assert goal.next_at is not None
        story.wait(goal.next_at - story.now)
    numbers = [one.number for one in story.judged]
    assert len(numbers) == len(set(numbers)) == 3
    assert msgspec.json.decode(msgspec.json.encode(story.device), type=type(story.device))
