"""What a calibration is asked for, what it would do, and what it found: plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

LIGHTS_MOST = 20
"""Probes that may be asked for of each software revision and gateway."""
PROBES_MOST = 200
"""In one run: half an hour. What is left is said, and may be asked for again."""
PROBE_S = 12.0
"""What a probe takes, roughly: up to 6 s until it may leave, two answers, RX1."""


@dataclass(frozen=True, slots=True)
class CalibrationPolicy:
    """The numbers of the calibration; the settings reach `automatic` (`calibration.*`)."""

    automatic: bool = True
    """Whether a new firmware or forwarder is probed by itself, while nothing waits to be sent:
    five lights, two frames each, with the colour that they show."""
    lights: int = 5
    """Probes for each unknown software revision and gateway: three tell, five bear a lost frame."""
    first_look_s: float = 300.0
    """After the start: until then lights join, are set up, and answer by themselves."""
    look_s: float = 60.0
    """Between two looks for something unknown; each begins one run at most."""
    quiet_s: float = 30.0
    """Nothing was waiting or on its way for so long: the air is free."""
    pauses_s: tuple[float, ...] = (3_600.0, 21_600.0, 86_400.0)
    """After the first, second and third try for one software revision or gateway. There is no
    fifth within `tries_kept_s`: what four runs cannot decide a fifth cannot either."""
    tries_kept_s: float = 30 * 86_400.0
    air_share_most: float = 0.5
    """Of a gateway's hour: where more is used up the rest is for commands."""
    reply_timeout_s: float = 10.0
    """For a light's actor to take the request."""
    probe_most_s: float = 90.0
    """Two frames and their windows; then nothing of it can be on its way any more."""


class Kind(StrEnum):
    """What may be unknown."""

    FIRMWARE = "firmware"
    FORWARDER = "forwarder"


class Need(msgspec.Struct, frozen=True, gc=False):
    """Something unknown. `name` is the software revision times ten, or the gateway's id."""

    kind: Kind
    name: str

    @property
    def key(self) -> str:
        """By which its tries are kept."""
        return f"{self.kind.value}:{self.name}"


class Wish(msgspec.Struct, frozen=True):
    """What somebody wants calibrated. Without lights, revisions and gateways all that is unknown;
    `again` takes in what is known."""

    dev_euis: Sequence[str] = ()
    sw_revs: Sequence[int] = ()
    gateway_ids: Sequence[str] = ()
    lights: int = 5
    again: bool = False


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A light that is to be probed."""

    dev_eui: str
    name: str
    sw_rev: int
    gateway_ids: tuple[str, ...]
    """ChirpStack sends through one of these."""


class Plan(msgspec.Struct, frozen=True):
    """What a run would do. `airtime_s` is what its frames would take in RX2, at most, over all
    gateways; `takes_s` how long it would last, roughly. `left_out` says of what no light can be
    probed now, and why."""

    needs: tuple[Need, ...]
    lights: tuple[Candidate, ...]
    frames: int
    airtime_s: float
    takes_s: float
    left_out: tuple[str, ...] = ()


class Outcome(StrEnum):
    """How one probe ended."""

    MEASURED = "measured"
    """Both frames were answered, the second in its receive window."""
    NOT_BEGUN = "not_begun"
    """Something else was wanted of the light, or it could not be probed."""
    NOT_TAKEN = "not_taken"
    """No gateway took the first frame."""
    UNANSWERED = "unanswered"
    """The light did not answer the first frame: one of the two was lost."""
    NOT_IN_TIME = "not_in_time"
    """The answer came before the second frame was in ChirpStack's queue, or the second left by
    Class C: nothing was timed exactly."""
    SECOND_UNANSWERED = "second_unanswered"
    """The second frame left in the receive window, and was not answered."""
    COMMANDED = "commanded"
    """Somebody commanded the light: that went first."""


class ProbeResult(msgspec.Struct, frozen=True):
    """One probe. `sum_s` is lag and delay of the first frame, `delay_s` the delay alone of the
    second; None where not measured."""

    dev_eui: str
    name: str
    sw_rev: int
    gateway_id: str | None
    outcome: Outcome
    reason: str | None
    sum_s: float | None
    delay_s: float | None
    at: float


class RunState(StrEnum):
    """How far a run has come."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


class CalibrationRun(msgspec.Struct, frozen=True):
    """One run. It lives in memory: after a restart of the service it is over where it stood."""

    id: str
    automatic: bool
    state: RunState
    reason: str | None
    started_at: float
    ended_at: float | None
    total: int
    results: tuple[ProbeResult, ...] = ()


class Unknown(msgspec.Struct, frozen=True):
    """Something unknown, and what the service does about it by itself: `tried` times already, not
    before `next_at`; None where it will not."""

    need: Need
    tried: int
    next_at: float | None
