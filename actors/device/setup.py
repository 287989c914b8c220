"""Giving a light its settings after a join: automatic uplinks (0601), then the interval (04nn).

One frame is sent at a time, and the settings count as carried out when the light's own downlink
counter says that every frame of the round arrived. No command reads a setting back, and whether a
setting is answered by itself is not documented, so the last frame asks for a status. Lights before
software 5.6 know neither 0601 nor 0501: they get the interval, and cannot prove it.
"""

from actors.device import judgement, retry_plan
from actors.device.answer_order import answers
from actors.device.command import StepKind
from actors.device.effects import NoteKind
from actors.device.firmware import wanted_interval_min
from actors.device.inquiry import ask
from actors.device.model import Device, Phase, Setup, Stage
from actors.device.policy import Policy
from actors.device.reconcile import enter_failed
from actors.device.transition import Transition
from actors.device.verification import proof_from
from actors.reasons import Reason, ReasonCode, text_of
from actors.replace import replace
from lorawan.kuando import answers_downlinks
from lorawan.kuando.frames import AutoUplink, Frame, RequestStatus, StatusInterval


def steps(device: Device, policy: Policy) -> tuple[Frame, ...]:
    """The frames that this light needs, in order."""
    interval = StatusInterval(wanted_interval_min(device, policy))
    if device.report is not None and answers_downlinks(device.report.sw_rev):
        return AutoUplink(on=True), interval, RequestStatus()
    return (interval,)


def begin(transition: Transition) -> None:
    """Start from the first frame, with all attempts before it."""
    transition.change(setup=Setup())
    transition.enter(Phase.INITIALIZING)
    send(transition)


def resume(transition: Transition) -> None:
    """Evidence came: another round now, whatever its time would have been."""
    setup = transition.device.setup
    assert setup is not None  # noqa: S101 - callers ask only while setting up
    transition.change(setup=replace(setup, step=0, proof=None, next_at=None))
    transition.enter(Phase.INITIALIZING)
    send(transition)


def send(transition: Transition) -> None:
    """Hand the frame of the current step to the dispatcher."""
    setup = transition.device.setup
    assert setup is not None  # noqa: S101 - callers ask only while setting up
    frames = steps(transition.device, transition.policy)
    # rounds are spaced where evidence abounds, not the frames within one
    beyond = setup.attempts - transition.policy.attempts_most
    not_before = transition.evidence_gap(beyond) if setup.step == 0 else 0.0
    transition.change(setup=replace(setup, next_at=None))
    transition.submit(
        frames[min(setup.step, len(frames) - 1)],
        # settings give way to colours, unless a caller waits for this very light
        retry=transition.device.command is None or setup.attempts > 0 or setup.unsent > 0,
        not_before=not_before,
    )


def queued(transition: Transition, dev_addr: str, fence: int) -> None:
    """ChirpStack has the frame: from the first one on, the light's counter may prove."""
    setup = transition.device.setup
    if setup is not None and (setup.proof is None or setup.proof.dev_addr != dev_addr):
        transition.change(
            setup=replace(setup, proof=proof_from(transition.device, dev_addr, fence))
        )


def answer_due_s(transition: Transition) -> float:
    """How long after a frame of the setup the next thing happens."""
    setup = transition.device.setup
    last = setup is not None and setup.step == len(steps(transition.device, transition.policy)) - 1
    provable = len(steps(transition.device, transition.policy)) > 1
    if last and provable:
        return retry_plan.settings_window_s(transition.device, transition.policy)
    return retry_plan.spacing_s(transition.device, transition.policy)


def heard(transition: Transition) -> bool:
    """Judge the newest status. True when the settings are carried out."""
    device = transition.device
    setup, sent, report = device.setup, device.attempt, device.session_report
    if setup is None or setup.proof is None or report is None or sent is None:
        return False
    proof = setup.proof
    if report.dev_addr != proof.dev_addr or report.f_cnt < proof.fence:
        return False
    if sent.stage not in {Stage.QUEUED, Stage.TRANSMITTED}:
        return False
    if report.downlinks_received - proof.baseline >= setup.step + 1 + setup.extra:
        judgement.settings(transition, setup, sent, counted=True)
        return next_step(transition, arrived=True)
    if answers(report, sent):
        unproven(transition, "the light answered without having received every setting")
        left = transition.device.setup
        if left is not None and left.attempts >= transition.policy.setup_rounds_most:
            resume(
                transition
            )  # its answer is evidence, too: the next may be a status interval away
    return False


def begin_round_anew(transition: Transition) -> None:
    """No gateway could have heard an answer: the round counts for nothing. Its frames may have
    arrived all the same, so they must not be taken for those of the next."""
    setup = transition.device.setup
    assert setup is not None  # noqa: S101 - callers ask only while setting up
    extra = setup.extra + setup.step + 1
    transition.close_attempt()
    transition.change(setup=replace(setup, step=0, extra=extra, proof=None))
    send(transition)


def recount(transition: Transition) -> None:
    """A status came while no frame was on air: it has counted all that earlier rounds sent."""
    setup, sent = transition.device.setup, transition.device.attempt
    on_its_way = sent is not None and sent.stage in {Stage.QUEUED, Stage.TRANSMITTED}
    if setup is not None and setup.extra and not on_its_way:
        transition.change(setup=replace(setup, extra=0))


def next_step(transition: Transition, *, arrived: bool) -> bool:
    """The current frame is done with. True when the settings are carried out."""
    setup = transition.device.setup
    assert setup is not None  # noqa: S101 - callers ask only while setting up
    frames = steps(transition.device, transition.policy)
    settings_done = isinstance(frames[min(setup.step, len(frames) - 1)], StatusInterval)
    if (arrived and (settings_done or setup.step == len(frames) - 1)) or len(frames) == 1:
        session = transition.device.session
        assert session is not None  # noqa: S101 - a setup belongs to a session
        sent = transition.device.attempt
        frame = sent.frame if sent is not None else None
        told_min = transition.policy.status_interval_min
        if isinstance(frame, StatusInterval):
            told_min = frame.minutes
        transition.close_attempt()
        transition.change(setup=None, session=replace(session, set_up=True, interval_min=told_min))
        transition.note(NoteKind.SETUP, done="proven" if arrived else "sent, cannot be proven")
        return True
    if setup.step + 1 >= len(frames):
        unproven(transition, "the light did not answer after its settings")
        return False
    transition.close_attempt()
    transition.change(setup=replace(setup, step=setup.step + 1, unsent=0))
    send(transition)
    return False


def unproven(transition: Transition, why: str) -> None:
    """The round ended without proof: another round later, or only on evidence."""
    setup = transition.device.setup
    assert setup is not None  # noqa: S101 - callers ask only while setting up
    attempts = setup.attempts + 1
    report, sent = transition.device.session_report, transition.device.attempt
    told = report is not None and sent is not None and answers(report, sent)
    extra = 0 if told else setup.extra + setup.step + 1
    judgement.settings(transition, setup, sent, counted=False)
    transition.close_attempt()
    transition.note(NoteKind.SETUP, unproven=why, round=attempts)
    if attempts < transition.policy.setup_rounds_most:
        due_at = transition.retry_at(attempts)
        transition.change(setup=Setup(attempts=attempts, extra=extra, next_at=due_at))
    else:
        transition.change(setup=Setup(attempts=attempts, extra=extra))
        transition.trouble(f"settings unproven after {attempts} rounds: {why}")
        enter_failed(transition)
        transition.command_step(StepKind.WAITING, reason=Reason(ReasonCode.SETTINGS_NOT_TAKEN))
    ask(transition, why)


def not_sent(transition: Transition, why: Reason) -> None:
    """No gateway took the frame: nothing is counted, the same frame goes again later."""
    setup = transition.device.setup
    assert setup is not None  # noqa: S101 - callers ask only while setting up
    unsent = setup.unsent + 1
    wait_s = transition.backoff_s(unsent, transition.policy.unsent_backoff_most_s)
    transition.close_attempt()
    transition.change(setup=replace(setup, unsent=unsent, next_at=transition.now + wait_s))
    transition.note(NoteKind.SETUP, not_sent=text_of(why, transition.now))
