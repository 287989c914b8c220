"""What the service offers to its edge (HTTP, websockets, command line): one interface without HTTP.

The rule it keeps: expected outcomes are values, matched exhaustively by the caller; exceptions are
for broken rules. Nothing here waits without a deadline.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

import msgspec

from actors.board.changes import AlertView, GatewayView
from actors.board.reachability import Reachability
from actors.board.subscription import Subscription
from actors.clocks.timekeeper import ClockStatistics
from actors.device.model import Command, Device
from actors.messaging.dead_letters import DeadLetter
from actors.rollouts.model import Conflict, Order, Rollout, RolloutInspection, Wish
from actors.storage.unreadable_records import Unreadable
from actors.supervision import ChildReport
from actors.upkeep import Upkeep
from lorawan.events import Event
from lorawan.kuando.light_state import LightState


class Delivery(Enum):
    """What became of an event from the network."""

    DELIVERED = "delivered"
    """It is in the mailbox of its device."""
    REGISTERED = "registered"
    """Likewise; the device was new and is known from now on."""
    UNKNOWN = "unknown"
    """Not a device of ours; counted."""
    FULL = "full"
    """The mailbox is full; send it again later."""
    STOPPING = "stopping"


class Refusal(Enum):
    """Why a request to a device was not taken."""

    UNKNOWN_DEVICE = "unknown_device"
    MAILBOX_FULL = "mailbox_full"
    PARKED = "parked"
    """The device's actor used up its restarts and waits for a revival."""
    NO_REPLY = "no_reply"
    """The actor did not answer in time, or crashed over it; the command may yet appear."""
    KEY_REUSED = "key_reused"
    """The idempotency key belongs to another request."""
    STORE_FAILING = "store_failing"
    """The store does not answer: whether the request was taken is not known, or nothing was."""
    UNREADABLE = "unreadable"
    """The stored record of the light cannot be read; it is kept as it is."""
    STOPPING = "stopping"
    NETWORK_FAILING = "network_failing"
    TOO_MANY = "too_many"
    """As many of the kind as may be are under way."""


class Accepted(msgspec.Struct, frozen=True):
    """The command is in the store. `repeated`: an earlier request with the same key made it."""

    command: Command
    repeated: bool = False


class HistoryEntry(msgspec.Struct, frozen=True):
    """One line of a device's history."""

    entry: str
    at: float
    kind: str
    detail: dict[str, Any]


class DownlinkMetrics(msgspec.Struct, frozen=True):
    """Success of downlinks over a time; times in seconds, None where too few ended to tell."""

    hours: float
    commands: int
    open: int
    verified: int
    superseded: int
    expired: int
    rejected: int
    judged: int
    """Ended otherwise than superseded: the success rate rests on these, the times and the rate of
    first attempts on the verified ones."""
    success_rate: float | None
    """Verified of those that ended otherwise than superseded."""
    frames: int
    frames_per_verified: float | None
    time_to_verify_p50_s: float | None
    time_to_verify_p95_s: float | None
    time_to_verify_p99_s: float | None
    first_attempt_rate: float | None


class Bucket(msgspec.Struct, frozen=True):
    """Of a histogram: how many values are at most `most` (None: any) and in no bucket before."""

    most: float | None
    count: int


class WorstLight(msgspec.Struct, frozen=True):
    """A light whose commands have trouble, and why, in words."""

    dev_eui: str
    commands: int
    verified: int
    failed: int
    attempts_per_success: float | None
    time_to_verify_p95_s: float | None
    """None of fewer than 20 verified commands."""
    time_to_verify_most_s: float | None
    """The slowest."""
    why: str


class Reliability(msgspec.Struct, frozen=True):
    """How reliably the ended commands of a time succeeded."""

    hours: float
    commands: int
    verified: int
    time_to_verify: list[Bucket]
    attempts_per_success: list[Bucket]
    worst: list[WorstLight]


class SignalPoint(msgspec.Struct, frozen=True, gc=False):
    """How one gateway heard one uplink of a light."""

    at: float
    gateway_id: str
    rssi_dbm: int
    snr_db: float
    f_cnt: int


class Points(msgspec.Struct, frozen=True):
    """Points, oldest first; `complete` is False when there were more before them."""

    points: list[SignalPoint]
    complete: bool


class Outage(msgspec.Struct, frozen=True):
    """A gateway was away; `until` is None while it is."""

    since: float
    until: float | None


class Span(msgspec.Struct, frozen=True, gc=False):
    """A time: since <= at < until."""

    since: float
    until: float

    @property
    def length_s(self) -> float:
        """How long it is."""
        return max(0.0, self.until - self.since)


class GatewayPast(msgspec.Struct, frozen=True):
    """How a gateway was, as far as somebody looked.

    `outages` newest first, `observed` the times in which it was looked at, oldest first; outside of
    them it was neither up nor down. `away_s` is how much of `observed_s` it was away.
    """

    outages: list[Outage]
    observed: list[Span]
    observed_s: float
    away_s: float

    @property
    def availability(self) -> float | None:
        """Its share of the observed time, None where it was not observed."""
        return 1.0 - self.away_s / self.observed_s if self.observed_s > 0 else None


class DeviceInspection(msgspec.Struct, frozen=True):
    """One device and its actor, as they are now."""

    device: Device
    actor: ChildReport | None
    next_timer_at: float | None
    reachability: Reachability


class InitializationRun(msgspec.Struct, frozen=True):
    """Progress of an initialisation of one or all lights; running while `ended_at` is None."""

    id: str
    started_at: float
    total: int
    started: int
    done: int
    skipped: int
    failed: int
    ended_at: float | None = None


class RestoredStoreDevice(msgspec.Struct, frozen=True):
    """A light that an older wish would be sent to. `shown` is None where that is not known."""

    dev_eui: str
    name: str
    wanted: LightState
    shown: LightState | None
    heard_since: bool
    """A status came since, so that `shown` is no memory of the copy's."""


class RestoredStore(msgspec.Struct, frozen=True):
    """The store is older than what was done, and somebody has to decide. Times: Unix seconds."""

    at: float
    cause: str
    """In words, to follow "the store"."""
    copied_at: float | None
    keep_shown: bool
    """It was decided to keep what is shown; lights not heard since are waited for."""
    lights: list[RestoredStoreDevice]


class Readiness(msgspec.Struct, frozen=True):
    """Whether the service can do its work; `problems` in words, empty when ready. `warnings` are
    troubles outside that nobody cures by sending callers elsewhere."""

    ready: bool
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class ServiceApi(Upkeep, Protocol):
    """Lamplighter without its web."""

    def deliver(self, event: Event) -> Delivery:
        """Put a network event in its device's mailbox; never waits."""
        ...

    async def command(
        self,
        dev_eui: str,
        light: LightState,
        *,
        keep: bool,
        ttl_s: float | None,
        correlation_id: str,
        idempotency_key: str | None,
        fingerprint: str,
    ) -> Accepted | Refusal:
        """Accept a colour command; returns after it is in the store (at most about 10 s)."""
        ...

    async def verdict(self, command_id: str, timeout_s: float) -> Command | None:
        """Wait until the command is final, overdue or held, or the time is over: the command as
        it is then. None when unknown."""
        ...

    async def find_command(self, command_id: str) -> Command | None:
        """One command, open or ended."""
        ...

    def devices(self) -> Mapping[str, Device]:
        """Every light, by DevEUI, as last published."""
        ...

    def reachability(self, device: Device) -> Reachability:
        """Whether one of these lights can be heard and reached now."""
        ...

    def inspect(self, dev_eui: str) -> DeviceInspection | None:
        """One light with its actor."""
        ...

    async def history(
        self, dev_eui: str, *, since: float, until: float, most: int
    ) -> Sequence[HistoryEntry]:
        """Its history, newest first."""
        ...

    async def commands_of(self, dev_eui: str, most: int) -> Sequence[Command]:
        """Its commands with their timelines, newest first."""
        ...

    async def signal(self, dev_eui: str, *, since: float, until: float) -> Points:
        """How the gateways heard it, oldest first."""
        ...

    async def ask_status(self, dev_eui: str) -> str | Refusal:
        """Make the light speak: `asked`, or `busy` where a frame is on its way anyway."""
        ...

    async def initialize(
        self, dev_euis: Sequence[str] | None, *, force: bool
    ) -> InitializationRun | Refusal:
        """Start an initialisation of these lights, or of all of the Kuando profiles."""
        ...

    def initialization(self, run_id: str | None = None) -> InitializationRun | None:
        """A run by id, or the newest."""
        ...

    async def create_rollout(self, order: Order) -> Rollout | Refusal:
        """Begin a rollout; returns after it is in the store (at most about 10 s)."""
        ...

    async def change_rollout(
        self, rollout_id: str, wish: Wish
    ) -> Rollout | Conflict | Refusal | None:
        """Steer a rollout; None for one that is not known."""
        ...

    def rollouts(self, most: int) -> Sequence[Rollout]:
        """The newest first."""
        ...

    def rollout(self, rollout_id: str) -> RolloutInspection | None:
        """One with its lights."""
        ...

    def gateways(self) -> Mapping[str, GatewayView]:
        """Every gateway, by id."""
        ...

    def lights_heard(self, gateway_id: str) -> int:
        """How many lights this gateway heard lately: as many as a filter by it finds."""
        ...

    async def gateway_past(self, gateway_id: str, *, since: float, until: float) -> GatewayPast:
        """When the gateway was away, and when anybody looked."""
        ...

    async def acknowledge(self, alert_id: str, by: str | None) -> AlertView | Refusal | None:
        """Somebody knows of this open alert; None when no such alert is open."""
        ...

    def alerts(self) -> Sequence[AlertView]:
        """Open and recent alerts, newest first."""
        ...

    async def metrics(self, dev_eui: str | None, hours: float) -> DownlinkMetrics:
        """Success of downlinks, fleet-wide or of one light."""
        ...

    async def reliability(self, hours: float) -> Reliability:
        """Spread of times and attempts, and the worst lights."""
        ...

    def prometheus(self) -> bytes:
        """Everything countable in the service, in Prometheus' text format."""
        ...

    def supervisor(self) -> ChildReport:
        """The tree of actors."""
        ...

    def dead_letters(self, most: int) -> Sequence[DeadLetter]:
        """Newest first."""
        ...

    def revive(self, actor_id: str) -> bool:
        """Give a parked actor another life; False when there is no such parked actor."""
        ...

    def subscribe(self, *, capacity: int, resume_from: int | None) -> Subscription:
        """Follow the board: a snapshot (or what was missed since `resume_from`), then changes."""
        ...

    def clocks(self) -> ClockStatistics:
        """What became of this machine's clock, and how far ChirpStack's is from it."""
        ...

    def restored_store(self) -> RestoredStore | None:
        """What waits for a decision since the store was set back; None when nothing does."""
        ...

    async def decide_restored_store(self, *, keep_shown: bool) -> RestoredStore | Refusal | None:
        """Send what was wanted before, or keep what is shown; None when nothing is open."""
        ...

    def unreadable(self) -> Sequence[Unreadable]:
        """Records that are kept though they cannot be read, at most 1,000."""
        ...

    def readiness(self) -> Readiness:
        """Store writable, ChirpStack answering, actors alive."""
        ...

    def now(self) -> float:
        """The service's clock, Unix seconds."""
        ...
