"""What the machine does about each event from people, the network, the dispatcher, the gateways.

The rule it keeps: each function deals with one kind of event in every phase, and leaves the device
in a phase that the table of `machine.py` allows. Facts are taken in first, then decided upon.
"""

from actors.device import events as ev
from actors.device import foreign, hearing, pursuit, setup
from actors.device.effects import CommandChanged, NoteKind
from actors.device.firmware import heartbeat_only, interval_first, refused_reply, upkeep_frame
from actors.device.inquiry import ask
from actors.device.judging import answers
from actors.device.model import (
    Attempt,
    Command,
    CommandStatus,
    Device,
    Phase,
    Pursuit,
    Stage,
    Step,
    StepKind,
    Wanted,
)
from actors.device.told import mark, remember
from actors.device.turn import Turn, replace, with_step
from actors.device.wishes import return_to_the_wish_before

ORPHANS_MOST = 4
"""txacks kept until the enqueue is answered: one of ours is out at a time, others are copies."""

PENDING = frozenset({Stage.SUBMITTED, Stage.HELD})

# ------------------------------------------------------------------ from people and programs


def command(turn: Turn, event: ev.CommandRequested) -> None:
    """The newest command wins: it supersedes an open one and is pursued at once."""
    device = turn.device
    turn.command_step(
        StepKind.SUPERSEDED,
        CommandStatus.SUPERSEDED,
        superseded_by=event.command_id,
        ended_at=turn.now,
    )
    made = Command(
        id=event.command_id,
        dev_eui=device.dev_eui,
        light=event.light,
        keep=event.keep,
        accepted_at=turn.now,
        expires_at=turn.now + event.ttl_s,
        correlation_id=event.correlation_id,
        heartbeat_only=heartbeat_only(device),
    )
    made = with_step(made, Step(turn.now, StepKind.ACCEPTED), turn.policy.timeline_most)
    before = device.pursuit is not None and device.pursuit.goal == event.light
    out = before or device.attempt is not None or device.in_queue is not None
    turn.change(
        command=made,
        wanted_before=device.wanted if device.command is None else device.wanted_before,
        wanted=Wanted(event.light, made.id, turn.now, event.keep),
        pursuit=Pursuit(event.light, made.id, contested=out),
        unsettled_until=turn.now + foreign.OUT_S,
    )
    turn.emit(CommandChanged(made))
    turn.answer("accepted")
    if device.phase is Phase.UNINITIALIZED:
        turn.command_step(StepKind.WAITING, reason="the light has not reported since it joined")
        ask(turn, "a command waits for the light's first status")
    elif device.phase is Phase.INITIALIZING:
        turn.command_step(StepKind.WAITING, reason="the light is being given its settings first")
    elif device.setup is not None:
        setup.begin(turn)
    else:
        turn.close_attempt()
        next_attempt(turn)


def next_attempt(turn: Turn) -> None:
    """The colour now; to a light that cannot answer a shorter status interval before it."""
    report = turn.device.report
    if report is None or not interval_first(turn.device, turn.policy):
        pursuit.attempt(turn)
        return
    software, minutes = report.sw_rev / 10, turn.policy.quick_interval_min
    why = f"its software {software:g} answers no downlink: it is told to report every {minutes} min"
    turn.command_step(StepKind.WAITING, reason=why)
    setup.begin(turn)


def initialize(turn: Turn, event: ev.InitializeRequested) -> None:
    """Settings again: unless forced, only where this session has not got them."""
    device = turn.device
    if device.phase is Phase.UNINITIALIZED or device.session is None:
        turn.answer("waiting")
    elif device.phase is Phase.INITIALIZING:
        turn.answer("under way")
    elif device.session.set_up and not event.force:
        turn.answer("already")
    else:
        turn.answer("started")
        turn.close_attempt()
        setup.begin(turn)


def ask_status(turn: Turn, event: ev.StatusRequested) -> None:
    """One frame that makes the light speak; only where nothing else is on its way."""
    if turn.device.phase is Phase.IDLE and turn.device.attempt is None:
        turn.submit(upkeep_frame(turn.device, turn.policy), retry=True)
        turn.note(NoteKind.UPLINK, asked=event.reason)
        turn.answer("asked")
    else:
        turn.answer("busy")


# ------------------------------------------------------------------ from the network


def uplink(turn: Turn, event: ev.UplinkHeard) -> None:
    """The light spoke: place it, then see what it proves or shows."""
    heard_by, before = _online(turn.device), turn.device.session_report
    if not hearing.believe(turn, event):
        return
    told = event.status is not None
    if told:
        setup.recount(turn)
        foreign.look(turn, before)
    match turn.device.phase:
        case Phase.UNINITIALIZED:
            if told:
                setup.begin(turn)
        case Phase.INITIALIZING:
            if told and setup.heard(turn):
                after_setup(turn)
        case Phase.IDLE:
            if told:
                turn.close_attempt()
                pursuit.restore_if_drifted(turn)
        case Phase.AWAITING_VERIFY:
            if told:
                _judge(turn)
        case Phase.RETRYING | Phase.FAILED:
            goal = turn.device.pursuit
            if told and goal is not None and pursuit.proven(turn.device, goal):
                pursuit.verified(turn)
            else:
                resume(turn, "the light was heard")
    if _online(turn.device) - heard_by:
        turn.submit_held()  # the dispatcher knows the gateways of a light by its submission only


def joined(turn: Turn, event: ev.Joined) -> None:
    """The light is dim green now, has no settings, and hears nothing before its first uplink."""
    hearing.believe_join(turn, event)


def transmitted(turn: Turn, event: ev.Transmitted) -> None:
    """A gateway took a frame for this light: ours, if the queue item says so."""
    sent = turn.device.attempt
    airtime_s = max(0.0, event.ends_at - event.at)
    if remember(turn, event):
        # its telling comes soon after it; what an answer tells happened at its own time
        ended_at = turn.happened_at + airtime_s
        turn.change(last_frame_at=max(turn.device.last_frame_at or 0.0, ended_at))
        turn.note_event(
            NoteKind.TXACK,
            mark(event),
            event.at,
            gateway=event.gateway_id,
            item=event.queue_item_id,
        )
    if turn.device.in_queue is not None and turn.device.in_queue[0] == event.queue_item_id:
        turn.change(in_queue=None)
    if sent is None:
        return
    unnamed = sent.queue_item_id == "" and event.f_cnt_down >= (sent.f_cnt_down or 0)
    if sent.stage is Stage.QUEUED and (unnamed or sent.queue_item_id == event.queue_item_id):
        _on_air(turn, event.gateway_id, event.ends_at, airtime_s)
    elif sent.stage in PENDING:
        orphan = (event.queue_item_id, event.gateway_id, event.ends_at, airtime_s)
        turn.change(orphans=(*turn.device.orphans, orphan)[-ORPHANS_MOST:])


def item_dropped(turn: Turn, event: ev.ItemDropped) -> None:
    """The server threw the item away: unsent if it expired, hopeless if it was refused."""
    sent = turn.device.attempt
    if remember(turn, event):
        item = event.queue_item_id
        turn.note_event(NoteKind.DROPPED, mark(event), event.at, code=event.code, item=item)
    if sent is None or sent.stage is not Stage.QUEUED or sent.queue_item_id != event.queue_item_id:
        return
    if event.code == "EXPIRED":
        not_sent(turn, "no gateway took the frame before it expired")
    else:
        _hopeless(turn, f"ChirpStack discarded the frame: {event.code}")


def gateway_refused(turn: Turn, event: ev.GatewayRefusedFrame) -> None:
    """The item stays in the server's queue and is sent again by it: nothing to do but to tell."""
    turn.note(NoteKind.GATEWAY_ERROR, problem=event.problem)
    turn.trouble(f"a gateway refused a frame: {event.problem}")


# ------------------------------------------------------------------ from the dispatcher


def held(turn: Turn, event: ev.AttemptHeld) -> None:
    """It cannot go out now: nothing is counted."""
    sent = _pending(turn.device, event.number)
    if sent is not None:
        hearing.found_obstacle(turn, event.obstacle)
    if sent is not None and (sent.stage, sent.reason) != (Stage.HELD, event.reason):
        turn.change_attempt(
            stage=Stage.HELD,
            reason=event.reason,
            obstacle=event.obstacle,
            due_at=turn.now + turn.policy.resubmit_after_s,
        )
        turn.command_step(
            StepKind.HELD, CommandStatus.HELD, attempt=sent.number, reason=event.reason
        )


def queued(turn: Turn, event: ev.AttemptQueued) -> None:
    """ChirpStack has it. Its session and counters, read before, are the line for the proof."""
    sent, session = _pending(turn.device, event.number), turn.device.session
    if sent is None or session is None:
        return
    hearing.found_disabled(turn, False)
    activation = event.activation
    if activation.dev_addr != session.dev_addr or activation.f_cnt_up < sent.heard:
        hearing.begin_session(turn, activation.dev_addr, turn.now)
        ask(turn, "the light joined without our being told")
        return
    if activation.f_cnt_up == sent.heard:  # behind, or read before the server had noted it
        ask(turn, "the server's counter is behind the light's")
    turn.change_attempt(
        stage=Stage.QUEUED,
        reason=None,
        obstacle=None,
        queue_item_id=event.queue_item_id,
        f_cnt_down=activation.f_cnt_down,
        fence=activation.f_cnt_up,
        queued_at=turn.now,
        item_expires_at=event.expires_at,
        due_at=max(turn.now, event.expires_at) + turn.policy.item_grace_s,
    )
    turn.change(in_queue=(event.queue_item_id, event.expires_at))
    if turn.device.phase is Phase.INITIALIZING:
        setup.queued(turn, session.dev_addr, activation.f_cnt_up)
    elif turn.device.phase is Phase.AWAITING_VERIFY:
        pursuit.queued(turn, session.dev_addr, activation.f_cnt_up)
    for item, gateway_id, ends_at, airtime_s in turn.device.orphans:
        if item == event.queue_item_id and turn.device.attempt is not None:
            turn.change(in_queue=None)
            _on_air(turn, gateway_id, ends_at, airtime_s)
            break
    _echo_came_first(turn)


def refused(turn: Turn, event: ev.AttemptRefused) -> None:
    """It can never be sent."""
    if _pending(turn.device, event.number) is not None:
        _hopeless(turn, event.reason)


def dispatcher_started(turn: Turn, event: ev.DispatcherStarted) -> None:
    """The dispatcher forgot what it held."""
    turn.submit_again()


# ------------------------------------------------------------------ from the gateway watcher


def gateway_health(turn: Turn, event: ev.GatewayHealthChanged) -> None:
    """A gateway that hears the light came back: worth an attempt. Holding is the dispatcher's."""
    news = hearing.gateway_health(turn, event.gateway_id, online=event.online)
    if news and event.online and turn.device.phase in {Phase.RETRYING, Phase.FAILED}:
        resume(turn, f"gateway {event.gateway_id} is back")


def gateway_returned(turn: Turn, event: ev.GatewayReturned) -> None:
    """A silent gateway spoke: what nobody took meanwhile says nothing about it any more."""
    device, goal, settings = turn.device, turn.device.pursuit, turn.device.setup
    if not any(heard.gateway_id == event.gateway_id for heard in device.hearings):
        return
    idle = device.attempt is None
    if settings is not None and settings.unsent > 0:
        turn.change(setup=replace(settings, unsent=0))
        if idle and device.phase is Phase.INITIALIZING:
            setup.send(turn)
    elif settings is None and goal is not None and goal.unsent > 0:
        turn.change(pursuit=replace(goal, unsent=0))
        if idle and device.phase is Phase.RETRYING:
            pursuit.evidence(turn, f"gateway {event.gateway_id} is heard again")


# ------------------------------------------------------------------ shared by several


def resume(turn: Turn, what: str) -> None:
    """Evidence: go on with the settings, or with the colour."""
    if turn.device.setup is not None:
        setup.resume(turn)
    elif turn.device.pursuit is not None:
        pursuit.evidence(turn, what)


def after_setup(turn: Turn) -> None:
    """The settings are carried out: the wanted colour next, if one is missing."""
    goal = turn.device.pursuit
    if goal is not None and pursuit.proven(turn.device, goal):
        pursuit.verified(turn)
    elif goal is not None:
        pursuit.attempt(turn)
    elif not pursuit.restore_if_drifted(turn):
        turn.enter(Phase.IDLE)


def not_sent(turn: Turn, why: str) -> None:
    """No gateway took the frame, whatever it was."""
    if turn.device.phase is Phase.INITIALIZING:
        setup.not_sent(turn, why)
    elif turn.device.phase is Phase.AWAITING_VERIFY:
        pursuit.not_sent(turn, why)
    else:
        turn.close_attempt()


def _judge(turn: Turn) -> None:
    """A status while an attempt is out: proof, or evidence that the frame was lost."""
    goal, sent = turn.device.pursuit, turn.device.attempt
    if goal is None or sent is None:
        return
    if pursuit.proven(turn.device, goal):
        pursuit.verified(turn)
    elif (report := turn.device.session_report) is not None and answers(report, sent):
        if refused_reply(turn.device, sent):
            turn.change(pursuit=replace(goal, refused_reply=True))
        pursuit.unproven(turn, "the light reported without having carried it out", inquire=False)
        left = turn.device.pursuit
        if left is not None and left.attempts >= turn.policy.attempts_most:
            pursuit.give_up_timing(turn)
        resume(turn, "the light shows another state")


def _echo_came_first(turn: Turn) -> None:
    """The answer's webhook may have overtaken the reply of the enqueue."""
    goal = turn.device.pursuit
    if turn.device.phase is Phase.AWAITING_VERIFY and goal is not None:
        if pursuit.proven(turn.device, goal):
            pursuit.verified(turn)
    elif turn.device.phase is Phase.INITIALIZING and setup.heard(turn):
        after_setup(turn)


def _on_air(turn: Turn, gateway_id: str, ends_at: float, airtime_s: float) -> None:
    phase = turn.device.phase
    window_s = setup.answer_due_s(turn) if phase is Phase.INITIALIZING else turn.window_s()
    turn.change_attempt(
        stage=Stage.TRANSMITTED,
        gateway_id=gateway_id,
        ends_at=ends_at,
        air_until=turn.now + airtime_s,
        due_at=turn.now + airtime_s + window_s,  # our clock: the server's is only its own measure
    )
    if phase is Phase.AWAITING_VERIFY:
        pursuit.on_air(turn, gateway_id)


def _hopeless(turn: Turn, why: str) -> None:
    """No further try can help: an open command is rejected."""
    turn.trouble(why)
    turn.close_attempt()
    if turn.device.command is not None:
        turn.command_step(StepKind.REJECTED, CommandStatus.REJECTED, reason=why, ended_at=turn.now)
        return_to_the_wish_before(turn)
        if turn.device.phase is not Phase.INITIALIZING:
            return
    if turn.device.phase is Phase.INITIALIZING:
        was = turn.device.setup
        if was is not None:
            spent = turn.policy.setup_rounds_most
            turn.change(setup=replace(was, attempts=spent, step=0, proof=None, next_at=None))
        pursuit.enter_failed(turn)
    elif turn.device.phase is Phase.AWAITING_VERIFY:
        goal, most = turn.device.pursuit, turn.policy.attempts_most
        if goal is not None:
            turn.change(pursuit=replace(goal, attempts=max(goal.attempts, most), next_at=None))
        pursuit.enter_failed(turn)


def _online(device: Device) -> set[str]:
    return {heard.gateway_id for heard in device.hearings if heard.online}


def _pending(device: Device, number: int) -> Attempt | None:
    sent = device.attempt
    return sent if sent is not None and sent.number == number and sent.stage in PENDING else None
