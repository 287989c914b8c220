"""Hooks and the events that they are told: immutable values, as they are stored.

They have no behaviour. `_at` is Unix seconds UTC, unless a field says that it is a place in the
stored order of events.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from actors.board.sight import EVERYTHING, Sight

HOOKS_MOST = 50
NAME_MOST = 100
URL_MOST = 2_000
LOG_MOST = 100
"""Tries that are kept of each hook: some 400 bytes each, 2 MB for all."""


class Kind(StrEnum):
    """What a hook may be told of."""

    VERDICTS = "verdicts"
    """How each command ended."""
    STATES = "states"
    """What each light shows, should show, and how its actor stands; that it was removed."""
    GATEWAYS = "gateways"
    """Gateways that go offline, or come back."""
    ALERTS = "alerts"
    """Alerts that open, are acknowledged, or close."""


class StopKind(StrEnum):
    """Why nothing is delivered any more until a person begins again."""

    DEAD = "dead"
    """Nothing was taken for a day of tries."""
    GONE = "gone"
    """The receiver answered 410: it wants no more."""


class Stopped(msgspec.Struct, frozen=True):
    """That the service stopped a hook by itself, and why."""

    kind: StopKind
    at: float
    why: str


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told of what, and where. `revision` counts its changes, from 1."""

    id: str
    name: str
    url: str
    kinds: tuple[Kind, ...]
    secret: str
    """`whsec_` and the key in base64."""
    secret_before: str = ""
    """Signs, too, until `before_until`: so a receiver has time to learn the new one."""
    before_until: float = 0.0
    wanted: Sight = EVERYTHING
    """Of which lights, as its maker asked."""
    sight: Sight = EVERYTHING
    """Which lights its maker may see."""
    enabled: bool = True
    stopped: Stopped | None = None
    start: float = 0.0
    """The place in the order of events after which it is told."""
    revision: int = 1
    created_at: float
    changed_at: float
    by: str = ""
    """Who changed it last; empty where the caller has no name."""

    def __repr__(self) -> str:
        """Without its secrets and its address: a message that crashes an actor is shown."""
        return f"Hook(id={self.id!r}, name={self.name!r}, revision={self.revision})"

    @property
    def runs(self) -> bool:
        """Whether it is delivered to."""
        return self.enabled and self.stopped is None


class LightRef(msgspec.Struct, frozen=True, gc=False):
    """A light as it was when an event was told: by this a hook's filter decides."""

    dev_eui: str
    application_id: str = ""
    application_name: str = ""
    tags: Mapping[str, str] = {}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that hooks are told, as it is stored. Its id is that of its entry."""

    kind: Kind
    type: str
    """`command.ended`, say: the `type` of the body."""
    key: str
    """What it is about: events of one key are delivered in order."""
    at: float
    """When it happened."""
    light: LightRef | None = None
    gateway_id: str | None = None
    data: msgspec.Raw
    """JSON: the `data` of the body."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Up to where a hook was delivered to."""

    read_to: float = 0.0
    """The place in the order of events up to which all were dealt with, but for those `open`."""
    open: tuple[float, ...] = ()
    """Places up to there of events that are still to be delivered."""
    failing: Mapping[str, float] = {}
    """Events that were tried and not taken yet, and for how many seconds."""
    failing_s: float = 0.0
    """For how long nothing at all was taken, while it was tried."""
    failing_since: float | None = None
    delivered: int = 0
    given_up: int = 0
    """Events that were not taken in a day of tries, while others were."""
    last_ok_at: float | None = None
    tries: int = 0
    """Counts the lines of its log."""


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One try to deliver one event: a line of a hook's log."""

    number: int
    at: float
    event_id: str
    type: str
    attempt: int
    status: int | None
    """Of the answer; None where there was none."""
    error: str | None
    """Why it does not count as taken; None where it does."""
    took_s: float
    answer: str = ""
    """How the body of an answer that was no 2xx begins."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the collector knows at a restart."""

    kinds: tuple[Kind, ...] = ()
    """What was collected."""
    mark: float = 0.0
    """Up to this date the stored verdicts were looked through."""
    verdicts_from: float = 0.0
    """Verdicts before this date are of before anybody asked."""
