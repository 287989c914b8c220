"""Hooks: receivers that are posted what happens, signed, at least once."""

from urllib.parse import urlsplit

from quart import Blueprint, Response

from actors.outgoing.actor import Outgoing
from actors.outgoing.edits import Reason, Refused, found
from actors.outgoing.model import Hook
from actors.refusal import Refusal
from actors.replace import replace
from actors.storage.audit import Act
from api.hooks.guard import NotAllowed
from api.hooks.signature import new_secret
from api.http.audit import by, caller, note
from api.http.auth import Scope, requires
from api.http.etags import etag, revision_of, revision_or_any
from api.http.exports import CSV, Table, reply_as, wanted
from api.http.header_parameters import IF_MATCH, IF_MATCH_NEEDED
from api.http.openapi import Answer, answers, takes
from api.http.problems import (
    CONFLICT,
    EDITED_MEANWHILE,
    FORBIDDEN,
    INVALID,
    MAILBOX_FULL,
    NO_REPLY,
    RATE_LIMITED,
    REVISION_NEEDED,
    STOPPING,
    STORE_UNAVAILABLE,
    TOO_MANY_TESTS,
    UNKNOWN_HOOK,
    WRITING,
    WRONG_ORIGIN,
    Problem,
)
from api.http.refusals import refuse
from api.http.requests import read_body, read_query
from api.http.response_headers import ETAG, LOCATION
from api.http.responses import address, no_content, reply
from api.http.services import application, services
from api.http.sight import Lights, shows
from api.models.columns import HOOKS, TRIES
from api.models.hooks import (
    DeliveriesQuery,
    HookList,
    HookMade,
    HookPatch,
    HookRequest,
    HookView,
    ReplayRequest,
    TryList,
    TryView,
)
from api.models.requests import TableQuery
from api.validation import Mistake

blueprint = Blueprint("hooks", __name__)

ASKING = (MAILBOX_FULL, STOPPING, NO_REPLY, STORE_UNAVAILABLE)
CHANGING = (*WRITING, CONFLICT, FORBIDDEN, *ASKING)
ACTING = (UNKNOWN_HOOK, FORBIDDEN, RATE_LIMITED, WRONG_ORIGIN, *ASKING)


@blueprint.get("/hooks")
@requires(Scope.OPERATOR)
@shows(Lights.SEEN)
@answers(
    Answer(200, "By name.", HookList, also=(CSV,)),
    problems=(INVALID, RATE_LIMITED, FORBIDDEN),
    tag="hooks",
)
@takes(query=TableQuery)
async def list_hooks() -> Response:
    """The hooks, and how far each was told. Who may see some lights only sees its own."""
    query, outgoing = read_query(TableQuery), application().outgoing
    views = [_view(one, outgoing) for one in _seen()]
    return reply_as(wanted(query.format), HookList(views), Table("hooks", HOOKS, views))


@blueprint.post("/hooks")
@shows(Lights.SEEN)
@answers(
    Answer(
        201,
        "Kept; the secret is shown this once.",
        HookMade,
        headers=(ETAG, LOCATION),
    ),
    problems=CHANGING,
    tag="hooks",
)
@takes(body=HookRequest)
async def create_hook() -> Response:
    """Keep a new hook. It is told what happens from now on, of lights that its maker may see."""
    body, here = await read_body(HookRequest), application()
    _check_url(body.url)
    now, secret, outgoing = here.clock.now(), new_secret(), here.outgoing
    hook = Hook(
        id=outgoing.new_id(),
        name=body.name,
        url=body.url,
        kinds=tuple(sorted(set(body.kinds))),
        secret=secret,
        wanted=body.wanted,
        sight=caller().sight,
        enabled=body.enabled,
        created_at=now,
        changed_at=now,
        by=by(),
    )
    made = _taken(await outgoing.save(hook, None))
    note(Act.HOOK_SAVE, made.id, name=made.name, host=_host(made.url), revision=made.revision)
    headers = {"ETag": etag(made.revision), "Location": address(f"/api/v1/hooks/{made.id}")}
    return reply(HookMade(_view(made, outgoing), secret), 201, headers)


@blueprint.get("/hooks/<name>")
@requires(Scope.OPERATOR)
@shows(Lights.SEEN)
@answers(
    Answer(200, "The hook; `ETag` is its revision.", HookView, headers=(ETAG,)),
    problems=(UNKNOWN_HOOK, RATE_LIMITED, FORBIDDEN),
    tag="hooks",
)
async def get_hook(name: str) -> Response:
    """One hook, by its id or name."""
    return _answer(_named(name), application().outgoing)


@blueprint.patch("/hooks/<name>")
@shows(Lights.SEEN)
@answers(
    Answer(200, "Changed; `ETag` is its new revision.", HookView, headers=(ETAG,)),
    problems=(*CHANGING, UNKNOWN_HOOK, EDITED_MEANWHILE, REVISION_NEEDED),
    tag="hooks",
)
@takes(body=HookPatch, headers=(IF_MATCH_NEEDED,))
async def change_hook(name: str) -> Response:
    """Change a hook; `If-Match` is the revision that it has.

    Enabled again it goes on where it stood, as far as that is kept.
    """
    body, before = await read_body(HookPatch), _named(name)
    if body.url is not None:
        _check_url(body.url)
    wanted = before.wanted
    filters = HookRequest(
        name=before.name,
        url=before.url,
        applications=_or(body.applications, wanted.applications),
        tags=_or(body.tags, wanted.tags),
        dev_euis=_or(body.dev_euis, wanted.dev_euis),
    )
    asked = replace(
        before,
        name=before.name if body.name is None else body.name,
        url=before.url if body.url is None else body.url,
        kinds=before.kinds if body.kinds is None else tuple(sorted(set(body.kinds))),
        wanted=filters.wanted,
        enabled=before.enabled if body.enabled is None else body.enabled,
        changed_at=application().clock.now(),
        by=by(),
    )
    outgoing = application().outgoing
    made = _taken(await outgoing.save(asked, revision_of()))
    note(Act.HOOK_SAVE, made.id, name=made.name, host=_host(made.url), revision=made.revision)
    return _answer(made, outgoing)


@blueprint.delete("/hooks/<name>")
@shows(Lights.SEEN)
@answers(
    Answer(204, "It is gone."),
    problems=(EDITED_MEANWHILE, INVALID, *ACTING),
    tag="hooks",
)
@takes(headers=(IF_MATCH,))
async def remove_hook(name: str) -> Response:
    """Remove a hook with its log; with `If-Match` only if nobody changed it."""
    before = _named(name)
    _taken(await application().outgoing.remove(before.id, revision_or_any()))
    note(Act.HOOK_DELETE, before.id, name=before.name)
    return no_content()


@blueprint.get("/hooks/<name>/deliveries")
@requires(Scope.OPERATOR)
@shows(Lights.SEEN)
@answers(
    Answer(200, "The newest tries, newest first; 100 are kept.", TryList, also=(CSV,)),
    problems=(UNKNOWN_HOOK, INVALID, RATE_LIMITED, FORBIDDEN),
    tag="hooks",
)
@takes(query=DeliveriesQuery)
async def list_deliveries(name: str) -> Response:
    """What became of the last tries to deliver to a hook."""
    hook, query = _named(name), read_query(DeliveriesQuery)
    tries = application().outgoing.tries(hook.id)[: query.limit]
    views = [TryView.of(one) for one in tries]
    return reply_as(wanted(query.format), TryList(views), Table("deliveries", TRIES, views))


@blueprint.post("/hooks/<name>/test")
@shows(Lights.SEEN)
@answers(
    Answer(200, "It was posted; what came of it.", TryView),
    problems=(TOO_MANY_TESTS, *ACTING),
    tag="hooks",
)
async def test_hook(name: str) -> Response:
    """Post an event that tells nothing (`hook.test`) now, once, and say what the receiver did."""
    hook = _named(name)
    line = await application().outgoing.test(hook.id)
    if line is Refusal.TOO_MANY:
        raise Problem(TOO_MANY_TESTS)
    if isinstance(line, Refusal):
        refuse(line)
    if line is None:
        raise Problem(UNKNOWN_HOOK)
    note(Act.HOOK_TEST, hook.id, name=hook.name, status=line.status)
    return reply(TryView.of(line))


@blueprint.post("/hooks/<name>/secret")
@shows(Lights.SEEN)
@answers(
    Answer(200, "The new secret, shown this once.", HookMade, headers=(ETAG,)),
    problems=ACTING,
    tag="hooks",
)
async def rotate_secret(name: str) -> Response:
    """Sign with a new secret; with the one before it as well, for a day."""
    hook, secret, outgoing = _named(name), new_secret(), application().outgoing
    made = _taken(await outgoing.set_secret(hook.id, secret))
    note(Act.HOOK_SECRET, hook.id, name=hook.name)
    return reply(HookMade(_view(made, outgoing), secret), headers={"ETag": etag(made.revision)})


@blueprint.post("/hooks/<name>/replay")
@shows(Lights.SEEN)
@answers(
    Answer(200, "It is on its way, under the ids that it had.", HookView),
    problems=(*WRITING, *ACTING),
    tag="hooks",
)
@takes(body=ReplayRequest)
async def replay_hook(name: str) -> Response:
    """Deliver once more what is kept since a time: events are kept for three days."""
    hook, body = _named(name), await read_body(ReplayRequest)
    outgoing = application().outgoing
    made = _taken(await outgoing.replay(hook.id, body.since))
    note(Act.HOOK_REPLAY, hook.id, name=hook.name, since=body.since)
    return reply(_view(made, outgoing))


def _seen() -> list[Hook]:
    """Those that exist for who asks: all, or of who may see some lights only its own."""
    asks, hooks = caller(), application().outgoing.hooks.values()
    return [one for one in hooks if not asks.sight.limited or one.by == asks.name]


def _named(name: str) -> Hook:
    hook = found({one.id: one for one in _seen()}, name)
    if hook is None:
        raise Problem(UNKNOWN_HOOK)
    return hook


def _check_url(url: str) -> None:
    try:
        services().settings.hooks.guard().check_url(url)
    except NotAllowed as error:
        raise Problem(INVALID, errors=[Mistake("url", str(error))]) from None


def _host(url: str) -> str:
    """What is written down of an address: the rest may be a secret of the receiver's."""
    return urlsplit(url).hostname or ""


def _or(given: list[str] | None, before: tuple[str, ...]) -> list[str]:
    return list(before) if given is None else given


def _taken(done: Hook | Refused | Refusal) -> Hook:
    """Raises Problem for what was not taken."""
    if isinstance(done, Refusal):
        refuse(done)
    if isinstance(done, Refused):
        match done.reason:
            case Reason.UNKNOWN:
                raise Problem(UNKNOWN_HOOK)
            case Reason.STALE:
                raise Problem(EDITED_MEANWHILE, done.why)
            case Reason.NAME_TAKEN | Reason.TOO_MANY:
                raise Problem(CONFLICT, done.why)
    return done


def _answer(hook: Hook, outgoing: Outgoing) -> Response:
    return reply(_view(hook, outgoing), headers={"ETag": etag(hook.revision)})


def _view(hook: Hook, outgoing: Outgoing) -> HookView:
    """`outgoing` is the one that was asked to change it: the fleet may be another process's by now,
    and what is done must not be carried there to be done again."""
    return HookView.of(hook, outgoing.position(hook.id), outgoing.waiting(hook.id))
