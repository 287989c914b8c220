"""Floor plans: pictures of the place, and where lights and gateways are on them.

Every process answers what is read, from the store; what changes them is done where the fleet's own
shard lives.
"""

from collections.abc import Callable
from typing import NoReturn, TypeVar, assert_never

import msgspec
import trio
from quart import Blueprint, Response

from actors.board.plan import PlanHead
from actors.plans.model import (
    PICTURE_BYTES_MOST,
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
)
from actors.refusal import Refusal
from actors.storage.audit import Act, Fact
from api.http.audit import by, caller, note
from api.http.etags import etag, revision_or_any
from api.http.header_parameters import CONTENT_RANGE, IDEMPOTENCY_KEY, IF_MATCH
from api.http.openapi import Answer, answers, takes
from api.http.problems import (
    BODY_TOO_LARGE,
    CONFLICT,
    EDITED_MEANWHILE,
    FILE_REFUSED,
    FORBIDDEN,
    INVALID,
    MAILBOX_FULL,
    NO_REPLY,
    RATE_LIMITED,
    STOPPING,
    STORE_UNAVAILABLE,
    TOO_MANY_UPLOADS,
    UNKNOWN_PICTURE,
    UNKNOWN_PLAN,
    UNREADABLE_RECORD,
    WRITING,
    WRONG_MEDIA_TYPE,
    WRONG_ORIGIN,
    Problem,
)
from api.http.refusals import refuse
from api.http.requests import read_body
from api.http.response_headers import CACHE_CONTROL, ETAG, FILE_NAME, LOCATION
from api.http.responses import address, no_content, reply
from api.http.services import application
from api.http.sight import Lights, shows
from api.http.uploads import read_file
from api.models.plans import (
    PictureTaken,
    PlanChange,
    PlanCreate,
    PlanDetail,
    PlanList,
    PlansTaken,
    UploadView,
)
from api.plans.archive import ARCHIVE_BYTES_MOST, archive, unpacked
from api.plans.picture import checked
from api.plans.refusal import FileRefused, TooLarge, UnknownType
from api.validation import MISTAKES_MOST, Mistake

T = TypeVar("T")

PICTURE_HEADERS = {
    # The digest is of the content: what is kept under it stays right.
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}
_checking = trio.CapacityLimiter(1)
"""One file is looked at at a time, apart from the loop: a large drawing takes a second."""

blueprint = Blueprint("plans", __name__)

_EDIT = (MAILBOX_FULL, STOPPING, NO_REPLY, STORE_UNAVAILABLE, WRONG_ORIGIN, RATE_LIMITED)
_WRITE = (*WRITING, *_EDIT)
_READ = (STORE_UNAVAILABLE, UNREADABLE_RECORD, RATE_LIMITED)
_FILE = (*_WRITE, FILE_REFUSED, TOO_MANY_UPLOADS, CONFLICT)


@blueprint.get("/plans")
@shows(Lights.SEEN)
@answers(Answer(200, "The plans in their order.", PlanList), problems=(RATE_LIMITED,), tag="plans")
async def list_plans() -> Response:
    """The floor plans, without their places."""
    return reply(PlanList(list(application().board.plans)))


@blueprint.post("/plans")
@shows(Lights.ALL)
@answers(
    Answer(201, "Stored; `Location` is the plan.", PlanHead, headers=(LOCATION, ETAG)),
    problems=(*_WRITE, CONFLICT),
    tag="plans",
)
@takes(body=PlanCreate)
async def create_plan() -> Response:
    """A new plan, without a picture and places as yet."""
    body = await read_body(PlanCreate)
    made = await _edited(Create(body.name, body.order))
    headers = {
        "Location": address(f"/api/v1/plans/{made.plan.id}"),
        "ETag": etag(made.plan.revision),
    }
    return reply(made.plan.head(), 201, headers)


@blueprint.get("/plans/<plan_id>")
@shows(Lights.SEEN)
@answers(
    Answer(200, "The plan and its places; `ETag` is its revision.", PlanDetail, headers=(ETAG,)),
    problems=(UNKNOWN_PLAN, *_READ),
    tag="plans",
)
async def get_plan(plan_id: str) -> Response:
    """One plan with its places."""
    plan = await _known(plan_id)
    return reply(PlanDetail.of(plan, _seen(plan.lights)), headers={"ETag": etag(plan.revision)})


@blueprint.patch("/plans/<plan_id>")
@shows(Lights.SEEN)
@answers(
    Answer(200, "The plan as it is now, without its places.", PlanHead, headers=(ETAG,)),
    problems=(*_WRITE, UNKNOWN_PLAN, EDITED_MEANWHILE, CONFLICT),
    tag="plans",
)
@takes(body=PlanChange, headers=(IF_MATCH,))
async def change_plan(plan_id: str) -> Response:
    """Rename a plan, move it in the order, place lights and gateways, or take them off.

    Only the places that are named change. With `If-Match` it is done only while the plan has the
    revision of that `ETag`.
    """
    body = await read_body(PlanChange)
    if not body.model_fields_set:
        raise Problem(INVALID, errors=[Mistake("", "names nothing to change")])
    lights = {dev_eui.lower(): spot for dev_eui, spot in body.lights.items()}
    gateways = {gateway_id.lower(): spot for gateway_id, spot in body.gateways.items()}
    if body.model_fields_set - {"lights"} and caller().sight.limited:
        raise Problem(
            FORBIDDEN, "who may see some lights only can place these, and change nothing else"
        )
    _check_known(lights, gateways)
    edit = Change(plan_id, body.name, body.order, lights, gateways)
    edited = await _edited(edit, revision=revision_or_any(), places=len(lights) + len(gateways))
    return reply(edited.plan.head(), headers={"ETag": etag(edited.plan.revision)})


@blueprint.delete("/plans/<plan_id>")
@shows(Lights.ALL)
@answers(
    Answer(204, "It is gone, with its picture."),
    problems=(*_EDIT, UNKNOWN_PLAN, EDITED_MEANWHILE, INVALID),
    tag="plans",
)
@takes(headers=(IF_MATCH,))
async def remove_plan(plan_id: str) -> Response:
    """Remove a plan. With `If-Match` only while it has that revision."""
    await _edited(Remove(plan_id), revision=revision_or_any())
    return no_content()


@blueprint.put("/plans/<plan_id>/picture")
@shows(Lights.ALL)
@takes(file="image/*", headers=(IF_MATCH, IDEMPOTENCY_KEY, CONTENT_RANGE))
@answers(
    Answer(200, "The picture is stored.", PictureTaken, headers=(ETAG,)),
    Answer(202, "A part came; more are expected.", UploadView),
    problems=(*_FILE, UNKNOWN_PLAN, EDITED_MEANWHILE),
    tag="plans",
)
async def put_picture(plan_id: str) -> Response:
    """Give a plan its picture: PNG, JPEG or SVG, recognised by its content, 4 MB at most.

    The body is the file. One that is larger than a body may be is sent in parts, each with
    `Content-Range` and all with one `Idempotency-Key`. Of a drawing only what can be looked at is
    kept. With `If-Match` it is done only while the plan has that revision.
    """
    plans, revision = application().plans, revision_or_any()
    if all(plan.id != plan_id for plan in application().board.plans):
        raise Problem(UNKNOWN_PLAN)
    sent = await read_file(plans.uploads, PICTURE_BYTES_MOST)
    if isinstance(sent, UploadView):
        return reply(sent, 202)
    found = await _looked_at(lambda: checked(sent), "The picture")
    edit = SetPicture(plan_id, found.picture, found.content)
    edited = await _edited(edit, revision=revision, picture=found.picture.digest)
    taken = PictureTaken(edited.plan.head(), list(found.left_out))
    return reply(taken, headers={"ETag": etag(edited.plan.revision)})


@blueprint.get("/plans/pictures/<digest>")
@shows(Lights.SEEN)
@answers(
    Answer(200, "It may be kept for ever.", media_type="image/*", headers=(CACHE_CONTROL,)),
    problems=(UNKNOWN_PICTURE, STORE_UNAVAILABLE, RATE_LIMITED),
    tag="plans",
)
async def get_picture(digest: str) -> Response:
    """The picture that a plan names by its digest."""
    picture = next(
        (
            plan.picture
            for plan in application().board.plans
            if plan.picture is not None and plan.picture.digest == digest
        ),
        None,
    )
    content = None if picture is None else await application().queries.picture(digest)
    if picture is None or content is None:
        raise Problem(UNKNOWN_PICTURE)
    return Response(content, 200, PICTURE_HEADERS, content_type=picture.media_type)


@blueprint.get("/plans/export")
@shows(Lights.SEEN)
@answers(
    Answer(
        200,
        "A ZIP of plans and pictures.",
        media_type="application/zip",
        headers=(FILE_NAME,),
    ),
    problems=_READ,
    tag="plans",
)
async def export_plans() -> Response:
    """All plans in one file, pictures and places included."""
    queries = application().queries
    plans, pictures = [], {}
    for head in application().board.plans:
        plan = await queries.plan(head.id)
        if plan is None:
            continue  # removed just now
        if plan.picture is not None and plan.picture.digest not in pictures:
            content = await queries.picture(plan.picture.digest)
            if content is None:
                continue
            pictures[plan.picture.digest] = content
        plans.append(_only_seen(plan))
    packed = await trio.to_thread.run_sync(archive, plans, pictures, limiter=_checking)
    headers = {"Content-Disposition": 'attachment; filename="lamplighter-plans.zip"'}
    return Response(packed, 200, headers, content_type="application/zip")


@blueprint.post("/plans/import")
@shows(Lights.ALL)
@takes(file="application/zip", headers=(IDEMPOTENCY_KEY, CONTENT_RANGE))
@answers(
    Answer(200, "All plans of the file are stored.", PlansTaken),
    Answer(202, "A part came; more are expected.", UploadView),
    problems=_FILE,
    tag="plans",
)
async def import_plans() -> Response:
    """Take in a file of an export: a plan of the same id is replaced, others stay.

    All of its plans are stored at once, or none. A large file is sent in parts, as a picture is.
    """
    plans = application().plans
    sent = await read_file(plans.uploads, ARCHIVE_BYTES_MOST)
    if isinstance(sent, UploadView):
        return reply(sent, 202)
    taken = await _looked_at(lambda: unpacked(sent), "The file")
    before = {plan.id for plan in application().board.plans}
    _saved(await plans.take(taken, by=by()), imported=True)
    ids = [take.id for take in taken]
    added, replaced = ([one for one in ids if (one in before) is was] for was in (False, True))
    return reply(PlansTaken(added, replaced))


async def _known(plan_id: str) -> Plan:
    plan = await application().queries.plan(plan_id)
    if plan is None:
        raise Problem(UNKNOWN_PLAN)
    return plan


async def _edited(edit: Edit, *, revision: int | None = None, **detail: Fact) -> Edited:
    """Carry an edit out, and note it with this. Raises Problem, and NotHere where another process
    has to do it."""
    outcome = await application().plans.edit(edit, revision=revision, by=by())
    [made] = _saved((outcome,) if isinstance(outcome, Edited) else outcome, **detail)
    return made


def _saved(
    outcome: tuple[Edited, ...] | PlanRefusal | Refusal, **detail: Fact
) -> tuple[Edited, ...]:
    """What was done, noted. Raises Problem where nothing was."""
    if isinstance(outcome, Refusal):
        refuse(outcome)
    if isinstance(outcome, PlanRefusal):
        _refused(outcome)
    for one in outcome:
        what = Act.PLAN_DELETE if one.removed else Act.PLAN_SAVE
        note(what, one.plan.id, name=one.plan.name, revision=one.plan.revision, **detail)
    return outcome


def _refused(why: PlanRefusal) -> NoReturn:
    match why:
        case PlanRefusal.UNKNOWN:
            raise Problem(UNKNOWN_PLAN)
        case PlanRefusal.CHANGED:
            raise Problem(EDITED_MEANWHILE, "read the plan again, and decide anew")
        case PlanRefusal.TOO_MANY:
            raise Problem(CONFLICT, f"there are {PLANS_MOST} plans, which is the most")
        case PlanRefusal.TOO_MANY_PLACES:
            raise Problem(CONFLICT, f"a plan has {PLACES_MOST} lights and gateways at most")
        case PlanRefusal.PICTURES_TOO_LARGE:
            most = PICTURES_BYTES_MOST // (1024 * 1024)
            raise Problem(CONFLICT, f"all pictures together would have more than {most} MB")
        case _:
            assert_never(why)


async def _looked_at(look: Callable[[], T], what: str) -> T:
    """What a file turns out to be, found out apart from the loop."""
    try:
        return await trio.to_thread.run_sync(look, limiter=_checking)
    except UnknownType as error:
        raise Problem(WRONG_MEDIA_TYPE, f"{what} {error}") from None
    except TooLarge as error:
        raise Problem(BODY_TOO_LARGE, f"{what} {error}") from None
    except FileRefused as error:
        raise Problem(FILE_REFUSED, f"{what} {error}") from None


def _check_known(lights: dict[str, Spot | None], gateways: dict[str, Spot | None]) -> None:
    """Whatever is placed has to be there; off a plan anything may be taken."""
    board = application().board
    mistakes = [
        Mistake(f"lights.{dev_eui}", "is not a known light")
        for dev_eui, spot in lights.items()
        if (spot is not None and dev_eui not in board.devices) or not _sees(dev_eui)
    ]
    mistakes += [
        Mistake(f"gateways.{gateway_id}", "is not a known gateway")
        for gateway_id, spot in gateways.items()
        if spot is not None and gateway_id not in board.gateways
    ]
    if mistakes:
        raise Problem(INVALID, errors=mistakes[:MISTAKES_MOST])


def _sees(dev_eui: str) -> bool:
    device, sight = application().board.devices.get(dev_eui), caller().sight
    return sight.sees_unknown(dev_eui) if device is None else sight.sees(device)


def _seen(lights: dict[str, Spot]) -> dict[str, Spot]:
    """What the caller may not see is not on the plan."""
    if not caller().sight.limited:
        return lights
    return {dev_eui: spot for dev_eui, spot in lights.items() if _sees(dev_eui)}


def _only_seen(plan: Plan) -> Plan:
    return msgspec.structs.replace(plan, lights=_seen(plan.lights))
