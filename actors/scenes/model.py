"""Scenes and schedules: immutable values, as they are stored. `_at` is Unix seconds UTC.

They have no behaviour; what is decided about them stands in `edits.py`, `resolve.py` and `due.py`.
"""

from enum import StrEnum

import msgspec

from lorawan.kuando.light_state import LightState

SCENES_MOST = 100
SCHEDULES_MOST = 100
PARTS_MOST = 1_000
"""Of one scene: a picture of that many colours. 200 bytes each, 200 kB."""
NAMED_MOST = 200_000
"""Lights named by all scenes and schedules together: 75 bytes each in memory, 15 MB; ten scenes of
a fleet of 20,000. One of them with all 20,000 is a record of 0.4 MB, a tenth of what a store takes.
"""
NAME_MOST = 100


class Part(msgspec.Struct, frozen=True, gc=False):
    """One colour, and which lights get it: those that are named, or those that a tag or an
    application finds, or all."""

    light: LightState
    dev_euis: tuple[str, ...] = ()
    tag: str | None = None
    """`key`, or `key=value`."""
    application: str | None = None
    """Id or name."""
    everything: bool = False


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of lights and colours. `revision` counts its changes, from 1."""

    id: str
    name: str
    parts: tuple[Part, ...]
    keep: bool = True
    revision: int = 1
    created_at: float
    changed_at: float
    by: str = ""
    """Who changed it last; empty where the caller has no name."""


class Came(StrEnum):
    """What came of a schedule's time."""

    APPLIED = "applied"
    MISSED = "missed"
    """It was over for longer than the schedule's limit before anything could be done."""
    EMPTY = "empty"
    """There was no light to command, or no such scene any more."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The last time of a schedule that was dealt with."""

    due_at: float
    at: float
    came: Came
    rollout_id: str | None = None
    reason: str | None = None
    """Why nothing was applied, in words for a person."""
    missing: int = 0
    """Lights named that are known no longer."""
    skipped: int = 0
    """Earlier times that went by without a run, for a later one was due already."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When to apply a scene, or one colour to some lights.

    `mark` is the time up to which everything was dealt with: of two processes, and before and after
    a restart, the stored one decides.
    """

    id: str
    name: str
    cron: str
    time_zone: str = ""
    """An IANA name; empty for the site's (a setting)."""
    scene_id: str | None = None
    part: Part | None = None
    """What is applied where that is no scene."""
    keep: bool = True
    """Of `part`; a scene has its own."""
    pace_per_min: float = 30.0
    failures_most: int = 5
    late_most_s: float = 3_600.0
    """A time that was missed for longer than this is told, and not applied."""
    enabled: bool = True
    revision: int = 1
    created_at: float
    changed_at: float
    by: str = ""
    mark: float
    last: Run | None = None
