"""What the owner of the fleet's own shard does with a message of the others.

All of it is handed on at once, to those who wait for nobody: what is lost with the process is asked
for again by whoever takes the shard over, as after a restart.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from actors.board.changes import ActorView
from actors.clocks.clock import Clock
from actors.cluster.inbox_shard import Place, Taken
from actors.cluster.messages import (
    ActorTold,
    AuditTold,
    CarriedRequest,
    EventsUnread,
    FailoverTook,
    InquiryAnswered,
    Judged,
    LightForgotten,
    LightHeardUnlisted,
    Message,
    NetworkTold,
    QueueFlushed,
)
from actors.cluster.twice import AskedBefore
from actors.device.events import Inquired
from actors.fleet.delivery import Delivery
from actors.fleet.ears import NetworkEars, for_dispatcher, uplink_heard
from actors.fleet.event_memory import EventMemory
from actors.fleet.translate import translate
from actors.link.judgement import AttemptJudged
from actors.storage.audit import AuditEntry
from lorawan.events import DeviceInfo, Event

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSidePorts:
    """Nothing here may block or raise."""

    ears: NetworkEars
    is_ours: Callable[[str, str], bool]
    """Whether the device of this DevEUI and profile is a light of ours."""
    dated: Callable[[Event], Event]
    inquired: Callable[[str, Inquired], None]
    judged: Callable[[str, AttemptJudged], None]
    unlisted: Callable[[str], None]
    flushed: Callable[[str], None]
    forgotten: Callable[[str], None]
    carried: Callable[[CarriedRequest], None]
    actor: Callable[[ActorView], None] = lambda view: None
    told: Callable[[DeviceInfo], None] = lambda device: None
    """ChirpStack told something by itself, of a light of ours."""
    dated_past: Callable[[Event], Event] = lambda event: event
    """`dated` for what is past, as in `Fleet.deliver`."""
    audited: Callable[[AuditEntry], None] = lambda entry: None
    failover: Callable[[FailoverTook], None] = lambda told: None
    events: Callable[[EventsUnread], None] = lambda told: None
    memory: EventMemory | None = None
    """Where events come twice, by webhook and by ChirpStack's stream."""


class FleetSide:
    """Made anew with each take of the fleet's shard."""

    def __init__(self, ports: FleetSidePorts, clock: Clock) -> None:
        self._ports = ports
        self._clock = clock
        self._judged = AskedBefore()
        """An attempt is judged once, and once more if its answer came late: both are added up."""

    def offer(self, message: Message) -> None:
        """Deal with a message that came straight."""
        self.take(message)

    def take(self, message: Message, place: Place | None = None) -> Taken:
        """Deal with a message."""
        ports = self._ports
        match message:
            case NetworkTold(event):
                self.network(event)
            case InquiryAnswered(dev_eui, answer):
                ports.inquired(dev_eui, answer)
            case Judged(dev_eui, told):
                if not self._judged.again(dev_eui, 2 * told.number + told.late):
                    ports.judged(dev_eui, told)
            case LightHeardUnlisted(dev_eui):
                ports.unlisted(dev_eui)
            case QueueFlushed(dev_eui):
                ports.flushed(dev_eui)
            case LightForgotten(dev_eui):
                ports.forgotten(dev_eui)
            case ActorTold(view):
                ports.actor(view)
            case AuditTold(entry):
                ports.audited(entry)
            case FailoverTook():
                ports.failover(message)
            case EventsUnread():
                ports.events(message)
            case CarriedRequest():
                ports.carried(message)
            case _:
                kind = type(message).__name__
                log.warning("a message for lights lay in the inbox of the fleet", kind=kind)
        return Taken.DONE

    def network(self, event: Event, *, past: bool = False) -> None:
        """An event of a light, whoever runs its actor."""
        ports, device = self._ports, event.device
        if not ports.is_ours(device.dev_eui, device.device_profile_name):
            return
        ports.told(device)
        if ports.memory is not None:
            if ports.memory.knows(event):
                return
            ports.memory.told(event, Delivery.DELIVERED)
        server_at, dated = event.at, (ports.dated_past if past else ports.dated)(event)
        uplink_heard(ports.ears, device.dev_eui, dated, self._clock.now(), past=past)
        message = translate(dated)
        if message is not None:
            for_dispatcher(ports.ears, device.dev_eui, message, server_at, past=past)
