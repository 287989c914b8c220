"""A light as HTTP shows it: short in lists and live messages, whole when inspected.

Wanted and reported are shown apart, and `reported` is null while nothing was heard in the running
session, however well it was known before.
"""

import msgspec

from actors.board.reachability import Reach, Reachability
from actors.device.model import Attempt, Command, CommandStatus, Device, Phase
from actors.messaging.mailbox import MailboxStatistics
from actors.service_api import DeviceInspection
from api.models.actors import ActorState
from api.models.commands import CommandView, attempt_numbers
from lorawan.kuando.light_state import LightState


class DeviceSummary(msgspec.Struct, frozen=True):
    """One light in short."""

    dev_eui: str
    name: str
    application_id: str
    application_name: str
    profile_name: str
    """Of its device profile in ChirpStack."""
    tags: dict[str, str]
    phase: Phase
    since: float
    """When it came into this phase."""
    wanted: LightState | None
    """What it should show; null before the first command."""
    reported: LightState | None
    """What it shows by the newest status of its running session."""
    as_wanted: bool | None
    """Whether the two are the same; null while one of them is not known."""
    reported_at: float | None
    """When that was heard."""
    reported_current: bool
    """It was heard within three status intervals: what is older belongs into the past tense."""
    heard_at: float | None
    """Its newest uplink."""
    gateways: list[str]
    """Ids of the gateways that hear it, the newest uplink's first."""
    reachability: Reach
    """Whether it can be heard and reached now, whatever it showed last."""
    reachability_since: float | None
    """Since when; for a silent light its last uplink. Null where nobody knows."""
    reachable: bool
    """True for reachability `reachable` only."""
    command_id: str | None
    """The open command."""
    command_status: CommandStatus | None
    command_reason: str | None
    """Why it is held or waits, for a person to read."""
    overdue: bool
    """The open command's timed attempts are spent; it is still pursued."""
    last_error: str | None
    """What went wrong last, in words."""

    @classmethod
    def of(cls, device: Device, reach: Reachability) -> "DeviceSummary":
        """The summary of a device that can be reached like this."""
        command = device.command
        reported = device.reported
        wanted = device.wanted.light if device.wanted is not None else None
        known = wanted is not None and reported is not None
        hearings = sorted(device.hearings, key=lambda h: (not h.latest, -h.heard_at))
        return cls(
            dev_eui=device.dev_eui,
            name=device.name,
            application_id=device.application_id,
            application_name=device.application_name,
            profile_name=device.profile_name,
            tags=device.tags,
            phase=device.phase,
            since=device.since,
            wanted=wanted,
            reported=reported,
            as_wanted=wanted == reported if known else None,
            reported_at=device.report.at if device.report and reported else None,
            reported_current=reach.reported_current,
            heard_at=device.heard_at,
            gateways=[hearing.gateway_id for hearing in hearings],
            reachability=reach.reach,
            reachability_since=reach.since,
            reachable=reach.reachable,
            command_id=command.id if command is not None else None,
            command_status=command.status if command is not None else None,
            command_reason=command.reason if command is not None else None,
            overdue=command is not None and command.overdue,
            last_error=device.last_error,
        )


class DevicePage(msgspec.Struct, frozen=True):
    """Some lights, ordered by DevEUI; `total` and `by_reachability` count all that match."""

    total: int
    by_reachability: dict[Reach, int]
    limit: int
    offset: int
    devices: list[DeviceSummary]


class SessionView(msgspec.Struct, frozen=True):
    """The session since the last join; `set_up` says whether its settings were carried out."""

    dev_addr: str
    since: float
    f_cnt: int | None
    """Of its newest uplink in this session."""
    set_up: bool


class ReportView(msgspec.Struct, frozen=True):
    """The newest status uplink; `current` unless it belongs to an earlier session."""

    at: float
    current: bool
    f_cnt: int
    """Uplink counter of this status."""
    light: LightState
    downlinks_received: int
    """As the light counts them; the proof rests on this counter."""
    uplinks_sent: int
    """As the light counts them."""
    software_rev: float
    """As 5.8."""
    hardware_rev: float
    rssi_dbm: int
    """Of the last downlink, as the light heard it."""
    snr_raw: int
    """Of the last downlink, as the light tells it."""
    high_brightness: int | None
    """Null where the software does not tell."""


class HearingView(msgspec.Struct, frozen=True):
    """A gateway that heard the light lately."""

    gateway_id: str
    online: bool
    """Whether the gateway is online now."""
    latest: bool
    """It heard the newest uplink."""
    heard_at: float
    rssi_dbm: int
    snr_db: float
    margin_db: float
    """Signal-to-noise ratio above what the uplink needed."""


class AttemptView(msgspec.Struct, frozen=True):
    """The frame on its way."""

    number: int | None
    """Of the attempts of the open command, from 1; null for a frame that is of none."""
    carries: str
    """light, auto_uplink, status_interval, request_status or high_brightness."""
    stage: str
    """submitted, held, queued or transmitted."""
    reason: str | None
    """Why it is held or waits, in words."""
    retry: bool
    """It is not the first one of a command that a caller waits for: those go before it."""
    submitted_at: float
    """When it was handed to the dispatcher."""
    queued_at: float | None
    """When ChirpStack took it into its queue."""
    queue_item_id: str | None
    gateway_id: str | None
    """The gateway that sent it."""
    ends_at: float | None
    """Estimated end of its transmission."""

    @classmethod
    def of(cls, attempt: Attempt, command: Command | None) -> "AttemptView":
        """The view of an attempt, for this open command or for none."""
        number, carries = None, str(attempt.frame.__struct_config__.tag)
        if command is not None and carries == "light":
            known = attempt_numbers(command)
            number = known.get(attempt.number, len(known) + 1)
        return cls(
            number=number,
            carries=carries,
            stage=attempt.stage.value,
            reason=attempt.reason,
            retry=attempt.retry,
            submitted_at=attempt.submitted_at,
            queued_at=attempt.queued_at,
            queue_item_id=attempt.queue_item_id,
            gateway_id=attempt.gateway_id,
            ends_at=attempt.ends_at,
        )


class PursuitView(msgspec.Struct, frozen=True):
    """What the light is being brought to; `restoring` when no caller waits for it."""

    goal: LightState
    restoring: bool
    attempts: int
    """Frames that gateways took for it."""
    unsent: int
    """Frames in a row that no gateway took."""
    next_at: float | None
    """When the next attempt is made; null while one is on its way, or only evidence starts one."""


class MailboxView(msgspec.Struct, frozen=True):
    """The queue in front of an actor."""

    depth: int
    """Messages that wait now."""
    capacity: int
    peak: int
    """The most that ever waited."""
    refused: int
    """Messages refused because it was full."""

    @classmethod
    def of(cls, mailbox: MailboxStatistics | None) -> "MailboxView | None":
        """The view of a mailbox, for an actor that has one."""
        if mailbox is None:
            return None
        return cls(mailbox.depth, mailbox.capacity, mailbox.peak, mailbox.refused)


class DeviceActorView(msgspec.Struct, frozen=True):
    """The device's actor."""

    state: ActorState
    since: float
    restarts: int
    """Since the service started."""
    last_error: str | None
    last_crash_at: float | None
    mailbox: MailboxView | None


class DeviceView(msgspec.Struct, frozen=True):
    """One light, whole, with its actor."""

    device: DeviceSummary
    session: SessionView | None
    report: ReportView | None
    hearings: list[HearingView]
    wanted_since: float | None
    wanted_by: str | None
    """The command that the wanted state comes from."""
    keep: bool | None
    """Whether it is brought back to the wanted state after it drifted."""
    command: CommandView | None
    """The open command."""
    pursuit: PursuitView | None
    """What it is being brought to."""
    attempt: AttemptView | None
    """The frame on its way."""
    inquiring: bool
    """ChirpStack is being asked what became of things."""
    next_timer_at: float | None
    """When it does something by itself next."""
    last_frame_at: float | None
    """End of the last frame to it."""
    uplinks: int
    """Uplinks heard, all sessions."""
    duplicates: int
    """Events that were known already."""
    stale: int
    """Uplinks that came late or are doubtful, and prove nothing."""
    missed: int
    """Events that an inquiry found and no webhook had brought: webhooks get lost on their way."""
    healed: int
    """Times that the record was found with nothing to wake it, and was taken up again."""
    joins: int
    """Times that it joined."""
    last_error_at: float | None
    actor: DeviceActorView | None

    @classmethod
    def of(cls, seen: DeviceInspection) -> "DeviceView":
        """The view of an inspected device."""
        device, wanted = seen.device, seen.device.wanted
        return cls(
            device=DeviceSummary.of(device, seen.reachability),
            session=_session(device),
            report=_report(device),
            hearings=_hearings(device),
            wanted_since=wanted.since if wanted is not None else None,
            wanted_by=wanted.command_id if wanted is not None else None,
            keep=wanted.keep if wanted is not None else None,
            command=CommandView.of(device.command) if device.command is not None else None,
            pursuit=_pursuit(device),
            attempt=AttemptView.of(device.attempt, device.command)
            if device.attempt is not None
            else None,
            inquiring=device.inquiry is not None,
            next_timer_at=seen.next_timer_at,
            last_frame_at=device.last_frame_at,
            uplinks=device.uplinks,
            duplicates=device.duplicates,
            stale=device.stale,
            missed=device.missed,
            healed=device.healed,
            joins=device.joins,
            last_error_at=device.last_error_at,
            actor=_actor(seen),
        )


def _session(device: Device) -> SessionView | None:
    session = device.session
    if session is None:
        return None
    f_cnt = session.f_cnt if session.heard else None
    return SessionView(session.dev_addr, session.since, f_cnt, session.set_up)


def _report(device: Device) -> ReportView | None:
    report = device.report
    if report is None:
        return None
    return ReportView(
        at=report.at,
        current=device.reported is not None,
        f_cnt=report.f_cnt,
        light=report.light,
        downlinks_received=report.downlinks_received,
        uplinks_sent=report.uplinks_sent,
        software_rev=report.sw_rev / 10,
        hardware_rev=report.hw_rev / 10,
        rssi_dbm=report.rssi_dbm,
        snr_raw=report.snr_raw,
        high_brightness=report.high_brightness,
    )


def _hearings(device: Device) -> list[HearingView]:
    return [
        HearingView(
            gateway_id=hearing.gateway_id,
            online=hearing.online,
            latest=hearing.latest,
            heard_at=hearing.heard_at,
            rssi_dbm=hearing.rssi_dbm,
            snr_db=hearing.snr_db,
            margin_db=hearing.margin_db,
        )
        for hearing in device.hearings
    ]


def _pursuit(device: Device) -> PursuitView | None:
    pursuit = device.pursuit
    if pursuit is None:
        return None
    return PursuitView(
        goal=pursuit.goal,
        restoring=pursuit.restoring,
        attempts=pursuit.attempts,
        unsent=pursuit.unsent,
        next_at=pursuit.next_at,
    )


def _actor(seen: DeviceInspection) -> DeviceActorView | None:
    actor = seen.actor
    if actor is None:
        return None
    return DeviceActorView(
        state=ActorState.of(actor.state),
        since=actor.since,
        restarts=actor.restarts,
        last_error=actor.last_error,
        last_crash_at=actor.last_crash_at,
        mailbox=MailboxView.of(actor.mailbox),
    )
