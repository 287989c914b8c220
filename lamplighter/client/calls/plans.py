"""Floor plans: their places, their pictures, and all of them as one file."""

from lamplighter.client.ask import Ask, Repeat
from lamplighter.client.calls.uploads import uploaded
from lamplighter.client.models import (
    PictureTaken,
    PlanChange,
    PlanCreate,
    PlanDetail,
    PlanHead,
    PlanList,
    PlansTaken,
)
from lamplighter.client.paths import if_match, path
from lamplighter.client.steps import Call


def plans() -> Call[PlanList]:
    """All plans in their order."""
    return Ask(model=PlanList, path="/plans")


def plan(plan_id: str) -> Call[PlanDetail]:
    """One plan with its places."""
    return Ask(model=PlanDetail, path=path("plans", plan_id))


def create_plan(name: str, *, order: int | None = None) -> Call[PlanHead]:
    """A new plan, without a picture as yet, behind all others unless `order` says otherwise."""
    return Ask(
        model=PlanHead,
        method="POST",
        path="/plans",
        body=PlanCreate(name=name, order=order),
        repeat=Repeat.NEVER,
    )


def change_plan(plan_id: str, change: PlanChange, *, revision: int | None = None) -> Call[PlanHead]:
    """Change its name, order or places; only those named change, and None takes one off. With a
    `revision` only while it has that one. Raises EditedMeanwhile."""
    return Ask(
        model=PlanHead,
        method="PATCH",
        path=path("plans", plan_id),
        body=change,
        headers=if_match(revision),
        repeat=Repeat.HARMLESS if revision is None else Repeat.NEVER,
    )


def remove_plan(plan_id: str, *, revision: int | None = None) -> Call[None]:
    """Remove it with its places. Raises EditedMeanwhile."""
    return Ask(
        model=type(None),
        method="DELETE",
        path=path("plans", plan_id),
        headers=if_match(revision),
        repeat=Repeat.GONE,
    )


def put_picture(plan_id: str, content: bytes, *, revision: int | None = None) -> Call[PictureTaken]:
    """Give a plan its picture: PNG, JPEG or SVG; `left_out` is what of a drawing was not taken.
    Raises Invalid, EditedMeanwhile."""
    at = path("plans", plan_id, "picture")
    return uploaded(PictureTaken, "PUT", at, content, if_match(revision))


def picture(digest: str) -> Call[bytes]:
    """A picture by the digest that its plan tells."""
    return Ask(model=bytes, path=path("plans", "pictures", digest))


def export_plans() -> Call[bytes]:
    """All plans with their pictures, as a ZIP file."""
    return Ask(model=bytes, path="/plans/export")


def import_plans(content: bytes) -> Call[PlansTaken]:
    """Take such a file; plans of the same id are replaced."""
    return uploaded(PlansTaken, "POST", "/plans/import", content, {})
