"""What a message on a light's `set` topic asks for, or every mistake in it. Pure.

Two spellings are taken: that of Home Assistant's JSON lights (`state`, `color`, `brightness`,
`effect`) and that of our own HTTP API (`red`, `green`, `blue`, `on`, `off`). Both may have `keep`,
`ttl_s` and an `id`, which comes back with the result.
"""

from typing import Annotated, Literal, NamedTuple

import pydantic
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.models.requests import Byte, ColourRequest
from api.mqtt.colours import EFFECTS, FULL, STEADY, WHITE, Colour, bytes_of, colour_of, dark
from api.validation import Mistake, mistakes_of, repeated_keys
from lorawan.kuando.light_state import LightState

ORDER_BYTES_MOST = 4_096
"""The longest order that makes sense is 300 bytes."""
_HINTS = {
    "flash": "is not supported: give the effect blink",
    "color_temp": "is not supported: give color with r, g and b",
    "white": "is not supported: give color with r, g and b",
}


class Known(NamedTuple):
    """What is known of the light when an order comes, which may ask for a part of it only."""

    pending: LightState | None = None
    """What an open command wants: orders that come one by one add up."""
    shown: LightState | None = None
    wanted: LightState | None = None
    last: LightState | None = None
    """The last that was ordered and was not dark."""

    @property
    def any_lit(self) -> bool:
        """Whether one of these is not dark."""
        known = (self.pending, self.shown, self.wanted, self.last)
        return any(one is not None and not dark(one) for one in known)

    def lit(self) -> LightState:
        """What `on` alone brings back: the first of these that is not dark, else white."""
        known = (self.pending, self.shown, self.wanted, self.last)
        found = next((one for one in known if one is not None and not dark(one)), None)
        return found or LightState(*WHITE)

    def chosen_brightness(self) -> int:
        """That of the newest order that was not dark: the dim green after a join is nobody's."""
        for one in (self.pending, self.wanted, self.last):
            if one is not None and not dark(one):
                return colour_of(one).brightness
        return FULL


class Order(NamedTuple):
    """What is asked for. `id` is the sender's own; `ignored` names what could not be followed."""

    light: LightState
    keep: bool = True
    ttl_s: float | None = None
    id: str = ""
    ignored: tuple[str, ...] = ()


class WrongOrder(ValueError):
    """The message is no order; `mistakes` says why, `id` is the sender's where it could be read."""

    def __init__(self, mistakes: list[Mistake], id: str = "") -> None:  # noqa: A002 as in Order
        super().__init__("; ".join(f"{one.field} {one.problem}".strip() for one in mistakes))
        self.mistakes = mistakes
        self.id = id


SenderId = Annotated[str, Field(max_length=100)]


class _Colour(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    r: Byte
    g: Byte
    b: Byte


class _OwnOrder(ColourRequest):
    id: SenderId = ""


def _effect(name: str) -> str:
    if name not in EFFECTS:
        raise ValueError(f"must be one of {', '.join(EFFECTS)}")
    return name


class _HomeAssistantOrder(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    state: Literal["ON", "OFF"] = "ON"
    color: _Colour | None = None
    brightness: Byte | None = None
    effect: Annotated[str, AfterValidator(_effect)] | None = None
    transition: float | None = None
    keep: bool = True
    ttl_s: float | None = Field(default=None, gt=0, le=7 * 86_400, allow_inf_nan=False)
    id: SenderId = ""


def read_order(payload: bytes, known: Known) -> Order:
    """The order in a message for a light of which this is known. Raises WrongOrder."""
    if len(payload) > ORDER_BYTES_MOST:
        raise WrongOrder([Mistake("", f"the order is longer than {ORDER_BYTES_MOST} bytes")])
    members = _members(payload)
    sender = members.get("id")
    sender_id = sender[:100] if isinstance(sender, str) else ""
    if twice := repeated_keys(payload):
        raise WrongOrder(twice, sender_id)
    own = not ({"state", "color", "brightness", "effect"} & members.keys())
    if own and not ({"red", "green", "blue"} & members.keys()):
        both = "an order has red, green and blue, or state, color, brightness and effect"
        raise WrongOrder([Mistake("", both)], sender_id)
    try:
        if own:
            order = _OwnOrder.model_validate(members)
            return Order(order.light, order.keep, order.ttl_s, order.id)
        return _merged(_HomeAssistantOrder.model_validate(members), known)
    except pydantic.ValidationError as error:
        found = [
            Mistake(one.field, _HINTS.get(one.field, one.problem)) for one in mistakes_of(error)
        ]
        raise WrongOrder(found, sender_id) from None


def _members(payload: bytes) -> dict[str, object]:
    try:
        value = pydantic.TypeAdapter(object).validate_json(payload)
    except (pydantic.ValidationError, RecursionError):
        raise WrongOrder([Mistake("", "the order is not valid JSON")]) from None
    if not isinstance(value, dict):
        raise WrongOrder([Mistake("", "the order must be a JSON object")])
    return value


def _merged(order: _HomeAssistantOrder, known: Known) -> Order:
    """What it names, over what is known: on alone brings the last colour back."""
    ignored = ("transition",) if order.transition else ()
    if order.state == "OFF" or order.brightness == 0:
        black = LightState(0, 0, 0, *STEADY)
        return Order(black, order.keep, order.ttl_s, order.id, ignored)
    base = known.lit()
    colour = colour_of(base)
    if order.color is not None:
        colour = Colour(order.color.r, order.color.g, order.color.b, known.chosen_brightness())
    if order.brightness is not None:
        colour = colour._replace(brightness=order.brightness)
    lit, unlit = (base.on, base.off) if order.effect is None else EFFECTS[order.effect]
    light = LightState(*bytes_of(colour), lit, unlit)
    return Order(light, order.keep, order.ttl_s, order.id, ignored)
