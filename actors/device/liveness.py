"""What wakes a light that has something to do: the invariant that nothing open sleeps for ever.

Every record in which something is pursued (an open command, settings, a wanted colour to be
restored) is woken by one of these, whatever was told before:

* a timer: `machine.next_due` names a time. An attempt always has one, also while it is held by the
  dispatcher, which is asked again then; so has an inquiry, and a waiting for the next attempt;
* evidence of a definite kind, where no time would help: the light's first status after a join, or,
  once the timed attempts are spent, anything heard of the light and the return of a gateway. For
  evidence may be lost on its way, the sweeper's round asks ChirpStack for it again and again.

`asleep` finds the records for which neither holds. The machine makes none; the tests hold it to
that after every step. But a record may come from an older version, or from a fault not thought of:
so the sweeper's round, a restart and whoever asks for something look first, and `heal` takes the
light up again from what is known of it. That is counted and written into the history, for it should
never happen.
"""

from actors.device import setup
from actors.device.effects import NoteKind
from actors.device.handlers import after_setup
from actors.device.inquiry import ask
from actors.device.model import Device, Phase, Pursuit
from actors.device.policy import Policy
from actors.device.retry_plan import spent
from actors.device.transition import Transition


def asleep(device: Device, policy: Policy) -> str | None:
    """Why nothing would ever wake this light, in words; None where something does."""
    command, goal, settings = device.command, device.pursuit, device.setup
    if command is not None and (goal is None or goal.command_id != command.id):
        return "a command is open and not pursued"
    if device.attempt is not None:
        if device.phase is Phase.UNINITIALIZED:
            return "a frame is out to a light that cannot hear it"
        return None if device.attempt.due_at is not None else "a frame is out and has no deadline"
    match device.phase:
        case Phase.UNINITIALIZED:
            heard = device.reported is not None
            return "its first status was heard and not acted upon" if heard else None
        case Phase.IDLE:
            return None if goal is None and settings is None else "it is idle with things to do"
        case Phase.AWAITING_VERIFY:
            return "a verification is awaited and no frame is out"
        case Phase.INITIALIZING:
            if settings is None:
                return "settings are on their way and none is"
            if device.inquiry is None and settings.next_at is None:
                return "the next setting has no time"
        case Phase.RETRYING | Phase.FAILED:
            if goal is None and settings is None:
                return "there is nothing to try again"
            if device.phase is Phase.RETRYING and device.inquiry is None:
                return _retrying(device, policy)
    return None


def evidence_only(device: Device) -> bool:
    """Whether something is pursued that no timer carries on: then the sweeper asks for evidence."""
    pursued = device.command is not None or device.pursuit is not None or device.setup is not None
    if not pursued or device.attempt is not None or device.inquiry is not None:
        return False
    match device.phase:
        case Phase.UNINITIALIZED | Phase.FAILED:
            return True
        case Phase.RETRYING:
            goal = device.pursuit
            return device.setup is not None or goal is None or goal.next_at is None
        case _:
            return False


def heal(transition: Transition) -> bool:
    """Take a light up again that nothing would wake. False where something does."""
    why = asleep(transition.device, transition.policy)
    if why is None:
        return False
    device = transition.device
    transition.note(NoteKind.HEALED, why=why, phase=device.phase)
    transition.trouble(f"found with nothing to wake it: {why}")
    transition.change(healed=device.healed + 1)
    transition.close_attempt()
    command = device.command
    if command is not None and (device.pursuit is None or device.pursuit.command_id != command.id):
        transition.change(pursuit=Pursuit(command.light, command.id, contested=True))
    session = device.session
    if session is None or device.reported is None:
        transition.enter(Phase.UNINITIALIZED)
        ask(transition, why)
    elif device.setup is not None or not session.set_up:
        setup.begin(transition)
    else:
        after_setup(transition)
    return True


def _retrying(device: Device, policy: Policy) -> str | None:
    if device.setup is not None:
        over = device.setup.attempts >= policy.setup_rounds_most
        return None if over else "settings are to be tried again and have no time"
    goal = device.pursuit
    assert goal is not None  # noqa: S101 - asked by the caller
    return (
        None if goal.next_at is not None or spent(goal, policy) else "the next attempt has no time"
    )
