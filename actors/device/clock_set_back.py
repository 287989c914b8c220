"""Our clock was set back between two runs: what was to happen soon must not wait for that long.

Within a run every step of the clock is followed (`actors/clocks/clock.py`), so only a light that
starts looks. The newest step of its record cannot lie ahead; if it does, the whole record is moved
back by as much, as if no time had passed while the service was down.
"""

from actors.device.clock_step import moved
from actors.device.effects import CommandChanged
from actors.device.transition import Transition


def undo(transition: Transition) -> None:
    """Move what our clock had promised, where that clock was ahead of today's."""
    ahead_s = transition.device.stepped_at - transition.now
    if ahead_s <= 0.0:
        return
    transition.device = moved(transition.device, -ahead_s)
    if transition.device.command is not None:
        transition.emit(CommandChanged(transition.device.command))
