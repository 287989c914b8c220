"""What proves that a light shows what it was told to show, and what follows from the proof.

Only a status of the light proves anything: a queue id, a txack, an empty queue prove nothing.
"""

from actors.device import judgement
from actors.device.command import CommandStatus, StepKind
from actors.device.effects import NoteKind
from actors.device.firmware import learned
from actors.device.model import Device, Phase, Proof, Pursuit, Stage
from actors.device.transition import Transition
from actors.replace import replace


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


def proof_from(device: Device, dev_addr: str, fence: int) -> Proof:
    """The line after which a status counts: the newest one before the fence is the baseline."""
    report, sent = device.session_report, device.attempt
    baseline = sent.baseline if sent is not None else 0
    if report is not None and report.dev_addr == dev_addr and report.f_cnt < fence:
        baseline = report.downlinks_received
    return Proof(dev_addr, baseline, fence)


def verified(transition: Transition) -> None:
    """The light said it: the command, if one is open, has its verdict."""
    device = transition.device
    pursuit, sent, command = device.pursuit, device.attempt, device.command
    assert pursuit is not None  # noqa: S101 - proven() was asked about it
    queued = sent is not None and sent.stage is Stage.QUEUED
    alone = not pursuit.contested and pursuit.proof is not None
    if queued and command is not None and alone and _none_on_air(pursuit, command.attempts):
        # The echo overtook the txack, or the txack was lost: the frame was on air all the same.
        # Had an earlier frame of this session been, the echo might be that one's.
        transition.change(command=replace(command, attempts=command.attempts + 1))
    known = transition.device.refuses_reply
    transition.device = learned(transition.device, pursuit, sent)
    if transition.device.refuses_reply != known:
        transition.note(
            NoteKind.SETUP, sixth_byte="refused", software=transition.device.refuses_reply
        )
    judgement.proven(transition, pursuit, sent)
    transition.close_attempt()
    transition.change(pursuit=None, wanted_before=None, unsettled_until=None)
    if pursuit.restoring:
        transition.note(NoteKind.DRIFT, restored="yes", command_id=pursuit.command_id)
    else:
        transition.command_step(
            StepKind.VERIFIED,
            CommandStatus.VERIFIED,
            attempt=sent.number if sent is not None else None,
            ended_at=transition.now,
        )
    transition.enter(Phase.IDLE)


def _none_on_air(pursuit: Pursuit, attempts: int) -> bool:
    return pursuit.proof is not None and attempts == pursuit.proof.attempts
