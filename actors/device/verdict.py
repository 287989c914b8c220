"""What is kept of an ended command for the figures: a few numbers, in two streams.

The entry's id is the command's id, so that a verdict counts once however often it is written.
"""

import msgspec

from actors.device.command import Command, CommandStatus, StepKind
from store.port import Append

FLEET_STREAM = "verdicts"
"""Verdicts of all lights."""


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """How a command ended. Times are Unix seconds UTC.

    `attempts` are transmitted and counted ones, `frames` every frame that a gateway took.
    """

    dev_eui: str
    status: CommandStatus
    accepted_at: float
    ended_at: float
    attempts: int
    frames: int
    heartbeat_only: bool = False
    """The light cannot answer (before software 5.6): how long it took is its status interval."""

    @property
    def took_s(self) -> float:
        """From acceptance to the end."""
        return self.ended_at - self.accepted_at


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Verdict)


def device_stream(dev_eui: str) -> str:
    """The name of the stream with one light's verdicts."""
    return f"{FLEET_STREAM}:{dev_eui}"


def encode(verdict: Verdict) -> bytes:
    """As stored: JSON."""
    return _encoder.encode(verdict)


def decode(value: bytes) -> Verdict:
    """From the store. Raises msgspec.MsgspecError for what is not a verdict."""
    return _decoder.decode(value)


def verdict_of(command: Command) -> Verdict | None:
    """The verdict of an ended command, None for an open one."""
    if not command.status.final or command.ended_at is None:
        return None
    transmitted = sum(step.kind is StepKind.TRANSMITTED for step in command.timeline)
    return Verdict(
        dev_eui=command.dev_eui,
        status=command.status,
        accepted_at=command.accepted_at,
        ended_at=command.ended_at,
        attempts=command.attempts,
        frames=max(transmitted, command.attempts),  # an overlong timeline lost some
        heartbeat_only=command.heartbeat_only,
    )


def verdict_writes(command: Command) -> tuple[Append, ...]:
    """The entries for both streams; they belong in the commit that ends the command."""
    verdict = verdict_of(command)
    if verdict is None:
        return ()
    value = encode(verdict)
    return (
        Append(FLEET_STREAM, command.id, verdict.ended_at, value),
        Append(device_stream(command.dev_eui), command.id, verdict.ended_at, value),
    )
