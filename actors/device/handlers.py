"""The handlers of the events of the network, the dispatcher and the gateways.

Each takes the facts in first, and then decides by phase, attempt and goal what follows from them.
"""

from actors.device import events as ev
from actors.device import foreign_sender, reconcile, sessions, setup
from actors.device.answer_order import answers
from actors.device.deduplication import mark, remember
from actors.device.effects import NoteKind
from actors.device.firmware import refused_reply
from actors.device.model import (
    Attempt,
    CommandStatus,
    Device,
    Phase,
    Stage,
    StepKind,
)
from actors.device.previous_wanted import return_to_the_wish_before
from actors.device.recovery import ask
from actors.device.transition import Transition
from actors.replace import replace

ORPHANS_MOST = 4
"""txacks kept until the enqueue is answered: one of ours is out at a time, others are copies."""

PENDING = frozenset({Stage.SUBMITTED, Stage.HELD})

# ------------------------------------------------------------------ from the network


def uplink(transition: Transition, event: ev.UplinkHeard) -> None:
    """The light spoke: place it, then see what it proves or shows."""
    heard_by, before = _online(transition.device), transition.device.session_report
    if not sessions.believe(transition, event):
        return
    told = event.status is not None
    if told:
        setup.recount(transition)
        foreign_sender.look(transition, before)
    match transition.device.phase:
        case Phase.UNINITIALIZED:
            if told:
                setup.begin(transition)
        case Phase.INITIALIZING:
            if told and setup.heard(transition):
                after_setup(transition)
        case Phase.IDLE:
            if told:
                transition.close_attempt()
                reconcile.restore_if_drifted(transition)
        case Phase.AWAITING_VERIFY:
            if told:
                _judge(transition)
        case Phase.RETRYING | Phase.FAILED:
            goal = transition.device.pursuit
            if told and goal is not None and reconcile.proven(transition.device, goal):
                reconcile.verified(transition)
            else:
                resume(transition, "the light was heard")
    if _online(transition.device) - heard_by:
        # The dispatcher knows the gateways of a light by its submission only.
        transition.submit_held()


def joined(transition: Transition, event: ev.Joined) -> None:
    """The light is dim green now, has no settings, and hears nothing before its first uplink."""
    sessions.believe_join(transition, event)


def transmitted(transition: Transition, event: ev.Transmitted) -> None:
    """A gateway took a frame for this light: ours, if the queue item says so."""
    sent = transition.device.attempt
    airtime_s = max(0.0, event.ends_at - event.at)
    if remember(transition, event):
        # its telling comes soon after it; what an answer tells happened at its own time
        ended_at = transition.happened_at + airtime_s
        transition.change(last_frame_at=max(transition.device.last_frame_at or 0.0, ended_at))
        transition.note_event(
            NoteKind.TXACK,
            mark(event),
            event.at,
            gateway=event.gateway_id,
            item=event.queue_item_id,
        )
    if (
        transition.device.in_queue is not None
        and transition.device.in_queue[0] == event.queue_item_id
    ):
        transition.change(in_queue=None)
    if sent is None:
        return
    unnamed = sent.queue_item_id == "" and event.f_cnt_down >= (sent.f_cnt_down or 0)
    if sent.stage is Stage.QUEUED and (unnamed or sent.queue_item_id == event.queue_item_id):
        _on_air(transition, event.gateway_id, event.ends_at, airtime_s)
    elif sent.stage in PENDING:
        orphan = (event.queue_item_id, event.gateway_id, event.ends_at, airtime_s)
        transition.change(orphans=(*transition.device.orphans, orphan)[-ORPHANS_MOST:])


def item_dropped(transition: Transition, event: ev.ItemDropped) -> None:
    """The server threw the item away: unsent if it expired, hopeless if it was refused."""
    sent = transition.device.attempt
    if remember(transition, event):
        item = event.queue_item_id
        transition.note_event(NoteKind.DROPPED, mark(event), event.at, code=event.code, item=item)
    if sent is None or sent.stage is not Stage.QUEUED or sent.queue_item_id != event.queue_item_id:
        return
    if event.code == "EXPIRED":
        not_sent(transition, "no gateway took the frame before it expired")
    else:
        _hopeless(transition, f"ChirpStack discarded the frame: {event.code}")


def gateway_refused(transition: Transition, event: ev.GatewayRefusedFrame) -> None:
    """The item stays in the server's queue and is sent again by it: nothing to do but to tell."""
    transition.note(NoteKind.GATEWAY_ERROR, problem=event.problem)
    transition.trouble(f"a gateway refused a frame: {event.problem}")


# ------------------------------------------------------------------ from the dispatcher


def held(transition: Transition, event: ev.AttemptHeld) -> None:
    """It cannot go out now: nothing is counted."""
    sent = _pending(transition.device, event.number)
    if sent is not None:
        sessions.found_obstacle(transition, event.obstacle)
    if sent is not None and (sent.stage, sent.reason) != (Stage.HELD, event.reason):
        transition.change_attempt(
            stage=Stage.HELD,
            reason=event.reason,
            obstacle=event.obstacle,
            due_at=transition.now + transition.policy.resubmit_after_s,
        )
        transition.command_step(
            StepKind.HELD, CommandStatus.HELD, attempt=sent.number, reason=event.reason
        )


def queued(transition: Transition, event: ev.AttemptQueued) -> None:
    """ChirpStack has it. Its session and counters, read before, are the line for the proof."""
    sent, session = _pending(transition.device, event.number), transition.device.session
    if sent is None or session is None:
        return
    sessions.found_disabled(transition, False)
    activation = event.activation
    if activation.dev_addr != session.dev_addr or activation.f_cnt_up < sent.heard:
        sessions.begin_session(transition, activation.dev_addr, transition.now)
        ask(transition, "the light joined without our being told")
        return
    if activation.f_cnt_up == sent.heard:  # behind, or read before the server had noted it
        ask(transition, "the server's counter is behind the light's")
    transition.change_attempt(
        stage=Stage.QUEUED,
        reason=None,
        obstacle=None,
        queue_item_id=event.queue_item_id,
        f_cnt_down=activation.f_cnt_down,
        fence=activation.f_cnt_up,
        queued_at=transition.now,
        item_expires_at=event.expires_at,
        due_at=max(transition.now, event.expires_at) + transition.policy.item_grace_s,
    )
    transition.change(in_queue=(event.queue_item_id, event.expires_at))
    if transition.device.phase is Phase.INITIALIZING:
        setup.queued(transition, session.dev_addr, activation.f_cnt_up)
    elif transition.device.phase is Phase.AWAITING_VERIFY:
        reconcile.queued(transition, session.dev_addr, activation.f_cnt_up)
    for item, gateway_id, ends_at, airtime_s in transition.device.orphans:
        if item == event.queue_item_id and transition.device.attempt is not None:
            transition.change(in_queue=None)
            _on_air(transition, gateway_id, ends_at, airtime_s)
            break
    _echo_came_first(transition)


def refused(transition: Transition, event: ev.AttemptRefused) -> None:
    """It can never be sent."""
    if _pending(transition.device, event.number) is not None:
        _hopeless(transition, event.reason)


def dispatcher_started(transition: Transition, event: ev.DispatcherStarted) -> None:
    """The dispatcher forgot what it held."""
    transition.submit_again()


# ------------------------------------------------------------------ from the gateway watcher


def gateway_health(transition: Transition, event: ev.GatewayHealthChanged) -> None:
    """A gateway that hears the light came back: worth an attempt. Holding is the dispatcher's."""
    news = sessions.gateway_health(transition, event.gateway_id, online=event.online)
    if news and event.online and transition.device.awaits_retry:
        resume(transition, f"gateway {event.gateway_id} is back")


def gateway_returned(transition: Transition, event: ev.GatewayReturned) -> None:
    """A silent gateway spoke: what nobody took meanwhile says nothing about it any more."""
    device, goal, settings = transition.device, transition.device.pursuit, transition.device.setup
    if not any(heard.gateway_id == event.gateway_id for heard in device.hearings):
        return
    idle = device.attempt is None
    if settings is not None and settings.unsent > 0:
        transition.change(setup=replace(settings, unsent=0))
        if idle and device.phase is Phase.INITIALIZING:
            setup.send(transition)
    elif settings is None and goal is not None and goal.unsent > 0:
        transition.change(pursuit=replace(goal, unsent=0))
        if idle and device.phase is Phase.RETRYING:
            reconcile.evidence(transition, f"gateway {event.gateway_id} is heard again")


# ------------------------------------------------------------------ shared by several


def resume(transition: Transition, what: str) -> None:
    """Evidence: go on with the settings, or with the colour."""
    if transition.device.setup is not None:
        setup.resume(transition)
    elif transition.device.pursuit is not None:
        reconcile.evidence(transition, what)


def after_setup(transition: Transition) -> None:
    """The settings are carried out: the wanted colour next, if one is missing."""
    goal = transition.device.pursuit
    if goal is not None and reconcile.proven(transition.device, goal):
        reconcile.verified(transition)
    elif goal is not None:
        reconcile.attempt(transition)
    elif not reconcile.restore_if_drifted(transition):
        transition.enter(Phase.IDLE)


def not_sent(transition: Transition, why: str) -> None:
    """No gateway took the frame, whatever it was."""
    if transition.device.phase is Phase.INITIALIZING:
        setup.not_sent(transition, why)
    elif transition.device.phase is Phase.AWAITING_VERIFY:
        reconcile.not_sent(transition, why)
    else:
        transition.close_attempt()


def _judge(transition: Transition) -> None:
    """A status while an attempt is out: proof, or evidence that the frame was lost."""
    goal, sent = transition.device.pursuit, transition.device.attempt
    if goal is None or sent is None:
        return
    if reconcile.proven(transition.device, goal):
        reconcile.verified(transition)
    elif (report := transition.device.session_report) is not None and answers(report, sent):
        if refused_reply(transition.device, sent):
            transition.change(pursuit=replace(goal, refused_reply=True))
        reconcile.unproven(
            transition, "the light reported without having carried it out", inquire=False
        )
        left = transition.device.pursuit
        if left is not None and left.attempts >= transition.policy.attempts_most:
            reconcile.give_up_timing(transition)
        resume(transition, "the light shows another state")


def _echo_came_first(transition: Transition) -> None:
    """The answer's webhook may have overtaken the reply of the enqueue."""
    goal = transition.device.pursuit
    if transition.device.phase is Phase.AWAITING_VERIFY and goal is not None:
        if reconcile.proven(transition.device, goal):
            reconcile.verified(transition)
    elif transition.device.phase is Phase.INITIALIZING and setup.heard(transition):
        after_setup(transition)


def _on_air(transition: Transition, gateway_id: str, ends_at: float, airtime_s: float) -> None:
    phase = transition.device.phase
    window_s = (
        setup.answer_due_s(transition) if phase is Phase.INITIALIZING else transition.window_s()
    )
    transition.change_attempt(
        stage=Stage.TRANSMITTED,
        gateway_id=gateway_id,
        ends_at=ends_at,
        air_until=transition.now + airtime_s,
        due_at=transition.now
        + airtime_s
        + window_s,  # our clock: the server's is only its own measure
    )
    if phase is Phase.AWAITING_VERIFY:
        reconcile.on_air(transition, gateway_id)


def _hopeless(transition: Transition, why: str) -> None:
    """No further try can help: an open command is rejected."""
    transition.trouble(why)
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
        goal, most = transition.device.pursuit, transition.policy.attempts_most
        if goal is not None:
            transition.change(
                pursuit=replace(goal, attempts=max(goal.attempts, most), next_at=None)
            )
        reconcile.enter_failed(transition)


def _online(device: Device) -> set[str]:
    return {heard.gateway_id for heard in device.hearings if heard.online}


def _pending(device: Device, number: int) -> Attempt | None:
    sent = device.attempt
    return sent if sent is not None and sent.number == number and sent.stage in PENDING else None
