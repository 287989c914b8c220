"""Floor plans as HTTP shows and takes them."""

from typing import Annotated

import msgspec
from pydantic import Field

from actors.board.plan import PlanHead
from actors.plans.model import NAME_MOST, PLACES_MOST, Plan, Spot
from api.models.requests import Body, DevEui

Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
PlaceSent = Annotated[
    tuple[Share, Share] | None,
    Field(description="Shares of the picture's width and height from its upper left; null: off."),
]
Name = Annotated[str, Field(min_length=1, max_length=NAME_MOST)]
Order = Annotated[int, Field(ge=0, le=1_000_000)]


class PlanCreate(Body):
    """A new plan, without a picture as yet."""

    name: Name
    order: Order | None = Field(default=None, description="Left out: behind all others.")


class PlanChange(Body):
    """What to change; anything left out stays."""

    name: Name | None = None
    order: Order | None = None
    lights: dict[DevEui, PlaceSent] = Field(
        default={}, max_length=PLACES_MOST, description="By DevEUI."
    )
    gateways: dict[DevEui, PlaceSent] = Field(
        default={}, max_length=PLACES_MOST, description="By gateway id."
    )


class PlanList(msgspec.Struct, frozen=True):
    """The plans in their order."""

    plans: list[PlanHead]


class PlanDetail(PlanHead, frozen=True, kw_only=True):
    """A plan with its places: shares of width and height from the upper left corner."""

    lights: dict[str, Spot]
    """By DevEUI; also of lights that are known no longer."""
    gateways: dict[str, Spot]
    """By gateway id."""

    @classmethod
    def of(cls, plan: Plan, lights: dict[str, Spot]) -> "PlanDetail":
        """The view of a plan, with these of its lights."""
        shown = {name: getattr(plan, name) for name in PlanHead.__struct_fields__}
        return cls(**shown, lights=lights, gateways=plan.gateways)


class PictureTaken(msgspec.Struct, frozen=True):
    """The plan with its new picture."""

    plan: PlanHead
    left_out: list[str]
    """What of a drawing was not taken, being able to do more than to be looked at."""


class UploadView(msgspec.Struct, frozen=True):
    """So much of a file came."""

    received_bytes: int
    """The next part begins here."""
    total_bytes: int


class PlansTaken(msgspec.Struct, frozen=True):
    """What an import did."""

    added: list[str]
    """Ids of plans that are new."""
    replaced: list[str]
    """Ids of plans that were there."""
