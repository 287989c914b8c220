"""What is told of an attempt that is not out yet.

A reason changes only what is shown; only a hold stops the clock.
"""

from actors.device import events as ev
from actors.device.command import CommandStatus, StepKind
from actors.device.events import why
from actors.device.model import Stage
from actors.device.transition import Transition


def waits(transition: Transition, event: ev.AttemptWaits) -> None:
    """It is not out yet: what it waits for is told, and nothing else changes."""
    sent = transition.device.attempt
    if sent is None or sent.number != event.number or sent.reason == event.reason:
        return
    if sent.stage in {Stage.SUBMITTED, Stage.HELD}:
        due_at = max(transition.now, sent.not_before) + transition.policy.resubmit_after_s
        transition.change_attempt(
            stage=Stage.SUBMITTED, reason=event.reason, cause=event.cause, due_at=due_at
        )
        status = CommandStatus.ACCEPTED
    elif sent.stage is Stage.QUEUED:
        transition.change_attempt(reason=event.reason, cause=event.cause)
        status = CommandStatus.QUEUED
    else:
        return
    transition.command_step(StepKind.WAITING, status, attempt=sent.number, reason=why(event))
