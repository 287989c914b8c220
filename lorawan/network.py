"""What we need of a LoRaWAN network server, and how its failures are named.

Nothing here knows gRPC. `lorawan.chirpstack` implements it for ChirpStack v4, `simulation.world` in
process; both pass the same tests. Every method raises only `NetworkError`s:

    NetworkError
    ├── NetworkUnavailable      try again later; no effect
    │   └── NetworkTimeout      try again later; effect unknown
    │       └── NetworkIntermediary   the answer was not the server's own
    ├── NetworkRefused          fix the API key
    │   └── NetworkForbidden    fix the key's rights, or the device is gone
    ├── NetworkUnknown          the device is gone
    ├── NetworkInvalid          fix the request
    └── NetworkFault            the server fails inside
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from lorawan.events.model import Event


class NetworkError(Exception):
    """The network server did not do what was asked. Base of the family."""


class NetworkUnavailable(NetworkError):
    """Transient: unreachable, or too many calls are waiting here. The call had no effect."""


class NetworkTimeout(NetworkUnavailable):
    """Transient and ambiguous: no reply within the deadline, or the connection broke before one
    came. The call may have taken effect, so look (`queue`) before repeating an `enqueue`."""


class NetworkIntermediary(NetworkTimeout):
    """Transient: a proxy before the server, or another service at its address, answered instead of
    it. That says nothing about the request, which may still have reached the server, so it counts
    as no answer."""


class NetworkRefused(NetworkError):
    """Terminal for this service: the API key is wrong."""


class NetworkForbidden(NetworkRefused):
    """The key is valid but has no right to this: it is read-only, or of another tenant, or (with
    a tenant's key) the device is unknown. ChirpStack does not say which, so this may concern one
    device only."""


class NetworkUnknown(NetworkError):
    """Terminal for this device: the server does not have it."""


class NetworkInvalid(NetworkError):
    """Terminal for this request: the server itself finds it malformed."""


class NetworkFault(NetworkError):
    """The server failed inside (database, codec). May pass; bounded retries only, and as after
    a timeout nobody knows whether the call took effect."""


class QueueItem(msgspec.Struct, frozen=True, gc=False):
    """One item waiting in the server's queue of a device, oldest first.

    `f_cnt_down` is 0 while no transmission was attempted. `expires_at` is Unix seconds, None when
    the server is too old to keep one.
    """

    id: str
    f_port: int
    data: bytes
    is_pending: bool = False
    confirmed: bool = False
    f_cnt_down: int = 0
    expires_at: float | None = None


class Activation(msgspec.Struct, frozen=True, gc=False):
    """The device's session as the server has it.

    `f_cnt_up` is the NEXT uplink counter expected: every uplink with a lower counter had reached
    the server when this was read, and 0 means no uplink since the join. `f_cnt_down` is the next
    downlink counter; it changes only when a gateway took a frame.
    """

    dev_addr: str
    f_cnt_up: int
    f_cnt_down: int


class DeviceState(msgspec.Struct, frozen=True, gc=False):
    """How the server has the device configured, as far as it decides about delivery."""

    dev_eui: str
    device_class: str = "CLASS_C"
    """`CLASS_A`, `CLASS_B` or `CLASS_C`, as enabled now; Class C begins with a join."""
    last_seen_at: float | None = None
    name: str = ""
    disabled: bool = False
    """Nothing is sent to it and none of its uplinks is processed; its queue stands still, expired
    items included."""
    class_c_profile: bool | None = None
    """Whether its profile allows Class C (and not Class B beside it); None where not asked."""


class GatewayState(StrEnum):
    """What the server concludes from the time of a gateway's last statistics, by its own clock:
    online within two of the gateway's intervals."""

    NEVER_SEEN = "never_seen"
    ONLINE = "online"
    OFFLINE = "offline"


class GatewayInfo(msgspec.Struct, frozen=True):
    """One gateway as the server lists it; `last_seen_at` is None when it was never seen, `state`
    where the server says nothing, `stats_interval_s` while it was not asked."""

    gateway_id: str
    name: str = ""
    tenant_id: str = ""
    last_seen_at: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    state: GatewayState | None = None
    stats_interval_s: float | None = None


class ListedDevice(msgspec.Struct, frozen=True):
    """One device of an application, found by the name of its profile."""

    dev_eui: str
    name: str
    application_id: str
    application_name: str
    device_profile_id: str
    device_profile_name: str
    tags: dict[str, str] = {}


class Encoding(StrEnum):
    """How the HTTP integration sends its bodies."""

    JSON = "json"
    PROTOBUF = "protobuf"


class HttpIntegration(msgspec.Struct, frozen=True):
    """The HTTP integration of one application."""

    application_id: str
    event_endpoint_url: str
    headers: dict[str, str]
    encoding: Encoding = Encoding.JSON


class NetworkServer(Protocol):
    """The calls that Lamplighter makes. Each ends within its own deadline."""

    async def enqueue(self, dev_eui: str, *, f_port: int, data: bytes, expires_at: float) -> str:
        """Queue one unconfirmed downlink; the server's queue item id. Not safe to repeat blindly:
        after `NetworkTimeout` or `NetworkFault` ask `queue` first. `expires_at` (Unix seconds)
        keeps microseconds, so that an item read back can be recognised by it."""
        ...

    async def queue(self, dev_eui: str) -> Sequence[QueueItem]:
        """What waits for the device, oldest first."""
        ...

    async def activation(self, dev_eui: str) -> Activation | None:
        """The device's session, or None when it never joined."""
        ...

    async def device(self, dev_eui: str) -> DeviceState:
        """Whether it is disabled, and its class. Raises `NetworkUnknown` for one not there."""
        ...

    async def flush(self, dev_eui: str) -> None:
        """Drop everything queued, also what may be in flight."""
        ...

    async def replay(self, dev_eui: str) -> Sequence[Event]:
        """The events that the server still keeps of this device, oldest first (about the last
        ten to a hundred). Takes seconds: the server never says that it has sent the last one."""
        ...

    async def gateways(self) -> Sequence[GatewayInfo]:
        """Every gateway that the key may see."""
        ...

    async def devices(self, profile_contains: str) -> Sequence[ListedDevice]:
        """Every device whose profile's name contains this, case-insensitively."""
        ...
