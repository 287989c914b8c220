"""Changes of scenes and schedules: from what is kept and what is asked to what is kept. Pure."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

import msgspec

from actors.replace import replace
from actors.scenes.model import (
    NAMED_MOST,
    SCENES_MOST,
    SCHEDULES_MOST,
    Part,
    Scene,
    Schedule,
)

Kept = TypeVar("Kept", Scene, Schedule)


class Reason(Enum):
    """Why a change cannot be made."""

    UNKNOWN = "unknown"
    STALE = "stale"
    """Somebody changed it meanwhile: the revision is another."""
    NAME_TAKEN = "name_taken"
    TOO_MANY = "too_many"
    IN_USE = "in_use"
    NO_SCENE = "no_scene"
    """A schedule names a scene that is not known."""


class Refused(msgspec.Struct, frozen=True):
    """A change that cannot be made, and why, in words."""

    reason: Reason
    why: str


class Kit(msgspec.Struct, frozen=True):
    """All that is kept, by id."""

    scenes: Mapping[str, Scene] = {}
    schedules: Mapping[str, Schedule] = {}


def scene_saved(kit: Kit, asked: Scene, revision: int | None) -> Scene | Refused:
    """`asked` as it is to be kept: a new one where `revision` is None, else in place of the one
    that has this revision."""
    before = kit.scenes.get(asked.id)
    if (refused := _replaces(before, revision)) is not None:
        return refused
    if _named(kit.scenes, asked.name, asked.id):
        return Refused(Reason.NAME_TAKEN, f"there is a scene {asked.name!r} already")
    if before is None and len(kit.scenes) >= SCENES_MOST:
        return Refused(Reason.TOO_MANY, f"there are {SCENES_MOST} scenes already")
    if (refused := _too_many_lights(kit, asked.id, asked.parts)) is not None:
        return refused
    if before is None:
        return replace(asked, revision=1)
    return replace(asked, revision=before.revision + 1, created_at=before.created_at)


def scene_removed(kit: Kit, scene_id: str, revision: int | None) -> Scene | Refused:
    """The scene that goes."""
    before = kit.scenes.get(scene_id)
    if before is None:
        return Refused(Reason.UNKNOWN, "there is no such scene")
    if revision is not None and (refused := _replaces(before, revision)) is not None:
        return refused
    user = next((one for one in kit.schedules.values() if one.scene_id == scene_id), None)
    if user is not None:
        return Refused(Reason.IN_USE, f"the schedule {user.name!r} applies it")
    return before


def schedule_saved(
    kit: Kit, asked: Schedule, revision: int | None, date: float
) -> Schedule | Refused:
    """`asked` as it is to be kept. Another calendar, or one that begins again, begins at `date`."""
    before = kit.schedules.get(asked.id)
    if (refused := _replaces(before, revision)) is not None:
        return refused
    if _named(kit.schedules, asked.name, asked.id):
        return Refused(Reason.NAME_TAKEN, f"there is a schedule {asked.name!r} already")
    if before is None and len(kit.schedules) >= SCHEDULES_MOST:
        return Refused(Reason.TOO_MANY, f"there are {SCHEDULES_MOST} schedules already")
    if asked.scene_id is not None and asked.scene_id not in kit.scenes:
        return Refused(Reason.NO_SCENE, "there is no such scene")
    parts = () if asked.part is None else (asked.part,)
    if (refused := _too_many_lights(kit, asked.id, parts)) is not None:
        return refused
    if before is None:
        return replace(asked, revision=1, mark=date)
    same = (before.cron, before.time_zone) == (asked.cron, asked.time_zone)
    goes_on = same and before.enabled and asked.enabled
    return replace(
        asked,
        revision=before.revision + 1,
        created_at=before.created_at,
        mark=before.mark if goes_on else date,
        last=before.last,
    )


def schedule_removed(kit: Kit, schedule_id: str, revision: int | None) -> Schedule | Refused:
    """The schedule that goes."""
    before = kit.schedules.get(schedule_id)
    if before is None:
        return Refused(Reason.UNKNOWN, "there is no such schedule")
    if revision is not None and (refused := _replaces(before, revision)) is not None:
        return refused
    return before


def found(kept: Mapping[str, Kept], name_or_id: str) -> Kept | None:
    """By its id, or by its name in any case of letters."""
    if name_or_id in kept:
        return kept[name_or_id]
    folded = name_or_id.casefold()
    return next((one for one in kept.values() if one.name.casefold() == folded), None)


def _named(kept: Mapping[str, Scene] | Mapping[str, Schedule], name: str, but: str) -> bool:
    folded = name.casefold()
    return any(one.name.casefold() == folded and one.id != but for one in kept.values())


def _replaces(before: Scene | Schedule | None, revision: int | None) -> Refused | None:
    """Why `revision` does not allow to put something in place of this."""
    if revision is None:
        return None if before is None else Refused(Reason.STALE, "it exists already")
    if before is None:
        return Refused(Reason.UNKNOWN, "it was removed")
    if before.revision != revision:
        return Refused(Reason.STALE, f"it was changed meanwhile: its revision is {before.revision}")
    return None


def _too_many_lights(kit: Kit, but: str, parts: tuple[Part, ...]) -> Refused | None:
    others = [one.parts for one in kit.scenes.values() if one.id != but]
    others += [
        (one.part,) for one in kit.schedules.values() if one.part is not None and one.id != but
    ]
    named = sum(len(part.dev_euis) for each in [*others, parts] for part in each)
    if named <= NAMED_MOST:
        return None
    return Refused(
        Reason.TOO_MANY, f"all scenes together name {named:,} lights, at most {NAMED_MOST:,} may be"
    )
