"""How a command ended, told by no more than its light's record. Pure.

A command's end is stored in the commit of the light's step. A fail-over may take that commit, and
whoever made it may be gone; the next owner had read the light by then, and puts its record again.
The command is stored as open then, and no light pursues it. The light's record is newer than that,
and tells what became of it, though not by which steps.
"""

from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.model import Device
from actors.device.withdrawal import ended_before
from actors.reasons import Reason, ReasonCode, other, text_of
from actors.replace import replace

UNKNOWN = other("a fail-over of the engine took how it ended")


def lost_end(device: Device, command: Command, now: float) -> Command | None:
    """The command as it ended; `device` was told of it. None while the light pursues it."""
    newest, wanted = device.newest, device.wanted
    if device.command is not None and device.command.id == command.id:
        return None
    if command.id in device.withdrawn:
        return ended_before(command, now)
    if command.id in _verified(device):
        return _ended(command, StepKind.VERIFIED, CommandStatus.VERIFIED, now)
    if newest is not None and newest.command_id not in {"", command.id}:
        return superseded(command, newest.command_id, now)
    if newest is None and wanted is not None and wanted.since >= command.accepted_at:
        return superseded(command, wanted.command_id, now)
    if now >= command.expires_at:
        why = Reason(ReasonCode.TIME_TO_LIVE_OVER)
        return _ended(command, StepKind.EXPIRED, CommandStatus.EXPIRED, now, why)
    if newest is not None and not newest.command_id:
        return ended_before(command, now)
    return _ended(command, StepKind.REJECTED, CommandStatus.REJECTED, now, UNKNOWN)


def superseded(command: Command, by: str, now: float) -> Command:
    """A command that was given before what the light was told last."""
    ended = _ended(command, StepKind.SUPERSEDED, CommandStatus.SUPERSEDED, now)
    return replace(ended, superseded_by=by)


def _verified(device: Device) -> tuple[str, ...]:
    """Ids of ended commands that were verified: only such a one stays wanted without being open,
    or was wanted before the open one."""
    kept = (None if device.command is not None else device.wanted, device.wanted_before)
    return (*(one.command_id for one in kept if one is not None), device.wanted_last)


def _ended(
    command: Command, kind: StepKind, status: CommandStatus, now: float, why: Reason | None = None
) -> Command:
    at = max(now, command.accepted_at)
    text = None if why is None else text_of(why, now)
    cause = None if why is None or why.code is ReasonCode.OTHER else why
    step = Step(at, kind, reason=text, cause=cause)
    return replace(
        command,
        status=status,
        reason=text,
        cause=cause,
        ended_at=at,
        timeline=(*command.timeline, step),
    )
