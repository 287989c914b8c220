"""Schedules: when a scene, or one colour, is applied by itself."""

from quart import Blueprint, Response

from actors.scenes.actor import Scenes
from actors.scenes.calendar import next_due
from actors.scenes.edits import found
from actors.scenes.model import Scene, Schedule
from actors.storage.audit import Act
from api.http.audit import by, note
from api.http.etags import etag, revision_of, revision_or_any
from api.http.exports import CSV, Table, reply_as, wanted
from api.http.header_parameters import IF_MATCH, IF_MATCH_NEEDED
from api.http.openapi import Answer, answers, takes
from api.http.problems import (
    EDITED_MEANWHILE,
    FORBIDDEN,
    INVALID,
    RATE_LIMITED,
    REVISION_NEEDED,
    UNKNOWN_SCHEDULE,
    Problem,
)
from api.http.requests import read_body, read_query
from api.http.response_headers import ETAG, LOCATION
from api.http.responses import address, no_content, reply
from api.http.services import application
from api.http.sight import Lights, shows
from api.models.columns import SCHEDULES
from api.models.requests import TableQuery
from api.models.scene_requests import ScheduleRequest
from api.models.scenes import ScheduleList, ScheduleView
from api.routes.scenes import CHANGING, REMOVING, known_lights, taken
from api.validation import Mistake

NEXT_SHOWN = 5

blueprint = Blueprint("schedules", __name__)


@blueprint.get("/schedules")
@shows(Lights.ALL)
@answers(
    Answer(200, "By name.", ScheduleList, also=(CSV,)),
    problems=(INVALID, RATE_LIMITED, FORBIDDEN),
    tag="scenes",
)
@takes(query=TableQuery)
async def list_schedules() -> Response:
    """The schedules, each with its next times and what came of the last one."""
    query, here = read_query(TableQuery), application().scenes
    views = [_view(one, here) for one in here.schedules.values()]
    table = Table("schedules", SCHEDULES, views)
    return reply_as(wanted(query.format), ScheduleList(views, here.time_zone), table)


@blueprint.post("/schedules")
@shows(Lights.ALL)
@answers(
    Answer(201, "Kept.", ScheduleView, headers=(ETAG, LOCATION)),
    problems=CHANGING,
    tag="scenes",
)
@takes(body=ScheduleRequest)
async def create_schedule() -> Response:
    """Keep a new schedule. Its times begin now."""
    body, here = await read_body(ScheduleRequest), application().scenes
    return _answer(await _saved(_asked(body, here.new_id()), None, here), here, 201)


@blueprint.get("/schedules/<name>")
@shows(Lights.ALL)
@answers(
    Answer(200, "The schedule; `ETag` is its revision.", ScheduleView, headers=(ETAG,)),
    problems=(UNKNOWN_SCHEDULE, RATE_LIMITED, FORBIDDEN),
    tag="scenes",
)
async def get_schedule(name: str) -> Response:
    """One schedule, by its id or name."""
    return _answer(_named(name), application().scenes)


@blueprint.put("/schedules/<name>")
@shows(Lights.ALL)
@answers(
    Answer(200, "Changed; `ETag` is its new revision.", ScheduleView, headers=(ETAG,)),
    problems=(*CHANGING, UNKNOWN_SCHEDULE, EDITED_MEANWHILE, REVISION_NEEDED),
    tag="scenes",
)
@takes(body=ScheduleRequest, headers=(IF_MATCH_NEEDED,))
async def replace_schedule(name: str) -> Response:
    """Put another in place of a schedule; `If-Match` is the revision that it has.

    With another calendar, or enabled again, its times begin now.
    """
    body, before, here = await read_body(ScheduleRequest), _named(name), application().scenes
    return _answer(await _saved(_asked(body, before.id), revision_of(), here), here)


@blueprint.delete("/schedules/<name>")
@shows(Lights.ALL)
@answers(
    Answer(204, "It is gone."),
    problems=(UNKNOWN_SCHEDULE, *REMOVING),
    tag="scenes",
)
@takes(headers=(IF_MATCH,))
async def remove_schedule(name: str) -> Response:
    """Remove a schedule; with `If-Match` only if nobody changed it. What it began goes on."""
    before = _named(name)
    done = await application().scenes.remove(Schedule, before.id, revision_or_any())
    taken(done, UNKNOWN_SCHEDULE)
    note(Act.SCHEDULE_DELETE, before.id, name=before.name)
    return no_content()


def _named(name: str) -> Schedule:
    schedule = found(application().scenes.schedules, name)
    if schedule is None:
        raise Problem(UNKNOWN_SCHEDULE)
    return schedule


def _asked(body: ScheduleRequest, id_: str) -> Schedule:
    here, now = application().scenes, application().clock.now()
    scene: Scene | None = None
    if body.scene is not None:
        scene = found(here.scenes, body.scene)
        if scene is None:
            raise Problem(INVALID, errors=[Mistake("scene", "is not a known scene")])
    part = None if body.part is None else body.part.part
    if part is not None:
        known_lights((part,), "part")
    return Schedule(
        id=id_,
        name=body.name,
        cron=body.cron,
        time_zone=body.time_zone or "",
        scene_id=None if scene is None else scene.id,
        part=part,
        keep=body.keep,
        pace_per_min=body.pace_per_min,
        failures_most=body.failures_most,
        late_most_s=body.late_most_s,
        enabled=body.enabled,
        created_at=now,
        changed_at=now,
        by=by(),
        mark=now,
    )


async def _saved(schedule: Schedule, revision: int | None, here: Scenes) -> Schedule:
    done = await here.save(schedule, revision)
    taken(done, UNKNOWN_SCHEDULE)
    assert isinstance(done, Schedule)  # noqa: S101 - all else was refused
    note(Act.SCHEDULE_SAVE, done.id, name=done.name, cron=done.cron, revision=done.revision)
    return done


def _answer(schedule: Schedule, here: Scenes, status: int = 200) -> Response:
    headers = {"ETag": etag(schedule.revision)}
    if status == 201:
        headers["Location"] = address(f"/api/v1/schedules/{schedule.id}")
    return reply(_view(schedule, here), status, headers)


def _view(schedule: Schedule, here: Scenes) -> ScheduleView:
    """`here` is who was asked to change it: the fleet may be another process's by now, and what is
    done must not be carried there to be done again."""
    scene = None if schedule.scene_id is None else here.scenes.get(schedule.scene_id)
    zone = schedule.time_zone or here.time_zone
    after = max(schedule.mark, here.date)
    upcoming = next_due(schedule.cron, zone, after, NEXT_SHOWN) if schedule.enabled else []
    return ScheduleView.of(schedule, here.time_zone, scene, upcoming)
