"""A light in short, as lists and live messages show it; `device_details.py` has the rest.

Wanted and reported are shown apart, and `reported` is null while nothing was heard in the running
session, however well it was known before.
"""

from typing import Any

import msgspec

from actors.board.outlook import RiskTold
from actors.board.reachability import Reach, Reachability
from actors.device.command import CommandStatus
from actors.device.model import Device, Phase
from actors.reasons import ReasonCode
from api.models.quality import RiskShown
from api.models.reasons import code_of, values_of
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
    ordered_by: str
    """Who gave the command that the wanted state comes from; empty where nobody is known."""
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
    rssi_dbm: int | None
    """Strength of its newest uplink at the gateway that heard it best."""
    snr_db: float | None
    """Signal-to-noise ratio there."""
    software_rev: float | None
    """As 5.8, by its newest status."""
    reachability: Reach
    """Whether it can be heard and reached now, whatever it showed last."""
    reachability_since: float | None
    """Since when; for a silent light its last uplink. Null where that is not known."""
    reachable: bool
    """True for reachability `reachable` only."""
    command_id: str | None
    """The open command."""
    command_status: CommandStatus | None
    command_reason: str | None
    """Why it is held or waits, for a person to read."""
    command_reason_code: ReasonCode | None
    """The same for programs; null where there is none, and in records of older versions."""
    command_reason_values: dict[str, Any] | None
    """What goes into its sentence, by name."""
    overdue: bool
    """The open command's timed attempts are spent; it is still pursued."""
    last_error: str | None
    """What went wrong last, in words."""
    risk: RiskShown | None
    """What is to be expected of it; null while nothing is known."""

    @classmethod
    def of(cls, device: Device, reach: Reachability, risk: RiskTold | None) -> "DeviceSummary":
        """The summary of a device that can be reached, and of which is expected, like this."""
        command = device.command
        cause = None if command is None else command.cause
        reported = device.reported
        wanted = device.wanted.light if device.wanted is not None else None
        known = wanted is not None and reported is not None
        hearings = sorted(device.hearings, key=lambda h: (not h.latest, -h.heard_at))
        best = max((h for h in hearings if h.latest), key=lambda h: h.snr_db, default=None)
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
            ordered_by=device.wanted.by if device.wanted is not None else "",
            reported=reported,
            as_wanted=wanted == reported if known else None,
            reported_at=device.report.at if device.report and reported else None,
            reported_current=reach.reported_current,
            heard_at=device.heard_at,
            gateways=[hearing.gateway_id for hearing in hearings],
            rssi_dbm=best.rssi_dbm if best is not None else None,
            snr_db=best.snr_db if best is not None else None,
            software_rev=device.report.sw_rev / 10 if device.report is not None else None,
            reachability=reach.reach,
            reachability_since=reach.since,
            reachable=reach.reachable,
            command_id=command.id if command is not None else None,
            command_status=command.status if command is not None else None,
            command_reason=command.reason if command is not None else None,
            command_reason_code=code_of(cause),
            command_reason_values=values_of(cause),
            overdue=command is not None and command.overdue,
            last_error=device.last_error,
            risk=RiskShown.of(risk),
        )


class DevicePage(msgspec.Struct, frozen=True):
    """Some lights, ordered by DevEUI; `total` and `by_reachability` count all that match."""

    total: int
    by_reachability: dict[Reach, int]
    limit: int
    offset: int
    devices: list[DeviceSummary]
