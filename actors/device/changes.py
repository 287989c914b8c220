"""Which fields of a record the machine may rewrite, and of what type each is.

`Turn.change`, `change_attempt` and `command_step` take these as keywords. That every name and type
is the record's own is checked by mypy, where they are handed on to `replace`, and by a test.
"""

from typing import TypedDict

from actors.device.command import Command
from actors.device.model import (
    Attempt,
    Foreign,
    Hearing,
    Inquiry,
    Newest,
    Obstacle,
    Phase,
    Probe,
    Pursuit,
    Report,
    Session,
    Setup,
    Stage,
    Wanted,
)
from actors.link.loss_counters import LossCounters
from actors.reasons import Reason


class DeviceChanges(TypedDict, total=False):
    """What may be rewritten of a `Device`: all but the DevEUI, by which it is known."""

    name: str
    application_id: str
    application_name: str
    profile_name: str
    tags: dict[str, str]
    phase: Phase
    since: float
    session: Session | None
    report: Report | None
    hearings: tuple[Hearing, ...]
    wanted: Wanted | None
    wanted_before: Wanted | None
    command: Command | None
    pursuit: Pursuit | None
    setup: Setup | None
    attempt: Attempt | None
    inquiry: Inquiry | None
    queued_until: float | None
    last_frame_at: float | None
    attempts_made: int
    inquiries_made: int
    inquired_at: float | None
    uplinks: int
    duplicates: int
    stale: int
    missed: int
    losses: LossCounters | None
    reachable_at: float | None
    told: tuple[str, ...]
    refuses_reply: int | None
    without_proven: int
    healed: int
    joins: int
    unsettled_until: float | None
    foreign: tuple[Foreign, ...]
    disabled_at: float | None
    last_error: str | None
    last_error_at: float | None
    stepped_at: float
    inbox: str
    inbox_line: str
    newest: Newest | None
    withdrawn: tuple[str, ...]
    wanted_last: str


class AttemptChanges(TypedDict, total=False):
    """What becomes known of an `Attempt` after its submission."""

    due_at: float | None
    stage: Stage
    reason: str | None
    cause: Reason | None
    obstacle: Obstacle | None
    dev_addr: str
    f_cnt_down: int | None
    fence: int
    queue_item_id: str | None
    queued_at: float | None
    item_expires_at: float | None
    ends_at: float | None
    air_until: float | None
    gateway_id: str | None
    probe: Probe
    gap_s: float | None


class CommandChanges(TypedDict, total=False):
    """What a step may change of a `Command`, beside its status, reason, cause and timeline."""

    superseded_by: str | None
    withdrawn_by: str | None
    attempts: int
    overdue: bool
    ended_at: float | None
