"""What is wanted of a light, once its newest command has ended.

Only a verified command replaces what was wanted before it. One that expired, was rejected or was
withdrawn leaves that as it was, and the light is brought back to it if it was to be kept.
"""

from actors.device import reconcile
from actors.device.foreign_sender import OUT_S
from actors.device.inquiry import ask
from actors.device.model import Device, Phase, Stage
from actors.device.transition import Transition
from actors.reasons import Reason, ReasonCode

PURSUING = frozenset({Phase.AWAITING_VERIFY, Phase.RETRYING, Phase.FAILED})


def return_to_the_wish_before(transition: Transition) -> None:
    """The open command ended unfulfilled: from its pursuit back to what was wanted before."""
    device = transition.device
    sent = device.attempt
    out = sent is not None and sent.stage in {Stage.QUEUED, Stage.TRANSMITTED}
    transition.change(
        pursuit=None,
        wanted=device.wanted_before,
        wanted_before=None,
        unsettled_until=transition.now + OUT_S,
    )
    if device.phase not in PURSUING or device.setup is not None:
        return  # the settings come first, and then what is wanted
    transition.close_attempt()
    if not reconcile.restore_if_drifted(transition):
        transition.enter(Phase.IDLE)
        if out and transition.device.wanted is not None:
            ask(transition, "the command ended while its frame was out")


def as_heard(device: Device) -> Reason:
    """What the newest status says, for the end of an unproven command."""
    command, shown = device.command, device.reported
    if shown is None:
        return Reason(ReasonCode.NOT_REPORTED)
    if command is not None and shown == command.light:
        return Reason(ReasonCode.STATUS_SHOWS_COLOUR)
    five = (shown.red, shown.green, shown.blue, shown.on, shown.off)
    return Reason(ReasonCode.STATUS_SHOWS, five)
