"""What the device machine does about requests of people and programs: colours, settings, a status.

Each function deals with one kind of event in every phase, and leaves the device in a phase that
`machine.py` allows.
"""

from actors.device import events as ev
from actors.device import foreign_sender, reconcile, setup, withdrawal
from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.effects import CommandChanged, NoteKind
from actors.device.firmware import heartbeat_only, interval_first, upkeep_frame
from actors.device.inquiry import ask
from actors.device.lost_end import lost_end, superseded
from actors.device.model import Device, Newest, Phase, Pursuit, Wanted
from actors.device.transition import Transition
from actors.reasons import Reason, ReasonCode
from store.engine.places import is_older


def command(transition: Transition, event: ev.CommandRequested) -> None:
    """The newest command wins: it supersedes an open one and is pursued at once."""
    device = transition.device
    made = accepted(device, event, transition.now)
    if event.command_id in {*known_ids(device), *device.withdrawn}:  # told twice
        # again: the engine has it as it was accepted, and may have lost its end
        ended = lost_end(device, made, transition.now) if event.again else None
        if ended is not None:
            transition.emit(CommandChanged(ended))
        return
    newer = _newer(device, event, made)
    if newer is not None:
        ended = (
            superseded(made, newer, transition.now)
            if newer
            else withdrawal.ended_before(made, transition.now)
        )
        transition.emit(CommandChanged(ended))
        return
    transition.command_step(
        StepKind.SUPERSEDED,
        CommandStatus.SUPERSEDED,
        superseded_by=event.command_id,
        ended_at=transition.now,
    )
    before = device.pursuit is not None and device.pursuit.goal == event.light
    out = before or device.attempt is not None or device.queued_until is not None
    transition.change(
        command=made,
        wanted_before=device.wanted if device.command is None else device.wanted_before,
        wanted=Wanted(event.light, made.id, made.accepted_at, event.keep, made.by),
        pursuit=Pursuit(event.light, made.id, contested=out),
        newest=Newest(made.id, event.place) if event.place else None,
        unsettled_until=transition.now + foreign_sender.OUT_S,
    )
    transition.note(
        NoteKind.COMMAND,
        command_id=made.id,
        became=StepKind.ACCEPTED.value,
        light=foreign_sender.in_words(event.light),
        by=made.by or None,
    )
    transition.emit(CommandChanged(made))
    transition.answer("accepted")
    if device.phase is Phase.UNINITIALIZED:
        transition.command_step(StepKind.WAITING, reason=Reason(ReasonCode.NOT_REPORTED))
        ask(transition, "a command waits for the light's first status")
    elif device.phase is Phase.INITIALIZING:
        transition.command_step(StepKind.WAITING, reason=Reason(ReasonCode.SETTINGS_FIRST))
    elif device.setup is not None:
        setup.begin(transition)
    else:
        transition.close_attempt()
        next_attempt(transition)


def accepted(device: Device, event: ev.CommandRequested, now: float) -> Command:
    """The command that this request makes, as it is stored when it is accepted."""
    at = now if event.accepted_at is None else event.accepted_at
    return Command(
        id=event.command_id,
        dev_eui=device.dev_eui,
        light=event.light,
        keep=event.keep,
        accepted_at=at,
        expires_at=at + event.ttl_s,
        correlation_id=event.correlation_id,
        heartbeat_only=heartbeat_only(device),
        timeline=(Step(at, StepKind.ACCEPTED),),
        by=event.by,
    )


def next_attempt(transition: Transition) -> None:
    """The colour now; to a light that cannot answer a shorter status interval before it."""
    report = transition.device.report
    if report is None or not interval_first(transition.device, transition.policy):
        reconcile.attempt(transition)
        return
    software, minutes = report.sw_rev / 10, transition.policy.quick_interval_min
    why = Reason(ReasonCode.ANSWERS_NO_DOWNLINK, (software, minutes))
    transition.command_step(StepKind.WAITING, reason=why)
    setup.begin(transition)


def initialize(transition: Transition, event: ev.InitializeRequested) -> None:
    """Settings again: unless forced, only where this session has not got them."""
    device = transition.device
    if device.phase is Phase.UNINITIALIZED or device.session is None:
        transition.answer("waiting")
    elif device.phase is Phase.INITIALIZING:
        transition.answer("under way")
    elif device.session.set_up and not event.force:
        transition.answer("already")
    else:
        transition.answer("started")
        transition.close_attempt()
        setup.begin(transition)


def ask_status(transition: Transition, event: ev.StatusRequested) -> None:
    """One frame that makes the light speak; only where nothing else is on its way."""
    if transition.device.at_rest:
        transition.submit(upkeep_frame(transition.device, transition.policy), retry=True)
        transition.note(NoteKind.UPLINK, asked=event.reason)
        transition.answer("asked")
    else:
        transition.answer("busy")


def known_ids(device: Device) -> tuple[str | None, ...]:
    """Ids of the commands that the record names."""
    return (
        None if device.command is None else device.command.id,
        None if device.wanted is None else device.wanted.command_id,
        device.wanted_last or None,
        None if device.newest is None else device.newest.command_id,
    )


def _newer(device: Device, event: ev.CommandRequested, made: Command) -> str | None:
    """The id of a command that the light has and that was accepted after this one; empty where
    all was taken back since. None for the newest.

    Both happen after a failover: who answered for a command that it took repeats it, and a reader
    that went over to another master may come to the newer of two first.
    """
    newest, wanted = device.newest, device.wanted
    if newest is not None and event.place:
        older = is_older(event.place, newest.place, event.line)
        return newest.command_id if older else None
    if event.again and wanted is not None and wanted.since >= made.accepted_at:
        return wanted.command_id
    return None
