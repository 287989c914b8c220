"""Scenes: named sets of lights and colours; kept, and applied as one rollout."""

import hashlib

import msgspec
import structlog
from quart import Blueprint, Response

from actors.refusal import Refusal
from actors.rollouts.model import Order
from actors.scenes.actor import order_of
from actors.scenes.edits import Reason, Refused, found
from actors.scenes.model import Part, Scene
from actors.scenes.resolve import Resolved, Source, as_now, resolved
from actors.storage.audit import Act
from api.http.audit import by, caller, note
from api.http.etags import etag, revision_of, revision_or_any
from api.http.header_parameters import IDEMPOTENCY_KEY, IF_MATCH, IF_MATCH_NEEDED
from api.http.openapi import Answer, answers, takes
from api.http.problems import (
    CONFLICT,
    EDITED_MEANWHILE,
    FORBIDDEN,
    INVALID,
    KEY_REUSED,
    MAILBOX_FULL,
    NO_REPLY,
    RATE_LIMITED,
    REVISION_NEEDED,
    STOPPING,
    STORE_UNAVAILABLE,
    TOO_MANY_ROLLOUTS,
    UNKNOWN_SCENE,
    UNKNOWN_SCHEDULE,
    WRITING,
    WRONG_ORIGIN,
    Problem,
)
from api.http.refusals import refuse
from api.http.requests import idempotency_key, read_body
from api.http.response_headers import ETAG, LOCATION
from api.http.responses import address, no_content, reply
from api.http.services import application
from api.http.sight import Lights, seen, shows
from api.models.requests import DeviceQuery
from api.models.rollouts import RolloutView
from api.models.scene_requests import SceneApply, SceneRequest
from api.models.scenes import SceneApplied, SceneList, SceneSummary, SceneView, as_seen
from api.routes.devices import matcher
from api.routes.rollouts import begun
from api.validation import MISTAKES_MOST, Mistake

blueprint = Blueprint("scenes", __name__)

CHANGING = (
    *WRITING,
    CONFLICT,
    FORBIDDEN,
    MAILBOX_FULL,
    STOPPING,
    NO_REPLY,
    STORE_UNAVAILABLE,
)
"""What a change of a scene or schedule may be refused for."""
REMOVING = (
    EDITED_MEANWHILE,
    FORBIDDEN,
    INVALID,
    MAILBOX_FULL,
    STOPPING,
    NO_REPLY,
    STORE_UNAVAILABLE,
    RATE_LIMITED,
    WRONG_ORIGIN,
)
"""What the end of one may be refused for."""


@blueprint.get("/scenes")
@shows(Lights.SEEN)
@answers(Answer(200, "By name.", SceneList), problems=(RATE_LIMITED,), tag="scenes")
async def list_scenes() -> Response:
    """The scenes, each with what it would command now."""
    scenes = application().scenes.scenes.values()
    return reply(SceneList([SceneSummary.of(*_seen(scene)) for scene in scenes]))


@blueprint.post("/scenes")
@shows(Lights.ALL)
@answers(
    Answer(201, "Kept.", SceneView, headers=(ETAG, LOCATION)),
    problems=CHANGING,
    tag="scenes",
)
@takes(body=SceneRequest)
async def create_scene() -> Response:
    """Keep a new scene: by its parts, or made from what lights should show, or show, now.

    A light named gets the colour under which it is named; of the others each gets that of the first
    part whose tag or application it has, or that is for all.
    """
    scene = _asked(await read_body(SceneRequest), application().scenes.new_id())
    kept = await _saved(scene, None)
    return _answer(kept, 201)


@blueprint.get("/scenes/<name>")
@shows(Lights.SEEN)
@answers(
    Answer(200, "The scene; `ETag` is its revision.", SceneView, headers=(ETAG,)),
    problems=(UNKNOWN_SCENE, RATE_LIMITED),
    tag="scenes",
)
async def get_scene(name: str) -> Response:
    """One scene, by its id or name."""
    return _answer(_named(name))


@blueprint.put("/scenes/<name>")
@shows(Lights.ALL)
@answers(
    Answer(200, "Changed; `ETag` is its new revision.", SceneView, headers=(ETAG,)),
    problems=(*CHANGING, UNKNOWN_SCENE, EDITED_MEANWHILE, REVISION_NEEDED),
    tag="scenes",
)
@takes(body=SceneRequest, headers=(IF_MATCH_NEEDED,))
async def replace_scene(name: str) -> Response:
    """Put another in place of a scene; `If-Match` is the revision that it has.

    So nobody's change is lost: where somebody changed it meanwhile, nothing is done.
    """
    body, before = await read_body(SceneRequest), _named(name)
    kept = await _saved(_asked(body, before.id), revision_of())
    return _answer(kept)


@blueprint.delete("/scenes/<name>")
@shows(Lights.ALL)
@answers(
    Answer(204, "It is gone."),
    problems=(UNKNOWN_SCENE, CONFLICT, *REMOVING),
    tag="scenes",
)
@takes(headers=(IF_MATCH,))
async def remove_scene(name: str) -> Response:
    """Remove a scene that no schedule applies; with `If-Match` only if nobody changed it."""
    before = _named(name)
    taken(await application().scenes.remove(Scene, before.id, revision_or_any()), UNKNOWN_SCENE)
    note(Act.SCENE_DELETE, before.id, name=before.name)
    return no_content()


@blueprint.post("/scenes/<name>/apply")
@shows(Lights.SEEN)
@answers(
    Answer(201, "Begun; `Location` is the rollout.", SceneApplied, headers=(LOCATION,)),
    problems=(*CHANGING, UNKNOWN_SCENE, KEY_REUSED, TOO_MANY_ROLLOUTS),
    tag="scenes",
    body_optional=True,
)
@takes(body=SceneApply, headers=(IDEMPOTENCY_KEY,))
async def apply_scene(name: str) -> Response:
    """Apply a scene as one rollout, in which each light gets its colour.

    Lights that it names and that are known no longer are told as `missing` and left out.
    `Idempotency-Key` makes a repetition harmless.
    """
    key, body = idempotency_key(), await read_body(SceneApply, optional=True)
    scene, meant = _seen(_named(name))
    if not meant.colours:
        raise Problem(CONFLICT, "the scene means no light that is known")
    made = await begun(_order(scene, meant, body, key))
    note(Act.SCENE_APPLY, scene.id, name=scene.name, rollout=made.id, lights=made.total)
    answer = SceneApplied(RolloutView.of(made), list(meant.missing))
    return reply(answer, 201, {"Location": address(f"/api/v1/rollouts/{made.id}")})


def taken(done: object, unknown: object) -> None:
    """Raises Problem where a change was refused."""
    if isinstance(done, Refusal):
        refuse(done)
    if not isinstance(done, Refused):
        return
    match done.reason:
        case Reason.UNKNOWN:
            assert unknown in {UNKNOWN_SCENE, UNKNOWN_SCHEDULE}  # noqa: S101 - by our own routes
            raise Problem(UNKNOWN_SCENE if unknown is UNKNOWN_SCENE else UNKNOWN_SCHEDULE, done.why)
        case Reason.STALE:
            raise Problem(EDITED_MEANWHILE, done.why)
        case Reason.NAME_TAKEN | Reason.TOO_MANY | Reason.IN_USE:
            raise Problem(CONFLICT, done.why)
        case Reason.NO_SCENE:
            raise Problem(INVALID, errors=[Mistake("scene", "is not a known scene")])


def known_lights(parts: tuple[Part, ...], field: str) -> None:
    """Raises Problem with every light that a new part names and nobody knows."""
    devices = application().board.devices
    unknown = [
        Mistake(f"{field}.{number}.dev_euis", f"{dev_eui} is not a known light")
        for number, part in enumerate(parts)
        for dev_eui in part.dev_euis
        if dev_eui not in devices
    ]
    if unknown:
        raise Problem(INVALID, errors=unknown[:MISTAKES_MOST])


def _named(name: str) -> Scene:
    scene = found(application().scenes.scenes, name)
    if scene is None:
        raise Problem(UNKNOWN_SCENE)
    return scene


def _seen(scene: Scene) -> tuple[Scene, Resolved]:
    """The scene and what it means now, as far as the caller may see."""
    visible = seen()
    if visible.limited:
        parts = as_seen(scene.parts, caller().sight, application().board.devices, visible.devices)
        scene = msgspec.structs.replace(scene, parts=parts)
    return scene, resolved(scene.parts, visible.devices)


def _asked(body: SceneRequest, id_: str) -> Scene:
    here, now = application(), application().clock.now()
    if body.parts is not None:
        parts = tuple(part.part for part in body.parts)
        before = here.scenes.scenes.get(id_)
        named = {} if before is None else {eui for part in before.parts for eui in part.dev_euis}
        fresh = tuple(
            msgspec.structs.replace(p, dev_euis=tuple(e for e in p.dev_euis if e not in named))
            for p in parts
        )
        known_lights(fresh, "parts")  # one that was in it before may be known no longer
    else:
        parts = _as_now(body)
    return Scene(
        id=id_,
        name=body.name,
        parts=parts,
        keep=body.keep,
        created_at=now,
        changed_at=now,
        by=by(),
    )


def _as_now(body: SceneRequest) -> tuple[Part, ...]:
    board, devices = application().board, application().board.devices
    chosen = list(devices.values())
    if body.dev_euis is not None:
        euis = list(dict.fromkeys(one.lower() for one in body.dev_euis))
        unknown = [
            Mistake("dev_euis", f"{one} is not a known light") for one in euis if one not in devices
        ]
        if unknown:
            raise Problem(INVALID, errors=unknown[:MISTAKES_MOST])
        chosen = [devices[one] for one in euis]
    elif body.filter is not None:
        wanted = matcher(DeviceQuery.model_construct(**dict(body.filter)), board.reachability)
        chosen = [device for device in chosen if wanted(device)]
    parts = as_now(chosen, Source(body.made_from or "wanted"))
    if not parts:
        why = (
            "no light of these should show anything"
            if body.made_from == "wanted"
            else ("of no light of these is known what it shows")
        )
        raise Problem(INVALID, errors=[Mistake("made_from", why)])
    return parts


async def _saved(scene: Scene, revision: int | None) -> Scene:
    done = await application().scenes.save(scene, revision)
    taken(done, UNKNOWN_SCENE)
    assert isinstance(done, Scene)  # noqa: S101 - all else was refused
    note(Act.SCENE_SAVE, done.id, name=done.name, revision=done.revision)
    return done


def _answer(scene: Scene, status: int = 200) -> Response:
    headers = {"ETag": etag(scene.revision)}
    if status == 201:
        headers["Location"] = address(f"/api/v1/scenes/{scene.id}")
    return reply(SceneView.of(*_seen(scene)), status, headers)


def _order(scene: Scene, meant: Resolved, body: SceneApply, key: str | None) -> Order:
    order = order_of(
        meant,
        keep=scene.keep,
        name=scene.name,
        scene=scene.name,
        pace_per_min=body.pace_per_min,
        failures_most=body.failures_most,
        by=by(),
    )
    asked = f"apply {scene.id} {body.model_dump_json()}"
    return msgspec.structs.replace(
        order,
        correlation_id=structlog.contextvars.get_contextvars().get("request_id", ""),
        idempotency_key=key,
        fingerprint=hashlib.sha256(asked.encode()).hexdigest(),
    )
