"""What the machine does when time passes, when it starts again, and when ChirpStack has answered.

A deadline only makes the machine look again (level, not edge), so one that comes late, twice or
after a restart does no harm.
"""

from actors.device import events as ev
from actors.device import inquiry, probing, reconcile, setup
from actors.device.command import CommandStatus, StepKind
from actors.device.firmware import upkeep_frame
from actors.device.handlers import after_setup
from actors.device.liveness import evidence_only
from actors.device.model import Attempt, Phase, Stage
from actors.device.previous_wanted import as_heard, return_to_the_wish_before
from actors.device.requests import next_attempt
from actors.device.retry_plan import spent
from actors.device.transition import Transition
from actors.reasons import Reason, ReasonCode, other


def tick(transition: Transition, event: ev.Tick) -> None:
    """Look at the clock: time to live, inquiry, attempt, next attempt, next setting."""
    _expire(transition)
    if inquiry.overdue(transition):
        transition.change(inquiry=None)
        after_inquiry(transition, ev.Inquired(0, failure="no answer"))
    sent = transition.device.attempt
    if sent is not None:
        if sent.due_at is not None and transition.now >= sent.due_at:
            _attempt_due(transition, sent)
        return
    if transition.device.inquiry is not None:
        return
    goal = transition.device.pursuit_to_retry
    settings = transition.device.setup if transition.device.phase is Phase.INITIALIZING else None
    if goal is not None and _due(transition, goal.next_at):
        next_attempt(transition)
    elif settings is not None and _due(transition, settings.next_at):
        setup.send(transition)


def restored(transition: Transition, event: ev.Restored) -> None:
    """The actor woke from its record; what happened meanwhile is unknown, so it is asked for."""
    if transition.device.inquiry is not None:
        transition.change(inquiry=None)  # whoever was asked is gone
    probing.end(transition)
    transition.submit_again()
    heard = transition.device.session is not None and transition.device.session.heard
    if not heard or transition.device.pursuit is not None or transition.device.setup is not None:
        inquiry.ask(transition, "the service started")


def swept(transition: Transition, event: ev.Swept) -> None:
    """The round of the sweeper: look for what is silent, feed the light's own watchdog."""
    device, policy = transition.device, transition.policy
    asked_at = device.inquired_at or 0.0
    if transition.now - max(device.heard_at or 0.0, asked_at) > policy.silent_after_s:
        inquiry.ask(transition, "the light is silent", if_heard=True)
    elif evidence_only(device) and transition.now - asked_at > policy.evidence_asked_s:
        why = "only evidence goes on from here, and it may have been lost"
        inquiry.ask(transition, why, if_heard=True)
    if device.at_rest and device.session is not None:
        told_min = device.session.interval_min
        if told_min is not None and told_min != policy.status_interval_min:
            setup.begin(transition)  # it was shorter for a command, or the configuration changed
            return
        last_at = device.last_frame_at if device.last_frame_at is not None else device.since
        if transition.now - last_at > policy.refresh_after_s:
            transition.submit(upkeep_frame(device, policy), retry=True)


def after_inquiry(transition: Transition, event: ev.Inquired) -> None:
    """What ChirpStack still knew has been taken in: decide what was waiting for it."""
    activation, session = event.activation, transition.device.session
    if activation and session is not None and activation.dev_addr != session.dev_addr:
        inquiry.ask(transition, "the light joined while ChirpStack was asked")
    goal = transition.device.pursuit_to_retry
    if transition.device.attempt is not None or goal is None or goal.next_at is not None:
        return
    if spent(goal, transition.policy):
        reconcile.give_up_timing(transition)


def _attempt_due(transition: Transition, sent: Attempt) -> None:
    match sent.stage:
        case Stage.SUBMITTED | Stage.QUEUED:
            transition.submit_again()
        case Stage.HELD:
            transition.hand_over_held()  # the dispatcher has it, unless it lost it
        case Stage.TRANSMITTED:
            _window_over(transition)


def _window_over(transition: Transition) -> None:
    """No answer in time. While no gateway could have heard one, that counts for nothing."""
    match transition.device.phase:
        case Phase.AWAITING_VERIFY:
            if transition.device.unreachable:
                transition.close_attempt()
                reconcile.evidence(transition, Reason(ReasonCode.NO_GATEWAY_LISTENED))
            else:
                reconcile.unproven(transition, Reason(ReasonCode.NO_ANSWER_IN_WINDOW))
        case Phase.INITIALIZING:
            if transition.device.unreachable:
                setup.begin_round_anew(transition)
            elif setup.next_step(transition, arrived=False):
                after_setup(transition)
        case _:
            transition.close_attempt()


def _expire(transition: Transition) -> None:
    """The command's time to live is over: what was wanted before it is wanted again."""
    command = transition.device.command
    if command is None or transition.now < command.expires_at:
        return
    before = command.cause or (other(command.reason) if command.reason else None)
    why = Reason(
        ReasonCode.COMMAND_EXPIRED,
        (before or Reason(ReasonCode.TIME_TO_LIVE_OVER), as_heard(transition.device)),
    )
    transition.command_step(
        StepKind.EXPIRED, CommandStatus.EXPIRED, reason=why, ended_at=transition.now
    )
    return_to_the_wish_before(transition)


def _due(transition: Transition, at: float | None) -> bool:
    return at is not None and transition.now >= at
