"""Where a simulation may look on and stand between the parts; in production nothing does.

To look on changes nothing: a hook is called at the very moment, in the middle of things, and must
neither wait nor raise.
"""

from collections.abc import Callable
from dataclasses import dataclass

from actors.board.changes import Subject
from actors.device.actor import DevicePorts
from actors.supervision import ChildReport


@dataclass(frozen=True, slots=True)
class Hooks:
    """Given with the world outside; the defaults do nothing."""

    publishing: Callable[[Subject], None] | None = None
    """Told of every change just before the board shows it."""
    actor_changed: Callable[[ChildReport], None] = lambda report: None
    """Told of every change of state of an actor, after the board shows it."""
    device_ports: Callable[[str, DevicePorts], DevicePorts] = lambda dev_eui, ports: ports
    """What the actor of this device is joined to, given what it would be joined to."""
