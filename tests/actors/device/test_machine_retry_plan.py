"""The learned plan: when the next attempt goes, and how often; and the fixed plans beside it."""

from itertools import pairwise

import pytest

from actors.device import events as ev
from actors.device import retry_plan
from actors.device.command import CommandStatus
from actors.device.effects import Inquire
from actors.device.firmware import TaughtPolicy
from actors.device.liveness import asleep
from actors.device.machine import next_due
from actors.device.model import Phase, Stage
from actors.device.policy import Policy, RetryPlan
from actors.link.knowledge import Knowledge
from tests.support.story import RED, Story

DARK_PER_S = Knowledge().dark_per_s
HOUR_S = 3_600.0


def taught(**known: object) -> TaughtPolicy:
    return TaughtPolicy(knowledge=Knowledge(**known))  # type: ignore[arg-type]


def tried(
    policy: Policy, *, silent_s: float = 60.0, chance: float = 0.5
) -> tuple[Story, list[float]]:
    """A settled light that answers no frame any more, and when each was sent (by the first)."""
    story = Story(policy=policy).settle()
    story.now += silent_s
    story.command(RED)
    at: list[float] = []
    for _ in range(20):
        assert asleep(story.device, policy) is None
        if story.device.attempt is None and story.device.inquiry is not None:
            story.answer_inquiry()
        elif story.device.attempt is not None and story.attempt.stage is Stage.SUBMITTED:
            story.now = max(story.now, story.attempt.not_before)
            at.append(story.now)
            story.queue()
            story.txack()
        elif (due := next_due(story.device, policy)) is not None and due < story.now + HOUR_S:
            story.now = due
            story.tell(ev.Tick(), chance)
        else:
            break
    return story, [one - at[0] for one in at]


# ------------------------------------------------------------------ when


def test_the_next_frame_goes_as_soon_as_no_answer_can_come_and_the_gaps_grow() -> None:
    _, at = tried(Policy(), chance=0.0)
    gaps = [later - sooner - 0.2 for sooner, later in pairwise(at)]
    assert gaps == pytest.approx([10.0, 10.0, 18.0, 27.0, 36.0][: len(gaps)])
    assert len(at) >= 4


def test_a_gap_of_ten_seconds_is_never_shortened_and_longer_ones_are_spread() -> None:
    for failures, nominal in enumerate(retry_plan.GAPS_S, 1):
        least, most = (retry_plan.gap_s(failures, 10.0, chance) for chance in (0.0, 1.0))
        assert most == pytest.approx(1.1 * nominal)
        assert least == pytest.approx(nominal if nominal <= 10.0 else 0.9 * nominal)
    assert [retry_plan.gap_s(n, 5.0, 0.0) for n in (1, 2, 3)] == [5.0, 5.0, 10.0]
    assert retry_plan.gap_s(99, 10.0, 0.5) == retry_plan.gap_s(7, 10.0, 0.5)


@pytest.mark.parametrize("spacing_s", [0.01, 1.0, 10.0, 45.0])
def test_no_gap_is_below_the_spacing_that_was_set(spacing_s: float) -> None:
    for failures in range(1, 9):
        assert retry_plan.gap_s(failures, spacing_s, 0.0) >= spacing_s


def test_five_seconds_are_kept_only_where_they_are_proven_for_the_software() -> None:
    known = {"answer_waits_s": {61: 1.0}, "spacing_proven": frozenset({61})}
    _, at = tried(taught(**known), chance=0.0)
    assert at[1] == pytest.approx(0.2 + 5.0)
    assert at[2] == pytest.approx(2 * (0.2 + 5.0))
    for policy in (
        taught(answer_waits_s={61: 1.0}, spacing_proven=frozenset({62})),
        TaughtPolicy(plan=RetryPlan.FIXED, knowledge=Knowledge(**known)),  # type: ignore[arg-type]
    ):
        story = Story(policy=policy).settle()
        assert retry_plan.spacing_s(story.device, policy) == 10.0


def test_the_window_is_what_the_software_was_seen_to_take_and_the_answers_own_air() -> None:
    def window_s(wait_s: float | None) -> float:
        known = {} if wait_s is None else {61: wait_s}
        story = Story(policy=taught(answer_waits_s=known)).settle()
        story.command(RED)
        story.queue()
        story.txack()
        assert story.attempt.due_at is not None
        return story.attempt.due_at - story.now - 0.2

    air_s = 0.267  # of a status at SF9
    assert window_s(None) == pytest.approx(8.0)
    assert window_s(4.0) == pytest.approx(4.0 + air_s, abs=0.02)
    assert window_s(0.3) == pytest.approx(2.0)
    assert window_s(70.0) == pytest.approx(30.0)


def test_settings_of_unknown_software_are_given_their_time() -> None:
    """A late answer proves a colour all the same, but no settings of which another round began."""
    unknown, known = Policy(), taught(answer_waits_s={61: 4.0})
    story = Story(policy=unknown).settle()
    assert retry_plan.settings_window_s(story.device, unknown) == 30.0
    assert 4.0 < retry_plan.settings_window_s(story.device, known) < 5.0


def test_software_that_cannot_answer_keeps_its_window_of_a_status_interval() -> None:
    windows = []
    for policy in (Policy(), Policy(plan=RetryPlan.FIXED)):
        story = Story(sw_rev=41, policy=policy)
        story.join()
        story.now += 5
        story.uplink()
        windows.append(retry_plan.window_s(story.device, None, policy))
    assert windows[0] == windows[1] > 900.0


# ------------------------------------------------------------------ how often


def test_one_more_is_worth_it_while_it_proves_the_colour_once_in_ten() -> None:
    odds = DARK_PER_S * 450.0
    worth = [retry_plan.worth_another(0.9, odds, k) for k in range(9)]
    assert worth == [True] * 5 + [False] * 4
    # at 30 % loss each way failures say little: as many as there may be
    assert retry_plan.worth_another(0.49, odds, 7)
    assert not retry_plan.worth_another(0.49, odds, 8)
    # silent for ten hours, 40 statuses missed: one frame is all that it is worth
    assert not retry_plan.worth_another(0.9, DARK_PER_S * 36_000 / 0.07**40, 1)


def test_a_light_heard_a_minute_ago_is_tried_more_often_than_three_times() -> None:
    story, at = tried(Policy())
    assert 4 <= len(at) <= retry_plan.ATTEMPTS_MOST
    assert story.device.phase is Phase.FAILED
    assert story.commands["c1"].overdue
    assert story.device.pursuit is not None
    assert story.device.pursuit.timed == len(at)


def test_a_light_silent_for_hours_costs_one_frame_and_then_evidence_goes_on() -> None:
    story, at = tried(Policy(), silent_s=6 * HOUR_S)
    assert len(at) == 1
    assert story.device.phase is Phase.FAILED
    story.uplink()
    assert story.device.phase is Phase.AWAITING_VERIFY, "it was heard"
    story.carry_until_idle()
    assert story.status_of() is CommandStatus.VERIFIED


def test_a_light_that_was_heard_again_is_tried_by_time_again() -> None:
    story, _ = tried(Policy(), silent_s=6 * HOUR_S)
    story.uplink()
    story.carry(lost=True)
    story.wait(8.3)
    story.answer_inquiry()
    assert story.device.phase is Phase.RETRYING
    assert story.device.pursuit is not None
    assert story.device.pursuit.next_at is not None
    assert story.device.pursuit.timed == 0


def test_evidence_after_the_timed_attempts_is_spaced_more_and_more() -> None:
    story, at = tried(Policy(), silent_s=60.0)
    frames = len(at)
    gaps = []
    for _ in range(4):
        story.now += HOUR_S
        story.tell(ev.GatewayHealthChanged("gw-1", online=False))
        story.tell(ev.GatewayHealthChanged("gw-1", online=True))
        while story.device.phase is not Phase.FAILED:
            if story.device.attempt is not None:
                gaps.append(story.attempt.not_before - story.now)
                story.carry(lost=True)
                story.wait(8.3)
            if story.device.inquiry is not None:
                story.answer_inquiry()
            goal = story.device.pursuit
            if goal is not None and goal.next_at is not None:
                story.wait(goal.next_at - story.now)
    assert story.device.pursuit is not None
    assert story.device.pursuit.attempts <= frames + 4 * retry_plan.ATTEMPTS_MOST
    assert retry_plan.beyond(story.device.pursuit, story.policy) >= 0


@pytest.mark.parametrize("away", ["service", "gateways"])
def test_time_in_which_nobody_listened_is_no_silence(away: str) -> None:
    policy = Policy()
    story = Story(policy=policy).settle()
    if away == "gateways":
        story.tell(ev.GatewayHealthChanged("gw-1", online=False))
        story.now += 6 * HOUR_S
        story.tell(ev.GatewayHealthChanged("gw-1", online=True))
    else:
        story.now += 6 * HOUR_S
        policy = TaughtPolicy(listening_since=story.now)
    story.now += 60.0
    assert retry_plan.dark_odds(story.device, story.now, policy) < 1e-3
    story.now += 6 * HOUR_S
    assert retry_plan.dark_odds(story.device, story.now, policy) > 1e3


def test_a_status_that_is_merely_late_is_not_missed() -> None:
    story = Story().settle()
    heard_at = story.device.heard_at
    assert heard_at is not None
    before, after = (
        retry_plan.dark_odds(story.device, heard_at + s, story.policy) for s in (925.0, 935.0)
    )
    assert after > 10 * before


# ------------------------------------------------------------------ the fixed plans


def test_the_fixed_plan_is_that_of_0_1_0() -> None:
    _, at = tried(Policy(plan=RetryPlan.FIXED))
    assert at == pytest.approx([0.0, 40.2, 90.4])


def test_the_classic_plan_waits_half_a_minute_and_retries_after_ten_twenty_and_forty() -> None:
    # its own numbers, whatever the settings of the fixed plan say
    _, at = tried(Policy(plan=RetryPlan.CLASSIC, window_s=3.0, attempts_most=1))
    assert at == pytest.approx([0.0, 40.2, 90.4, 160.6])


def test_what_an_older_version_left_open_goes_on_by_evidence() -> None:
    story = Story()  # the fixed plan, whose records have no number of timed attempts
    story.settle()
    story.command(RED)
    story.spend_attempts()
    assert story.device.phase is Phase.FAILED
    story.policy = Policy()
    story.tell(ev.Restored())
    assert story.device.healed == 0
    story.answer_inquiry()
    assert story.device.phase is Phase.FAILED
    story.uplink()
    story.carry_until_idle()
    assert story.status_of() is CommandStatus.VERIFIED


def test_a_refused_attempt_leaves_its_wish_to_evidence() -> None:
    story = Story(policy=Policy()).settle()
    story.command(RED)
    story.carry()
    story.light = story.light.__class__(0, 1, 2)
    story.uplink()  # drifted: brought back
    story.tell(ev.AttemptRefused(story.attempt.number, "never"))
    assert story.device.phase is Phase.FAILED
    assert asleep(story.device, story.policy) is None


# ------------------------------------------------------------------ replay only where it can help


def test_an_unanswered_frame_has_the_counter_asked_for_before_a_replay() -> None:
    story = Story(policy=Policy()).settle()
    story.command(RED)
    story.carry(lost=True)
    story.wait(8.3)
    asked = story.effect(Inquire)
    assert asked is not None
    assert asked.known is not None
    assert (asked.known.dev_addr, asked.known.f_cnt) == (story.dev_addr, story.f_cnt)


def test_after_a_restart_everything_is_asked_for() -> None:
    story = Story(policy=Policy()).settle()
    story.command(RED)
    story.queue()
    story.tell(ev.Restored())
    asked = story.effect(Inquire)
    assert asked is not None
    assert asked.known is None, "a txack may have been missed, which no uplink counter tells"
