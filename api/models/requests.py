"""What callers send: bodies and query strings, with their bounds.

Bodies are strict (a JSON number is a number), unknown fields are mistakes, and every mistake is
reported, not only the first.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from actors.board.reachability import Reach
from actors.device.model import Phase
from actors.storage.audit import Act
from actors.storage.event_lines import LineKind
from lorawan.kuando.light_state import LightState

Byte = Annotated[int, Field(ge=0, le=255)]


def _seconds(value: object) -> object:
    """A time in a query string: Unix seconds, or RFC 3339 with its offset."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return datetime.fromisoformat(value)
    return value


def _timestamp(value: object) -> object:
    moment = _seconds(value)
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError("a time needs its offset, as in 2025-01-31T12:00:00Z")
        return moment.timestamp()
    return moment


Time = Annotated[
    float,
    BeforeValidator(_timestamp, json_schema_input_type=float | AwareDatetime),
    Field(ge=0, le=1e11, allow_inf_nan=False),
]


class Body(BaseModel):
    """A JSON body."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Query(BaseModel):
    """A query string. A parameter given twice is a mistake unless it is one of `lists`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    lists: ClassVar[frozenset[str]] = frozenset()


def _byte_or(default: int, description: str) -> Any:
    """A byte that may be left out, which is not the same as its default; null is a mistake."""
    return Field(default=None, description=description, json_schema_extra={"default": default})


def _other_name(description: str) -> Any:
    """A byte under an older name. Its default is not described: clients that are generated send
    what is, and would give both names."""
    return Field(default=None, description=description, json_schema_extra=_older)


def _older(schema: dict[str, Any]) -> None:
    schema.pop("default", None)
    schema["deprecated"] = True


def _given(short: int | None, long: int | None, default: int) -> int:
    return next(value for value in (short, long, default) if value is not None)


class ColourRequest(Body):
    """The colour to show, and for how long it is pursued."""

    red: Byte
    green: Byte
    blue: Byte
    on: Byte = _byte_or(255, "Blink time lit, as the device takes it.")
    off: Byte = _byte_or(0, "Blink time dark; 0 is steady.")
    keep: bool = Field(
        default=True, description="Bring the light back to this after it drifted, as by a rejoin."
    )
    ttl_s: float | None = Field(
        default=None,
        gt=0,
        le=7 * 86_400,
        allow_inf_nan=False,
        description="How long it is pursued; by default 24 h.",
    )

    on_time: Byte = _other_name("Another name of `on`: give one of the two.")
    off_time: Byte = _other_name("Another name of `off`: give one of the two.")

    @field_validator("on_time", "off_time")
    @classmethod
    def _one_name_only(cls, value: int, info: ValidationInfo) -> int:
        short = str(info.field_name).removesuffix("_time")
        if info.data.get(short, value) is not None:  # given, and good or not
            raise ValueError(f"is another name of {short}: give one of the two")
        return value

    @property
    def light(self) -> LightState:
        """What the light should show."""
        on, off = _given(self.on, self.on_time, 255), _given(self.off, self.off_time, 0)
        return LightState(red=self.red, green=self.green, blue=self.blue, on=on, off=off)

    def canonical_json(self) -> bytes:
        """The same bytes for the same order, by whichever name its blink times came."""
        light = self.light
        canonical = self.model_copy(update={"on": light.on, "off": light.off})
        return canonical.model_dump_json(exclude={"on_time", "off_time"}).encode()


class DownlinkRequest(ColourRequest):
    """The colour to show, and how to wait for it."""

    wait_for_verification: bool = Field(
        default=True, description="False answers 202 as soon as the command is stored."
    )
    timeout_s: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="How long to wait; by default 120 s, at most 180 s (both are settings).",
    )


class Filters(BaseModel):
    """What lights are chosen by, in a query string as in a body."""

    phase: list[Phase] | None = None
    reachability: list[Reach] | None = Field(
        default=None, description="How they can be reached now."
    )
    gateway: str | None = Field(default=None, description="Heard by this gateway.")
    application: str | None = Field(default=None, description="Id or name of the application.")
    tag: str | None = Field(default=None, description="`key`, or `key=value`.")
    search: str | None = Field(
        default=None, min_length=1, max_length=100, description="Part of the DevEUI or the name."
    )
    as_wanted: bool | None = Field(
        default=None, description="Lights that show what is wanted, or that do not as far as known."
    )


class LightFilter(Filters, Body):
    """Which lights, as in the list of lights; the filters are combined."""


DevEui = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{16}$")]
Pace = Annotated[float, Field(gt=0, le=6_000, allow_inf_nan=False)]
FailuresMost = Annotated[int, Field(ge=0, le=50_000)]


class RolloutRequest(ColourRequest):
    """One colour for many lights: for `dev_euis`, or for those that `filter` finds now."""

    dev_euis: list[DevEui] | None = Field(default=None, min_length=1, max_length=50_000)
    filter: LightFilter | None = None
    name: str = Field(default="", max_length=100)
    pace_per_min: Pace = Field(default=30.0, description="Lights commanded in a minute at most.")
    failures_most: FailuresMost = Field(
        default=5, description="More failed lights than this stop it; 0 stops at the first."
    )

    @model_validator(mode="after")
    def _names_its_lights(self) -> "RolloutRequest":
        if (self.dev_euis is None) is (self.filter is None):
            raise ValueError("name the lights by either dev_euis or filter")
        return self


class RolloutAgain(Body):
    """How the lights are tried again; what is left out is as it was the first time."""

    pace_per_min: Pace | None = None
    failures_most: FailuresMost | None = None


class RolloutChange(Body):
    """What to change; anything left out stays."""

    state: Literal["paused", "running", "cancelled"] | None = None
    pace_per_min: Pace | None = None
    failures_most: FailuresMost | None = None


class InitializeRequest(Body):
    """How to initialise."""

    force: bool = Field(
        default=False, description="Also where this session has its settings already."
    )


class CalibrationRequest(Body):
    """What to probe. Without lights, software and gateways: all that is unknown."""

    dev_euis: list[DevEui] = Field(
        default=[], max_length=200, description="Probe these lights, and nothing else."
    )
    sw_revs: list[Annotated[int, Field(ge=0, le=255)]] = Field(
        default=[], max_length=32, description="Software revisions times ten, known or not."
    )
    gateway_ids: list[DevEui] = Field(
        default=[], max_length=200, description="Gateways, known or not."
    )
    lights: int = Field(
        default=5, ge=1, le=20, description="Probes for each software revision and gateway."
    )
    again: bool = Field(default=False, description="Also what is known already.")

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> "CalibrationRequest":
        if self.dev_euis and (self.sw_revs or self.gateway_ids or self.again):
            raise ValueError("name lights, or what to find out, not both")
        return self


class DeviceQuery(Filters, Query):
    """Which lights to list. Several values of `phase` or `reachability` are alternatives."""

    lists: ClassVar[frozenset[str]] = frozenset({"phase", "reachability"})

    limit: int = Field(default=100, ge=1, le=1_000)
    offset: int = Field(default=0, ge=0, le=1_000_000)


TableFormat = Annotated[
    Literal["json", "csv"] | None,
    Field(description="Of the answer; without it `Accept` decides, and JSON where that is open."),
]
LinesFormat = Annotated[
    Literal["json", "csv", "jsonl"] | None,
    Field(description="Of the answer; without it `Accept` decides, and JSON where that is open."),
]


class TableQuery(Query):
    """In which form."""

    format: TableFormat = None


class DeviceListQuery(DeviceQuery):
    """Which lights to list. Several values of `phase` or `reachability` are alternatives."""

    format: TableFormat = None


class RiskQuery(DeviceQuery):
    """Which lights to list. Several values of `phase` or `reachability` are alternatives."""

    warned: bool | None = Field(
        default=None, description="Lights of which a rule warns, or of which none does."
    )
    format: TableFormat = None


class HistoryQuery(Query):
    """Which part of the history: since <= at < until. Times as Unix seconds or RFC 3339."""

    lists: ClassVar[frozenset[str]] = frozenset({"kind"})

    since: Time | None = Field(default=None, description="By default 24 h before `until`.")
    until: Time | None = Field(default=None, description="By default now.")
    kind: list[LineKind] | None = Field(
        default=None, description="Only lines of this kind; several are alternatives."
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="By default 200, as JSON at most 1000; as a table by default 10000.",
    )
    format: LinesFormat = None


class AuditQuery(Query):
    """Which entries of the audit: since <= at < until. Times as Unix seconds or RFC 3339."""

    by: str | None = Field(
        default=None, max_length=100, description="Who: the name of a token or of a person."
    )
    what: Act | None = Field(default=None, description="What was done.")
    on: str | None = Field(
        default=None,
        max_length=200,
        description="What it was done to: a DevEUI, or the id of a rollout, an alert and so on.",
    )
    since: Time | None = Field(default=None, description="By default everything that is kept.")
    until: Time | None = Field(default=None, description="By default now.")
    limit: int = Field(default=100, ge=1, le=1_000)
    format: LinesFormat = None


class ReliabilityQuery(Query):
    """Over how long."""

    hours: float = Field(default=24.0, gt=0, le=8_760, allow_inf_nan=False)
    format: TableFormat = None


class MetricsQuery(ReliabilityQuery):
    """Over how long."""


class WithdrawQuery(Query):
    """What is wanted of the light after."""

    keep: Literal["before", "nothing"] = Field(
        default="before",
        description="`before`: what was wanted before the command. `nothing`: ask nothing of it.",
    )


class CommandsQuery(Query):
    """How many."""

    limit: int = Field(default=20, ge=1, le=100)
    format: TableFormat = None


class SignalQuery(Query):
    """Over how long."""

    hours: float = Field(default=24.0, gt=0, le=168, allow_inf_nan=False)
    format: TableFormat = None


class OutageQuery(Query):
    """Over how long: as long as the store keeps it."""

    days: float = Field(default=7.0, gt=0, le=7, allow_inf_nan=False)
    format: TableFormat = None


class Acknowledgement(Body):
    """Who knows of it."""

    by: str | None = Field(default=None, min_length=1, max_length=100)


class RestoredStoreDecision(Body):
    """What becomes of what was wanted before a restore."""

    decision: Literal["resume", "keep_shown"]


class AlertQuery(Query):
    """Which alerts."""

    open: bool | None = None
    kind: str | None = None
    limit: int = Field(default=100, ge=1, le=1_000)
    format: TableFormat = None


class SupervisorQuery(Query):
    """How much of the tree."""

    children: int = Field(default=50, ge=0, le=1_000, description="Shown at every level at most.")
    dead_letters: int = Field(default=50, ge=0, le=1_000)
