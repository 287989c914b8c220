"""Rollouts: one colour for many lights; begun, watched, steered.

Which lights they are is settled once, when the rollout begins; a light that is not known is told as
a mistake, never left out.
"""

import hashlib

import msgspec
import structlog
from quart import Blueprint, Response

from actors.board.rollout import Rollout, State
from actors.device.foreign_sender import in_words
from actors.refusal import Refusal
from actors.rollouts import decisions
from actors.rollouts.model import Conflict, Order, RolloutInspection, Wish
from actors.rollouts.narrowed import narrowed
from actors.storage.audit import Act
from api.http.audit import by, note
from api.http.exports import CSV, Table, reply_as
from api.http.exports import wanted as form_of
from api.http.header_parameters import IDEMPOTENCY_KEY
from api.http.openapi import Answer, answers, takes
from api.http.problems import (
    CONFLICT,
    FORBIDDEN,
    INVALID,
    KEY_REUSED,
    MAILBOX_FULL,
    NO_REPLY,
    RATE_LIMITED,
    STOPPING,
    TOO_MANY_ROLLOUTS,
    UNKNOWN_ROLLOUT,
    WRITING,
    Problem,
)
from api.http.refusals import refuse
from api.http.requests import idempotency_key, read_body, read_query
from api.http.response_headers import LOCATION
from api.http.responses import address, reply
from api.http.services import application
from api.http.sight import Lights, seen, shows
from api.models import RolloutDetail, RolloutList, RolloutView
from api.models.columns import ROLLOUT_LIGHTS, ROLLOUTS
from api.models.requests import (
    DeviceQuery,
    RolloutAgain,
    RolloutChange,
    RolloutRequest,
    TableQuery,
)
from api.routes.devices import matcher
from api.validation import MISTAKES_MOST, Mistake

LISTED_MOST = 100

blueprint = Blueprint("rollouts", __name__)

_WRITE = (
    *WRITING,
    MAILBOX_FULL,
    STOPPING,
    NO_REPLY,
)


@blueprint.post("/rollouts")
@shows(Lights.SEEN)
@answers(
    Answer(201, "Stored and begun; `Location` is its progress.", RolloutView, headers=(LOCATION,)),
    problems=(*_WRITE, KEY_REUSED, TOO_MANY_ROLLOUTS),
    tag="rollouts",
)
@takes(body=RolloutRequest, headers=(IDEMPOTENCY_KEY,))
async def create_rollout() -> Response:
    """Bring many lights to one colour, some at a time.

    `Idempotency-Key` makes a repetition harmless: the same order gives the same rollout.
    """
    key, body = idempotency_key(), await read_body(RolloutRequest)
    dev_euis = _chosen(body)
    order = Order(
        dev_euis=dev_euis,
        light=body.light,
        keep=body.keep,
        ttl_s=body.ttl_s,
        name=body.name,
        pace_per_min=body.pace_per_min,
        failures_most=body.failures_most,
        correlation_id=structlog.contextvars.get_contextvars().get("request_id", ""),
        idempotency_key=key,
        fingerprint=hashlib.sha256(body.canonical_json()).hexdigest(),
        by=by(),
    )
    made = await begun(order)
    note(Act.ROLLOUT, made.id, name=made.name, lights=made.total, light=in_words(body.light))
    return _answer(made)


async def begun(order: Order) -> Rollout:
    """Begin a rollout. Raises Problem where that is refused."""
    made = await application().rollouts.create(order)
    if isinstance(made, Refusal):
        refuse(made)
    return made


def _answer(made: Rollout) -> Response:
    return reply(RolloutView.of(made), 201, {"Location": address(f"/api/v1/rollouts/{made.id}")})


@blueprint.get("/rollouts")
@shows(Lights.SEEN)
@answers(
    Answer(200, "At most 100, newest first.", RolloutList, also=(CSV,)),
    problems=(INVALID, RATE_LIMITED),
    tag="rollouts",
)
@takes(query=TableQuery)
async def list_rollouts() -> Response:
    """The rollouts, newest first."""
    query = read_query(TableQuery)
    rollouts = application().rollouts.repository.listed(LISTED_MOST)
    if seen().limited:
        found = (_inspected(one.id) for one in rollouts)
        views = [
            RolloutView.of(one.rollout, partly=partly) for one, partly in found if one is not None
        ]
    else:
        views = [RolloutView.of(rollout) for rollout in rollouts]
    return reply_as(form_of(query.format), RolloutList(views), Table("rollouts", ROLLOUTS, views))


@blueprint.get("/rollouts/<rollout_id>")
@shows(Lights.SEEN)
@answers(
    Answer(
        200, "The rollout and each of its lights; as a table these.", RolloutDetail, also=(CSV,)
    ),
    problems=(UNKNOWN_ROLLOUT, INVALID, RATE_LIMITED),
    tag="rollouts",
)
@takes(query=TableQuery)
async def get_rollout(rollout_id: str) -> Response:
    """One rollout with its lights."""
    query, (found, partly) = read_query(TableQuery), _inspected(rollout_id)
    if found is None:
        raise Problem(UNKNOWN_ROLLOUT)
    view = RolloutDetail.inspected(found, partly=partly)
    return reply_as(form_of(query.format), view, Table("rollout", ROLLOUT_LIGHTS, view.lights))


@blueprint.post("/rollouts/<rollout_id>/again")
@shows(Lights.SEEN)
@answers(
    Answer(201, "A new rollout; `again_of` names the first one.", RolloutView, headers=(LOCATION,)),
    problems=(*_WRITE, UNKNOWN_ROLLOUT, CONFLICT, KEY_REUSED, TOO_MANY_ROLLOUTS),
    tag="rollouts",
    body_optional=True,
)
@takes(body=RolloutAgain, headers=(IDEMPOTENCY_KEY,))
async def try_again(rollout_id: str) -> Response:
    """Try the failed and the unreached lights of a rollout again, as a new rollout.

    Unreached are those that were never commanded and never will be, since it was cancelled or is
    stopped. Each gets the colour that it was to get; lights known no longer are left out.
    """
    key, body = idempotency_key(), await read_body(RolloutAgain, optional=True)
    here = application()
    found, _ = _inspected(rollout_id)
    if found is None:
        raise Problem(UNKNOWN_ROLLOUT)
    wish = Wish(pace_per_min=body.pace_per_min, failures_most=body.failures_most)
    order = decisions.again(found.rollout, found.parts, here.board.devices, wish)
    if isinstance(order, Conflict):
        raise Problem(CONFLICT, order.why)
    asked = f"again {rollout_id} {body.model_dump_json()}"
    made = await begun(
        msgspec.structs.replace(
            order,
            by=by(),
            correlation_id=structlog.contextvars.get_contextvars().get("request_id", ""),
            idempotency_key=key,
            fingerprint=hashlib.sha256(asked.encode()).hexdigest(),
        )
    )
    note(Act.ROLLOUT_AGAIN, made.id, again_of=rollout_id, lights=made.total)
    return _answer(made)


@blueprint.patch("/rollouts/<rollout_id>")
@shows(Lights.SEEN)
@answers(
    Answer(200, "The rollout as it is now.", RolloutView),
    problems=(*_WRITE, UNKNOWN_ROLLOUT, CONFLICT),
    tag="rollouts",
)
@takes(body=RolloutChange)
async def change_rollout(rollout_id: str) -> Response:
    """Pause, resume or cancel a rollout, or change its pace or its limit of failures.

    Cancelling gives no further commands; those already accepted go on.
    """
    body = await read_body(RolloutChange)
    wish = Wish(
        state=None if body.state is None else State(body.state),
        pace_per_min=body.pace_per_min,
        failures_most=body.failures_most,
    )
    if wish == Wish():
        raise Problem(INVALID, errors=[Mistake("", "names nothing to change")])
    if seen().limited:
        _whole(rollout_id)
    changed = await application().rollouts.change(rollout_id, wish)
    if changed is None:
        raise Problem(UNKNOWN_ROLLOUT)
    if isinstance(changed, Conflict):
        raise Problem(CONFLICT, changed.why)
    if isinstance(changed, Refusal):
        refuse(changed)
    note(Act.ROLLOUT_CHANGE, rollout_id, **body.model_dump(exclude_none=True))
    return reply(RolloutView.of(changed))


def _inspected(rollout_id: str) -> tuple[RolloutInspection | None, bool]:
    """A rollout as far as it is of lights that the caller may see, and whether that is a part."""
    whole, lights = application().rollouts.repository.inspect(rollout_id), seen()
    if whole is None or not lights.limited:
        return whole, False
    found = narrowed(whole, lights.light)
    return found, found is not None and len(found.parts) < len(whole.parts)


def _whole(rollout_id: str) -> None:
    """Raises Problem unless the caller may see all lights of this rollout."""
    found, partly = _inspected(rollout_id)
    if found is None:
        raise Problem(UNKNOWN_ROLLOUT)
    if partly:
        raise Problem(FORBIDDEN, f"it is of more lights than {by()} may see")


def _chosen(body: RolloutRequest) -> tuple[str, ...]:
    """The lights meant, each once. Raises Problem with every mistake."""
    board, lights = application().board, seen().devices
    if body.dev_euis is not None:
        given = [dev_eui.lower() for dev_eui in body.dev_euis]
        unknown = [
            Mistake(f"dev_euis.{number}", "is not a known light")
            for number, dev_eui in enumerate(given)
            if dev_eui not in lights
        ]
        if unknown:
            raise Problem(INVALID, errors=unknown[:MISTAKES_MOST])
        return tuple(dict.fromkeys(given))
    assert body.filter is not None  # noqa: S101 - the body has one of the two
    query = DeviceQuery.model_construct(**dict(body.filter))
    wanted = matcher(query, board.reachability)
    found = sorted(dev_eui for dev_eui, device in lights.items() if wanted(device))
    if not found:
        raise Problem(INVALID, errors=[Mistake("filter", "matches no light")])
    return tuple(found)
