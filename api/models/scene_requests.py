"""What callers send about scenes and schedules, with its bounds."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from actors.scenes.calendar import BadCalendar, check, zone_of
from actors.scenes.model import NAME_MOST, PARTS_MOST, Part
from api.models.requests import Body, Byte, DevEui, FailuresMost, LightFilter, Pace
from lorawan.kuando.light_state import LightState

Name = Annotated[str, Field(min_length=1, max_length=NAME_MOST, pattern=r"^\S(.*\S)?$")]


class LightBody(Body):
    """A colour and its blinking."""

    red: Byte
    green: Byte
    blue: Byte
    on: Byte = 255
    off: Byte = 0

    @property
    def light(self) -> LightState:
        """As the light has it."""
        return LightState(self.red, self.green, self.blue, self.on, self.off)


class PartBody(Body):
    """One colour, and which lights get it."""

    light: LightBody
    dev_euis: list[DevEui] = Field(default=[], max_length=50_000, description="These lights.")
    tag: str | None = Field(
        default=None, max_length=200, description="Lights with this `key`, or `key=value`."
    )
    application: str | None = Field(
        default=None, max_length=200, description="Lights of this application, by id or name."
    )
    everything: bool = Field(default=False, description="All lights.")

    @model_validator(mode="after")
    def _names_its_lights(self) -> "PartBody":
        wide = self.tag is not None or self.application is not None
        if [bool(self.dev_euis), wide, self.everything].count(True) != 1:
            raise ValueError("name lights by dev_euis, or by tag and application, or everything")
        return self

    @property
    def part(self) -> Part:
        """As it is kept."""
        dev_euis = tuple(dict.fromkeys(one.lower() for one in self.dev_euis))
        return Part(self.light.light, dev_euis, self.tag, self.application, self.everything)


class SceneRequest(Body):
    """A scene, by its parts or made from what lights should show, or show, now."""

    name: Name
    parts: list[PartBody] | None = Field(default=None, min_length=1, max_length=PARTS_MOST)
    made_from: Literal["wanted", "shown"] | None = Field(
        default=None, description="Make it from what the lights should show, or do show, now."
    )
    dev_euis: list[DevEui] | None = Field(
        default=None, min_length=1, max_length=50_000, description="With `made_from`: of these."
    )
    filter: LightFilter | None = Field(
        default=None, description="With `made_from`: of those that it finds; else of all."
    )
    keep: bool = Field(default=True, description="Bring lights back that drifted.")

    @model_validator(mode="after")
    def _one_way(self) -> "SceneRequest":
        if (self.parts is None) is (self.made_from is None):
            raise ValueError("give either parts or made_from")
        if self.parts is not None and (self.dev_euis is not None or self.filter is not None):
            raise ValueError("dev_euis and filter go with made_from")
        if self.dev_euis is not None and self.filter is not None:
            raise ValueError("name the lights by either dev_euis or filter")
        named = [one.lower() for part in self.parts or () for one in set(part.dev_euis)]
        if len(named) != len(set(named)):
            raise ValueError("a light is named by two parts")
        return self


class SceneApply(Body):
    """How a scene is applied."""

    pace_per_min: Pace = Field(default=30.0, description="Lights commanded in a minute at most.")
    failures_most: FailuresMost = Field(
        default=5, description="More failed lights than this stop it; 0 stops at the first."
    )


class ScheduleRequest(Body):
    """When to apply a scene, or one colour to some lights."""

    name: Name
    cron: str = Field(
        max_length=100, description="Minute, hour, day of the month, month, day of the week."
    )
    time_zone: str | None = Field(
        default=None, max_length=64, description="IANA name; by default the site's."
    )
    scene: str | None = Field(
        default=None, min_length=1, max_length=NAME_MOST, description="Its id or name."
    )
    part: PartBody | None = None
    keep: bool = Field(default=True, description="Of `part`; a scene has its own.")
    pace_per_min: Pace = 30.0
    failures_most: FailuresMost = 5
    late_most_s: float = Field(
        default=3_600.0,
        ge=60.0,
        le=43_200.0,
        allow_inf_nan=False,
        description="A time that was missed for longer is told, and not applied.",
    )
    enabled: bool = True

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                zone_of(value)
            except BadCalendar as error:
                raise ValueError(str(error)) from None
        return value

    @field_validator("cron")
    @classmethod
    def _is_due_sometime(cls, value: str) -> str:
        try:
            check(value, "UTC")
        except BadCalendar as error:
            raise ValueError(str(error)) from None
        return " ".join(value.split())

    @model_validator(mode="after")
    def _applies_one_thing(self) -> "ScheduleRequest":
        if (self.scene is None) is (self.part is None):
            raise ValueError("give either scene or part")
        return self
