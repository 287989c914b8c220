"""What an edit makes of the plans. Pure: time and names are arguments."""

from collections.abc import Mapping, Sequence
from typing import assert_never

import msgspec

from actors.plans.model import (
    PICTURES_BYTES_MOST,
    PLACES_MOST,
    PLANS_MOST,
    Change,
    Create,
    Edit,
    Edited,
    Plan,
    PlanRefusal,
    Remove,
    SetPicture,
    Spot,
    Take,
)


def edited(
    plans: Mapping[str, Plan], edit: Edit, revision: int | None, now: float, by: str
) -> Edited | PlanRefusal:
    """The plan after this edit. With `revision`, only while it has that one."""
    before = plans.get(edit.id)
    if before is None and not isinstance(edit, Create):
        return PlanRefusal.UNKNOWN
    if revision is not None and (before is None or before.revision != revision):
        return PlanRefusal.CHANGED
    if isinstance(edit, Remove):
        assert before is not None  # noqa: S101 - refused above
        return Edited(before, removed=True)
    if before is None and len(plans) >= PLANS_MOST:
        return PlanRefusal.TOO_MANY
    made = _made(plans, before, edit)
    if len(made.lights) + len(made.gateways) > PLACES_MOST:
        return PlanRefusal.TOO_MANY_PLACES
    if pictures_bytes({**plans, made.id: made}) > PICTURES_BYTES_MOST:
        return PlanRefusal.PICTURES_TOO_LARGE
    number = 1 if before is None else before.revision + 1
    return Edited(msgspec.structs.replace(made, revision=number, changed_at=now, by=by))


def decided(
    plans: Mapping[str, Plan],
    edits: Sequence[Edit | Take],
    revision: int | None,
    now: float,
    by: str,
) -> tuple[Edited, ...] | PlanRefusal:
    """The plan after this edit, or the plans after those of a file were taken in. With `revision`,
    only while the plan has that one."""
    takes = [edit for edit in edits if isinstance(edit, Take)]
    if len(takes) == len(edits):
        return _taken(plans, takes, now, by)
    [edit] = [edit for edit in edits if not isinstance(edit, Take)]
    made = edited(plans, edit, revision, now, by)
    return made if isinstance(made, PlanRefusal) else (made,)


def _taken(
    plans: Mapping[str, Plan], takes: Sequence[Take], now: float, by: str
) -> tuple[Edited, ...] | PlanRefusal:
    """The plans of a file after they were taken in, all or none: the bounds hold for what is there
    in the end, whatever was there on the way."""
    after = dict(plans)
    for take in takes:
        if len(take.plan.lights) + len(take.plan.gateways) > PLACES_MOST:
            return PlanRefusal.TOO_MANY_PLACES
        before = after.get(take.id)
        number = 1 if before is None else before.revision + 1
        after[take.id] = msgspec.structs.replace(take.plan, revision=number, changed_at=now, by=by)
    if len(after) > max(len(plans), PLANS_MOST):
        return PlanRefusal.TOO_MANY
    if pictures_bytes(after) > PICTURES_BYTES_MOST:
        return PlanRefusal.PICTURES_TOO_LARGE
    return tuple(Edited(after[name]) for name in dict.fromkeys(take.id for take in takes))


def _made(
    plans: Mapping[str, Plan], before: Plan | None, edit: Create | Change | SetPicture
) -> Plan:
    match edit:
        case Create():
            order = edit.order
            if order is None:
                order = max((plan.order for plan in plans.values()), default=0) + 1
            return Plan(id=edit.id, name=edit.name, order=order, revision=0)
        case Change():
            assert before is not None  # noqa: S101 - refused by `edited`
            return msgspec.structs.replace(
                before,
                name=before.name if edit.name is None else edit.name,
                order=before.order if edit.order is None else edit.order,
                lights=moved(before.lights, edit.lights),
                gateways=moved(before.gateways, edit.gateways),
            )
        case SetPicture():
            assert before is not None  # noqa: S101 - refused by `edited`
            return msgspec.structs.replace(before, picture=edit.picture)
        case _:
            assert_never(edit)


def moved(before: Mapping[str, Spot], changes: Mapping[str, Spot | None]) -> dict[str, Spot]:
    """The places with these changes; None takes one off."""
    after = {**before, **changes}
    return {name: spot for name, spot in after.items() if spot is not None}


def pictures_bytes(plans: Mapping[str, Plan]) -> int:
    """The size of all pictures; one that several plans have is stored once."""
    sizes = {
        plan.picture.digest: plan.picture.size_bytes
        for plan in plans.values()
        if plan.picture is not None
    }
    return sum(sizes.values())


def listed(plans: Mapping[str, Plan]) -> list[Plan]:
    """In their order."""
    return sorted(plans.values(), key=lambda plan: (plan.order, plan.name, plan.id))
