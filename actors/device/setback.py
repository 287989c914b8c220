"""Our clock was set back between two runs: what was to happen soon must not wait for that long.

Within a run every step of the clock is followed (`actors/clock.py`), so only a waking light looks.
The newest step of its record cannot lie ahead; if it does, the whole record is moved back by as
much, as if no time had passed while the service was down.
"""

from actors.device.effects import CommandChanged
from actors.device.redate import moved
from actors.device.turn import Turn


def undo(turn: Turn) -> None:
    """Move what our clock had promised, where that clock was ahead of today's."""
    ahead_s = turn.device.stepped_at - turn.now
    if ahead_s <= 0.0:
        return
    turn.device = moved(turn.device, -ahead_s)
    if turn.device.command is not None:
        turn.emit(CommandChanged(turn.device.command))
