"""What became of an attempt, as the dispatcher tells it.

The dispatcher alone follows the items in ChirpStack's queue. Of each attempt it tells: held, and
why; queued, with the activation that it read before; transmitted; not sent, and why; refused, and
why. What is told of an attempt that is no longer open changes nothing but the history. Whatever is
open and not transmitted is submitted again when it was silent for long, or has begun anew; it then
tells once more what it knows.
"""

from actors.device import events as ev
from actors.device import (
    loss_counting,
    probing,
    reconcile,
    retry_plan,
    sessions,
    setup,
    verification,
)
from actors.device.command import CommandStatus, StepKind
from actors.device.deduplication import mark, remember
from actors.device.effects import NoteKind
from actors.device.handlers import after_setup
from actors.device.inquiry import ask
from actors.device.model import Attempt, Device, Phase, Probe, Stage
from actors.device.previous_wanted import return_to_the_wish_before
from actors.device.reception_note import sent_words, txack_words
from actors.device.transition import Transition
from actors.reasons import Reason, text_of
from actors.replace import replace

PENDING = frozenset({Stage.SUBMITTED, Stage.HELD})
TOLD_WITHIN_S = 5.0
"""Older news of a frame is dated by the event itself, not by its telling: webhooks take less, and
ChirpStack's clock is known to a second."""


def held(transition: Transition, event: ev.AttemptHeld) -> None:
    """It cannot go out now: nothing is counted."""
    sent = _pending(transition.device, event.number)
    if sent is not None:
        sessions.found_obstacle(transition, event.obstacle)
    if sent is not None and sent.probe is not Probe.NO:
        probing.end(transition)
        return
    if sent is not None and (sent.stage, sent.reason) != (Stage.HELD, event.reason):
        transition.change_attempt(
            stage=Stage.HELD,
            reason=event.reason,
            cause=event.cause,
            obstacle=event.obstacle,
            due_at=transition.now + transition.policy.resubmit_after_s,
        )
        transition.note(NoteKind.HELD, attempt=sent.number, reason=event.reason)
        transition.command_step(
            StepKind.HELD, CommandStatus.HELD, attempt=sent.number, reason=ev.why(event)
        )


def queued(transition: Transition, event: ev.AttemptQueued) -> None:
    """ChirpStack has it. Its session and counters, read before, are the line for the proof."""
    sent, session = _pending(transition.device, event.number), transition.device.session
    if sent is None or session is None:
        return
    sessions.found_disabled(transition, False)
    activation, policy = event.activation, transition.policy
    if activation.dev_addr != session.dev_addr or activation.f_cnt_up < sent.heard:
        sessions.begin_session(transition, activation.dev_addr, transition.now)
        ask(transition, "the light joined without our being told")
        return
    if activation.f_cnt_up == sent.heard:  # behind, or read before the server had noted it
        ask(transition, "the server's counter is behind the light's")
    transition.change_attempt(
        stage=Stage.QUEUED,
        reason=None,
        cause=None,
        obstacle=None,
        dev_addr=activation.dev_addr,
        f_cnt_down=activation.f_cnt_down,
        fence=activation.f_cnt_up,
        queue_item_id=event.queue_item_id,
        queued_at=transition.now,
        item_expires_at=event.expires_at,
        due_at=max(transition.now, event.expires_at) + policy.item_grace_s + policy.inquiry_again_s,
    )
    transition.change(queued_until=event.expires_at)
    words = sent_words(sent, event.queue_item_id, activation.f_cnt_down)
    transition.note(NoteKind.DOWNLINK, **words)
    if transition.device.phase is Phase.INITIALIZING:
        setup.queued(transition, session.dev_addr, activation.f_cnt_up)
    elif transition.device.phase is Phase.AWAITING_VERIFY:
        reconcile.queued(transition, session.dev_addr, activation.f_cnt_up)
    _echo_came_first(transition)


def transmitted(transition: Transition, event: ev.Transmitted) -> None:
    """A gateway took a frame for this light: ours, where the dispatcher names the attempt."""
    airtime_s = max(0.0, event.ends_at - event.at)
    taken_at, before_at = _taken_at(transition, event), transition.device.last_frame_at
    if remember(transition, event):
        loss_counting.taken(transition, event)
        _last_frame(transition, taken_at + airtime_s)
        transition.note_event(
            NoteKind.TXACK,
            mark(event),
            event.at,
            **txack_words(event),
        )
    if event.number is None:
        return
    if _taken(transition, event.number):
        _on_air(transition, event.gateway_id, event.ends_at, taken_at + airtime_s, before_at)
        sent = transition.device.attempt
        if sent is not None and sent.probe is Probe.FIRST:
            probing.first_is_out(transition, sent)
        return
    sent = transition.device.attempt
    late = sent is not None and sent.number == event.number and sent.ends_at is None
    if late and sent is not None and sent.stage is Stage.TRANSMITTED:
        transition.change_attempt(gateway_id=event.gateway_id, ends_at=event.ends_at)
        transition.name_gateway(sent.number, event.gateway_id)


def transmitted_unseen(transition: Transition, event: ev.AttemptTransmitted) -> None:
    """A gateway took it, just now as far as anyone knows, but not after its item's life."""
    if _taken(transition, event.number):
        sent = transition.device.attempt
        expires_at = None if sent is None else sent.item_expires_at
        ended_at = transition.now if expires_at is None else min(transition.now, expires_at)
        before_at = transition.device.last_frame_at
        loss_counting.taken_unseen(transition)
        _last_frame(transition, ended_at)
        _on_air(transition, event.gateway_id, None, ended_at, before_at)


def not_sent(transition: Transition, event: ev.AttemptNotSent) -> None:
    """No gateway took it: nothing is counted."""
    if _ended(transition, event.number):
        transition.note(NoteKind.NOT_SENT, attempt=event.number, reason=event.reason)
        _nobody_took(transition, ev.why(event))


def refused(transition: Transition, event: ev.AttemptRefused) -> None:
    """It can never be sent."""
    if _ended(transition, event.number):
        transition.note(NoteKind.REFUSED, attempt=event.number, reason=event.reason)
        _hopeless(transition, ev.why(event))


def dispatcher_started(transition: Transition, event: ev.DispatcherStarted) -> None:
    """The dispatcher forgot what it was given, and what became of it."""
    transition.submit_again()


# ------------------------------------------------------------------ how


def _nobody_took(transition: Transition, why: Reason) -> None:
    """No gateway took the frame, whatever it was."""
    if transition.device.phase is Phase.INITIALIZING:
        setup.not_sent(transition, why)
    elif transition.device.phase is Phase.AWAITING_VERIFY:
        reconcile.not_sent(transition, why)
    else:
        transition.close_attempt()


def _echo_came_first(transition: Transition) -> None:
    """The answer's webhook may have overtaken the reply of the enqueue."""
    goal = transition.device.pursuit
    if transition.device.phase is Phase.AWAITING_VERIFY and goal is not None:
        if verification.proven(transition.device, goal):
            verification.verified(transition)
    elif transition.device.phase is Phase.INITIALIZING and setup.heard(transition):
        after_setup(transition)


def _taken(transition: Transition, number: int) -> bool:
    """A gateway took the frame of this attempt. True if that is news of the one that is open."""
    _out_of_the_queue(transition)
    sent = transition.device.attempt
    if sent is None or sent.number != number:
        return False
    if sent.stage in PENDING:  # that it was queued was lost on the way: all is told again
        transition.submit_again()
    return sent.stage is Stage.QUEUED


def _ended(transition: Transition, number: int) -> bool:
    """This attempt is over untransmitted. True if it is the one that is open."""
    _out_of_the_queue(transition)
    sent = transition.device.attempt
    return sent is not None and sent.number == number and sent.stage is not Stage.TRANSMITTED


def _out_of_the_queue(transition: Transition) -> None:
    """Nothing of ours waits in ChirpStack any more."""
    if transition.device.queued_until is not None:
        transition.change(queued_until=None)


def _taken_at(transition: Transition, event: ev.Transmitted) -> float:
    """When a gateway took the frame, on our clock.

    Mostly the telling comes within a moment, and then it is now. What an answer tells, or is told
    again, or came late, happened at its own time: taken for just now it would begin the window and
    the spacing anew. Of our own frame that was not before its enqueue, whatever a clock says.
    """
    at = transition.dated(event.at)
    if transition.answering is None and transition.now - at <= TOLD_WITHIN_S:
        return transition.now
    sent = transition.device.attempt
    ours = sent is not None and sent.number == event.number
    queued_at = sent.queued_at if sent is not None and ours else None
    return at if queued_at is None else min(max(at, queued_at), transition.now)


def _last_frame(transition: Transition, ended_at: float) -> None:
    transition.change(last_frame_at=max(transition.device.last_frame_at or 0.0, ended_at))


def _on_air(
    transition: Transition,
    gateway_id: str | None,
    ends_at: float | None,
    air_until: float,
    before_at: float | None,
) -> None:
    """`before_at` is the end of the frame before it."""
    phase, goal = transition.device.phase, transition.device.pursuit
    again = phase is Phase.AWAITING_VERIFY and goal is not None and goal.attempts > 0
    window_s = (
        setup.answer_due_s(transition) if phase is Phase.INITIALIZING else transition.window_s()
    )
    transition.change_attempt(
        stage=Stage.TRANSMITTED,
        gateway_id=gateway_id,
        ends_at=ends_at,
        air_until=air_until,
        gap_s=air_until - before_at if again and before_at is not None else None,
        due_at=air_until + window_s,  # our clock: the server's is only its own measure
    )
    if phase is Phase.AWAITING_VERIFY:
        reconcile.on_air(transition, gateway_id)


def _hopeless(transition: Transition, why: Reason) -> None:
    """No further try can help: an open command is rejected."""
    transition.trouble(text_of(why, transition.now))
    transition.close_attempt()
    if transition.device.command is not None:
        transition.command_step(
            StepKind.REJECTED, CommandStatus.REJECTED, reason=why, ended_at=transition.now
        )
        return_to_the_wish_before(transition)
        if transition.device.phase is not Phase.INITIALIZING:
            return
    if transition.device.phase is Phase.INITIALIZING:
        was = transition.device.setup
        if was is not None:
            spent = transition.policy.setup_rounds_most
            transition.change(setup=replace(was, attempts=spent, step=0, proof=None, next_at=None))
        reconcile.enter_failed(transition)
    elif transition.device.phase is Phase.AWAITING_VERIFY:
        goal, policy = transition.device.pursuit, transition.policy
        if goal is not None and retry_plan.learned(policy):
            transition.change(pursuit=replace(goal, timed=max(goal.attempts, 1), next_at=None))
        elif goal is not None:
            most = retry_plan.fixed(policy).attempts_most
            transition.change(
                pursuit=replace(goal, attempts=max(goal.attempts, most), next_at=None)
            )
        reconcile.enter_failed(transition)


def _pending(device: Device, number: int) -> Attempt | None:
    sent = device.attempt
    return sent if sent is not None and sent.number == number and sent.stage in PENDING else None
