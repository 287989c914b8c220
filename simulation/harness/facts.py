"""What the oracle knows of each light and each command, from the world and from the disk.

Facts come from the pretend firmware, radio, network server and disk, never from the actors' own
state. Times are world seconds.
"""

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field

from actors.device.command import Command, CommandStatus
from actors.device.model import Device
from lorawan.events.model import Uplink
from lorawan.kuando.light_state import LightState
from simulation.world.busylight import Shown

STATUS_BYTES = (24, 25)
F_PORT = 15


@dataclass(frozen=True, slots=True)
class HeardStatus:
    """A status that the server made an event of: when, in which session, showing what."""

    at_s: float
    dev_addr: str
    f_cnt: int
    state: LightState


@dataclass(slots=True)
class CommandFacts:
    """One command since it was first stored. `told` once its caller was told so."""

    id: str
    dev_eui: str
    state: LightState
    since_s: float
    order: int
    newest: Command
    told: bool = False
    taken_back: bool = False
    """Somebody asked for that."""
    ended_s: float | None = None

    @property
    def status(self) -> CommandStatus:
        """As stored last."""
        return self.newest.status


@dataclass(slots=True)
class DeviceFacts:
    """One light. `truth` is the firmware's own account of what it showed."""

    dev_eui: str
    truth: deque[Shown]
    statuses: list[HeardStatus] = field(default_factory=list)
    frames: list[float] = field(default_factory=list)
    """When gateways began to send it something, whoever's: where an enqueue of ours is in doubt,
    nobody but this oracle could tell ours from another's."""
    txacks: list[float] = field(default_factory=list)
    """When the server told of one: a late one may be of a frame before, and nobody can tell."""
    attempts: set[tuple[int, bytes]] = field(default_factory=set)
    """Marks and bytes of the attempts that were ever stored."""
    stored: bytes | None = None
    record: Device | None = None
    commands: list[CommandFacts] = field(default_factory=list)
    heard: HeardStatus | None = None
    """The newest status whose webhook the service took."""
    heard_s: float = 0.0

    def shown_since(self, since_s: float) -> list[LightState | None]:
        """Everything it really showed from then on, what it showed just then included."""
        states: list[LightState | None] = []
        for shown in reversed(self.truth):
            states.append(shown.light)
            if shown.since_s <= since_s:
                break
        return states

    def frames_since(self, since_s: float) -> int:
        """How many frames gateways took or began to send since then."""
        sent = len(self.frames) - bisect_left(self.frames, since_s)
        return max(sent, len(self.txacks) - bisect_left(self.txacks, since_s))

    def told_since(self, since_s: float, state: LightState) -> bool:
        """Whether the server heard a status with this state since then."""
        for heard in reversed(self.statuses):
            if heard.at_s < since_s:
                return False
            if heard.state == state:
                return True
        return False


def status_of(event: Uplink, at_s: float) -> HeardStatus | None:
    """The status in an uplink, by the bytes of the vendor's document; None when it is none."""
    data = event.data
    if event.f_port != F_PORT or len(data) not in STATUS_BYTES:
        return None
    red, blue, green, on, off = data[16:21]
    return HeardStatus(at_s, event.dev_addr, event.f_cnt, LightState(red, green, blue, on, off))
