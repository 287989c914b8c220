"""Taking back what is asked of a light, before it is verified.

Nothing that is in flight is flushed: an item that ChirpStack has, or a frame that is on air, may
still reach the light. What it does then is seen by a status, and the light is brought back to what
is wanted. A command that was taken back is never verified afterwards: it is ended, and its pursuit
with it.
"""

from actors.device import events as ev
from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.effects import NoteKind
from actors.device.model import Device, Newest, Stage
from actors.device.previous_wanted import return_to_the_wish_before
from actors.device.transition import Transition
from actors.reasons import Reason, ReasonCode, text_of
from actors.replace import replace
from lorawan.kuando.frames import SetLight
from store.engine.places import is_older

DONE = "withdrawn"
"""It is ended; the id of the command follows, where one was open."""
NOT_OPEN = "not open"
"""This command is not the open one: it ended, or the light has not heard of it yet."""

REMEMBERED = 8
"""Ids of 26 to 43 characters: half a kilobyte of a light of which something was taken back, and
nothing of the others. They are for a command that is read again from an inbox, or comes back after
a fail-over of the engine: within seconds, while a light is told a few commands at most."""


def withdraw(transition: Transition, event: ev.WithdrawRequested) -> None:
    """End the open command, or all that is asked of the light; the newest wins here as well."""
    device = transition.device
    command, wanted = device.command, device.wanted
    if event.command_id is not None and (command is None or command.id != event.command_id):
        transition.answer(NOT_OPEN)
        return
    newest = device.newest if event.place else None
    if newest is not None and is_older(event.place, newest.place):
        transition.answer(NOT_OPEN)  # what is asked of the light was asked since
        return
    transition.answer(DONE if command is None else f"{DONE} {command.id}")
    if event.place:
        transition.change(newest=Newest("", event.place))
    if command is None and wanted is None and device.pursuit is None:
        return
    if command is not None:
        transition.change(withdrawn=(*device.withdrawn, command.id)[-REMEMBERED:])
    transition.command_step(
        StepKind.WITHDRAWN,
        CommandStatus.WITHDRAWN,
        reason=_why(device, event, transition.now),
        withdrawn_by=event.by,
        ended_at=transition.now,
    )
    transition.note(
        NoteKind.WITHDRAWN,
        command_id=None if command is None else command.id,
        by=event.by or None,
        wanted="nothing" if event.want_nothing or device.wanted_before is None else "as before",
    )
    if event.want_nothing:
        last = device.wanted if command is None else device.wanted_before
        transition.change(
            wanted_before=None,
            wanted_last=device.wanted_last if last is None else last.command_id,
        )
    return_to_the_wish_before(transition)


def ended_before(command: Command, now: float) -> Command:
    """A command that is told again as accepted, and was withdrawn since."""
    at = max(now, command.accepted_at)
    cause = Reason(ReasonCode.WITHDRAWN_BEFORE)
    text = text_of(cause, now)
    step = Step(at, StepKind.WITHDRAWN, reason=text, cause=cause)
    return replace(
        command,
        status=CommandStatus.WITHDRAWN,
        reason=text,
        cause=cause,
        withdrawn_by="",
        ended_at=at,
        timeline=(*command.timeline, step),
    )


def in_the_air(device: Device, now: float) -> Reason | None:
    """What of the open command may still reach the light; None for nothing."""
    sent, command = device.attempt, device.command
    stage = None if sent is None or not isinstance(sent.frame, SetLight) else sent.stage
    if stage is Stage.QUEUED:
        return Reason(ReasonCode.FRAME_IN_QUEUE)
    if stage is Stage.TRANSMITTED:
        return Reason(ReasonCode.FRAME_UNANSWERED)
    if device.queued_until is not None and device.queued_until > now:
        return Reason(ReasonCode.FRAME_MAY_BE_IN_QUEUE)
    if command is not None and command.attempts:
        return Reason(ReasonCode.FRAMES_UNANSWERED)
    return None


def _why(device: Device, event: ev.WithdrawRequested, now: float) -> Reason:
    left, before = in_the_air(device, now), device.wanted_before
    if left is None:
        rest = Reason(ReasonCode.NOTHING_SENT)
    elif event.want_nothing or before is None or not before.keep:
        rest = Reason(ReasonCode.MAY_STILL_BE_TAKEN, (left,))
    else:
        rest = Reason(ReasonCode.MAY_BE_TAKEN_AND_BROUGHT_BACK, (left,))
    return Reason(ReasonCode.COMMAND_WITHDRAWN, (event.by, rest))
