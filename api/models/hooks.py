"""Hooks as HTTP takes and shows them. `_at` is Unix seconds UTC."""

from typing import Annotated

import msgspec
from pydantic import Field

from actors.board.sight import Sight
from actors.outgoing.model import NAME_MOST, URL_MOST, Hook, Kind, Position, Try
from api.models.requests import Body, DevEui, Query, TableFormat, Time

Name = Annotated[str, Field(min_length=1, max_length=NAME_MOST, pattern=r"^\S(.*\S)?$")]
Url = Annotated[str, Field(min_length=10, max_length=URL_MOST)]
Kinds = Annotated[list[Kind], Field(min_length=1, max_length=len(Kind), strict=False)]
Filters = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=50)]
DevEuis = Annotated[list[DevEui], Field(max_length=1_000)]


class HookRequest(Body):
    """Who is told of what, and where."""

    name: Name
    url: Url = Field(description="Where events are posted to: https, a public address.")
    kinds: Kinds = Field(default=[Kind.VERDICTS], description="What it is told of.")
    applications: Filters = Field(
        default=[], description="Of lights of these applications only, by id or name."
    )
    tags: Filters = Field(
        default=[], description="Of lights with one of these only: `key`, or `key=value`."
    )
    dev_euis: DevEuis = Field(default=[], description="Of these lights only.")
    enabled: bool = True

    @property
    def wanted(self) -> Sight:
        """Of which lights."""
        euis = tuple(dict.fromkeys(one.lower() for one in self.dev_euis))
        return Sight(tuple(self.applications), tuple(self.tags), euis)


class HookPatch(Body):
    """What is changed of a hook; what is left out stays."""

    name: Name | None = None
    url: Url | None = None
    kinds: Kinds | None = None
    applications: Filters | None = None
    tags: Filters | None = None
    dev_euis: DevEuis | None = None
    enabled: bool | None = Field(
        default=None, description="`true` also begins again where the service stopped it."
    )


class ReplayRequest(Body):
    """What is delivered once more."""

    since: Time = Field(description="Everything kept that was told after this (Unix seconds).")


class DeliveriesQuery(Query):
    """How many tries."""

    limit: int = Field(default=50, ge=1, le=100)
    format: TableFormat = None


class StoppedView(msgspec.Struct, frozen=True):
    """That the service stopped a hook by itself."""

    kind: str
    """`dead`: nothing was taken for a day of tries; `gone`: the receiver answered 410."""
    at: float
    why: str


class HookView(msgspec.Struct, frozen=True, kw_only=True):
    """A hook, and how far it was told. The secret is shown once, when it is made."""

    id: str
    name: str
    url: str
    kinds: list[str]
    applications: list[str]
    tags: list[str]
    dev_euis: list[str]
    enabled: bool
    stopped: StoppedView | None
    """None while the service delivers to it, or a person paused it."""
    failing_since: float | None
    """Since then nothing at all was taken."""
    waiting: int
    """Events that are read and not delivered yet, at most 500."""
    delivered: int
    """Since it was made."""
    given_up: int
    """Events that were not taken in a day of tries, while others were."""
    last_ok_at: float | None
    revision: int
    """Counts its changes; the `ETag` of the hook."""
    created_at: float
    changed_at: float
    by: str
    """Who changed it last."""

    @classmethod
    def of(cls, hook: Hook, position: Position, waiting: int) -> "HookView":
        """The view of a hook."""
        stopped = hook.stopped
        return cls(
            id=hook.id,
            name=hook.name,
            url=hook.url,
            kinds=[one.value for one in hook.kinds],
            applications=list(hook.wanted.applications),
            tags=list(hook.wanted.tags),
            dev_euis=list(hook.wanted.dev_euis),
            enabled=hook.enabled,
            stopped=None
            if stopped is None
            else StoppedView(stopped.kind.value, stopped.at, stopped.why),
            failing_since=position.failing_since,
            waiting=waiting,
            delivered=position.delivered,
            given_up=position.given_up,
            last_ok_at=position.last_ok_at,
            revision=hook.revision,
            created_at=hook.created_at,
            changed_at=hook.changed_at,
            by=hook.by,
        )


class HookMade(msgspec.Struct, frozen=True):
    """A hook with its new secret, which is shown this once."""

    hook: HookView
    secret: str
    """By which its deliveries are signed; `whsec_` and a key in base64."""


class HookList(msgspec.Struct, frozen=True):
    """Hooks by name."""

    hooks: list[HookView]


class TryView(msgspec.Struct, frozen=True, kw_only=True):
    """One try to deliver one event."""

    number: int
    at: float
    event_id: str
    type: str
    attempt: int
    """Of this event, since the service's start."""
    status: int | None
    """Of the answer; null where there was none."""
    error: str | None
    """Why it does not count as taken; null where it does."""
    took_s: float
    answer: str
    """How the body of an answer that was no 2xx begins."""

    @classmethod
    def of(cls, line: Try) -> "TryView":
        """The view of a line of the log."""
        return cls(**msgspec.structs.asdict(line))


class TryList(msgspec.Struct, frozen=True):
    """Tries, newest first."""

    deliveries: list[TryView]
