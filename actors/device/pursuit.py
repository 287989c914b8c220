"""Bringing a light to a goal: attempts, their proof, and what to do when there is none.

The rule it keeps: an attempt is counted only when a gateway took its frame, and nothing is proven
but by the light's own words (`proven`).
"""

from actors.device.effects import NoteKind
from actors.device.firmware import heartbeat_only, learned, with_reply
from actors.device.inquiry import ask
from actors.device.model import (
    CommandStatus,
    Device,
    Phase,
    Proof,
    Pursuit,
    Stage,
    StepKind,
)
from actors.device.turn import Turn, replace
from lorawan.kuando.frames import SetLight


def proven(device: Device, pursuit: Pursuit) -> bool:
    """Whether the newest status proves the goal.

    It must be of the running session, repeat all five bytes, have been heard after the fence (so
    after the first frame of this pursuit was queued) and count more downlinks than the baseline.
    """
    proof, report = pursuit.proof, device.session_report
    if proof is None or report is None:
        return False
    return (
        report.dev_addr == proof.dev_addr
        and report.f_cnt >= proof.fence
        and report.light == pursuit.goal
        and report.downlinks_received > proof.baseline
    )


def attempt(turn: Turn) -> None:
    """Send the goal, now or as soon as the spacing to the last frame allows."""
    pursuit = turn.device.pursuit
    assert pursuit is not None  # noqa: S101 - callers ask only while pursuing
    reply = with_reply(turn.device, pursuit, turn.policy)
    turn.change(pursuit=replace(pursuit, next_at=None))
    turn.submit(
        SetLight(pursuit.goal, reply),
        retry=pursuit.restoring or pursuit.attempts > 0 or pursuit.unsent > 0,
        not_before=turn.evidence_gap(pursuit.attempts),
    )
    turn.enter(Phase.AWAITING_VERIFY)


def queued(turn: Turn, dev_addr: str, fence: int) -> None:
    """ChirpStack has the frame: from here on a status may prove something."""
    device = turn.device
    pursuit, sent = device.pursuit, device.attempt
    if pursuit is None or sent is None:
        return
    if pursuit.proof is None or pursuit.proof.dev_addr != dev_addr:
        proof = proof_from(device, dev_addr, fence)
        before = device.command.attempts if device.command is not None else 0
        turn.change(pursuit=replace(pursuit, proof=replace(proof, attempts=before)))
    turn.command_step(StepKind.QUEUED, CommandStatus.QUEUED, attempt=sent.number)


def proof_from(device: Device, dev_addr: str, fence: int) -> Proof:
    """The line after which a status counts: the newest one before the fence is the baseline."""
    report, sent = device.session_report, device.attempt
    baseline = sent.baseline if sent is not None else 0
    if report is not None and report.dev_addr == dev_addr and report.f_cnt < fence:
        baseline = report.downlinks_received
    return Proof(dev_addr, baseline, fence)


def verified(turn: Turn) -> None:
    """The light said it: the command, if one is open, has its verdict."""
    device = turn.device
    pursuit, sent, command = device.pursuit, device.attempt, device.command
    assert pursuit is not None  # noqa: S101 - proven() was asked about it
    queued = sent is not None and sent.stage is Stage.QUEUED
    alone = not pursuit.contested and pursuit.proof is not None
    if queued and command is not None and alone and _none_on_air(pursuit, command.attempts):
        # The echo overtook the txack, or the txack was lost: the frame was on air all the same.
        # Had an earlier frame of this session been, the echo might be that one's.
        turn.change(command=replace(command, attempts=command.attempts + 1))
    known = turn.device.refuses_reply
    turn.device = learned(turn.device, pursuit, sent)
    if turn.device.refuses_reply != known:
        turn.note(NoteKind.SETUP, sixth_byte="refused", software=turn.device.refuses_reply)
    turn.close_attempt()
    turn.change(pursuit=None, wanted_before=None, unsettled_until=None)
    if pursuit.restoring:
        turn.note(NoteKind.DRIFT, restored="yes", command_id=pursuit.command_id)
    else:
        turn.command_step(
            StepKind.VERIFIED,
            CommandStatus.VERIFIED,
            attempt=sent.number if sent is not None else None,
            ended_at=turn.now,
        )
    turn.enter(Phase.IDLE)


def _none_on_air(pursuit: Pursuit, attempts: int) -> bool:
    return pursuit.proof is not None and attempts == pursuit.proof.attempts


def unproven(turn: Turn, why: str, *, inquire: bool = True) -> None:
    """The frame went out and proved nothing: count it, ask what was missed, wait for its time."""
    pursuit, sent = turn.device.pursuit, turn.device.attempt
    assert pursuit is not None  # noqa: S101 - an attempt on a goal is out
    attempts = pursuit.attempts + 1
    spent = attempts >= turn.policy.attempts_most
    turn.close_attempt()
    turn.change(
        pursuit=replace(
            pursuit,
            attempts=attempts,
            unsent=0,
            next_at=None if spent else turn.now + turn.backoff_s(attempts),
        )
    )
    turn.command_step(
        StepKind.UNPROVEN, attempt=sent.number if sent is not None else None, reason=why
    )
    turn.enter(Phase.RETRYING)
    session = turn.device.session
    if heartbeat_only(turn.device) and session is not None:
        turn.change(session=replace(session, interval_min=None))  # that may have been lost, too
    if inquire:
        ask(turn, why)


def not_sent(turn: Turn, why: str) -> None:
    """No gateway took the frame: nothing is counted, the next item is spaced out."""
    pursuit, sent = turn.device.pursuit, turn.device.attempt
    assert pursuit is not None  # noqa: S101 - an attempt on a goal is out
    unsent = pursuit.unsent + 1
    wait_s = turn.backoff_s(unsent, turn.policy.unsent_backoff_most_s)
    turn.close_attempt()
    turn.change(pursuit=replace(pursuit, unsent=unsent, next_at=turn.now + wait_s))
    turn.command_step(
        StepKind.NOT_SENT,
        CommandStatus.HELD,
        attempt=sent.number if sent is not None else None,
        reason=why,
    )
    turn.enter(Phase.RETRYING)


def give_up_timing(turn: Turn) -> None:
    """The timed attempts are spent: from now on only evidence starts another."""
    device = turn.device
    pursuit, command = device.pursuit, device.command
    if pursuit is None:
        return
    if command is not None and not command.overdue:
        turn.command_step(
            StepKind.OVERDUE,
            overdue=True,
            reason="no proof after the timed attempts; tried again on evidence",
        )
    if device.reported != pursuit.goal:
        turn.trouble(f"{pursuit.attempts} attempts unproven")
    enter_failed(turn)


def enter_failed(turn: Turn) -> None:
    """Nothing but evidence tries again. While the newest status shows what is wanted, nobody is
    told that it failed: it merely waits for the proof."""
    device = turn.device
    goal = device.pursuit.goal if device.pursuit is not None else None
    if goal is None and device.wanted is not None:
        goal = device.wanted.light
    shown = goal is not None and device.reported == goal
    turn.enter(Phase.RETRYING if shown else Phase.FAILED)


def on_air(turn: Turn, gateway_id: str | None) -> None:
    """A gateway took the frame: from here on the attempt is one."""
    command, sent = turn.device.command, turn.device.attempt
    if command is not None and sent is not None:
        turn.command_step(
            StepKind.TRANSMITTED,
            CommandStatus.TRANSMITTED,
            attempt=sent.number,
            gateway_id=gateway_id,
            attempts=command.attempts + 1,
        )


def restore_if_drifted(turn: Turn) -> bool:
    """Bring the light back to what is wanted, if it shows something else. True when it has to."""
    wanted, reported = turn.device.wanted, turn.device.reported
    if wanted is None or not wanted.keep or reported is None or reported == wanted.light:
        return False
    turn.note(NoteKind.DRIFT, command_id=wanted.command_id)
    turn.change(pursuit=Pursuit(wanted.light, wanted.command_id, restoring=True))
    attempt(turn)
    return True


def evidence(turn: Turn, what: str) -> None:
    """Something says that another attempt makes sense now: do not wait for its time."""
    reason = f"tried again: {what}"
    turn.command_step(StepKind.EVIDENCE, CommandStatus.ACCEPTED, reason=reason)
    attempt(turn)
