"""What became of each attempt whose frame a gateway took, told once to all who learn from many.

An answer's time is told only where it is clear which frame it answers (Karn's rule): one of the
pursuit was out. That the light counts all of several does not make it clear: an answer to the first
that is later than the second frame counts both, and would be taken for a quick one to the second.
"""

from actors.device.answer_order import answers
from actors.device.firmware import heartbeat_only
from actors.device.model import Attempt, Device, Pursuit, Report, Setup, Stage, Unanswered
from actors.device.retry_plan import status_airtime_s
from actors.device.transition import Transition
from actors.link.judgement import AttemptJudged
from actors.replace import replace
from lorawan.kuando.frames import RequestStatus

NEVER_OUT = frozenset({Stage.SUBMITTED, Stage.HELD})


def unanswered(transition: Transition, goal: Pursuit, sent: Attempt | None) -> Unanswered | None:
    """Tell that its window closed without a proof; what is kept should one come yet."""
    if sent is None or sent.stage is not Stage.TRANSMITTED or sent.air_until is None:
        return goal.unanswered
    report = transition.device.session_report
    came = report is not None and report.downlinks_received > sent.baseline
    counted = report is not None and came and answers(report, sent)  # it shows another colour
    judged = _judged(transition.device, sent, first=goal.attempts == 0, answered=counted)
    transition.emit(judged)
    return None if counted else Unanswered(judged, sent.air_until, sent.ends_at)


def proven(transition: Transition, goal: Pursuit, sent: Attempt | None) -> None:
    """Tell which attempt the newest status, a proof, has answered."""
    report = transition.device.session_report
    assert report is not None  # noqa: S101 - it is the proof
    if sent is not None and sent.stage is Stage.TRANSMITTED and answers(report, sent):
        judged = _judged(transition.device, sent, first=goal.attempts == 0, answered=True)
        out = 1 + goal.attempts
        transition.emit(_timed(transition, judged, report, out, sent.air_until, sent.ends_at))
    elif goal.unanswered is not None:
        before = goal.unanswered
        judged = replace(before.judged, answered=True, late=True)
        if sent is None or sent.stage in NEVER_OUT:
            judged = _timed(
                transition, judged, report, goal.attempts, before.air_until, before.ends_at
            )
        transition.emit(judged)
    elif sent is not None and sent.stage not in NEVER_OUT:
        # its txack was lost, or comes after the answer
        first = goal.attempts == 0
        transition.emit(_judged(transition.device, sent, first=first, answered=True))


def settings(transition: Transition, setup: Setup, sent: Attempt | None, *, counted: bool) -> None:
    """Tell of the last frame of a round of settings, which asks for a status; those before it may
    be answered or not. `counted`: the newest status counts every frame of the round."""
    if sent is None or sent.stage is not Stage.TRANSMITTED:
        return
    if not isinstance(sent.frame, RequestStatus):
        return
    report, first = transition.device.session_report, setup.attempts == 0
    judged = _judged(transition.device, sent, first=first, answered=counted)
    if counted and report is not None and answers(report, sent):
        judged = _with_times(transition, judged, report, sent.air_until, sent.ends_at)
    transition.emit(judged)


def _judged(device: Device, sent: Attempt, *, first: bool, answered: bool) -> AttemptJudged:
    heard = device.hearings[0].spreading_factor if device.hearings else None
    return AttemptJudged(
        number=sent.number,
        gateway_id=sent.gateway_id,
        first=first,
        answered=answered,
        expected=sent.expected,
        sw_rev=sent.sw_rev,
        spreading_factor=heard,
        gap_s=sent.gap_s,
    )


def _timed(
    transition: Transition,
    judged: AttemptJudged,
    report: Report,
    frames: int,
    air_until: float | None,
    ends_at: float | None,
) -> AttemptJudged:
    """With its times, if it is clear which of so many frames of the pursuit the status answers."""
    if not _alone(transition.device, frames):
        return judged
    return _with_times(transition, judged, report, air_until, ends_at)


def _with_times(
    transition: Transition,
    judged: AttemptJudged,
    report: Report,
    air_until: float | None,
    ends_at: float | None,
) -> AttemptJudged:
    airtime_s = status_airtime_s(transition.device)
    if air_until is not None and transition.answering is None:
        judged = replace(judged, answer_s=transition.now - air_until - airtime_s)
    if report.server_at is not None and ends_at is not None:
        judged = replace(judged, server_delay_s=report.server_at - ends_at - airtime_s)
    return judged


def _alone(device: Device, frames: int) -> bool:
    """Whether the frame that is answered was the only one that can have been."""
    goal = device.pursuit
    return frames == 1 and goal is not None and not goal.contested and not heartbeat_only(device)
