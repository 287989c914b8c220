"""The device machine, told as stories: each holds one of the ten truths of the design."""

import pytest

from actors.device import events as ev
from actors.device.command import CommandStatus, StepKind
from actors.device.effects import Inquire, Submit, Withdraw
from actors.device.model import Phase, Stage
from lorawan.kuando import AFTER_JOIN, LightState
from lorawan.kuando.frames import AutoUplink, RequestStatus, SetLight, StatusInterval
from lorawan.network import Activation
from tests.support.story import BLUE, GREEN, RED, Story

# ------------------------------------------------------------------ the plain way


def test_first_status_then_settings_then_idle() -> None:
    story = Story()
    story.join()
    assert story.device.phase is Phase.UNINITIALIZED
    story.uplink()
    assert story.device.phase is Phase.INITIALIZING
    assert story.attempt.frame == AutoUplink(on=True)
    story.carry(answered=False)
    story.wait(10.5)
    assert story.attempt.frame == StatusInterval(15)
    story.carry(answered=False)
    story.wait(10.5)
    assert story.attempt.frame == RequestStatus()
    story.carry()
    assert story.device.phase is Phase.IDLE
    assert story.device.session is not None
    assert story.device.session.set_up


def test_a_command_is_verified_by_the_echo_alone() -> None:
    story = Story().settle()
    story.command(RED)
    assert story.device.phase is Phase.AWAITING_VERIFY
    story.queue()
    assert story.status_of() is CommandStatus.QUEUED
    story.txack()
    assert story.status_of() is CommandStatus.TRANSMITTED
    story.deliver()
    story.now += 1
    story.uplink()
    assert story.status_of() is CommandStatus.VERIFIED
    assert story.device.phase is Phase.IDLE
    assert story.commands["c1"].attempts == 1
    kinds = [s.kind for s in story.commands["c1"].timeline]
    assert kinds == [StepKind.ACCEPTED, StepKind.QUEUED, StepKind.TRANSMITTED, StepKind.VERIFIED]


def test_old_firmware_gets_the_interval_only() -> None:
    story = Story(sw_rev=41)
    story.join()
    story.uplink()
    assert story.attempt.frame == StatusInterval(15)
    story.carry(answered=False)
    story.wait(10.5)
    assert story.device.phase is Phase.IDLE


# ------------------------------------------------------------------ never a false "verified"


@pytest.mark.parametrize("changed", ["red", "green", "blue", "on", "off"])
def test_all_five_bytes_must_be_repeated(changed: str) -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    story.txack()
    story.received += 1
    fields = {f: getattr(RED, f) for f in RED.__struct_fields__} | {changed: 77}
    story.now += 1
    story.uplink(light=LightState(**fields))
    assert story.status_of() is not CommandStatus.VERIFIED


def test_the_colour_without_the_counter_proves_nothing() -> None:
    story = Story().settle()
    story.light = RED
    story.uplink()
    story.command(RED)
    story.queue()
    story.txack()
    story.now += 1
    story.uplink()  # still red, but no downlink more than before: our frame was lost
    assert story.status_of() is not CommandStatus.VERIFIED
    assert story.device.phase is Phase.AWAITING_VERIFY  # at once again, on evidence


def test_a_late_echo_of_an_older_command_of_the_same_colour_proves_nothing() -> None:
    story = Story().settle()
    story.command(GREEN, "old")
    story.queue()
    story.txack()
    story.deliver()
    story.now += 1
    late = story.compose()  # green, on its way to us for a long time
    story.command(RED, "middle")
    story.now += 15
    story.queue()
    story.txack()
    story.deliver()
    story.now += 1
    later = story.compose()  # red, on its way too
    story.command(GREEN, "new")
    story.now += 15
    story.queue()  # the server has had both: its next expected counter is the fence
    story.txack()
    story.tell(late)
    assert story.status_of("new") is not CommandStatus.VERIFIED
    story.tell(later)
    assert story.status_of("new") is not CommandStatus.VERIFIED
    story.deliver()
    story.now += 1
    story.uplink()
    assert story.status_of("new") is CommandStatus.VERIFIED


def test_a_duplicate_a_replay_and_an_older_uplink_prove_nothing() -> None:
    story = Story().settle()
    story.light = RED
    story.received += 1
    old = story.compose()
    story.light = AFTER_JOIN
    newer = story.compose()
    story.tell(newer)
    story.command(RED)
    story.queue()
    story.txack()
    for event in (old, newer, old):
        story.tell(event)
        assert story.status_of() is CommandStatus.TRANSMITTED


def test_an_uplink_of_the_session_before_proves_nothing() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    story.txack()
    story.deliver()
    story.now += 1
    echo = story.compose()
    story.now += 1
    story.join()
    story.tell(echo)
    assert story.status_of() is CommandStatus.ACCEPTED
    assert story.device.phase is Phase.UNINITIALIZED


def test_a_payload_that_is_no_status_proves_nothing() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    story.txack()
    story.f_cnt += 1
    story.tell(ev.UplinkHeard(story.now + 1, story.dev_addr, story.f_cnt, None, note="3 bytes"))
    assert story.status_of() is CommandStatus.TRANSMITTED


def test_neither_queue_id_nor_txack_nor_empty_queue_proves() -> None:
    story = Story().settle()
    story.command(RED)
    story.lose_attempt()
    assert story.status_of() is CommandStatus.TRANSMITTED
    assert story.device.phase is Phase.RETRYING


# ------------------------------------------------------------------ order is nobody's promise


def test_the_echo_may_come_before_the_reply_of_the_enqueue() -> None:
    story = Story().settle()
    story.command(RED)
    attempt = story.attempt
    fence = story.f_cnt + 1
    story.tell(ev.Transmitted(story.now, "item-9", "gw-1", story.now + 0.2, story.f_cnt_down))
    story.deliver()
    story.now += 1
    story.uplink()
    assert story.status_of() is CommandStatus.ACCEPTED
    story.tell(
        ev.AttemptQueued(
            attempt.number, "item-9", story.now + 30, Activation(story.dev_addr, fence, 0)
        )
    )
    assert story.status_of() is CommandStatus.VERIFIED
    assert story.commands["c1"].attempts == 1


def test_a_late_echo_of_the_first_attempt_does_not_count_the_second_still_queued() -> None:
    story = Story().settle()
    story.command(RED)
    story.carry(answered=False)
    echo = story.compose()
    story.wait(31)
    story.answer_inquiry()
    assert story.device.pursuit is not None
    assert story.device.pursuit.next_at is not None
    story.wait(story.device.pursuit.next_at - story.now)
    story.queue()
    story.tell(echo)
    assert story.status_of() is CommandStatus.VERIFIED
    assert story.commands["c1"].attempts == 1


def test_an_echo_that_overtakes_its_txack_counts_in_every_session() -> None:
    story = Story().settle()
    story.command(RED)
    story.carry(lost=True)
    story.join()
    story.uplink()
    for _ in range(3):
        if story.device.setup is not None:
            story.carry()
    story.now = max(story.now, story.attempt.not_before)
    story.queue()
    story.deliver()
    story.now += 1
    story.uplink()  # before the txack
    assert story.status_of() is CommandStatus.VERIFIED
    assert story.commands["c1"].attempts == 2


def test_what_was_told_of_an_attempt_and_lost_to_a_crash_is_asked_for_again() -> None:
    story = Story().settle()
    story.command(RED)
    number = story.attempt.number
    story.tell(ev.AttemptTransmitted(number))  # that it was queued never came
    submit = story.effect(Submit)
    assert submit is not None
    assert submit.attempt.number == number
    assert story.commands["c1"].attempts == 0
    story.queue()  # the dispatcher tells it all once more
    story.tell(ev.AttemptTransmitted(number))
    assert story.attempt.stage is Stage.TRANSMITTED
    assert story.commands["c1"].attempts == 1


def test_what_is_told_twice_or_of_an_attempt_before_changes_nothing() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    number = story.attempt.number
    story.tell(ev.AttemptTransmitted(number))
    story.now += 1
    for late in (
        ev.AttemptTransmitted(number),
        ev.AttemptNotSent(number, "of before"),
        ev.AttemptRefused(number, "of before"),
        ev.AttemptNotSent(number - 1, "of another"),
        ev.AttemptRefused(number - 1, "of another"),
        ev.AttemptTransmitted(number - 1),
    ):
        before = story.device
        story.tell(late)
        assert story.device is before, late
    assert story.commands["c1"].attempts == 1


def test_the_first_uplink_may_come_before_the_webhook_of_its_join() -> None:
    story = Story().settle()
    story.join(told=False)
    joined_at = story.now
    story.now += 3
    story.uplink()
    assert story.device.phase is Phase.INITIALIZING
    number = story.attempt.number
    story.tell(ev.Joined(joined_at, story.dev_addr))
    assert story.device.phase is Phase.INITIALIZING
    assert story.attempt.number == number


def test_a_join_nobody_told_of_shows_in_the_activation() -> None:
    story = Story().settle()
    story.command(RED)
    story.join(told=False)
    story.now += 3
    heard = story.compose()
    story.queue()
    assert story.device.phase is Phase.UNINITIALIZED
    assert story.effect(Inquire) is not None
    story.answer_inquiry(heard)
    assert story.device.phase is Phase.INITIALIZING
    assert story.status_of() is CommandStatus.ACCEPTED


# ------------------------------------------------------------------ retry, on time and evidence


def test_three_timed_attempts_at_0_40_and_90_seconds_then_failed_at_120() -> None:
    story = Story().settle()
    story.command(RED)
    begun = story.now
    at = []
    for _ in range(3):
        at.append(story.now - begun)
        story.queue()
        story.txack()
        story.wait(30.3)
        story.answer_inquiry()
        if story.device.phase is Phase.RETRYING:
            story.wait((story.device.pursuit.next_at or 0) - story.now)  # type: ignore[union-attr]
    assert at == pytest.approx([0, 40.2, 90.4], abs=0.5)
    assert story.now - begun == pytest.approx(120.6, abs=0.6)
    assert story.device.phase is Phase.FAILED
    assert story.commands["c1"].overdue
    assert not story.status_of().final
    assert story.commands["c1"].attempts == 3


def test_replay_before_retry_saves_a_frame() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    story.txack()
    story.deliver()
    story.now += 1
    lost = story.compose()  # its webhook never comes
    story.wait(31)
    assert story.effect(Inquire) is not None
    story.answer_inquiry(lost)
    assert story.status_of() is CommandStatus.VERIFIED
    assert story.commands["c1"].attempts == 1


def test_a_status_with_another_state_starts_the_next_attempt_at_once_but_spaced() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    story.txack()
    last = story.now
    story.now += 2
    story.uplink()
    submit = story.effect(Submit)
    assert submit is not None
    assert submit.attempt.retry
    assert submit.attempt.not_before == pytest.approx(last + 0.2 + 10)


def test_failed_only_evidence_tries_again_and_the_light_is_brought_home() -> None:
    story = _failed()
    story.wait(6 * 3600)
    assert story.device.attempt is None
    story.uplink()
    assert story.device.phase is Phase.AWAITING_VERIFY
    story.carry()
    assert story.status_of() is CommandStatus.VERIFIED
    assert story.device.phase is Phase.IDLE


def test_failed_is_never_shown_while_the_newest_status_shows_the_wanted_state() -> None:
    story = Story().settle()
    story.light = RED
    story.uplink()
    story.command(RED)
    story.spend_attempts()
    assert story.device.phase is Phase.RETRYING
    assert story.commands["c1"].overdue
    story.uplink()
    story.carry()
    assert story.status_of() is CommandStatus.VERIFIED


def test_a_gateway_that_comes_back_is_evidence() -> None:
    story = _failed()
    story.tell(ev.GatewayHealthChanged("gw-1", online=False))
    assert story.device.phase is Phase.FAILED
    story.tell(ev.GatewayHealthChanged("gw-9", online=True))
    assert story.device.phase is Phase.FAILED
    story.tell(ev.GatewayHealthChanged("gw-1", online=True))
    assert story.device.phase is Phase.AWAITING_VERIFY


def test_evidence_without_end_is_spaced_ever_wider() -> None:
    story = _failed()
    gaps = []
    for _ in range(12):
        story.uplink()
        gaps.append(story.attempt.not_before - story.now)
        story.now = story.attempt.not_before
        story.queue()
        story.txack()
        story.now += 2
    assert gaps == sorted(gaps)
    assert gaps[-1] > 600


def test_nothing_is_counted_for_what_was_never_sent() -> None:
    story = Story().settle()
    story.command(RED)
    for _ in range(6):
        story.queue()
        story.expire()
        assert story.status_of() is CommandStatus.HELD
        story.wait((story.device.pursuit.next_at or 0) - story.now)  # type: ignore[union-attr]
    assert story.commands["c1"].attempts == 0
    assert story.device.phase is Phase.AWAITING_VERIFY


def test_a_frame_that_no_txack_told_of_is_counted_and_given_its_window() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    story.taken_unseen()
    assert story.commands["c1"].attempts == 1
    assert story.device.last_frame_at == story.now
    story.wait(29)
    assert story.device.phase is Phase.AWAITING_VERIFY
    story.wait(1.5)
    assert story.device.phase is Phase.RETRYING
    assert story.effect(Inquire) is not None
    assert story.commands["c1"].attempts == 1


def test_a_txack_that_comes_late_names_the_gateway_and_counts_nothing() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    late = story.taken()
    story.tell(ev.AttemptTransmitted(story.attempt.number))
    due_at = story.attempt.due_at
    story.now += 3
    story.tell(late)
    assert story.attempt.gateway_id == "gw-1"
    assert story.attempt.ends_at == late.ends_at
    assert story.attempt.due_at == due_at
    assert story.commands["c1"].attempts == 1
    [step] = [s for s in story.commands["c1"].timeline if s.kind is StepKind.TRANSMITTED]
    assert step.gateway_id == "gw-1"


def test_an_attempt_in_the_queue_of_which_nothing_is_told_is_asked_about_again_and_again() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    queued = story.attempt
    assert queued.item_expires_at is not None
    for _ in range(3):
        assert story.attempt.due_at is not None
        story.wait(story.attempt.due_at - story.now)
        submit = story.effect(Submit)
        assert submit is not None
        assert submit.attempt.stage is Stage.QUEUED
        assert submit.attempt.number == queued.number
        assert story.now > queued.item_expires_at, "by then the dispatcher could have told"
    assert story.device.phase is Phase.AWAITING_VERIFY
    assert story.commands["c1"].attempts == 0


# ------------------------------------------------------------------ held


def test_a_held_attempt_costs_nothing_and_no_timer_runs() -> None:
    story = Story().settle()
    story.command(RED)
    story.tell(ev.AttemptHeld(story.attempt.number, "every gateway is offline"))
    assert story.status_of() is CommandStatus.HELD
    assert story.commands["c1"].reason == "every gateway is offline"
    story.wait(5 * 3600)
    assert story.commands["c1"].attempts == 0
    story.carry()
    assert story.status_of() is CommandStatus.VERIFIED


def test_a_new_gateway_that_hears_a_held_light_frees_it() -> None:
    story = Story().settle()
    story.command(RED)
    story.tell(ev.GatewayHealthChanged("gw-1", online=False))
    story.tell(ev.AttemptHeld(story.attempt.number, "every gateway is offline"))
    story.uplink(gateway="gw-2")
    submit = story.effect(Submit)
    assert submit is not None
    assert submit.attempt.number == story.attempt.number
    story.tell(ev.AttemptHeld(story.attempt.number, "airtime is used up"))
    story.uplink(gateway="gw-2")
    assert story.effect(Submit) is None  # no news for the dispatcher


def test_a_window_that_closes_while_no_gateway_listens_counts_for_nothing() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    story.txack()
    story.tell(ev.GatewayHealthChanged("gw-1", online=False))
    story.wait(31)
    assert story.device.pursuit is not None
    assert story.device.pursuit.attempts == 0
    assert story.attempt.stage is Stage.SUBMITTED


# ------------------------------------------------------------------ supersede, expire, reject


def test_the_newest_wins_and_the_older_caller_is_told_by_which() -> None:
    story = Story().settle()
    story.command(RED, "first")
    story.command(BLUE, "second")
    assert story.status_of("first") is CommandStatus.SUPERSEDED
    assert story.commands["first"].superseded_by == "second"
    assert story.effect(Withdraw) is not None
    assert isinstance(story.attempt.frame, SetLight)
    assert story.attempt.frame.light == BLUE


def test_a_command_expires_and_nothing_is_wanted_any_more() -> None:
    story = Story().settle()
    story.command(RED, ttl_s=100.0)
    story.tell(ev.AttemptHeld(story.attempt.number, "offline"))
    story.wait(101)
    assert story.status_of() is CommandStatus.EXPIRED
    reason = story.commands["c1"].reason or ""
    assert reason.startswith("offline; its newest status shows red 0, green 53")
    assert story.device.phase is Phase.IDLE
    story.uplink()
    assert story.device.attempt is None


def test_what_the_server_refuses_for_good_is_rejected() -> None:
    story = Story().settle()
    story.command(RED)
    story.tell(ev.AttemptRefused(story.attempt.number, "ChirpStack does not know this device"))
    assert story.status_of() is CommandStatus.REJECTED
    assert story.device.phase is Phase.IDLE


# ------------------------------------------------------------------ joins and drift


def test_after_a_rejoin_the_light_is_brought_back_through_its_settings() -> None:
    story = Story().settle()
    story.command(RED)
    story.carry()
    story.now += 3600
    story.join()
    story.now += 5
    story.uplink()
    seen = []
    for _ in range(6):
        if story.device.phase is Phase.IDLE:
            break
        seen.append(type(story.attempt.frame))
        story.carry()
    assert seen == [AutoUplink, StatusInterval, SetLight]
    assert story.light == RED


def test_a_command_in_flight_survives_a_join() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    story.txack()
    story.now += 1
    story.join()
    story.now += 4
    story.uplink()
    story.carry_until_idle()
    assert story.status_of() is CommandStatus.VERIFIED
    assert story.light == RED


def test_without_keep_a_drifted_light_is_left_alone() -> None:
    story = Story().settle()
    story.command(RED, keep=False)
    story.carry()
    story.light = BLUE
    story.now += 60
    story.uplink()
    assert story.device.phase is Phase.IDLE


def test_a_light_that_someone_else_changed_is_brought_back() -> None:
    story = Story().settle()
    story.command(RED)
    story.carry()
    story.light = BLUE
    story.now += 60
    story.uplink()
    assert story.device.phase is Phase.AWAITING_VERIFY
    story.carry()
    assert story.light == RED
    assert story.device.phase is Phase.IDLE


def test_settings_that_did_not_arrive_are_sent_again() -> None:
    story = Story()
    story.join()
    story.uplink()
    story.carry(lost=True)
    story.wait(10.5)
    story.carry(answered=False)
    story.wait(10.5)
    story.carry()  # the answer counts two of three frames
    assert story.device.phase is Phase.INITIALIZING
    story.answer_inquiry()
    story.wait(15)
    assert story.attempt.frame == AutoUplink(on=True)
    story.carry_until_idle()
    assert story.device.phase is Phase.IDLE


# ------------------------------------------------------------------ ourselves


def test_after_a_restart_what_was_submitted_is_submitted_again_under_its_number() -> None:
    story = Story().settle()
    story.command(RED)
    before = story.attempt
    story.tell(ev.Restored())
    submit = story.effect(Submit)
    assert submit is not None
    assert submit.attempt.number == before.number
    assert submit.attempt.marker_us == before.marker_us


def test_after_a_restart_the_dispatcher_has_back_what_it_told_of_a_queued_attempt() -> None:
    story = Story().settle()
    story.command(RED)
    item = story.queue()
    for event in (ev.Restored(), ev.DispatcherStarted()):
        story.tell(event)
        submit = story.effect(Submit)
        assert submit is not None
        sent = submit.attempt
        assert (sent.stage, sent.number) == (Stage.QUEUED, story.attempt.number)
        assert sent.dev_addr == story.dev_addr
        assert (sent.fence, sent.f_cnt_down) == (story.f_cnt + 1, story.f_cnt_down)
        assert (sent.queue_item_id, sent.queued_at) == (item, story.now)
        assert sent.item_expires_at is not None
    story.tell(ev.AttemptNotSent(story.attempt.number, "no gateway took the frame"))
    assert story.status_of() is CommandStatus.HELD
    assert story.commands["c1"].attempts == 0


def test_after_a_restart_with_a_frame_out_chirpstack_is_asked_first() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    story.txack()
    story.deliver()
    story.now += 1
    lost = story.compose()
    story.tell(ev.Restored())
    assert story.effect(Submit) is None
    story.answer_inquiry(lost)
    assert story.status_of() is CommandStatus.VERIFIED


def test_a_forgetful_dispatcher_is_told_again() -> None:
    story = Story().settle()
    story.command(RED)
    story.tell(ev.DispatcherStarted())
    assert story.effect(Submit) is not None


def test_the_sweeper_feeds_the_watchdog_of_an_idle_light() -> None:
    story = Story(sw_rev=56).settle()
    story.now += 26 * 3600
    story.tell(ev.Swept())
    submit = story.effect(Submit)
    assert submit is not None
    assert submit.attempt.frame == RequestStatus()


def test_an_inquiry_that_nobody_answers_is_given_up() -> None:
    story = Story().settle()
    story.command(RED)
    for _ in range(3):
        story.queue()
        story.txack()
        story.wait(62)
        if story.device.phase is Phase.RETRYING:
            story.wait(120)
    assert story.device.phase is Phase.FAILED


def _failed() -> Story:
    story = Story().settle()
    story.command(RED)
    story.spend_attempts()
    assert story.device.phase is Phase.FAILED
    return story
