"""What the machine does when time passes, when it wakes again, and when ChirpStack has answered.

The rule it keeps: a deadline only makes the machine look again (level, not edge), so a timer that
fires late, twice or after a restart does no harm.
"""

from actors.device import events as ev
from actors.device import inquiry, pursuit, setup
from actors.device.effects import Submit
from actors.device.firmware import upkeep_frame
from actors.device.marker import bears
from actors.device.model import Attempt, CommandStatus, Phase, Stage, StepKind
from actors.device.reactions import after_setup, next_attempt, not_sent
from actors.device.turn import Turn
from actors.device.wakefulness import evidence_only
from actors.device.wishes import as_heard, return_to_the_wish_before


def tick(turn: Turn, event: ev.Tick) -> None:
    """Look at the clock: time to live, inquiry, attempt, next attempt, next setting."""
    _expire(turn)
    if inquiry.overdue(turn):
        turn.change(inquiry=None)
        after_inquiry(turn, ev.Inquired(0, failure="no answer"))
    sent = turn.device.attempt
    if sent is not None:
        if sent.due_at is not None and turn.now >= sent.due_at:
            _attempt_due(turn, sent)
        return
    if turn.device.inquiry is not None:
        return
    goal, settings = turn.device.pursuit, turn.device.setup
    match turn.device.phase:
        case Phase.RETRYING if settings is None and goal is not None and _due(turn, goal.next_at):
            next_attempt(turn)
        case Phase.INITIALIZING if settings is not None and _due(turn, settings.next_at):
            setup.send(turn)
        case _:
            pass


def restored(turn: Turn, event: ev.Restored) -> None:
    """The actor woke from its record; what happened meanwhile is unknown, so it is asked for."""
    sent = turn.device.attempt
    if turn.device.inquiry is not None:
        turn.change(inquiry=None)  # whoever was asked is gone
    if sent is not None and sent.stage in {Stage.SUBMITTED, Stage.HELD}:
        turn.submit_again()
    heard = turn.device.session is not None and turn.device.session.heard
    if not heard or turn.device.pursuit is not None or turn.device.setup is not None:
        inquiry.ask(turn, "the service started")


def swept(turn: Turn, event: ev.Swept) -> None:
    """The round of the sweeper: look for what is silent, feed the light's own watchdog."""
    device, policy = turn.device, turn.policy
    asked_at = device.inquired_at or 0.0
    if turn.now - max(device.heard_at or 0.0, asked_at) > policy.silent_after_s:
        inquiry.ask(turn, "the light is silent")
    elif evidence_only(device) and turn.now - asked_at > policy.evidence_asked_s:
        inquiry.ask(turn, "only evidence goes on from here, and it may have been lost")
    if device.phase is Phase.IDLE and device.attempt is None and device.session is not None:
        told_min = device.session.interval_min
        if told_min is not None and told_min != policy.status_interval_min:
            setup.begin(turn)  # it was shorter for a command, or the configuration changed
            return
        last_at = device.last_frame_at if device.last_frame_at is not None else device.since
        if turn.now - last_at > policy.refresh_after_s:
            turn.submit(upkeep_frame(device, policy), retry=True)


def after_inquiry(turn: Turn, event: ev.Inquired) -> None:
    """What ChirpStack still knew has been taken in: decide what was waiting for it."""
    activation, session = event.activation, turn.device.session
    if activation and session is not None and activation.dev_addr != session.dev_addr:
        inquiry.ask(turn, "the light joined while ChirpStack was asked")
    sent = turn.device.attempt
    if sent is not None:
        if sent.stage is Stage.QUEUED and _past_expiry(turn, sent):
            _settle_queued(turn, event, sent)
        return
    goal, settings = turn.device.pursuit, turn.device.setup
    if turn.device.phase is not Phase.RETRYING or settings is not None or goal is None:
        return
    if goal.attempts >= turn.policy.attempts_most and goal.next_at is None:
        pursuit.give_up_timing(turn)


def _settle_queued(turn: Turn, event: ev.Inquired, sent: Attempt) -> None:
    """An item past its expiry and no txack heard: still there, sent after all, or never sent?"""
    waiting = any(
        item.id == sent.queue_item_id or bears(item.expires_at, sent.marker_us)
        for item in event.queue
    )
    if event.failure is not None or waiting:
        turn.change_attempt(due_at=turn.now + turn.policy.inquiry_again_s)
        return
    moved = (
        event.activation is not None
        and sent.f_cnt_down is not None
        and event.activation.f_cnt_down > sent.f_cnt_down
    )
    if not moved:
        not_sent(turn, "no gateway took the frame")
    elif turn.device.phase is Phase.INITIALIZING:
        turn.change_attempt(stage=Stage.TRANSMITTED, due_at=turn.now)
        if setup.next_step(turn, arrived=False):
            after_setup(turn)
    elif turn.device.phase is Phase.AWAITING_VERIFY:
        pursuit.on_air(turn, None)
        pursuit.unproven(turn, "sent, but neither its txack nor an answer came", inquire=False)
        after_inquiry(turn, ev.Inquired(0))
    else:
        turn.close_attempt()


def _attempt_due(turn: Turn, sent: Attempt) -> None:
    match sent.stage:
        case Stage.SUBMITTED:
            turn.submit_again()
        case Stage.HELD:
            turn.change_attempt(due_at=turn.now + turn.policy.resubmit_after_s)
            turn.emit(Submit(sent))  # the dispatcher has it, unless it lost it
        case Stage.QUEUED:
            turn.change_attempt(due_at=turn.now + turn.policy.inquiry_again_s)
            inquiry.ask(turn, "the item expired and nothing was heard of it")
        case Stage.TRANSMITTED:
            _window_over(turn)


def _window_over(turn: Turn) -> None:
    """No answer in time. While no gateway could have heard one, that counts for nothing."""
    match turn.device.phase:
        case Phase.AWAITING_VERIFY:
            if turn.device.unreachable:
                turn.close_attempt()
                pursuit.evidence(turn, "no gateway that hears the light was online to hear it")
            else:
                pursuit.unproven(turn, "no answer within the verification window")
        case Phase.INITIALIZING:
            if turn.device.unreachable:
                turn.close_attempt()
                setup.send(turn)
            elif setup.next_step(turn, arrived=False):
                after_setup(turn)
        case _:
            turn.close_attempt()


def _expire(turn: Turn) -> None:
    """The command's time to live is over: what was wanted before it is wanted again."""
    command = turn.device.command
    if command is None or turn.now < command.expires_at:
        return
    why = f"{command.reason or 'its time to live is over'}; {as_heard(turn.device)}"
    turn.command_step(StepKind.EXPIRED, CommandStatus.EXPIRED, reason=why, ended_at=turn.now)
    return_to_the_wish_before(turn)


def _due(turn: Turn, at: float | None) -> bool:
    return at is not None and turn.now >= at


def _past_expiry(turn: Turn, sent: Attempt) -> bool:
    return _due(turn, sent.item_expires_at)
