"""What is measured of firmware and forwarders, and what a calibration does, as HTTP shows it."""

from collections.abc import Callable

import msgspec

from actors.calibration import planning
from actors.calibration.calibrator import Calibrator
from actors.calibration.model import CalibrationRun, Candidate, Kind, Need, Plan
from actors.link.forwarders import FirmwareFacts, ForwarderFacts
from actors.link.lag import Basis


class CalibrationSubject(msgspec.Struct, frozen=True):
    """Something that may be unknown."""

    kind: Kind
    name: str
    """The software revision times ten, or the gateway's id."""
    words: str

    @classmethod
    def of(cls, need: Need) -> "CalibrationSubject":
        """The view of a need."""
        return cls(need.kind, need.name, planning.words(need))


class CalibrationPlan(msgspec.Struct, frozen=True):
    """What a run would do, and what it would cost."""

    subjects: list[CalibrationSubject]
    """What it is for; empty where lights are named."""
    lights: list[Candidate]
    """In the order in which they are probed; one may come again where there are few."""
    frames: int
    airtime_s: float
    """What the frames take in RX2 at most, over all gateways."""
    takes_s: float
    """How long it lasts, roughly."""
    left_out: list[str]
    """What is not probed, and why."""

    @classmethod
    def of(cls, plan: Plan) -> "CalibrationPlan":
        """The view of a plan."""
        return cls(
            [CalibrationSubject.of(need) for need in plan.needs],
            list(plan.lights),
            plan.frames,
            plan.airtime_s,
            plan.takes_s,
            list(plan.left_out),
        )


class UnknownSubject(CalibrationSubject, frozen=True):
    """Something unknown, and what the service does about it by itself."""

    tried: int = 0
    next_at: float | None = None
    """Not before this it tries by itself (perhaps past); null where it does not."""


class SoftwareKnown(msgspec.Struct, frozen=True):
    """How soon lights of one software revision answer, the forwarder's lag not within."""

    sw_rev: int
    samples: int
    delay_s: float | None
    """Median; null below three samples."""
    least_s: float | None
    most_s: float | None
    at_most: bool
    """They may answer sooner: they spoke the moment their receive windows closed."""

    @classmethod
    def of(cls, facts: FirmwareFacts) -> "SoftwareKnown":
        """The view of what is known."""
        delay = facts.delay
        if delay is None:
            return cls(facts.sw_rev, facts.samples, None, None, None, at_most=False)
        return cls(
            facts.sw_rev,
            facts.samples,
            delay.median_s,
            delay.least_s,
            delay.most_s,
            at_most=delay.at_most,
        )


class ForwarderKnown(msgspec.Struct, frozen=True):
    """What one gateway's forwarder does."""

    gateway_id: str
    name: str
    lag_s: float | None
    """From its acknowledgement to the air; null while unknown."""
    basis: Basis | None
    """What that rests on."""
    basics_station: bool | None
    """Whether it acknowledges from the air, as Basics Station alone does; null while unknown."""
    answers: int
    """Answers that this rests on."""
    order_to_txack_s: list[float] | None
    """From an order to its acknowledgement: 10th and 90th percentile; null below ten."""
    slow_tick: bool
    """Whether they lie so far apart that ChirpStack's scheduler runs once a second."""

    @classmethod
    def of(cls, facts: ForwarderFacts, name: str) -> "ForwarderKnown":
        """The view of what is known."""
        return cls(
            facts.gateway_id,
            name,
            None if facts.lag is None else facts.lag.lag_s,
            None if facts.lag is None else facts.lag.basis,
            facts.basics_station,
            facts.answers,
            None if facts.order_to_txack_s is None else list(facts.order_to_txack_s),
            facts.slow_tick,
        )


class CalibrationView(msgspec.Struct, frozen=True):
    """All that is measured, what is not, and the newest run."""

    automatic: bool
    """Whether the service probes by itself what is unknown (`calibration.automatic`)."""
    run: CalibrationRun | None
    """The newest since the start of the service."""
    unknown: list[UnknownSubject]
    software: list[SoftwareKnown]
    gateways: list[ForwarderKnown]

    @classmethod
    def of(cls, calibrator: Calibrator, name_of: Callable[[str], str]) -> "CalibrationView":
        """The view of a calibrator."""
        known = calibrator.forwarders
        return cls(
            automatic=calibrator.policy.automatic,
            run=calibrator.run_now,
            unknown=[
                UnknownSubject(
                    one.need.kind, one.need.name, planning.words(one.need), one.tried, one.next_at
                )
                for one in calibrator.unknown()
            ],
            software=[SoftwareKnown.of(facts) for facts in known.revisions()],
            gateways=[
                ForwarderKnown.of(facts, name_of(facts.gateway_id)) for facts in known.gateways()
            ],
        )
