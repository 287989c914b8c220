"""A light inspected: its session, what it reported, what it is brought to, and its actor."""

from typing import Any

import msgspec

from actors.device.command import Command
from actors.device.model import Attempt, Device, Hearing, Pursuit, Session
from actors.queries import DeviceInspection
from actors.reasons import ReasonCode
from api.models.actors import DeviceActorView
from api.models.commands import CommandView, attempt_numbers
from api.models.devices import DeviceSummary
from api.models.quality import LightQuality
from api.models.reasons import code_of, values_of
from lorawan.kuando.light_state import LightState


class SessionView(msgspec.Struct, frozen=True):
    """The session since the last join; `set_up` says whether its settings were carried out."""

    dev_addr: str
    since: float
    f_cnt: int | None
    """Of its newest uplink in this session."""
    set_up: bool

    @classmethod
    def of(cls, session: Session | None) -> "SessionView | None":
        """The view of a session, of a light that ever joined."""
        if session is None:
            return None
        f_cnt = session.f_cnt if session.heard else None
        return cls(session.dev_addr, session.since, f_cnt, session.set_up)


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

    @classmethod
    def of(cls, device: Device) -> "ReportView | None":
        """The view of a device's newest report, if there is one."""
        report = device.report
        if report is None:
            return None
        return cls(
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

    @classmethod
    def of(cls, hearing: Hearing) -> "HearingView":
        """The view of a hearing."""
        return cls(
            gateway_id=hearing.gateway_id,
            online=hearing.online,
            latest=hearing.latest,
            heard_at=hearing.heard_at,
            rssi_dbm=hearing.rssi_dbm,
            snr_db=hearing.snr_db,
            margin_db=hearing.margin_db,
        )


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
    reason_code: ReasonCode | None
    """The same for programs."""
    reason_values: dict[str, Any] | None
    """What goes into its sentence, by name."""
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
    def of(cls, attempt: Attempt | None, command: Command | None) -> "AttemptView | None":
        """The view of an attempt, if one is on its way, for this open command or for none."""
        if attempt is None:
            return None
        number, carries = None, str(attempt.frame.__struct_config__.tag)
        if command is not None and carries == "light":
            known = attempt_numbers(command)
            number = known.get(attempt.number, len(known) + 1)
        return cls(
            number=number,
            carries=carries,
            stage=attempt.stage.value,
            reason=attempt.reason,
            reason_code=code_of(attempt.cause),
            reason_values=values_of(attempt.cause),
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

    @classmethod
    def of(cls, pursuit: Pursuit | None) -> "PursuitView | None":
        """The view of a pursuit, if there is one."""
        if pursuit is None:
            return None
        return cls(
            pursuit.goal, pursuit.restoring, pursuit.attempts, pursuit.unsent, pursuit.next_at
        )


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
    quality: LightQuality | None
    """What is to be expected of it; null while nothing is known."""

    @classmethod
    def of(cls, seen: DeviceInspection) -> "DeviceView":
        """The view of an inspected device."""
        device, wanted = seen.device, seen.device.wanted
        return cls(
            device=DeviceSummary.of(device, seen.reachability, seen.risk),
            session=SessionView.of(device.session),
            report=ReportView.of(device),
            hearings=[HearingView.of(one) for one in device.hearings],
            wanted_since=wanted.since if wanted is not None else None,
            wanted_by=wanted.command_id if wanted is not None else None,
            keep=wanted.keep if wanted is not None else None,
            command=CommandView.of(device.command) if device.command is not None else None,
            pursuit=PursuitView.of(device.pursuit),
            attempt=AttemptView.of(device.attempt, device.command),
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
            actor=DeviceActorView.of(seen.actor),
            quality=LightQuality.of(seen.quality, seen.days),
        )
