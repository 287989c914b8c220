"""The handlers of the events of the network and the gateways.

Each takes the facts in first, and then decides by phase, attempt and goal what follows from them.
"""

from actors.device import events as ev
from actors.device import foreign_sender, probing, reconcile, sessions, setup, verification
from actors.device.answer_order import answers
from actors.device.deduplication import mark, remember
from actors.device.effects import NoteKind
from actors.device.firmware import refused_reply
from actors.device.model import (
    Device,
    Phase,
)
from actors.device.retry_plan import spent
from actors.device.transition import Transition
from actors.reasons import Reason, ReasonCode
from actors.replace import replace

# ------------------------------------------------------------------ from the network


def uplink(transition: Transition, event: ev.UplinkHeard) -> None:
    """The light spoke: place it, then see what it proves or shows."""
    heard_by, before = _online(transition.device), transition.device.session_report
    if not sessions.accept_uplink(transition, event):
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
                probing.answered(transition)
                reconcile.restore_if_drifted(transition)
        case Phase.AWAITING_VERIFY:
            if told:
                _judge(transition)
        case Phase.RETRYING | Phase.FAILED:
            goal = transition.device.pursuit
            if told and goal is not None and verification.proven(transition.device, goal):
                verification.verified(transition)
            else:
                resume(transition, Reason(ReasonCode.LIGHT_HEARD))
    if _online(transition.device) - heard_by:
        # The dispatcher knows the gateways of a light by its submission only.
        transition.submit_held()


def joined(transition: Transition, event: ev.Joined) -> None:
    """The light is dim green now, has no settings, and hears nothing before its first uplink."""
    sessions.accept_join(transition, event)


def item_dropped(transition: Transition, event: ev.ItemDropped) -> None:
    """The server threw an item away."""
    if remember(transition, event):
        item = event.queue_item_id
        transition.note_event(NoteKind.DROPPED, mark(event), event.at, code=event.code, item=item)


def gateway_refused(transition: Transition, event: ev.GatewayRefusedFrame) -> None:
    """The item stays in the server's queue and is sent again by it: nothing to do but to tell."""
    transition.note(NoteKind.GATEWAY_ERROR, problem=event.problem)
    transition.trouble(f"a gateway refused a frame: {event.problem}")


# ------------------------------------------------------------------ from the gateway watcher


def gateway_health(transition: Transition, event: ev.GatewayHealthChanged) -> None:
    """A gateway that hears the light came back: worth an attempt. Holding is the dispatcher's."""
    news = sessions.gateway_health(transition, event.gateway_id, online=event.online)
    if news and event.online and transition.device.awaits_retry:
        resume(transition, Reason(ReasonCode.GATEWAY_BACK, (event.gateway_id,)))


def gateway_returned(transition: Transition, event: ev.GatewayReturned) -> None:
    """A silent gateway spoke: what nobody took meanwhile says nothing about it any more."""
    device, goal, settings = transition.device, transition.device.pursuit, transition.device.setup
    if not any(heard.gateway_id == event.gateway_id for heard in device.hearings):
        return
    idle = device.attempt is None
    if event.answered:
        if idle and device.awaits_retry:
            resume(transition, Reason(ReasonCode.GATEWAY_ANSWERED_AGAIN, (event.gateway_id,)))
    elif settings is not None and settings.unsent > 0:
        transition.change(setup=replace(settings, unsent=0))
        if idle and device.phase is Phase.INITIALIZING:
            setup.send(transition)
    elif settings is None and goal is not None and goal.unsent > 0:
        transition.change(pursuit=replace(goal, unsent=0))
        if idle and device.phase is Phase.RETRYING:
            again = Reason(ReasonCode.GATEWAY_HEARD_AGAIN, (event.gateway_id,))
            reconcile.evidence(transition, again)


# ------------------------------------------------------------------ shared by several


def resume(transition: Transition, what: Reason) -> None:
    """Evidence: go on with the settings, or with the colour."""
    if transition.device.setup is not None:
        setup.resume(transition)
    elif transition.device.pursuit is not None:
        reconcile.evidence(transition, what)


def after_setup(transition: Transition) -> None:
    """The settings are carried out: the wanted colour next, if one is missing."""
    goal = transition.device.pursuit
    if goal is not None and verification.proven(transition.device, goal):
        verification.verified(transition)
    elif goal is not None:
        reconcile.attempt(transition)
    elif not reconcile.restore_if_drifted(transition):
        transition.enter(Phase.IDLE)


def _judge(transition: Transition) -> None:
    """A status while an attempt is out: proof, or evidence that the frame was lost."""
    goal, sent = transition.device.pursuit, transition.device.attempt
    if goal is None or sent is None:
        return
    if verification.proven(transition.device, goal):
        verification.verified(transition)
    elif (report := transition.device.session_report) is not None and answers(report, sent):
        if refused_reply(transition.device, sent):
            transition.change(pursuit=replace(goal, refused_reply=True))
        reconcile.unproven(transition, Reason(ReasonCode.NOT_CARRIED_OUT), inquire=False)
        left = transition.device.pursuit
        if left is not None and spent(left, transition.policy):
            reconcile.give_up_timing(transition)
        resume(transition, Reason(ReasonCode.OTHER_STATE_SHOWN))


def _online(device: Device) -> set[str]:
    return {heard.gateway_id for heard in device.hearings if heard.online}
