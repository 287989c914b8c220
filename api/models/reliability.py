"""How well lights are heard and commands succeed, in figures for a person to look at."""

import msgspec

from actors.metrics.reliability import Bucket, Reliability, WorstLight
from actors.storage.signal_history import SignalPoint


class SignalView(msgspec.Struct, frozen=True):
    """Every gateway that heard each uplink of a light, oldest first."""

    dev_eui: str
    hours: float
    complete: bool
    """False: there were more points before these."""
    points: list[SignalPoint]


class WorstLightView(msgspec.Struct, frozen=True):
    """A light whose commands have trouble."""

    dev_eui: str
    name: str
    commands: int
    verified: int
    failed: int
    """Expired or rejected."""
    attempts_per_success: float | None
    time_to_verify_p95_s: float | None
    """Null of fewer than 20 verified commands: so few cannot carry it."""
    time_to_verify_most_s: float | None
    """The slowest verified one."""
    why: str
    """For a person to read."""

    @classmethod
    def of(cls, light: WorstLight, name: str) -> "WorstLightView":
        """The view of a light."""
        return cls(name=name, **msgspec.structs.asdict(light))


class ReliabilityView(msgspec.Struct, frozen=True):
    """Of the commands that ended in this time: spread of times and attempts, the worst lights."""

    hours: float
    commands: int
    verified: int
    time_to_verify_s: list[Bucket]
    """Of verified commands, from acceptance to proof, in seconds."""
    attempts_per_success: list[Bucket]
    """Frames that a verified command needed."""
    worst: list[WorstLightView]
    """At most 20, the worst first; lights without trouble are not among them."""

    @classmethod
    def of(cls, figures: Reliability, names: dict[str, str]) -> "ReliabilityView":
        """The view of the figures; `names` by DevEUI."""
        return cls(
            hours=figures.hours,
            commands=figures.commands,
            verified=figures.verified,
            time_to_verify_s=figures.time_to_verify,
            attempts_per_success=figures.attempts_per_success,
            worst=[
                WorstLightView.of(light, names.get(light.dev_eui, "")) for light in figures.worst
            ],
        )
