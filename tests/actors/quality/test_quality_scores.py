"""Quality judges itself: its chances by what came of commands, its warnings by silences."""

import random

import msgspec
import pytest

from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.quality.chance_scores import ChanceScores, ChanceSums
from actors.quality.command_scores import CommandScores
from actors.quality.luck import poisson_at_least
from actors.quality.model import Rule
from actors.quality.rule_scores import AllSums, RuleScores
from actors.replace import replace
from lorawan.kuando.light_state import LightState

DAY_S = 86_400.0
RED = LightState(255, 0, 0)


def judged(pairs: list[tuple[float, bool]]) -> ChanceScores:
    scores = ChanceScores()
    for chance, verified in pairs:
        scores.judged(chance, verified=verified)
    return scores


def test_the_brier_score_is_the_mean_square_of_what_was_off() -> None:
    scores = judged([(0.9, True), (0.8, False)] * 10)
    assert scores.brier == pytest.approx((0.01 + 0.64) / 2)
    assert scores.skill == pytest.approx(1 - 0.325 / 0.25)


def test_who_says_the_mean_has_no_skill_and_who_knows_has_all() -> None:
    assert judged([(0.75, True)] * 30 + [(0.75, False)] * 10).skill == pytest.approx(0.0)
    assert judged([(1.0, True)] * 30 + [(0.0, False)] * 10).skill == pytest.approx(1.0)


def test_where_all_ends_alike_there_is_no_skill_to_be_had() -> None:
    assert judged([(0.99, True)] * 50).skill is None


def test_few_commands_are_not_scored() -> None:
    scores = judged([(0.9, True)] * 19)
    assert (scores.brier, scores.skill, scores.calibration_error) == (None, None, None)


def test_chances_that_mean_what_they_say_are_calibrated() -> None:
    rng = random.Random(3)
    drawn = [rng.random() for _ in range(20_000)]
    scores = judged([(chance, rng.random() < chance) for chance in drawn])
    assert scores.calibration_error == pytest.approx(0.0, abs=0.01)
    for one in scores.bins():
        assert one.predicted == pytest.approx((one.least + one.most) / 2, abs=0.01)
        assert one.observed == pytest.approx(one.predicted, abs=0.04)
    off = judged([(min(1.0, chance + 0.2), rng.random() < chance) for chance in drawn])
    assert (off.calibration_error or 0.0) > 0.1


def test_what_is_old_counts_less() -> None:
    scores = judged([(0.9, False)] * 100)
    scores.days_over(60)
    assert scores.commands == pytest.approx(100 / 2.71828, rel=1e-4)
    for _ in range(400):
        scores.judged(0.9, verified=True)
    assert scores.calibration_error == pytest.approx(abs(0.9 - 400 / 436.8), abs=0.001)


def test_sums_of_other_bins_are_not_taken_over() -> None:
    scores = ChanceScores()
    scores.restore(ChanceSums(counts=[1.0] * 12, predicted=[1.0] * 12, verified=[1.0] * 12))
    assert scores.commands == 0.0


def command(**fields: object) -> Command:
    return replace(Command("c1", "aa", RED, True, 1_000.0, 90_000.0), **fields)


QUEUED = Step(1_060.0, StepKind.QUEUED)


def followed(*steps: Command, look_at: float | None = None) -> ChanceScores:
    scores = CommandScores(ChanceScores())
    assert scores.is_new(command(), 1_000.0)
    scores.said(command(), 0.9)
    for one in steps:
        scores.shown(one, 1_100.0)
    if look_at is not None:
        scores.look(look_at)
    return scores.scores


def test_thirty_seconds_run_from_when_the_first_frame_was_handed_out() -> None:
    done = command(status=CommandStatus.VERIFIED, timeline=(QUEUED,))
    early = followed(replace(done, ended_at=1_089.0))
    late = followed(replace(done, ended_at=1_091.0))
    assert (early.commands, sum(early.sums.verified)) == (1.0, 1.0)
    assert (late.commands, sum(late.sums.verified)) == (1.0, 0.0)


def test_a_command_that_is_still_pursued_then_has_failed_that() -> None:
    out = command(status=CommandStatus.QUEUED, timeline=(QUEUED,))
    assert followed(out, look_at=1_094.0).commands == 0.0
    assert followed(out, look_at=1_096.0).commands == 1.0


@pytest.mark.parametrize(
    "end",
    [
        command(status=CommandStatus.EXPIRED, ended_at=5_000.0),  # never handed out
        command(status=CommandStatus.SUPERSEDED, ended_at=1_070.0, timeline=(QUEUED,)),
        command(status=CommandStatus.REJECTED, ended_at=1_500.0, timeline=(QUEUED,)),
    ],
)
def test_what_the_air_did_not_decide_is_not_judged(end: Command) -> None:
    assert followed(end).commands == 0.0


def test_only_a_command_that_just_came_is_given_a_chance() -> None:
    scores = CommandScores(ChanceScores())
    assert not scores.is_new(command(), 1_010.0), "of an earlier run"
    assert not scores.is_new(command(timeline=(Step(1_000.0, StepKind.QUEUED),)), 1_001.0)
    assert not scores.is_new(command(heartbeat_only=True), 1_000.0)
    assert not scores.is_new(command(status=CommandStatus.REJECTED), 1_000.0)


def of(scores: RuleScores, rule: Rule) -> tuple[float, float]:
    found = next(one for one in scores.scores() if one.rule is rule)
    return found.announced, found.false_warnings


def test_a_warning_before_a_silence_has_announced_it() -> None:
    scores = RuleScores()
    scores.warned("aa", Rule.TREND, 0.0)
    scores.fell_silent("aa", 2 * DAY_S, [Rule.TREND])
    assert of(scores, Rule.TREND) == (1.0, 0.0)
    assert next(one for one in scores.scores() if one.rule is Rule.TREND).lead_h == 48.0
    assert (scores.silences, scores.unannounced) == (1.0, 0.0)


def test_a_warning_without_a_silence_within_a_week_was_false() -> None:
    scores = RuleScores()
    scores.warned("aa", Rule.COUNTERS, 0.0)
    scores.look(7 * DAY_S)
    assert of(scores, Rule.COUNTERS) == (0.0, 0.0)
    scores.look(7 * DAY_S + 1)
    assert of(scores, Rule.COUNTERS) == (0.0, 1.0)


def test_a_silence_that_nothing_announced_is_counted_as_that() -> None:
    scores = RuleScores()
    scores.warned("aa", Rule.MOVED, 0.0)
    scores.fell_silent("aa", DAY_S / 2, [Rule.MOVED])
    assert (scores.silences, scores.unannounced) == (1.0, 1.0)


def test_a_moved_light_is_judged_by_whether_the_step_lasts() -> None:
    scores = RuleScores()
    scores.warned("aa", Rule.MOVED, 0.0)
    scores.ended("aa", Rule.MOVED, DAY_S / 2)
    scores.warned("bb", Rule.MOVED, 0.0)
    scores.look(DAY_S)
    assert of(scores, Rule.MOVED) == (1.0, 1.0)


def test_the_warnings_of_a_light_that_was_removed_are_not_judged() -> None:
    scores = RuleScores()
    scores.warned("aa", Rule.TREND, 0.0)
    scores.forget("aa")
    scores.look(30 * DAY_S)
    assert of(scores, Rule.TREND) == (0.0, 0.0)


def cry(scores: RuleScores, times: int) -> None:
    for one in range(times):
        scores.warned(f"{one}", Rule.TREND, 0.0)
    scores.look(8 * DAY_S)


def test_a_rule_that_cries_too_often_is_switched_off_and_comes_back() -> None:
    scores = RuleScores()
    scores.watched(600, 30 * DAY_S)  # 600 light-months: 30 false warnings are allowed
    cry(scores, 35)
    assert not scores.switched_off(Rule.TREND), "35 may be bad luck"
    cry(scores, 10)
    assert scores.switched_off(Rule.TREND)
    assert "switched off here" in next(
        one.words for one in scores.scores() if one.rule is Rule.TREND
    )
    assert not scores.switched_off(Rule.COUNTERS)
    for _ in range(3):  # further months without a false one
        scores.days_over(30)
        scores.watched(600, 30 * DAY_S)
        scores.look(40 * DAY_S)
    assert not scores.switched_off(Rule.TREND)


def test_two_false_warnings_switch_nothing_off_however_small_the_fleet() -> None:
    scores = RuleScores()
    scores.watched(2, 10 * DAY_S)
    cry(scores, 2)
    assert not scores.switched_off(Rule.TREND)
    found = next(one for one in scores.scores() if one.rule is Rule.TREND)
    assert not found.enough
    assert "too little" in found.words


def test_chances_of_poisson() -> None:
    assert poisson_at_least(0, 2.0) == 1.0
    assert poisson_at_least(1, 2.0) == pytest.approx(0.8647, abs=1e-4)
    assert poisson_at_least(4, 1.0) == pytest.approx(0.01899, abs=1e-5)


def test_the_scores_are_the_same_after_the_store() -> None:
    scores = RuleScores()
    scores.watched(600, 30 * DAY_S)
    cry(scores, 50)
    scores.fell_silent("x", DAY_S, [])
    stored = msgspec.json.decode(msgspec.json.encode(scores.stored()), type=AllSums)
    again = RuleScores()
    again.restore(stored)
    assert again.scores() == scores.scores()
    assert again.switched_off(Rule.TREND)
