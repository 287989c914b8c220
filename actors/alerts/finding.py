"""A finding: whether a condition that is worth an alert holds now, and the kinds there are."""

from enum import StrEnum
from typing import NamedTuple

import msgspec


class AlertKind(StrEnum):
    """Everything that can be alerted."""

    LIGHT_FAILED = "light_failed"
    """A light does not show what it was told to: timed attempts are spent."""
    LIGHT_HELD = "light_held"
    """Nothing can be sent to a light until a person removes what is in the way in ChirpStack."""
    LIGHT_SILENT = "light_silent"
    """No uplink for longer than its status interval allows, though a gateway listens."""
    FOREIGN_SENDER = "foreign_sender"
    """A light's colour is changed by frames that are not ours, again and again."""
    LIGHT_AT_RISK = "light_at_risk"
    """A rule warns of a light that can still be reached: it may fail within hours or days."""
    COMMAND_WAITING = "command_waiting"
    """A command is neither proven nor overdue after minutes, and no other alert says why."""
    GATEWAY_OFFLINE = "gateway_offline"
    GATEWAY_TAKES_NOTHING = "gateway_takes_nothing"
    """A gateway acknowledges no downlink, though it counts as online."""
    GATEWAY_POOR = "gateway_poor"
    """A gateway is graded D by the last 24 h."""
    ACTOR_PARKED = "actor_parked"
    """An actor used up its restarts and waits for a revival by hand."""
    NETWORK_UNREACHABLE = "network_unreachable"
    """ChirpStack does not answer, or refuses the API key."""
    WEBHOOKS_MISSING = "webhooks_missing"
    """ChirpStack tells us nothing of an application: what happens there comes only by asking."""
    EVENT_STREAM = "event_stream"
    """ChirpStack's own stream of events cannot be read, or forgets events before they are read."""
    STORE_FAILING = "store_failing"
    """Nothing can be made durable: no command is accepted meanwhile."""
    STORE_SET_BACK = "store_set_back"
    """The store was restored from a copy, or lost commits: older wishes wait for a decision."""
    SHARD_UNOWNED = "shard_unowned"
    """No process sees to a part of the lights, though a take-over should be over."""
    PROCESS_MISSING = "process_missing"
    """Fewer processes serve the fleet than there should be: the next one to die may be one too
    many."""
    ENGINE_NOT_DURABLE = "engine_not_durable"
    """The Redis or Valkey that many processes share may lose what it has acknowledged."""
    COMMITS_LOST = "commits_lost"
    """A fail-over of that engine took commits that it had acknowledged; the text says whether they
    were sent again."""
    RECORD_UNREADABLE = "record_unreadable"
    """Something in the store cannot be read; it is kept as it is."""
    SCHEDULE_MISSED = "schedule_missed"
    """A schedule's last time came to nothing: it was missed for too long, or there was no light."""
    HOOK_FAILING = "hook_failing"
    """Nothing is taken by a hook's receiver, or the hook was stopped for that."""
    BROKER_AWAY = "broker_away"
    """The bridge has no connection to its MQTT broker."""
    CLOCK_SET = "clock_set"
    """This machine's clock was set, or the machine slept, lately."""
    CLOCKS_DIFFER = "clocks_differ"
    """ChirpStack's clock and this machine's are seconds apart."""


LIGHT_KINDS = frozenset(
    {
        AlertKind.LIGHT_FAILED,
        AlertKind.LIGHT_HELD,
        AlertKind.LIGHT_SILENT,
        AlertKind.FOREIGN_SENDER,
        AlertKind.LIGHT_AT_RISK,
        AlertKind.COMMAND_WAITING,
    }
)
"""Their subject is a DevEUI."""


LIGHTS_MOST = 50
"""Lights whose DevEUIs an alert carries: 1 kB."""


class AlertKey(NamedTuple):
    """What an alert is about: at most one alert of a kind and subject is open."""

    kind: str
    subject: str
    """The DevEUI, gateway id or actor id; else the name of a part, like `store`."""


class Finding(msgspec.Struct, frozen=True, gc=False):
    """Whether a condition holds for a subject, and why (or why no more).

    A struct, because five are made of each event of a light: as a frozen dataclass each is 2 us.
    """

    kind: AlertKind
    subject: str
    holds: bool
    text: str
    """Names no age: it is shown for as long as the condition holds."""
    since: float | None = None
    """When it came to hold."""
    lights: tuple[str, ...] = ()
    """DevEUIs of lights that it takes along, at most `LIGHTS_MOST`."""
    lights_total: int = 0

    @property
    def key(self) -> AlertKey:
        """Which alert it is about."""
        return AlertKey(self.kind.value, self.subject)
