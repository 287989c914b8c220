"""Retries five seconds after the frame before are tried now and then, so that it becomes known."""

from actors.device import retry_plan
from actors.device.firmware import TaughtPolicy
from actors.link.knowledge import Knowledge
from actors.replace import replace
from tests.support.story import RED, Story

LIGHTS = 400


def spacings(*, failures: int, wait_s: float | None, spacing_factor: int = 9) -> list[float]:
    """Of many lights with so many failures behind them."""
    waits = {} if wait_s is None else {61: wait_s}
    policy = TaughtPolicy(knowledge=Knowledge(answer_waits_s=waits))
    story = Story(policy=policy).settle()
    story.command(RED)
    assert story.device.pursuit is not None
    goal = replace(story.device.pursuit, attempts=failures)
    heard = tuple(replace(h, spreading_factor=spacing_factor) for h in story.device.hearings)
    device = replace(story.device, pursuit=goal, hearings=heard)
    return [
        retry_plan.spacing_s(replace(device, dev_eui=f"20202000{number:08x}"), policy)
        for number in range(LIGHTS)
    ]


def test_one_retry_in_ten_is_tried_after_five_seconds() -> None:
    tried = spacings(failures=1, wait_s=0.7)
    assert set(tried) == {5.0, 10.0}
    assert 0.05 * LIGHTS <= tried.count(5.0) <= 0.15 * LIGHTS


def test_no_first_frame_is_and_none_while_answers_are_unknown_or_may_still_come() -> None:
    assert set(spacings(failures=0, wait_s=0.7)) == {10.0}
    assert set(spacings(failures=1, wait_s=None)) == {10.0}
    assert set(spacings(failures=1, wait_s=4.9)) == {10.0}
    assert set(spacings(failures=1, wait_s=4.0, spacing_factor=12)) == {10.0}


def test_a_try_stays_one_until_its_frame_is_out() -> None:
    policy = TaughtPolicy(knowledge=Knowledge(answer_waits_s={61: 0.7}))
    story = Story(policy=policy).settle()
    for number in range(40):
        story.command(RED if number % 2 else replace(RED, green=number), f"c{number}")
        story.now = max(story.now, story.attempt.not_before)
        story.queue()
        story.txack()
        sent_at = story.device.last_frame_at
        assert sent_at is not None
        story.wait(3.0)
        story.answer_inquiry()
        goal = story.device.pursuit
        assert goal is not None
        assert goal.next_at is not None
        due_at = goal.next_at
        story.wait(due_at - story.now)
        assert story.attempt.spacing_s == (5.0 if due_at - sent_at < 7.0 else 10.0)
        assert story.attempt.not_before == due_at
        if story.attempt.spacing_s == 5.0:
            return
        story.carry()
        story.now += 60
    raise AssertionError("none of forty was tried")
