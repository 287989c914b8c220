"""What a floor plan is, what may be asked of it, and how much there may be of everything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import msgspec

from actors.board.plan import Picture, PlanHead

PLANS_MOST = 50
PLACES_MOST = 5_000
"""Lights and gateways on one plan; 40 bytes each in its record, 200 kB at most."""
PICTURE_BYTES_MOST = 4 * 1024 * 1024
"""As much as one record of a store may have."""
PICTURES_BYTES_MOST = 32 * 1024 * 1024
"""Of all plans together: an export holds them in memory."""
NAME_MOST = 100

Spot = tuple[float, float]
"""Where something is: shares of the picture's width and height, from its upper left corner."""


class Plan(PlanHead, frozen=True, kw_only=True):
    """A plan with its places."""

    lights: dict[str, Spot] = msgspec.field(default_factory=dict)
    """By DevEUI. A light that is known no longer keeps its place."""
    gateways: dict[str, Spot] = msgspec.field(default_factory=dict)
    """By gateway id."""

    def head(self) -> PlanHead:
        """The plan without its places."""
        return PlanHead(**{name: getattr(self, name) for name in PlanHead.__struct_fields__})


class PlanRefusal(Enum):
    """Why a plan was not changed."""

    UNKNOWN = "unknown"
    CHANGED = "changed"
    """Somebody else changed it since: it has another revision."""
    TOO_MANY = "too_many"
    TOO_MANY_PLACES = "too_many_places"
    PICTURES_TOO_LARGE = "pictures_too_large"


@dataclass(frozen=True, slots=True)
class Create:
    """A new plan without a picture; `order` None: behind all others. Its id is given to it."""

    name: str
    order: int | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What is given is changed; a place that is None is taken off."""

    id: str
    name: str | None = None
    order: int | None = None
    lights: Mapping[str, Spot | None] = field(default_factory=dict)
    gateways: Mapping[str, Spot | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetPicture:
    """Another picture; the places stay where they are on it."""

    id: str
    picture: Picture
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Remove:
    """No such plan any more."""

    id: str


@dataclass(frozen=True, slots=True)
class Take:
    """A plan as a file of an export has it, in the place of the one with its id, if there is one.
    `content` is None where it has no picture."""

    plan: Plan
    content: bytes | None = field(repr=False)

    @property
    def id(self) -> str:
        """Of the plan."""
        return self.plan.id


Edit = Create | Change | SetPicture | Remove


def contents(edits: Sequence[Edit | Take]) -> dict[str, bytes]:
    """The pictures that come with these edits, by their digest."""
    found = {}
    for edit in edits:
        match edit:
            case SetPicture():
                found[edit.picture.digest] = edit.content
            case Take():
                if edit.plan.picture is not None and edit.content is not None:
                    found[edit.plan.picture.digest] = edit.content
            case _:
                pass
    return found


class Edited(msgspec.Struct, frozen=True):
    """What became of a plan: as it is now, or `removed` as it was."""

    plan: Plan
    removed: bool = False
