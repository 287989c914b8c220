"""What is wanted of a light, once its newest command has ended.

The rule it keeps: only a verified command takes the place of what was wanted before it. One that
expired or was rejected leaves the earlier wish as it was, and the light is brought back to that if
it was to be kept.
"""

from actors.device import pursuit
from actors.device.foreign import OUT_S
from actors.device.inquiry import ask
from actors.device.model import Device, Phase, Stage
from actors.device.turn import Turn

PURSUING = frozenset({Phase.AWAITING_VERIFY, Phase.RETRYING, Phase.FAILED})


def return_to_the_wish_before(turn: Turn) -> None:
    """The open command ended unfulfilled: from its pursuit back to what was wanted before."""
    device = turn.device
    sent = device.attempt
    out = sent is not None and sent.stage in {Stage.QUEUED, Stage.TRANSMITTED}
    turn.change(
        pursuit=None,
        wanted=device.wanted_before,
        wanted_before=None,
        unsettled_until=turn.now + OUT_S,
    )
    if device.phase not in PURSUING or device.setup is not None:
        return  # the settings come first, and then what is wanted
    turn.close_attempt()
    if not pursuit.restore_if_drifted(turn):
        turn.enter(Phase.IDLE)
        if out and turn.device.wanted is not None:
            ask(turn, "the command ended while its frame was out")


def as_heard(device: Device) -> str:
    """What the newest status says, in words for the end of an unproven command."""
    command, shown = device.command, device.reported
    if shown is None:
        return "the light has not reported since it joined"
    if command is not None and shown == command.light:
        return "its newest status shows the colour, which does not prove that this command set it"
    colour = f"red {shown.red}, green {shown.green}, blue {shown.blue}"
    return f"its newest status shows {colour}, on {shown.on}, off {shown.off}"
