"""A command as HTTP shows it.

A command is stored, so its fields are declared here again: the record may grow without a caller
seeing it. `_at` is Unix seconds UTC.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.reasons import ReasonCode
from api.models.reasons import code_of, values_of
from lorawan.kuando.light_state import LightState


class StepView(msgspec.Struct, frozen=True, gc=False):
    """One step of a command. `attempt` counts the attempts of this command from 1."""

    at: float
    kind: StepKind
    attempt: int | None
    gateway_id: str | None
    reason: str | None
    reason_code: ReasonCode | None
    """The reason for programs; null where there is none, and in records of older versions."""
    reason_values: dict[str, Any] | None
    """What goes into its sentence."""

    @classmethod
    def of(cls, step: Step, numbers: Mapping[int, int]) -> "StepView":
        """The view of a step; `numbers` are those of `attempt_numbers`."""
        attempt = None if step.attempt is None else numbers[step.attempt]
        cause = step.cause
        code, values = code_of(cause), values_of(cause)
        return cls(step.at, step.kind, attempt, step.gateway_id, step.reason, code, values)


def attempt_numbers(command: Command) -> dict[int, int]:
    """The attempts of a command, from 1, by the numbers that the light gives to all its frames.

    A light counts through its whole life, settings included, so that a command's first attempt may
    be its fourth frame. Of a timeline whose middle is left out the later numbers are the least that
    they can be.
    """
    found = dict.fromkeys(step.attempt for step in command.timeline if step.attempt is not None)
    return {attempt: number for number, attempt in enumerate(found, start=1)}


class CommandSummary(msgspec.Struct, frozen=True):
    """A command without its past; `step` is the newest one."""

    id: str
    dev_eui: str
    light: LightState
    keep: bool
    status: CommandStatus
    reason: str | None
    reason_code: ReasonCode | None
    reason_values: dict[str, Any] | None
    overdue: bool
    attempts: int
    superseded_by: str | None
    accepted_at: float
    expires_at: float
    ended_at: float | None
    step: StepView | None
    by: str
    """Who gave it; empty where nobody is known."""

    @classmethod
    def of(cls, command: Command) -> "CommandSummary":
        """The summary of a command."""
        return cls(
            id=command.id,
            dev_eui=command.dev_eui,
            light=command.light,
            keep=command.keep,
            status=command.status,
            reason=command.reason,
            reason_code=code_of(command.cause),
            reason_values=values_of(command.cause),
            overdue=command.overdue,
            attempts=command.attempts,
            superseded_by=command.superseded_by,
            accepted_at=command.accepted_at,
            expires_at=command.expires_at,
            ended_at=command.ended_at,
            step=StepView.of(command.timeline[-1], attempt_numbers(command))
            if command.timeline
            else None,
            by=command.by,
        )


class CommandView(msgspec.Struct, frozen=True):
    """A command with its timeline, which answers why the light is not yet as wanted."""

    id: str
    dev_eui: str
    light: LightState
    keep: bool
    """Whether the light is brought back to this after it drifted (a rejoin turns it green)."""
    status: CommandStatus
    """`accepted`, `held`, `queued` and `transmitted` are open; the others are final."""
    reason: str | None
    """Why it is held, rejected, expired or withdrawn, for a person to read; of a withdrawn one also
    what of it may still be in the air."""
    reason_code: ReasonCode | None
    """The same for programs; null where there is none, and in records of older versions."""
    reason_values: dict[str, Any] | None
    """What goes into its sentence, by name."""
    overdue: bool
    """The timed attempts are spent; it is still pursued on evidence."""
    attempts: int
    """Frames that were really transmitted."""
    superseded_by: str | None
    withdrawn_by: str | None
    """Who took it back; empty where the caller had no name, null where nobody did."""
    accepted_at: float
    expires_at: float
    ended_at: float | None
    correlation_id: str
    heartbeat_only: bool
    """The light's software (before 5.6) answers no downlink: its verdict waits for a status, so how
    long it took is left out of the times of the fleet."""
    timeline: list[StepView]
    steps_omitted: int
    """Steps dropped from the middle of an overlong timeline."""
    by: str
    """Who gave it: the name of a token or person; empty where nobody is known."""

    @classmethod
    def of(cls, command: Command) -> "CommandView":
        """The view of a command."""
        numbers = attempt_numbers(command)
        return cls(
            id=command.id,
            dev_eui=command.dev_eui,
            light=command.light,
            keep=command.keep,
            status=command.status,
            reason=command.reason,
            reason_code=code_of(command.cause),
            reason_values=values_of(command.cause),
            overdue=command.overdue,
            attempts=command.attempts,
            superseded_by=command.superseded_by,
            withdrawn_by=command.withdrawn_by,
            accepted_at=command.accepted_at,
            expires_at=command.expires_at,
            ended_at=command.ended_at,
            correlation_id=command.correlation_id,
            heartbeat_only=command.heartbeat_only,
            timeline=[StepView.of(step, numbers) for step in command.timeline],
            steps_omitted=command.steps_omitted,
            by=command.by,
        )


class NothingWanted(msgspec.Struct, frozen=True):
    """Nothing is asked of this light any more."""

    dev_eui: str
    command: CommandView | None
    """The command that was open, and is withdrawn; null where none was."""


class CommandList(msgspec.Struct, frozen=True):
    """Commands of one light with their timelines, newest first."""

    dev_eui: str
    commands: list[CommandView]
