"""Bringing a light to what is wanted: attempts, and what to do when nothing proves them.

An attempt is counted only when a gateway took its frame; what proves it is in `verification.py`.
"""

from actors.device import judgement, retry_plan, verification
from actors.device.command import CommandStatus, StepKind
from actors.device.effects import NoteKind
from actors.device.firmware import heartbeat_only, with_reply
from actors.device.inquiry import ask
from actors.device.model import Phase, Pursuit
from actors.device.transition import Transition
from actors.reasons import Reason, ReasonCode, text_of
from actors.replace import replace
from lorawan.kuando.frames import SetLight


def attempt(transition: Transition) -> None:
    """Send the goal, now or as soon as the spacing to the last frame allows."""
    pursuit = transition.device.pursuit
    assert pursuit is not None  # noqa: S101 - callers ask only while pursuing
    reply = with_reply(transition.device, pursuit, transition.policy)
    transition.change(pursuit=replace(pursuit, next_at=None))
    transition.submit(
        SetLight(pursuit.goal, reply),
        retry=pursuit.restoring or pursuit.attempts > 0 or pursuit.unsent > 0,
        not_before=transition.evidence_gap(retry_plan.beyond(pursuit, transition.policy)),
    )
    transition.enter(Phase.AWAITING_VERIFY)


def queued(transition: Transition, dev_addr: str, fence: int) -> None:
    """ChirpStack has the frame: from here on a status may prove something."""
    device = transition.device
    pursuit, sent = device.pursuit, device.attempt
    if pursuit is None or sent is None:
        return
    if pursuit.proof is None or pursuit.proof.dev_addr != dev_addr:
        proof = verification.proof_from(device, dev_addr, fence)
        before = device.command.attempts if device.command is not None else 0
        transition.change(pursuit=replace(pursuit, proof=replace(proof, attempts=before)))
    transition.command_step(StepKind.QUEUED, CommandStatus.QUEUED, attempt=sent.number)


def unproven(transition: Transition, why: Reason, *, inquire: bool = True) -> None:
    """The frame went out and proved nothing: count it, ask what was missed, wait for its time."""
    pursuit, sent = transition.device.pursuit, transition.device.attempt
    assert pursuit is not None  # noqa: S101 - an attempt on a goal is out
    left = judgement.unanswered(transition, pursuit, sent)
    goal = replace(pursuit, attempts=pursuit.attempts + 1, unsent=0, unanswered=left)
    timed = retry_plan.timed_after(goal, transition.device, transition.now, transition.policy)
    goal = replace(goal, timed=timed)
    spent = retry_plan.spent(goal, transition.policy)
    next_at = None if spent else transition.retry_at(goal.attempts)
    transition.close_attempt()
    transition.change(pursuit=replace(goal, next_at=next_at))
    transition.command_step(
        StepKind.UNPROVEN, attempt=sent.number if sent is not None else None, reason=why
    )
    transition.enter(Phase.RETRYING)
    session = transition.device.session
    if heartbeat_only(transition.device) and session is not None:
        transition.change(
            session=replace(session, interval_min=None)
        )  # that may have been lost, too
    if inquire:
        ask(transition, text_of(why, transition.now), if_heard=True)


def not_sent(transition: Transition, why: Reason) -> None:
    """No gateway took the frame: nothing is counted, the next item is spaced out."""
    pursuit, sent = transition.device.pursuit, transition.device.attempt
    assert pursuit is not None  # noqa: S101 - an attempt on a goal is out
    unsent = pursuit.unsent + 1
    wait_s = transition.backoff_s(unsent, transition.policy.unsent_backoff_most_s)
    transition.close_attempt()
    transition.change(pursuit=replace(pursuit, unsent=unsent, next_at=transition.now + wait_s))
    transition.command_step(
        StepKind.NOT_SENT,
        CommandStatus.HELD,
        attempt=sent.number if sent is not None else None,
        reason=why,
    )
    transition.enter(Phase.RETRYING)


def give_up_timing(transition: Transition) -> None:
    """The timed attempts are spent: from now on only evidence starts another."""
    device = transition.device
    pursuit, command = device.pursuit, device.command
    if pursuit is None:
        return
    if command is not None and not command.overdue:
        reason = Reason(ReasonCode.NO_PROOF)
        transition.command_step(StepKind.OVERDUE, overdue=True, reason=reason)
    if device.reported != pursuit.goal:
        transition.trouble(f"{pursuit.attempts} attempts unproven")
    enter_failed(transition)


def enter_failed(transition: Transition) -> None:
    """Nothing but evidence tries again. While the newest status shows what is wanted, nobody is
    told that it failed: it merely waits for the proof."""
    device = transition.device
    goal = device.pursuit.goal if device.pursuit is not None else None
    if goal is None and device.wanted is not None:
        goal = device.wanted.light
    shown = goal is not None and device.reported == goal
    transition.enter(Phase.RETRYING if shown else Phase.FAILED)


def on_air(transition: Transition, gateway_id: str | None) -> None:
    """A gateway took the frame: from here on the attempt is one."""
    command, sent = transition.device.command, transition.device.attempt
    if command is not None and sent is not None:
        transition.command_step(
            StepKind.TRANSMITTED,
            CommandStatus.TRANSMITTED,
            attempt=sent.number,
            gateway_id=gateway_id,
            attempts=command.attempts + 1,
        )


def restore_if_drifted(transition: Transition) -> bool:
    """Bring the light back to what is wanted, if it shows something else. True when it has to."""
    wanted, reported = transition.device.wanted, transition.device.reported
    if wanted is None or not wanted.keep or reported is None or reported == wanted.light:
        return False
    transition.note(NoteKind.DRIFT, command_id=wanted.command_id)
    transition.change(pursuit=Pursuit(wanted.light, wanted.command_id, restoring=True))
    attempt(transition)
    return True


def evidence(transition: Transition, what: Reason) -> None:
    """Something says that another attempt makes sense now: do not wait for its time."""
    reason = Reason(ReasonCode.TRIED_AGAIN, (what,))
    transition.command_step(StepKind.EVIDENCE, CommandStatus.ACCEPTED, reason=reason)
    attempt(transition)
