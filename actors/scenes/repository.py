"""Scenes and schedules in the store: one record each, in `Table.META`."""

from collections.abc import Iterable

import msgspec
import structlog

from actors.scenes.edits import Kit
from actors.scenes.model import Scene, Schedule
from actors.storage.record_version import checked, stamped
from store.port import Delete, Put, Record, Table

log = structlog.get_logger()

SCENE = "scene:"
SCHEDULE = "schedule:"
"""Begin the keys of the records."""

_encoder = msgspec.json.Encoder()
_scenes = msgspec.json.Decoder(Scene)
_schedules = msgspec.json.Decoder(Schedule)


def put(kept: Scene | Schedule, now: float) -> Put:
    """The write that keeps it."""
    return Put(Table.META, _key(kept), stamped(_encoder.encode(kept)), now)


def delete(gone: Scene | Schedule) -> Delete:
    """The write that forgets it."""
    return Delete(Table.META, _key(gone))


def read(records: Iterable[Record]) -> Kit:
    """All of them among the records of `Table.META`, by name; what is odd is told and left."""
    scenes: list[Scene] = []
    schedules: list[Schedule] = []
    for record in records:
        try:
            if record.key.startswith(SCENE):
                scenes.append(_scenes.decode(checked(record.value)))
            elif record.key.startswith(SCHEDULE):
                schedules.append(_schedules.decode(checked(record.value)))
        except msgspec.MsgspecError as error:
            log.warning("a stored scene is unreadable", record=record.key, error=str(error))
    return Kit(
        {one.id: one for one in sorted(scenes, key=lambda each: each.name.casefold())},
        {one.id: one for one in sorted(schedules, key=lambda each: each.name.casefold())},
    )


def _key(kept: Scene | Schedule) -> str:
    return f"{SCENE if isinstance(kept, Scene) else SCHEDULE}{kept.id}"
