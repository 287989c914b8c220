"""A command as HTTP shows it.

The rule it keeps: the wire is declared, never a dump of what is stored; `_at` is Unix seconds UTC.
"""

import msgspec

from actors.device.model import Command, CommandStatus, Step, StepKind
from lorawan.kuando.light import Light


class LightView(msgspec.Struct, frozen=True, gc=False):
    """Colour and blink, each 0 to 255 as the device takes it; `off` = 0 is steady."""

    red: int
    green: int
    blue: int
    on: int
    off: int

    @classmethod
    def of(cls, light: Light) -> "LightView":
        """The view of a light."""
        return cls(light.red, light.green, light.blue, light.on, light.off)


class StepView(msgspec.Struct, frozen=True, gc=False):
    """One step of a command."""

    at: float
    kind: StepKind
    attempt: int | None
    gateway_id: str | None
    reason: str | None

    @classmethod
    def of(cls, step: Step) -> "StepView":
        """The view of a step."""
        return cls(step.at, step.kind, step.attempt, step.gateway_id, step.reason)


class CommandSummary(msgspec.Struct, frozen=True):
    """A command without its past; `step` is the newest one."""

    id: str
    dev_eui: str
    light: LightView
    keep: bool
    status: CommandStatus
    reason: str | None
    overdue: bool
    attempts: int
    superseded_by: str | None
    accepted_at: float
    expires_at: float
    ended_at: float | None
    step: StepView | None

    @classmethod
    def of(cls, command: Command) -> "CommandSummary":
        """The summary of a command."""
        return cls(
            id=command.id,
            dev_eui=command.dev_eui,
            light=LightView.of(command.light),
            keep=command.keep,
            status=command.status,
            reason=command.reason,
            overdue=command.overdue,
            attempts=command.attempts,
            superseded_by=command.superseded_by,
            accepted_at=command.accepted_at,
            expires_at=command.expires_at,
            ended_at=command.ended_at,
            step=StepView.of(command.timeline[-1]) if command.timeline else None,
        )


class CommandView(msgspec.Struct, frozen=True):
    """A command with its timeline, which answers why the light is not yet as wanted."""

    id: str
    dev_eui: str
    light: LightView
    keep: bool
    """Whether the light is brought back to this after it drifted (a rejoin turns it green)."""
    status: CommandStatus
    """`accepted`, `held`, `queued` and `transmitted` are open; the others are final."""
    reason: str | None
    """Why it is held, rejected or expired, in words."""
    overdue: bool
    """The timed attempts are spent; it is still pursued on evidence."""
    attempts: int
    """Frames that were really transmitted."""
    superseded_by: str | None
    accepted_at: float
    expires_at: float
    ended_at: float | None
    correlation_id: str
    timeline: list[StepView]
    steps_omitted: int
    """Steps dropped from the middle of an overlong timeline."""

    @classmethod
    def of(cls, command: Command) -> "CommandView":
        """The view of a command."""
        return cls(
            id=command.id,
            dev_eui=command.dev_eui,
            light=LightView.of(command.light),
            keep=command.keep,
            status=command.status,
            reason=command.reason,
            overdue=command.overdue,
            attempts=command.attempts,
            superseded_by=command.superseded_by,
            accepted_at=command.accepted_at,
            expires_at=command.expires_at,
            ended_at=command.ended_at,
            correlation_id=command.correlation_id,
            timeline=[StepView.of(step) for step in command.timeline],
            steps_omitted=command.steps_omitted,
        )


class CommandList(msgspec.Struct, frozen=True):
    """Commands of one light with their timelines, newest first."""

    dev_eui: str
    commands: list[CommandView]
