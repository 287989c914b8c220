"""What the planner wants done, and what comes back: the values between planner and dispatcher.

A call answers exactly once, with one of the outcomes below, and carries the `stamp` by which the
planner knows what it belonged to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from actors.device.events import (
    AttemptHeld,
    AttemptNotSent,
    AttemptQueued,
    AttemptRefused,
    AttemptTransmitted,
    AttemptWaits,
    Inquired,
    ItemDropped,
    Transmitted,
)
from lorawan.network import Activation, DeviceState, QueueItem

AttemptNews = (
    AttemptHeld
    | AttemptWaits
    | AttemptQueued
    | AttemptTransmitted
    | AttemptNotSent
    | AttemptRefused
)
"""What becomes of an attempt."""
News = AttemptNews | Transmitted | ItemDropped | Inquired
"""That, and what ChirpStack told of frames: by itself, or asked."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Post this to the light's actor."""

    dev_eui: str
    news: News


@dataclass(frozen=True, slots=True)
class Look:
    """Read the activation, then the queue, then how the device is configured; `twice` reads the
    activation once more after the queue."""

    dev_eui: str
    stamp: int
    twice: bool


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Put this into ChirpStack's queue."""

    dev_eui: str
    stamp: int
    data: bytes
    expires_at: float


Action = Tell | Look | Enqueue


@dataclass(frozen=True, slots=True)
class Looked:
    """`before` was read before the queue, `after` after it (the same unless asked `twice`)."""

    before: Activation | None
    queue: Sequence[QueueItem]
    after: Activation | None
    device: DeviceState | None = None
    """How the device is configured; None where it was not asked."""


@dataclass(frozen=True, slots=True)
class Enqueued:
    """ChirpStack took it."""

    item_id: str


class Failure(Enum):
    """Why a call failed, by what follows from it."""

    UNAVAILABLE = "unavailable"  # nobody there; no effect
    TIMEOUT = "timeout"  # nobody answered; effect unknown
    INTERMEDIARY = "intermediary"  # something else answered in its place; effect unknown
    FAULT = "fault"  # the server is ill; effect unknown
    REFUSED = "refused"  # the API key is wrong
    FORBIDDEN = "forbidden"  # the key has no right to this
    UNKNOWN = "unknown"  # the device is gone
    INVALID = "invalid"  # the request can never work


@dataclass(frozen=True, slots=True)
class CallFailed:
    """The call did not do what it should; `text` in the server's words."""

    failure: Failure
    text: str


Outcome = Looked | Enqueued | CallFailed
