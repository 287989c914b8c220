"""The chance that a command is verified within 30 s: arithmetic that a person can check."""

from dataclasses import replace

import pytest

from actors.device.firmware import TaughtPolicy
from actors.device.model import Device, Report
from actors.device.policy import RetryPlan
from actors.link.knowledge import Knowledge
from actors.link.loss_counters import LossCounters
from actors.quality.chance import Prior, attempts_within, chance_of, losses_of
from lorawan.kuando.light_state import LightState

PRIOR = Prior(0.07, 0.03)


def light(sw_rev: int = 0x5B) -> Device:
    report = Report(0.0, "01", 1, LightState(0, 0, 0), 0, 0, sw_rev, 1, -90, 0)
    return Device(dev_eui="aa", report=report)


def policy(**fields: object) -> TaughtPolicy:
    return replace(TaughtPolicy(), **fields)


@pytest.mark.parametrize(
    ("plan", "attempts"),
    [
        (policy(), 3),  # nothing known: 8 s for an answer, 10 s apart
        (policy(knowledge=Knowledge(answer_waits_s={0x5B: 1.0})), 3),
        (policy(knowledge=Knowledge(answer_waits_s={0x5B: 14.0})), 2),
        (policy(knowledge=Knowledge(answer_waits_s={0x5B: 29.0})), 1),
        (
            policy(
                knowledge=Knowledge(answer_waits_s={0x5B: 1.0}, spacing_proven=frozenset({0x5B}))
            ),
            4,
        ),
        (policy(plan=RetryPlan.FIXED), 1),
        (policy(plan=RetryPlan.FIXED, window_s=5.0, backoff_first_s=5.0, attempts_most=2), 2),
        (policy(plan=RetryPlan.CLASSIC), 1),
    ],
)
def test_so_many_attempts_fit_as_the_plan_of_retries_makes(
    plan: TaughtPolicy, attempts: int
) -> None:
    assert attempts_within(light(), plan) == attempts


def test_a_chance_is_that_of_one_answer_among_the_attempts() -> None:
    assert chance_of(0.05, 0.05, 3, 0.0) == pytest.approx(1 - (1 - 0.95 * 0.95) ** 3)
    assert chance_of(0.5, 0.0, 1, 0.0) == pytest.approx(0.5)


def test_a_light_as_likely_dark_as_not_halves_it() -> None:
    assert chance_of(0.1, 0.1, 3, 1.0) == pytest.approx(chance_of(0.1, 0.1, 3, 0.0) / 2)


def test_without_counts_the_fleet_is_believed() -> None:
    assert losses_of(LossCounters(), PRIOR) == pytest.approx((0.07, 0.03))


def test_who_loses_uplinks_is_expected_to_lose_downlinks() -> None:
    up, down = losses_of(LossCounters(uplinks_heard=35, uplinks_lost=35), PRIOR)
    assert up == pytest.approx((0.7 + 35) / 80)
    assert down == pytest.approx(0.03 * up / 0.07)


def test_downlinks_that_were_counted_outweigh_that() -> None:
    counters = LossCounters(uplinks_heard=35, uplinks_lost=35, downlinks_heard=70)
    assert losses_of(counters, PRIOR)[1] < 0.03


def test_statuses_that_are_overdue_count_as_lost() -> None:
    counters = LossCounters(uplinks_heard=70)
    before, after = losses_of(counters, PRIOR)[0], losses_of(counters, PRIOR, missed=4)[0]
    assert after > before + 0.04
