"""What counts as wrong: pure rules from a view to findings.

The rule it keeps: a finding says whether a condition holds now, nothing of what was before; the
book of alerts remembers, and decides who is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from actors.board.changes import ActorView, GatewayView
from actors.board.reachability import Reach
from actors.device.foreign_sender import foreign_words, over_at, repeated
from actors.device.model import Device, Phase, Stage


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
    COMMAND_WAITING = "command_waiting"
    """A command is neither proven nor overdue after minutes, and no other alert says why."""
    GATEWAY_OFFLINE = "gateway_offline"
    GATEWAY_TAKES_NOTHING = "gateway_takes_nothing"
    """A gateway acknowledges no downlink, though it counts as online."""
    ACTOR_PARKED = "actor_parked"
    """An actor used up its restarts and waits for a revival by hand."""
    NETWORK_UNREACHABLE = "network_unreachable"
    """ChirpStack does not answer, or refuses the API key."""
    WEBHOOKS_MISSING = "webhooks_missing"
    """ChirpStack tells us nothing of an application: what happens there comes only by asking."""
    STORE_FAILING = "store_failing"
    """Nothing can be made durable: no command is accepted meanwhile."""
    STORE_SET_BACK = "store_set_back"
    """The store was restored from a copy, or lost commits: older wishes wait for a decision."""
    RECORD_UNREADABLE = "record_unreadable"
    """Something in the store cannot be read; it is kept as it is."""
    CLOCK_SET = "clock_set"
    """This machine's clock was set, or the machine slept, lately."""
    CLOCKS_DIFFER = "clocks_differ"
    """ChirpStack's clock and this machine's are seconds apart."""


LIGHTS_NAMED = 5
"""Lights that the text of a gateway's outage names."""
LIGHTS_MOST = 50
"""Lights whose DevEUIs an alert carries: 1 kB."""
PARKED = "crashed"
"""How the supervisor calls the state of a parked actor."""


LIGHT_KINDS = frozenset(
    {
        AlertKind.LIGHT_FAILED,
        AlertKind.LIGHT_HELD,
        AlertKind.LIGHT_SILENT,
        AlertKind.FOREIGN_SENDER,
        AlertKind.COMMAND_WAITING,
    }
)
"""Their subject is a DevEUI."""


def _settle_defaults() -> dict[AlertKind, float]:
    # The first and the fourth are judged already by those who say so (three attempts, a restart
    # budget); the others may be over in the next moment.
    return {
        AlertKind.LIGHT_FAILED: 0.0,
        AlertKind.LIGHT_HELD: 120.0,
        AlertKind.LIGHT_SILENT: 60.0,
        AlertKind.FOREIGN_SENDER: 0.0,
        AlertKind.COMMAND_WAITING: 0.0,
        AlertKind.GATEWAY_OFFLINE: 30.0,
        AlertKind.GATEWAY_TAKES_NOTHING: 60.0,
        AlertKind.ACTOR_PARKED: 0.0,
        AlertKind.NETWORK_UNREACHABLE: 30.0,
        AlertKind.WEBHOOKS_MISSING: 30.0,
        AlertKind.STORE_FAILING: 15.0,
        AlertKind.STORE_SET_BACK: 0.0,
        AlertKind.RECORD_UNREADABLE: 0.0,
        AlertKind.CLOCK_SET: 0.0,
        AlertKind.CLOCKS_DIFFER: 15.0,
    }


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """The numbers of alerting, in seconds."""

    silent_after_s: float = 2_700.0
    """Three status intervals of 15 min without an uplink."""
    waiting_after_s: float = 300.0
    """The timed attempts are over after two minutes; what waits for more than twice that waits for
    something outside."""
    repeat_s: float = 3_600.0
    reopen_s: float = 600.0
    """A condition back within this time of its closing is the same alert, reopened quietly."""
    lasted_s: float = 120.0
    """A reopened alert is announced once it has lasted so long, or as long as its kind settles."""
    gather_s: float = 60.0
    """After people were told something, the next is gathered for so long: a network that goes
    silent light by light is a message a minute."""
    confirm_s: float = 60.0
    """A stored alert that nothing confirms within this time after a start is closed: the lights
    have told their state by then, and so have the gateways once ChirpStack lists them."""
    settle_s: dict[AlertKind, float] = field(default_factory=_settle_defaults)
    """How long a condition must last before its alert opens."""

    def settles_s(self, kind: AlertKind) -> float:
        """For one kind; one not configured opens at once."""
        return self.settle_s.get(kind, 0.0)


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a condition holds for a subject, and in words why (or why no more)."""

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
    def key(self) -> tuple[str, str]:
        """Which alert it is about."""
        return self.kind.value, self.subject


@dataclass(frozen=True, slots=True)
class Outlook:
    """What lies around a light: how it can be reached, and what another alert tells already."""

    reach: Reach = Reach.REACHABLE
    listening_since: float = 0.0
    """Since when some gateway that hears it is there without a break: silence before that was the
    gateway's."""
    network_away: bool = False
    """ChirpStack does not answer, which holds every command."""


def light_findings(
    device: Device, now: float, policy: AlertPolicy, outlook: Outlook = Outlook()
) -> tuple[Finding, ...]:
    """What a light's record says. A light that was never heard is not called silent.

    While every gateway that hears it is offline, the alert of the gateway speaks for it.
    """
    return (
        _failed(device),
        _held(device),
        _silent(device, now, policy, outlook),
        _foreign(device, now),
        _waiting(device, now, policy, outlook),
    )


def silent_at(device: Device, policy: AlertPolicy, outlook: Outlook = Outlook()) -> float | None:
    """When this light will count as silent unless it is heard; None for one never heard."""
    heard_at = _heard_at(device)
    if heard_at is None:
        return None
    return max(heard_at, outlook.listening_since) + policy.silent_after_s


def foreign_over_at(device: Device) -> float | None:
    """When its colour is no longer called changed by others, unless it is again."""
    return over_at(device)


def waiting_at(device: Device, policy: AlertPolicy) -> float | None:
    """When its open command will have waited for too long; None without one."""
    return None if device.command is None else device.command.accepted_at + policy.waiting_after_s


def gateway_finding(view: GatewayView, lights: Sequence[tuple[str, str]] = ()) -> Finding:
    """What the watcher says of a gateway; `lights` (name, DevEUI) cannot be reached without it."""
    name = view.name or view.gateway_id
    if view.online:
        text = f"gateway {name} is online"
        return Finding(AlertKind.GATEWAY_OFFLINE, view.gateway_id, holds=False, text=text)
    text = f"gateway {name} is offline"
    if lights:
        names = ", ".join(light for light, _ in lights[:LIGHTS_NAMED])
        more = f" and {len(lights) - LIGHTS_NAMED} more" if len(lights) > LIGHTS_NAMED else ""
        count = "1 light" if len(lights) == 1 else f"{len(lights)} lights"
        text += f"; {count} cannot be reached: {names}{more}"
    return Finding(
        AlertKind.GATEWAY_OFFLINE,
        view.gateway_id,
        holds=True,
        text=text,
        since=view.since if view.alive_at is None else min(view.since, view.alive_at),
        lights=tuple(dev_eui for _, dev_eui in lights[:LIGHTS_MOST]),
        lights_total=len(lights),
    )


def taking_finding(view: GatewayView) -> Finding:
    """What became of the frames that this gateway was given."""
    name, since = view.name or view.gateway_id, view.takes_nothing_since
    kind, holds = AlertKind.GATEWAY_TAKES_NOTHING, view.online and since is not None
    if not holds or since is None:
        return Finding(kind, view.gateway_id, holds=False, text=f"gateway {name} takes frames")
    when = f"{datetime.fromtimestamp(since, UTC):%H:%M} UTC"
    text = (
        f"gateway {name} acknowledges no downlink since {when}: "
        "if it sends all the same, ChirpStack's counter stands still and lights drop its frames as "
        "repeats; restart or update its packet forwarder, which must answer each downlink, and "
        "check its way to ChirpStack"
    )
    return Finding(kind, view.gateway_id, holds=True, text=text)


def actor_finding(view: ActorView) -> Finding:
    """What the supervisor says of an actor."""
    parked = view.state == PARKED
    error = f": {view.last_error}" if view.last_error else ""
    text = f"{view.id} was given up after {view.restarts} restarts{error}"
    return Finding(
        AlertKind.ACTOR_PARKED, view.id, parked, text if parked else f"{view.id} is {view.state}"
    )


def store_finding(failing_since: float | None, problem: str | None = None) -> Finding:
    """What the store writer says of the store."""
    failing = failing_since is not None
    why = f": {problem}" if problem else ""
    text = f"the store cannot be written{why}" if failing else "the store can be written again"
    return Finding(AlertKind.STORE_FAILING, "store", failing, text, failing_since)


def setback_finding(words: str | None) -> Finding:
    """What is told of a store that was set back; None once somebody decided."""
    text = words or "it was decided what becomes of older wishes"
    return Finding(AlertKind.STORE_SET_BACK, "store", words is not None, text)


def unreadable_finding(words: str | None) -> Finding:
    """What is told of records that cannot be read."""
    text = words or "every record can be read"
    return Finding(AlertKind.RECORD_UNREADABLE, "store", words is not None, text)


def clock_findings(host: str | None, server: str | None) -> tuple[Finding, Finding]:
    """What the timekeeper says of this machine's clock, and of ChirpStack's against it."""
    was = host or "this machine's clock runs steadily"
    differs = server or "ChirpStack's clock agrees with this machine's"
    return (
        Finding(AlertKind.CLOCK_SET, "clock", host is not None, was),
        Finding(AlertKind.CLOCKS_DIFFER, "chirpstack", server is not None, differs),
    )


def network_finding(problem: str | None) -> Finding:
    """What whoever asks ChirpStack says of it, a sentence; `problem` is None when it answers."""
    text = "ChirpStack answers again" if problem is None else problem
    return Finding(AlertKind.NETWORK_UNREACHABLE, "chirpstack", problem is not None, text)


def webhooks_finding(application_id: str, name: str, events: int, lights: int) -> Finding:
    """Whether webhooks of an application arrive; `events` of `lights` came only by asking."""
    of = f"application {name or application_id or 'unknown'}"
    text = f"webhooks of {of} arrive"
    if events:
        count = "1 light" if lights == 1 else f"{lights} lights"
        text = (
            f"ChirpStack's HTTP integration of {of} does not reach this service: {events} events of"
            f" {count} came only by asking, and no webhook since; run `lamplighter doctor`, then"
            " `lamplighter setup`"
        )
    return Finding(AlertKind.WEBHOOKS_MISSING, application_id or "unknown", events > 0, text)


def _failed(device: Device) -> Finding:
    name = device.name or device.dev_eui
    command = device.command
    overdue = command is not None and command.overdue
    if device.phase is not Phase.FAILED and not overdue:
        why = f"{name} is {device.phase.value.replace('_', ' ')} again"
        return Finding(AlertKind.LIGHT_FAILED, device.dev_eui, holds=False, text=why)
    error = f": {device.last_error}" if device.last_error else ""
    goal = "does not take its settings" if device.setup is not None else "does not show its colour"
    return Finding(AlertKind.LIGHT_FAILED, device.dev_eui, holds=True, text=f"{name} {goal}{error}")


def _held(device: Device) -> Finding:
    name, sent = device.name or device.dev_eui, device.attempt
    waits = sent is not None and sent.stage in {Stage.SUBMITTED, Stage.HELD}
    if sent is None or not waits or sent.obstacle is None:
        text = f"nothing is in the way of {name} any more"
        return Finding(AlertKind.LIGHT_HELD, device.dev_eui, holds=False, text=text)
    text = f"{name} cannot be sent to: {sent.reason}"
    return Finding(AlertKind.LIGHT_HELD, device.dev_eui, holds=True, text=text)


def _silent(device: Device, now: float, policy: AlertPolicy, outlook: Outlook) -> Finding:
    name = device.name or device.dev_eui
    due_at = silent_at(device, policy, outlook)
    silent = due_at is not None and now >= due_at
    text = f"{name} is silent" if silent else f"{name} was heard"
    if outlook.reach is Reach.NO_GATEWAY_ONLINE:
        silent, text = False, f"every gateway that hears {name} is offline"
    elif outlook.reach is Reach.DISABLED:
        silent, text = False, f"{name} is disabled in ChirpStack"
    since = _heard_at(device) if silent else None
    return Finding(AlertKind.LIGHT_SILENT, device.dev_eui, silent, text, since)


def _foreign(device: Device, now: float) -> Finding:
    name, holds = device.name or device.dev_eui, repeated(device, now)
    text = f"{name}: {foreign_words(device)}" if holds else f"nobody else sends to {name} any more"
    return Finding(AlertKind.FOREIGN_SENDER, device.dev_eui, holds, text)


def _waiting(device: Device, now: float, policy: AlertPolicy, outlook: Outlook) -> Finding:
    """An open command is covered by some alert once it has waited for minutes: by this one, unless
    the light's own failure, its gateways' outage or ChirpStack's is told."""
    name, command = device.name or device.dev_eui, device.command
    if command is None:
        text = f"no command waits for {name}"
        return Finding(AlertKind.COMMAND_WAITING, device.dev_eui, holds=False, text=text)
    due_at = waiting_at(device, policy)
    long = due_at is not None and now >= due_at
    covered = (
        command.overdue
        or device.phase is Phase.FAILED
        or _held(device).holds
        or outlook.network_away
        or outlook.reach is Reach.NO_GATEWAY_ONLINE
    )
    text = f"the colour for {name} waits: {_why(device, outlook)}"
    if long and covered:
        text = f"another alert tells why the colour for {name} waits"
    return Finding(
        AlertKind.COMMAND_WAITING,
        device.dev_eui,
        long and not covered,
        text,
        command.accepted_at,
    )


def _why(device: Device, outlook: Outlook) -> str:
    command = device.command
    if outlook.reach is Reach.DISABLED:
        return "the device is disabled in ChirpStack"
    if command is not None and command.reason:
        return command.reason
    if device.phase is Phase.UNINITIALIZED:
        return "the light has not reported since it joined"
    if device.phase is Phase.INITIALIZING:
        return "the light is being given its settings first"
    if device.attempt is not None and device.attempt.reason:
        return device.attempt.reason
    sent = device.attempt is not None and device.attempt.queued_at is not None
    return "no gateway has taken its frame" if sent else "it is not known why"


def _heard_at(device: Device) -> float | None:
    """Never younger than the record: a gateway's clock that is ahead must not hide a silence."""
    heard_at = device.heard_at
    if heard_at is None or not device.stepped_at:
        return heard_at
    return min(heard_at, device.stepped_at)
