"""Giving a light its settings after a join: automatic uplinks (0601), then the interval (04nn).

The rule it keeps: one frame at a time, and the settings count as carried out when the light's own
downlink counter says that every frame of the round arrived. No command reads a setting back, and
whether a setting is answered by itself is not documented, so the last frame asks for a status.
Lights before software 5.6 know neither 0601 nor 0501: they get the interval, and cannot prove it.
"""

from actors.device.effects import NoteKind
from actors.device.firmware import wanted_interval_min
from actors.device.inquiry import ask
from actors.device.judging import answers
from actors.device.model import Device, Phase, Setup, Stage, StepKind
from actors.device.policy import Policy
from actors.device.pursuit import enter_failed, proof_from
from actors.device.turn import Turn, replace
from lorawan.kuando import answers_downlinks
from lorawan.kuando.frames import AutoUplink, Frame, RequestStatus, StatusInterval


def steps(device: Device, policy: Policy) -> tuple[Frame, ...]:
    """The frames that this light needs, in order."""
    interval = StatusInterval(wanted_interval_min(device, policy))
    if device.report is not None and answers_downlinks(device.report.sw_rev):
        return AutoUplink(on=True), interval, RequestStatus()
    return (interval,)


def begin(turn: Turn) -> None:
    """Start from the first frame, with all attempts before it."""
    turn.change(setup=Setup())
    turn.enter(Phase.INITIALIZING)
    send(turn)


def resume(turn: Turn) -> None:
    """Evidence came: another round now, whatever its time would have been."""
    setup = turn.device.setup
    assert setup is not None  # noqa: S101 - callers ask only while setting up
    turn.change(setup=replace(setup, step=0, proof=None, next_at=None))
    turn.enter(Phase.INITIALIZING)
    send(turn)


def send(turn: Turn) -> None:
    """Hand the frame of the current step to the dispatcher."""
    setup = turn.device.setup
    assert setup is not None  # noqa: S101 - callers ask only while setting up
    frames = steps(turn.device, turn.policy)
    # rounds are spaced where evidence abounds, not the frames within one
    not_before = turn.evidence_gap(setup.attempts) if setup.step == 0 else 0.0
    turn.change(setup=replace(setup, next_at=None))
    turn.submit(
        frames[min(setup.step, len(frames) - 1)],
        # settings give way to colours, unless a caller waits for this very light
        retry=turn.device.command is None or setup.attempts > 0 or setup.unsent > 0,
        not_before=not_before,
    )


def queued(turn: Turn, dev_addr: str, fence: int) -> None:
    """ChirpStack has the frame: from the first one on, the light's counter may prove."""
    setup = turn.device.setup
    if setup is not None and (setup.proof is None or setup.proof.dev_addr != dev_addr):
        turn.change(setup=replace(setup, proof=proof_from(turn.device, dev_addr, fence)))


def answer_due_s(turn: Turn) -> float:
    """How long after a frame of the setup the next thing happens."""
    setup = turn.device.setup
    last = setup is not None and setup.step == len(steps(turn.device, turn.policy)) - 1
    provable = len(steps(turn.device, turn.policy)) > 1
    return turn.policy.window_s if last and provable else turn.policy.spacing_s


def heard(turn: Turn) -> bool:
    """Judge the newest status. True when the settings are carried out."""
    device = turn.device
    setup, sent, report = device.setup, device.attempt, device.session_report
    if setup is None or setup.proof is None or report is None or sent is None:
        return False
    proof = setup.proof
    if report.dev_addr != proof.dev_addr or report.f_cnt < proof.fence:
        return False
    if sent.stage not in {Stage.QUEUED, Stage.TRANSMITTED}:
        return False
    if report.downlinks_received - proof.baseline >= setup.step + 1 + setup.extra:
        return next_step(turn, arrived=True)
    if answers(report, sent):
        unproven(turn, "the light answered without having received every setting")
        left = turn.device.setup
        if left is not None and left.attempts >= turn.policy.setup_rounds_most:
            resume(turn)  # its answer is evidence, too: the next may be a status interval away
    return False


def recount(turn: Turn) -> None:
    """A status came while no frame was on air: it has counted all that earlier rounds sent."""
    setup, sent = turn.device.setup, turn.device.attempt
    on_its_way = sent is not None and sent.stage in {Stage.QUEUED, Stage.TRANSMITTED}
    if setup is not None and setup.extra and not on_its_way:
        turn.change(setup=replace(setup, extra=0))


def next_step(turn: Turn, *, arrived: bool) -> bool:
    """The current frame is done with. True when the settings are carried out."""
    setup = turn.device.setup
    assert setup is not None  # noqa: S101 - callers ask only while setting up
    frames = steps(turn.device, turn.policy)
    settings_done = isinstance(frames[min(setup.step, len(frames) - 1)], StatusInterval)
    if (arrived and (settings_done or setup.step == len(frames) - 1)) or len(frames) == 1:
        session = turn.device.session
        assert session is not None  # noqa: S101 - a setup belongs to a session
        sent = turn.device.attempt
        frame = sent.frame if sent is not None else None
        told_min = turn.policy.status_interval_min
        if isinstance(frame, StatusInterval):
            told_min = frame.minutes
        turn.close_attempt()
        turn.change(setup=None, session=replace(session, set_up=True, interval_min=told_min))
        turn.note(NoteKind.SETUP, done="proven" if arrived else "sent, cannot be proven")
        return True
    if setup.step + 1 >= len(frames):
        unproven(turn, "the light did not answer after its settings")
        return False
    turn.close_attempt()
    turn.change(setup=replace(setup, step=setup.step + 1, unsent=0))
    send(turn)
    return False


def unproven(turn: Turn, why: str) -> None:
    """The round ended without proof: another round later, or only on evidence."""
    setup = turn.device.setup
    assert setup is not None  # noqa: S101 - callers ask only while setting up
    attempts = setup.attempts + 1
    report, sent = turn.device.session_report, turn.device.attempt
    told = report is not None and sent is not None and answers(report, sent)
    extra = 0 if told else setup.extra + setup.step + 1
    turn.close_attempt()
    turn.note(NoteKind.SETUP, unproven=why, round=attempts)
    if attempts < turn.policy.setup_rounds_most:
        due_at = turn.now + turn.backoff_s(attempts)
        turn.change(setup=Setup(attempts=attempts, extra=extra, next_at=due_at))
    else:
        turn.change(setup=Setup(attempts=attempts, extra=extra))
        turn.trouble(f"settings unproven after {attempts} rounds: {why}")
        enter_failed(turn)
        turn.command_step(StepKind.WAITING, reason="the light does not take its settings")
    ask(turn, why)


def not_sent(turn: Turn, why: str) -> None:
    """No gateway took the frame: nothing is counted, the same frame goes again later."""
    setup = turn.device.setup
    assert setup is not None  # noqa: S101 - callers ask only while setting up
    unsent = setup.unsent + 1
    wait_s = turn.backoff_s(unsent, turn.policy.unsent_backoff_most_s)
    turn.close_attempt()
    turn.change(setup=replace(setup, unsent=unsent, next_at=turn.now + wait_s))
    turn.note(NoteKind.SETUP, not_sent=why)
