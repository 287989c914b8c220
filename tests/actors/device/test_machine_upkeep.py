"""The device machine beyond the colours: settings, upkeep, restarts, answers that come late."""

import msgspec
import pytest

from actors.device import events as ev
from actors.device.command import CommandStatus
from actors.device.effects import AnswerCaller, Inquire, Submit, Withdraw
from actors.device.model import Phase, Stage
from actors.device.policy import Policy
from actors.device.sessions import REQUIRED_SNR_DB
from lorawan.kuando.frames import AutoUplink, RequestStatus, SetLight, StatusInterval
from lorawan.network import Activation
from tests.support.story import BLUE, GREEN, RED, Story


def answer_of(story: Story) -> str:
    answer = story.effect(AnswerCaller)
    assert answer is not None
    return answer.text


# ------------------------------------------------------------------ settings asked for by hand


def test_initialisation_is_skipped_where_this_session_has_its_settings() -> None:
    story = Story().settle()
    story.tell(ev.InitializeRequested())
    assert answer_of(story) == "already"
    assert story.device.phase is Phase.IDLE


def test_initialisation_by_force_sends_the_settings_and_then_what_was_wanted() -> None:
    story = Story().settle()
    story.command(RED)
    story.tell(ev.InitializeRequested(force=True))
    assert answer_of(story) == "started"
    assert story.effect(Withdraw) is not None
    assert story.device.phase is Phase.INITIALIZING
    assert story.attempt.frame == AutoUplink(on=True)
    story.tell(ev.InitializeRequested(force=True))
    assert answer_of(story) == "under way"
    story.carry_until_idle()
    assert story.status_of() is CommandStatus.VERIFIED


def test_initialisation_waits_for_a_light_that_was_not_heard() -> None:
    story = Story()
    story.tell(ev.InitializeRequested())
    assert answer_of(story) == "waiting"


def test_settings_without_end_of_trouble_fail_and_a_sign_of_life_begins_anew() -> None:
    story = Story(policy=Policy(setup_rounds_most=2))
    story.join()
    story.uplink()
    for _ in range(2):
        story.lose_settings()
        story.answer_inquiry()
        story.wait(15)
    assert story.device.phase is Phase.FAILED
    assert "settings unproven" in (story.device.last_error or "")
    story.uplink()
    assert story.device.phase is Phase.INITIALIZING
    story.now += 20
    story.carry_until_idle()
    assert story.device.phase is Phase.IDLE


def test_rounds_on_evidence_are_spaced_but_not_the_frames_of_one() -> None:
    policy = Policy(setup_rounds_most=5)
    story = Story(policy=policy)
    story.join()
    story.uplink()
    for _ in range(policy.setup_rounds_most):
        story.lose_settings()
        if story.device.inquiry is not None:
            story.answer_inquiry()
        if story.device.setup is not None and story.device.setup.next_at is not None:
            story.wait(story.device.setup.next_at - story.now)
    assert story.device.phase is Phase.FAILED
    story.uplink()
    last_at = story.device.last_frame_at
    assert last_at is not None
    assert story.attempt.not_before >= last_at + 2 * policy.spacing_s, "the round waits its turn"
    story.carry()
    assert story.attempt.frame == StatusInterval(15)
    assert story.device.last_frame_at is not None
    assert story.attempt.not_before == story.device.last_frame_at + policy.spacing_s


def test_an_answer_that_misses_a_setting_is_evidence_after_the_rounds_are_spent() -> None:
    story = Story(policy=Policy(setup_rounds_most=1))
    story.join()
    story.uplink()
    story.lose_settings()
    story.answer_inquiry()
    assert story.device.phase is Phase.FAILED
    gaps = []
    for _ in range(8):
        if story.device.phase is Phase.FAILED:
            story.uplink()  # its regular status
        gaps.append(story.attempt.not_before - story.now)
        story.wait(gaps[-1])
        story.carry(lost=True)
        story.wait(10.5)
        story.carry(answered=False)
        story.wait(10.5)
        story.carry()  # the light answers, having received two of three
        assert story.device.phase is Phase.INITIALIZING, "another round, without a wait for a timer"
    assert gaps == sorted(gaps), "spaced ever wider, for air is scarce"
    assert gaps[-1] > 200
    story.wait(story.attempt.not_before - story.now)
    story.carry_until_idle()
    assert story.device.phase is Phase.IDLE


def test_a_command_for_a_light_whose_settings_failed_tries_them_again() -> None:
    story = Story(policy=Policy(setup_rounds_most=1))
    story.join()
    story.uplink()
    story.lose_settings()
    assert story.device.phase is Phase.FAILED
    story.command(RED)
    assert story.device.phase is Phase.INITIALIZING
    assert not story.attempt.retry  # a caller waits for it


def test_a_setting_no_gateway_took_goes_again_uncounted() -> None:
    story = Story()
    story.join()
    story.uplink()
    story.queue()
    story.expire()
    assert story.device.attempt is None
    story.wait(15)
    assert story.attempt.frame == AutoUplink(on=True)
    assert story.device.setup is not None
    assert story.device.setup.attempts == 0
    assert story.device.setup.unsent == 1


def test_a_setting_that_no_txack_told_of_is_followed_by_the_next() -> None:
    story = Story()
    story.join()
    story.uplink()
    story.queue()
    story.deliver()
    story.taken_unseen()
    story.wait(10.5)
    assert story.attempt.frame == StatusInterval(15)


def test_settings_wait_without_counting_while_no_gateway_listens() -> None:
    story = Story()
    story.join()
    story.uplink()
    story.queue()
    story.txack()
    story.tell(ev.GatewayHealthChanged("gw-1", online=False))
    story.wait(11)
    assert story.attempt.frame == AutoUplink(on=True)
    assert story.attempt.stage is Stage.SUBMITTED


def test_a_setting_sent_while_no_gateway_listened_does_not_stand_for_one_that_was_lost() -> None:
    # found by the model: the interval arrived twice, the automatic uplinks never
    story = Story()
    story.join()
    story.uplink()
    story.carry(lost=True)
    story.wait(10.5)
    assert story.attempt.frame == StatusInterval(15)
    story.carry(answered=False)
    story.tell(ev.GatewayHealthChanged("gw-1", online=False))
    story.wait(10.5)
    story.tell(ev.GatewayHealthChanged("gw-1", online=True))
    assert story.attempt.frame == AutoUplink(on=True), "the round begins anew"
    assert story.device.setup is not None
    assert story.device.setup.attempts == 0
    story.now = max(story.now, story.attempt.not_before)
    story.queue()
    story.txack()
    story.uplink()  # one more than before the round, and of the frame before
    assert story.device.phase is Phase.INITIALIZING
    story.deliver()
    story.carry_until_idle()
    assert story.device.phase is Phase.IDLE


def test_settings_the_server_refuses_reject_the_waiting_command() -> None:
    story = Story()
    story.join()
    story.uplink()
    story.command(RED)
    story.tell(ev.AttemptRefused(story.attempt.number, "unknown device"))
    assert story.status_of() is CommandStatus.REJECTED
    assert story.device.phase is Phase.FAILED


def test_a_command_that_expires_during_the_settings_leaves_them_going() -> None:
    story = Story()
    story.join()
    story.uplink()
    story.command(RED, ttl_s=5)
    story.wait(6)
    assert story.status_of() is CommandStatus.EXPIRED
    assert story.device.phase is Phase.INITIALIZING
    story.carry_until_idle()
    assert story.device.phase is Phase.IDLE


def test_a_light_that_failed_its_settings_but_shows_the_wanted_is_not_called_failed() -> None:
    story = Story(policy=Policy(setup_rounds_most=1)).settle()
    story.command(RED)
    story.carry()
    story.tell(ev.InitializeRequested(force=True))
    story.lose_settings()
    assert story.device.phase is Phase.RETRYING


# ------------------------------------------------------------------ asking, sweeping


def test_a_status_is_asked_for_only_where_nothing_is_on_its_way() -> None:
    story = Story().settle()
    story.tell(ev.StatusRequested("by hand"))
    assert answer_of(story) == "asked"
    assert story.attempt.frame == RequestStatus()
    story.tell(ev.StatusRequested("by hand"))
    assert answer_of(story) == "busy"
    story.carry()
    assert story.device.attempt is None
    assert story.device.phase is Phase.IDLE


def test_upkeep_that_is_not_answered_or_not_sent_is_let_go() -> None:
    story = Story().settle()
    story.tell(ev.StatusRequested("by hand"))
    story.carry(lost=True)
    story.wait(31)
    assert story.device.attempt is None
    story.tell(ev.StatusRequested("by hand"))
    story.queue()
    story.expire()
    assert story.device.attempt is None
    story.tell(ev.StatusRequested("by hand"))
    story.queue()
    story.taken_unseen()
    story.wait(31)
    assert story.device.attempt is None


def test_old_firmware_is_fed_with_its_interval() -> None:
    story = Story(sw_rev=41).settle()
    story.now += 26 * 3600
    story.tell(ev.Swept())
    submit = story.effect(Submit)
    assert submit is not None
    assert submit.attempt.frame == StatusInterval(15)


def test_a_silent_light_is_asked_about_once_in_a_while() -> None:
    story = Story().settle()
    story.tell(ev.Swept())
    assert story.effect(Inquire) is None
    story.now += 3_000
    story.tell(ev.Swept())
    assert story.effect(Inquire) is not None
    story.answer_inquiry(failure="no answer")
    story.tell(ev.Swept())
    assert story.effect(Inquire) is None


def test_old_firmware_has_until_its_next_status_to_answer() -> None:
    story = Story(sw_rev=41).settle()
    story.command(RED)
    assert story.attempt.frame == StatusInterval(2), "else its status would come in 15 minutes"
    assert "answers no downlink" in (story.commands["c1"].reason or "")
    story.carry(answered=False)
    story.wait(10.5)
    story.queue()
    story.txack()
    story.deliver()
    story.wait(150)
    assert story.device.phase is Phase.AWAITING_VERIFY
    story.uplink()
    assert story.status_of() is CommandStatus.VERIFIED
    assert story.commands["c1"].attempts == 1
    assert story.commands["c1"].heartbeat_only, "its verdict is counted apart"


def test_old_firmware_is_given_its_interval_back_when_nothing_is_open() -> None:
    story = Story(sw_rev=41).settle()
    story.command(RED)
    story.carry(answered=False)
    story.wait(10.5)
    story.carry()
    story.command(GREEN, "c2")
    assert isinstance(story.attempt.frame, SetLight), "it reports quickly already"
    story.carry()
    story.now += 60
    story.tell(ev.Swept())
    assert story.attempt.frame == StatusInterval(15)
    story.carry(answered=False)
    story.wait(10.5)
    assert story.device.phase is Phase.IDLE
    story.tell(ev.Swept())
    assert story.device.attempt is None


def test_a_short_interval_that_was_lost_is_told_again_before_the_next_attempt() -> None:
    story = Story(sw_rev=41).settle()
    story.command(RED)
    story.carry(lost=True)
    story.wait(10.5)
    story.carry(lost=True)
    story.wait(2 * 60 + 65)
    story.answer_inquiry()
    story.wait(15)
    assert story.attempt.frame == StatusInterval(2)


def test_a_light_that_answers_is_left_its_interval() -> None:
    story = Story().settle()
    story.command(RED)
    assert isinstance(story.attempt.frame, SetLight)
    assert not story.commands["c1"].heartbeat_only


def test_an_idle_light_that_wakes_has_nothing_to_write() -> None:
    story = Story().settle()
    before = story.device
    assert story.tell(ev.Restored()) == []
    assert story.device is before  # 20,000 of them start without a commit


# ------------------------------------------------------------------ odd answers


def test_an_uplink_of_a_new_address_is_believed_whatever_its_time_says() -> None:
    """A gateway's clock was set back: uplinks of the new session look older than the old ones."""
    story = Story().settle()
    story.join(told=False)
    story.now -= 3_600
    heard = story.compose()
    story.now += 3_600
    story.tell(heard)
    assert story.device.session is not None
    assert story.device.session.dev_addr == story.dev_addr
    assert story.effect(Inquire) is not None, "no join was told: the server is asked all the same"
    story.answer_inquiry(heard)
    assert story.device.session.dev_addr == story.dev_addr
    assert story.device.phase is Phase.INITIALIZING


def test_counters_that_went_back_under_the_same_address_are_a_new_session() -> None:
    story = Story().settle()
    story.command(RED)
    story.carry()
    same = story.dev_addr
    story.now += 60
    story.join(told=False)
    story.dev_addr = same
    story.uplink()
    assert story.effect(Inquire) is not None, "counters that fell are no proof: a replay has them"
    assert story.device.phase is Phase.IDLE
    story.f_cnt, story.sent = story.f_cnt - 1, story.sent - 1
    story.answer_inquiry(story.compose())
    assert story.device.phase is Phase.INITIALIZING


def test_an_answer_to_an_older_question_changes_nothing() -> None:
    story = Story().settle()
    story.command(RED)
    before = story.device
    story.tell(ev.Inquired(99, activation=Activation("ffffffff", 1, 1)))
    assert story.device is before


def test_a_gateways_refusal_is_remembered_and_left_to_the_server() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    story.tell(ev.GatewayRefusedFrame(story.now, "QUEUE_FULL"))
    assert story.attempt.stage is Stage.QUEUED
    assert "QUEUE_FULL" in (story.device.last_error or "")


def test_a_frame_the_server_calls_too_large_is_rejected() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    story.tell(ev.AttemptRefused(story.attempt.number, "discarded: DOWNLINK_PAYLOAD_SIZE"))
    assert story.status_of() is CommandStatus.REJECTED
    assert "DOWNLINK_PAYLOAD_SIZE" in (story.commands["c1"].reason or "")


def test_a_restoration_that_is_refused_fails_and_tries_again_on_a_sign_of_life() -> None:
    story = Story().settle()
    story.command(RED)
    story.carry()
    story.light = BLUE
    story.now += 60
    story.uplink()
    story.tell(ev.AttemptRefused(story.attempt.number, "no"))
    assert story.device.phase is Phase.FAILED
    story.uplink()
    assert story.device.phase is Phase.AWAITING_VERIFY


def test_a_silent_dispatcher_is_told_again() -> None:
    story = Story().settle()
    story.command(RED)
    story.wait(620)
    assert story.effect(Submit) is not None
    assert story.attempt.stage is Stage.SUBMITTED


def test_a_long_timeline_loses_its_middle_and_says_so() -> None:
    story = Story(policy=Policy(timeline_most=12)).settle()
    story.command(RED)
    for n in range(40):
        story.tell(ev.AttemptHeld(story.attempt.number, f"reason {n}"))
    command = story.commands["c1"]
    assert len(command.timeline) == 12
    assert command.steps_omitted == 29
    assert command.timeline[0].kind.value == "accepted"
    assert command.timeline[-1].reason == "reason 39"


def test_names_and_tags_follow_the_server() -> None:
    from lorawan.events.model import DeviceInfo

    story = Story().settle()
    event = story.compose()
    info = DeviceInfo(story.device.dev_eui, "Bay 7", "app", "lights", tags={"floor": "2"})
    story.tell(
        ev.UplinkHeard(**{f: getattr(event, f) for f in event.__struct_fields__} | {"device": info})
    )
    assert (story.device.name, story.device.tags) == ("Bay 7", {"floor": "2"})


@pytest.mark.parametrize("failure", [None, "no answer"])
def test_while_the_last_inquiry_is_out_nobody_is_called_failed(failure: str | None) -> None:
    story = Story().settle()
    story.command(RED)
    for _ in range(3):
        story.queue()
        story.txack()
        story.wait(30.3)
        assert story.device.phase is Phase.RETRYING
        story.answer_inquiry(failure=failure)
        next_at = story.device.pursuit.next_at if story.device.pursuit else None
        if next_at is not None:
            story.wait(next_at - story.now)
    assert story.device.phase is Phase.FAILED


@pytest.mark.parametrize(("told", "kept"), [(7, 7), (12, 12), (None, None), (50, None)])
def test_what_was_heard_keeps_the_spreading_factor_of_its_uplink(
    told: int | None, kept: int | None
) -> None:
    story = Story()
    heard = msgspec.structs.replace(story.compose(), spreading_factor=told)
    story.tell(heard)
    [hearing] = story.device.hearings
    assert hearing.spreading_factor == kept
    assert hearing.margin_db == 5.0 - REQUIRED_SNR_DB[kept or 12]
