"""What the board holds and announces: views of gateways and alerts, and numbered changes."""

from typing import NamedTuple

import msgspec

from actors.board.plan import PlanHead, PlanRemoved
from actors.board.rollout import Rollout
from actors.device.command import Command
from actors.device.model import Device
from actors.supervision import ChildState


class AirtimeUse(NamedTuple):
    """What our frames took of a gateway's airtime, and how many more wait for it."""

    used_s: float
    """In the sliding hour."""
    budget_s: float | None
    """In any hour; None without a limit."""
    pending: int
    """Attempts that wait for this gateway."""


class GradeTold(NamedTuple):
    """A gateway's grade, A to D, and the line that it comes from; None while nothing is known."""

    grade: str | None
    line: str | None


class PaceTold(msgspec.Struct, frozen=True):
    """How frames go out through a gateway, and why so."""

    frames: int
    """Frames in one go."""
    cycle_s: float
    """Least time from the start of one go to the start of the next."""
    lead_s: float
    """So long before its time the next go is ordered."""
    tick_s: float
    """Interval of ChirpStack's scheduler, as measured or, until then, as set."""
    tick_measured: bool
    slower: float
    """By what evidence stretched the cycle; 1 without any."""
    reason: str
    late_txacks: int
    """Txacks that came late, since the start; each sends frames one by one for a while."""
    answers_missing: int
    """Times that first answers were missing beyond what the lights' own losses explain."""
    refusals: int
    """Frames that the gateway refused, being too busy."""


class GatewayView(msgspec.Struct, frozen=True):
    """A gateway as the watcher sees it. `since` is when `online` last changed."""

    gateway_id: str
    name: str = ""
    online: bool = True
    since: float = 0.0
    """When `online` last changed."""
    last_seen_at: float | None = None
    """Its newest statistics that ChirpStack has."""
    alive_at: float | None = None
    """Its newest sign of life: stats, an uplink or a txack."""
    heard_at: float | None = None
    """The newest uplink through it."""
    latitude: float | None = None
    longitude: float | None = None
    known: bool = True
    """False for a gateway that hears our lights but is not in the server's list."""
    network_state: str | None = None
    """What ChirpStack says of it: online, offline, never_seen; None where it says nothing."""
    stats_interval_s: float | None = None
    """How often it sends its statistics, as far as is known."""
    offline_after_s: float = 300.0
    """Without a sign of life for so long it counts as offline."""
    airtime_used_s: float = 0.0
    """In the sliding hour, by our frames."""
    airtime_budget_s: float | None = None
    """Allowed in the sliding hour; None without a limit."""
    pending: int = 0
    """Attempts that wait for this gateway."""
    lights_heard: int = 0
    """Lights that it is among the last to have heard."""
    takes_nothing_since: float | None = None
    """Since then it acknowledged none of the frames given to it; None while it does."""
    grade: str | None = None
    """A, B, C or D by the last 24 h: that of its worst line; None while nothing is known."""
    grade_line: str | None = None
    """The line that the grade comes from, as `answered`; None without a grade, and with an A."""
    pace: PaceTold | None = None
    """How fast frames go out; None where the pace is fixed, or nothing went out yet."""

    def forgotten(self) -> "GatewayView":
        """As it is shown once ChirpStack does not list it and nothing comes through it: nobody is
        reached through it, and nobody misses it."""
        return GatewayView(self.gateway_id, self.name, online=False, since=self.since, known=False)


class AlertView(msgspec.Struct, frozen=True):
    """One alert: opened once, repeated while it lasts, closed with a reason."""

    id: str
    kind: str
    """light_failed, light_silent, gateway_offline, actor_parked, network_unreachable..."""
    subject: str
    """The DevEUI, gateway id or actor id."""
    summary: str
    opened_at: float
    repeated_at: float
    repeats: int = 0
    closed_at: float | None = None
    close_reason: str | None = None
    acknowledged_at: float | None = None
    """When a person acknowledged it; since then it is not repeated."""
    acknowledged_by: str | None = None
    since: float | None = None
    """When the trouble began, which is before it was told: the summary names no age, for that would
    be wrong a minute later."""
    lights: tuple[str, ...] = ()
    """DevEUIs of lights that it takes along, at most 50."""
    lights_total: int = 0


class ActorView(msgspec.Struct, frozen=True):
    """A change of an actor's life worth showing."""

    id: str
    state: ChildState
    restarts: int
    last_error: str | None = None


class DeviceRemoved(msgspec.Struct, frozen=True):
    """A light is known no longer, and why."""

    dev_eui: str
    name: str
    why: str


Subject = (
    Device
    | DeviceRemoved
    | Command
    | GatewayView
    | AlertView
    | ActorView
    | Rollout
    | PlanHead
    | PlanRemoved
)


class Change(msgspec.Struct, frozen=True):
    """One numbered change. `boot` names the run of the service: numbers start anew with each."""

    number: int
    at: float
    what: Subject
