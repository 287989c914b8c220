"""The audit: who did what, when, from where."""

from quart import Blueprint, Response

from actors.storage.audit import AuditEntry, AuditPage
from api.http.audit import by
from api.http.exports import CSV, JSON_LINES, Table, reply_as
from api.http.exports import wanted as form_of
from api.http.openapi import Answer, answers, takes
from api.http.problems import INVALID, RATE_LIMITED, STORE_UNAVAILABLE, Problem
from api.http.requests import read_query
from api.http.services import application
from api.http.sight import Lights, seen, shows
from api.models.columns import AUDIT
from api.models.requests import AuditQuery
from api.validation import Mistake

blueprint = Blueprint("audit", __name__)


@blueprint.get("/audit")
@shows(Lights.SEEN)
@answers(
    Answer(200, "A page of it.", AuditPage, also=(CSV, JSON_LINES)),
    problems=(INVALID, RATE_LIMITED, STORE_UNAVAILABLE),
    tag="operation",
)
@takes(query=AuditQuery)
async def get_audit() -> Response:
    """Who did what, newest first; filters are combined.

    Who may see some lights only is told of these, and of what they did themselves.
    """
    query = read_query(AuditQuery)
    here = application()
    until = query.until if query.until is not None else here.clock.now() + 1.0
    since = query.since if query.since is not None else 0.0
    if since > until:
        raise Problem(INVALID, errors=[Mistake("since", "must not be after until")])
    on = None if query.on is None else query.on.lower()
    lights, own = seen(), by()

    def wanted(entry: AuditEntry) -> bool:
        if query.by not in (None, entry.by) or query.what not in (None, entry.what):
            return False
        if on is not None and on != entry.on.lower():
            return False
        known = entry.on in here.board.devices and lights.light(entry.on)
        return not lights.limited or known or entry.by == own

    page = await here.queries.audit(since=since, until=until, most=query.limit, wanted=wanted)
    following = None if page.next_until is None else {"until": page.next_until}
    return reply_as(form_of(query.format), page, Table("audit", AUDIT, page.entries, following))
