"""What can happen to a light: the inputs of the device machine, and of its mailbox.

An event is a fact that arrived, in whatever order; it never says what to do. `at` dates an event by
ChirpStack's clock, None where ChirpStack does not say; it decides nothing about order. What our own
clock says comes to the machine as `now`.

They are tagged so that one process can hand them to another (`actors/cluster/messages.py`).
"""

from collections.abc import Sequence

import msgspec

from actors.device.model import Device, Obstacle
from actors.device.uplink_heard import UplinkHeard as UplinkHeard  # noqa: PLC0414 - an event, too
from actors.messaging.reply import Reply, ToldReply
from actors.reasons import Reason, other
from actors.storage.audit import AuditEntry
from lorawan.events.model import DeviceInfo, Modulation
from lorawan.kuando.light_state import LightState
from lorawan.network import Activation

# ------------------------------------------------------------------ from people and programs


class CommandRequested(msgspec.Struct, frozen=True, tag=True):
    """Someone wants this light to show `light`. `reply` resolves once the command is stored."""

    command_id: str
    light: LightState
    keep: bool
    ttl_s: float
    correlation_id: str = ""
    idempotency_key: str | None = None
    """Stored with the command, in the same commit."""
    idempotency_fingerprint: str = ""
    accepted_at: float | None = None
    """When it was accepted and stored (Unix seconds), where that was before the light heard of it;
    None where the light's own step accepts it."""
    again: bool = False
    """It was accepted before by an engine that lost it since."""
    place: str = ""
    """Where it was accepted first (`store/engine/places.py`): what was accepted later is newer,
    whenever the light hears of it. Empty where nobody can say."""
    line: str = ""
    """The line of history in which it is read, if that is another one."""
    reply: Reply[str] | None = None
    by: str = ""
    """Who gave it."""
    audit: AuditEntry | None = None
    """Stored with the command, in the same commit."""


class WithdrawRequested(msgspec.Struct, frozen=True, tag=True):
    """Somebody takes back the open command `command_id`, or whatever is asked of the light where
    that is None. The reply is one of `withdrawal.py`'s answers.

    With `want_nothing` nothing is wanted of the light any more, else what was wanted before.
    """

    command_id: str | None
    want_nothing: bool = False
    by: str = ""
    """Who; empty where the caller has no name."""
    place: str = ""
    """As that of a command, where all is taken back that was asked before."""
    reply: Reply[str] | None = None


class InitializeRequested(msgspec.Struct, frozen=True, tag=True):
    """Send the settings again; unless `force`, only where this session has not got them."""

    force: bool = False
    reply: Reply[str] | None = None
    by: str = ""
    """Who asked for it."""


class StatusRequested(msgspec.Struct, frozen=True, tag=True):
    """Ask the light for a status: by hand, or by the sweeper to feed the light's own watchdog."""

    reason: str
    reply: Reply[str] | None = None


class ProbeRequested(msgspec.Struct, frozen=True, tag=True):
    """Send the light twice the colour that it shows, to measure when it answers (`probing.py`).
    The reply is `probing.ASKED`, or why it was not begun."""

    reason: str
    reply: Reply[str] | None = None


# ------------------------------------------------------------------ from the network


class Joined(msgspec.Struct, frozen=True, tag=True):
    """The network server accepted a join: the session before it is over."""

    at: float | None
    dev_addr: str
    device: DeviceInfo | None = None
    id: str = ""
    """ChirpStack's de-duplication id of the join-request."""


class Transmitted(msgspec.Struct, frozen=True, gc=False, tag=True):
    """txack: a gateway took a frame for this light. `ends_at` is `at` plus airtime, `f_cnt_down`
    the frame's own counter. The dispatcher has every txack first and says whose frame it was."""

    at: float
    queue_item_id: str
    gateway_id: str
    ends_at: float
    f_cnt_down: int
    frequency_hz: int = 0
    modulation: Modulation | None = None
    """How it was sent, where that was told."""
    number: int | None = None
    """The attempt that the frame was of; None where it was of none that the light was told of."""
    rx_delay_s: float | None = None
    """It left so long after the end of an uplink (Class A); None for Class C."""


class ItemDropped(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The server discarded a queue item (EXPIRED, DOWNLINK_PAYLOAD_SIZE, F_CNT_DOWN): for the
    history. What it means for an attempt the dispatcher says."""

    at: float
    queue_item_id: str
    code: str


class GatewayRefusedFrame(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A gateway would not send (QUEUE_FULL, TX_FREQ...); the item stays queued at the server."""

    at: float
    problem: str


# ------------------------------------------------------------------ from the directory


class Listed(msgspec.Struct, frozen=True, gc=False, tag=True):
    """ChirpStack's listing has the light like this; what is empty is so there."""

    name: str
    application_id: str
    application_name: str
    profile_name: str
    tags: dict[str, str]

    def told_by(self, device: Device) -> bool:
        """Whether that is what is known already."""
        fields = self.__struct_fields__
        return all(getattr(device, field) == getattr(self, field) for field in fields)


# ------------------------------------------------------------------ from the dispatcher
#
# `cause` is the reason with its code; a process of an older version tells the sentence only.


class AttemptHeld(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The dispatcher keeps the attempt back, and why."""

    number: int
    reason: str = ""
    obstacle: Obstacle | None = None
    """What a person has to remove; None where it passes by itself, or is told elsewhere."""
    cause: Reason | None = None


class AttemptWaits(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The attempt is not out yet, here or in ChirpStack's queue, and why. It goes on by itself
    within seconds, or is held."""

    number: int
    reason: str = ""
    cause: Reason | None = None


class AttemptQueued(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The attempt is in ChirpStack's queue. The activation was read just before the enqueue."""

    number: int
    queue_item_id: str
    expires_at: float
    activation: Activation


class AttemptTransmitted(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A gateway took the attempt's frame: the server's counter says so, and no txack did yet."""

    number: int
    gateway_id: str | None = None
    """Which, where only one could."""


class AttemptNotSent(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The attempt's item has left ChirpStack's queue, and no gateway took its frame."""

    number: int
    reason: str = ""
    cause: Reason | None = None


class AttemptRefused(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The attempt can never be sent: the server does not know the device, or calls it invalid."""

    number: int
    reason: str = ""
    cause: Reason | None = None


def why(event: AttemptHeld | AttemptWaits | AttemptNotSent | AttemptRefused) -> Reason:
    """What it was told with."""
    return other(event.reason) if event.cause is None else event.cause


class DispatcherStarted(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The dispatcher (re)started and has forgotten what it was given: submit it again."""


# ------------------------------------------------------------------ from the gateway watcher


class GatewayHealthChanged(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A gateway that hears this light went away or came back."""

    gateway_id: str
    online: bool


class GatewayReturned(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A gateway that hears this light ended a silence, for which it may never have been offline."""

    gateway_id: str
    answered: bool = False
    """It took frames all the time, and now one is answered again: that others were not says nothing
    of their lights."""


# ------------------------------------------------------------------ answers to an inquiry


class Inquired(msgspec.Struct, frozen=True, tag=True):
    """What ChirpStack still knows. `events` are retained ones, oldest first, already translated;
    the dispatcher has said of the txacks among them whose frames they were.

    `failure` tells why nothing could be learned; then the other fields are empty.
    """

    number: int
    events: Sequence["UplinkHeard | Joined | Transmitted | ItemDropped"] = ()
    activation: Activation | None = None
    failure: str | None = None
    disabled: bool | None = None
    """Whether the device is disabled in ChirpStack; None where that was not learned."""


# ------------------------------------------------------------------ from ourselves


class Tick(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The device's timer: look at the clock again."""


class Restored(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The actor (re)started from its stored record."""


class Swept(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The sweeper's round: silent too long? watchdog to be fed?"""


DeviceEvent = (
    CommandRequested
    | WithdrawRequested
    | InitializeRequested
    | StatusRequested
    | ProbeRequested
    | UplinkHeard
    | Joined
    | Transmitted
    | ItemDropped
    | GatewayRefusedFrame
    | Listed
    | AttemptHeld
    | AttemptWaits
    | AttemptQueued
    | AttemptTransmitted
    | AttemptNotSent
    | AttemptRefused
    | DispatcherStarted
    | GatewayHealthChanged
    | GatewayReturned
    | Inquired
    | Tick
    | Restored
    | Swept
)


class Entry(msgspec.Struct, frozen=True):
    """An event that stands in an inbox, or in a stream of ChirpStack, until it is dealt with.

    `reply` resolves once what it changed is stored, and fails where it was given up. `inbox` is its
    id in the inbox of the light's shard; empty where it came another way.
    """

    event: DeviceEvent
    reply: ToldReply[None]
    inbox: str = ""
    line: str = ""
    """The line of history of that id (`store/engine/places.py`), if it is known."""


Message = DeviceEvent | Entry
"""What the mailbox of a light takes."""
