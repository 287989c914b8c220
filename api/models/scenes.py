"""Scenes and schedules as HTTP shows them. `_at` is Unix seconds UTC."""

from collections.abc import Mapping

import msgspec

from actors.board.sight import Sight
from actors.device.model import Device
from actors.scenes.model import Came, Part, Run, Scene, Schedule
from actors.scenes.resolve import Resolved, means
from api.models.rollouts import RolloutView
from lorawan.kuando.light_state import LightState

COLOURS_MOST = 8
"""Told of a scene in the list."""


class PartView(msgspec.Struct, frozen=True):
    """One colour, and which lights get it: those named, or those that a tag or an application
    finds, or all."""

    light: LightState
    dev_euis: list[str]
    tag: str | None
    application: str | None
    everything: bool

    @classmethod
    def of(cls, part: Part) -> "PartView":
        """The view of a part."""
        return cls(part.light, list(part.dev_euis), part.tag, part.application, part.everything)


class SceneSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A scene without its lights."""

    id: str
    name: str
    keep: bool
    """Whether its lights are brought back to their colours after they drifted."""
    revision: int
    """Counts its changes; the `ETag` of the scene."""
    colours: list[LightState]
    """At most 8."""
    lights: int
    """To be commanded if it were applied now."""
    missing: int
    """Lights named that are known no longer."""
    created_at: float
    changed_at: float
    by: str
    """Who changed it last."""

    @classmethod
    def of(cls, scene: Scene, meant: Resolved) -> "SceneSummary":
        """The summary of a scene that means these lights now."""
        colours = list(dict.fromkeys(part.light for part in scene.parts))
        return cls(
            id=scene.id,
            name=scene.name,
            keep=scene.keep,
            revision=scene.revision,
            colours=colours[:COLOURS_MOST],
            lights=len(meant.colours),
            missing=len(meant.missing),
            created_at=scene.created_at,
            changed_at=scene.changed_at,
            by=scene.by,
        )


class SceneView(msgspec.Struct, frozen=True, kw_only=True):
    """A scene."""

    id: str
    name: str
    parts: list[PartView]
    keep: bool
    """Whether its lights are brought back to their colours after they drifted."""
    revision: int
    """Counts its changes; the `ETag` of the scene."""
    lights: int
    """To be commanded if it were applied now."""
    missing: list[str]
    """Lights named that are known no longer."""
    created_at: float
    changed_at: float
    by: str
    """Who changed it last."""

    @classmethod
    def of(cls, scene: Scene, meant: Resolved) -> "SceneView":
        """The view of a scene that means these lights now."""
        return cls(
            id=scene.id,
            name=scene.name,
            parts=[PartView.of(part) for part in scene.parts],
            keep=scene.keep,
            revision=scene.revision,
            lights=len(meant.colours),
            missing=list(meant.missing),
            created_at=scene.created_at,
            changed_at=scene.changed_at,
            by=scene.by,
        )


class SceneList(msgspec.Struct, frozen=True):
    """Scenes by name."""

    scenes: list[SceneSummary]


class SceneApplied(msgspec.Struct, frozen=True):
    """The rollout by which a scene is applied."""

    rollout: RolloutView
    missing: list[str]
    """Lights that the scene names and that are known no longer: they are left out."""


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """The last time of a schedule that was dealt with."""

    due_at: float
    at: float
    """When it was dealt with."""
    came: Came
    """`missed`: it was over for longer than the schedule's limit. `empty`: there was no light."""
    rollout_id: str | None
    reason: str | None
    missing: int
    """Lights named that were known no longer."""
    skipped: int
    """Earlier times without a run, for a later one was due already."""

    @classmethod
    def of(cls, run: Run) -> "RunView":
        """The view of it."""
        return cls(**msgspec.structs.asdict(run))


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """When a scene, or one colour, is applied by itself."""

    id: str
    name: str
    cron: str
    """Minute, hour, day of the month, month, day of the week."""
    time_zone: str
    """IANA name; the site's where the schedule has none of its own."""
    own_time_zone: bool
    """Whether that is the schedule's own, not the site's."""
    scene_id: str | None
    scene_name: str | None
    part: PartView | None
    """The colour and its lights, where it applies no scene."""
    keep: bool
    pace_per_min: float
    failures_most: int
    late_most_s: float
    """A time that was missed for longer is told, and not applied."""
    enabled: bool
    revision: int
    """Counts its changes; the `ETag` of the schedule."""
    next: list[float]
    """The next five times; none while it is not enabled."""
    last: RunView | None
    created_at: float
    changed_at: float
    by: str
    """Who changed it last."""

    @classmethod
    def of(
        cls, schedule: Schedule, zone: str, scene: Scene | None, upcoming: list[float]
    ) -> "ScheduleView":
        """The view of a schedule with the site's zone, its scene and its next times."""
        return cls(
            id=schedule.id,
            name=schedule.name,
            cron=schedule.cron,
            time_zone=schedule.time_zone or zone,
            own_time_zone=bool(schedule.time_zone),
            scene_id=schedule.scene_id,
            scene_name=None if scene is None else scene.name,
            part=None if schedule.part is None else PartView.of(schedule.part),
            keep=schedule.keep if scene is None else scene.keep,
            pace_per_min=schedule.pace_per_min,
            failures_most=schedule.failures_most,
            late_most_s=schedule.late_most_s,
            enabled=schedule.enabled,
            revision=schedule.revision,
            next=upcoming,
            last=None if schedule.last is None else RunView.of(schedule.last),
            created_at=schedule.created_at,
            changed_at=schedule.changed_at,
            by=schedule.by,
        )


class ScheduleList(msgspec.Struct, frozen=True):
    """Schedules by name."""

    schedules: list[ScheduleView]
    time_zone: str
    """The site's."""


def as_seen(
    parts: tuple[Part, ...],
    sight: Sight,
    known: Mapping[str, Device],
    visible: Mapping[str, Device],
) -> tuple[Part, ...]:
    """The parts as they exist for a caller who may see some lights only: with the named lights that
    it sees, and those by tag or application that mean one of these."""
    shown = []
    for part in parts:
        named = tuple(
            one
            for one in part.dev_euis
            if one in visible or (one not in known and sight.sees_unknown(one))
        )
        wide = not part.dev_euis and any(means(part, device) for device in visible.values())
        if named or wide:
            shown.append(msgspec.structs.replace(part, dev_euis=named))
    return tuple(shown)
