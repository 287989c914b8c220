"""Scenes, and the schedules that apply them. `name` is an id or a name."""

from lamplighter.client.ask import Ask, Repeat
from lamplighter.client.models import (
    SceneApplied,
    SceneApply,
    SceneList,
    SceneRequest,
    SceneView,
    ScheduleList,
    ScheduleRequest,
    ScheduleView,
)
from lamplighter.client.paths import if_match, path
from lamplighter.client.steps import Call


def scenes() -> Call[SceneList]:
    """All scenes by name."""
    return Ask(model=SceneList, path="/scenes")


def scene(name: str) -> Call[SceneView]:
    """One scene with its parts."""
    return Ask(model=SceneView, path=path("scenes", name))


def create_scene(request: SceneRequest) -> Call[SceneView]:
    """A new scene, by its parts or made from what lights should show, or show, now."""
    return Ask(model=SceneView, method="POST", path="/scenes", body=request, repeat=Repeat.NEVER)


def replace_scene(name: str, request: SceneRequest, *, revision: int) -> Call[SceneView]:
    """Put another in its place; `revision` is the one that was read. Raises EditedMeanwhile."""
    return Ask(
        model=SceneView,
        method="PUT",
        path=path("scenes", name),
        body=request,
        headers=if_match(revision),
        repeat=Repeat.NEVER,
    )


def remove_scene(name: str, *, revision: int | None = None) -> Call[None]:
    """Remove it, where no schedule applies it. Raises Conflict, EditedMeanwhile."""
    return Ask(
        model=type(None),
        method="DELETE",
        path=path("scenes", name),
        headers=if_match(revision),
        repeat=Repeat.GONE,
    )


def apply_scene(
    name: str, *, pace_per_min: float = 30.0, failures_most: int = 5, key: str | None = None
) -> Call[SceneApplied]:
    """Give its lights their colours, as one rollout. The same `key` is the same rollout."""
    return Ask(
        model=SceneApplied,
        method="POST",
        path=path("scenes", name, "apply"),
        body=SceneApply(pace_per_min=pace_per_min, failures_most=failures_most),
        repeat=Repeat.KEYED,
        key=key,
    )


def schedules() -> Call[ScheduleList]:
    """All schedules by name."""
    return Ask(model=ScheduleList, path="/schedules")


def schedule(name: str) -> Call[ScheduleView]:
    """One schedule with its next times."""
    return Ask(model=ScheduleView, path=path("schedules", name))


def create_schedule(request: ScheduleRequest) -> Call[ScheduleView]:
    """A new schedule of a scene, or of one colour for some lights."""
    return Ask(
        model=ScheduleView, method="POST", path="/schedules", body=request, repeat=Repeat.NEVER
    )


def replace_schedule(name: str, request: ScheduleRequest, *, revision: int) -> Call[ScheduleView]:
    """Put another in its place; `revision` is the one that was read. Raises EditedMeanwhile."""
    return Ask(
        model=ScheduleView,
        method="PUT",
        path=path("schedules", name),
        body=request,
        headers=if_match(revision),
        repeat=Repeat.NEVER,
    )


def remove_schedule(name: str, *, revision: int | None = None) -> Call[None]:
    """Remove it; what it began goes on. Raises EditedMeanwhile."""
    return Ask(
        model=type(None),
        method="DELETE",
        path=path("schedules", name),
        headers=if_match(revision),
        repeat=Repeat.GONE,
    )
