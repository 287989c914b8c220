"""The probe: one colour twice, the second time right after the first's txack."""

import msgspec
import pytest

from actors.device import events as ev
from actors.device.command import CommandStatus
from actors.device.effects import AnswerCaller, Submit, Withdraw
from actors.device.model import Phase, Probe, Stage
from actors.device.probing import ASKED, SECOND_LIFE_S
from lorawan.kuando.frames import SetLight
from tests.support.story import BLUE, RED, Story


def answer_of(story: Story) -> str:
    answer = story.effect(AnswerCaller)
    assert answer is not None
    return answer.text


def probed(**kwargs: int) -> Story:
    """A light that shows red and was just asked to be probed."""
    story = Story(**kwargs).settle()
    story.command(RED)
    story.carry_until_idle()
    story.now += 60
    story.tell(ev.ProbeRequested("calibration"))
    return story


def test_a_probe_sends_the_shown_colour_and_again_right_after_its_txack() -> None:
    story = probed()
    assert answer_of(story) == ASKED
    assert story.attempt.probe is Probe.FIRST
    assert isinstance(story.attempt.frame, SetLight)
    assert story.attempt.frame.light == RED
    story.queue()
    story.now += 0.5
    story.txack()
    second = story.effect(Submit)
    assert second is not None
    assert second.attempt.probe is Probe.SECOND
    assert second.attempt.not_before == story.now  # no spacing: it waits in ChirpStack's queue
    assert second.attempt.expires_at == story.now + SECOND_LIFE_S
    assert isinstance(second.attempt.frame, SetLight)
    assert second.attempt.frame.light == RED


def test_the_answer_to_the_first_frame_does_not_take_the_second_back() -> None:
    story = probed()
    story.queue()
    story.txack()
    item = story.queue()
    story.deliver()
    story.now += 1
    story.uplink()
    assert story.attempt.stage is Stage.QUEUED
    assert story.effect(Withdraw) is None
    story.txack(item)
    story.deliver()
    story.now += 2
    story.uplink()
    assert story.device.attempt is None
    assert story.device.phase is Phase.IDLE


def test_the_answer_may_come_before_the_second_frame_is_known_to_be_queued() -> None:
    story = probed()
    story.queue()
    story.txack()
    story.deliver()
    story.now += 0.7
    story.uplink()
    assert story.attempt.probe is Probe.SECOND
    story.queue()
    assert story.attempt.stage is Stage.QUEUED


@pytest.mark.parametrize("second", [False, True])
def test_a_command_takes_the_place_of_a_probe(second: bool) -> None:
    story = probed()
    if second:
        story.queue()
        story.txack()
        story.queue()
    story.command(BLUE, "c2")
    assert story.attempt.probe is Probe.NO
    assert story.attempt.frame == SetLight(BLUE, reply=story.attempt.frame.reply)  # type: ignore[union-attr]
    assert story.status_of("c2") is CommandStatus.ACCEPTED


def test_a_command_of_the_same_colour_is_not_proven_by_what_the_probe_made_the_light_say() -> None:
    story = probed()
    story.queue()
    story.txack()
    story.command(RED, "c2")
    story.deliver()
    story.now += 1
    story.uplink()
    assert story.status_of("c2") is CommandStatus.ACCEPTED


def test_a_light_that_shows_something_else_is_not_given_the_colour_of_before() -> None:
    story = probed()
    story.tell(story.compose(light=BLUE))
    assert story.attempt.probe is Probe.NO
    assert story.device.phase is Phase.AWAITING_VERIFY  # it is brought back to red by a pursuit


def test_a_probe_that_is_held_is_given_up() -> None:
    story = probed()
    story.tell(ev.AttemptHeld(story.attempt.number, "no airtime left"))
    assert story.device.attempt is None
    assert story.effect(Withdraw) is not None
    assert story.device.phase is Phase.IDLE


def test_a_restart_leaves_nothing_of_a_probe_behind() -> None:
    story = probed()
    story.tell(ev.Restored())
    assert story.device.attempt is None
    story = probed()
    story.queue()
    story.tell(ev.Restored())
    assert story.attempt.probe is Probe.NO  # it is in the queue, and followed like any other
    story.txack()
    assert story.effect(Submit) is None
    story.wait(31)
    assert story.device.attempt is None


def test_a_replayed_txack_starts_no_second_frame() -> None:
    story = probed()
    item = story.queue()
    told = story.taken(item)
    story.tell(ev.Joined(at=story.now, dev_addr=story.dev_addr, id="asks"))
    if story.device.inquiry is not None:
        number = story.device.inquiry.number
        story.tell(ev.Inquired(number, (told,)))
    assert story.effect(Submit) is None


def test_a_second_frame_that_nobody_answers_ends_by_itself() -> None:
    story = probed()
    story.queue()
    story.txack()
    story.queue()
    story.txack()
    story.wait(60)
    assert story.device.attempt is None
    assert story.device.phase is Phase.IDLE


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda story: story.command(BLUE, "c2"), "something is on its way to it"),
        (lambda story: story.join(), "something is on its way to it"),
        (
            lambda story: story.tell(ev.GatewayHealthChanged("gw-1", online=False)),
            "no gateway that hears it is online",
        ),
    ],
)
def test_a_light_that_is_busy_or_out_of_reach_is_not_probed(prepare, why) -> None:  # type: ignore[no-untyped-def]
    story = Story().settle()
    prepare(story)
    story.tell(ev.ProbeRequested("calibration"))
    assert answer_of(story) == why
    assert story.device.attempt is None or story.device.attempt.probe is Probe.NO


def test_a_light_that_was_just_sent_to_is_spaced_like_before_any_frame() -> None:
    story = Story().settle()
    story.command(RED)
    story.carry_until_idle()
    story.tell(ev.ProbeRequested("calibration"))
    assert answer_of(story) == "a frame to it is only just over"


def test_software_that_answers_nothing_is_not_probed() -> None:
    story = Story(sw_rev=41).settle()
    story.tell(ev.ProbeRequested("calibration"))
    assert answer_of(story) == "its software answers no downlink"


def test_a_stored_attempt_of_before_reads_as_no_probe() -> None:
    story = probed()
    record = msgspec.json.decode(msgspec.json.encode(story.attempt))
    del record["probe"]
    assert msgspec.convert(record, type(story.attempt)).probe is Probe.NO
