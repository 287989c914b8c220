"""How well lights are heard and commands succeed, in figures for a person to look at."""

import msgspec

from actors.service_api import Bucket, Reliability, SignalPoint, WorstLight


class SignalPointView(msgspec.Struct, frozen=True, gc=False):
    """How one gateway heard one uplink."""

    at: float
    gateway_id: str
    rssi_dbm: int
    snr_db: float
    f_cnt: int

    @classmethod
    def of(cls, point: SignalPoint) -> "SignalPointView":
        """The view of a point."""
        return cls(point.at, point.gateway_id, point.rssi_dbm, point.snr_db, point.f_cnt)


class SignalView(msgspec.Struct, frozen=True):
    """Every gateway that heard each uplink of a light, oldest first."""

    dev_eui: str
    hours: float
    complete: bool
    """False: there were more points before these."""
    points: list[SignalPointView]


class BucketView(msgspec.Struct, frozen=True):
    """How many values are at most `most` (null: any) and in no bucket before."""

    most: float | None
    count: int

    @classmethod
    def of(cls, bucket: Bucket) -> "BucketView":
        """The view of a bucket."""
        return cls(bucket.most, bucket.count)


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
    """In words."""

    @classmethod
    def of(cls, light: WorstLight, name: str) -> "WorstLightView":
        """The view of a light."""
        return cls(
            dev_eui=light.dev_eui,
            name=name,
            commands=light.commands,
            verified=light.verified,
            failed=light.failed,
            attempts_per_success=light.attempts_per_success,
            time_to_verify_p95_s=light.time_to_verify_p95_s,
            time_to_verify_most_s=light.time_to_verify_most_s,
            why=light.why,
        )


class ReliabilityView(msgspec.Struct, frozen=True):
    """Of the commands that ended in this time: spread of times and attempts, the worst lights."""

    hours: float
    commands: int
    verified: int
    time_to_verify_s: list[BucketView]
    """Of verified commands, from acceptance to proof, in seconds."""
    attempts_per_success: list[BucketView]
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
            time_to_verify_s=[BucketView.of(one) for one in figures.time_to_verify],
            attempts_per_success=[BucketView.of(one) for one in figures.attempts_per_success],
            worst=[
                WorstLightView.of(light, names.get(light.dev_eui, "")) for light in figures.worst
            ],
        )
