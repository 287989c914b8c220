"""The guide, served by the service itself: what a state or an alert means, and what to do.

Public as the other pages are: it holds no data.
"""

import hashlib

import trio
from quart import Blueprint, Response, abort, redirect, request
from quart_schema import hide
from werkzeug.wrappers import Response as Redirection

from api.guide.pages import ENGLISH, GERMAN, page
from api.http.auth import Scope, requires

blueprint = Blueprint("guide", __name__)


@blueprint.get("/help", strict_slashes=True)
@requires(Scope.PUBLIC)
@hide
async def index() -> Redirection:
    """Where to begin. Relative: a proxy may show us below a path."""
    return redirect("help/operations")


@blueprint.get("/help/<name>", strict_slashes=True)
@requires(Scope.PUBLIC)
@hide
async def chapter(name: str) -> Response:
    """One page of the guide; made once, in some tens of milliseconds, beside the event loop."""
    try:
        body = await trio.to_thread.run_sync(page, name, _language())
    except KeyError:
        abort(404)
    response = Response(body, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept-Language"
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    await response.make_conditional(request)
    return response


def _language() -> str:
    """What is asked for (`?lang=de`), else the browser's."""
    asked = request.args.get("lang", "")
    if asked in {ENGLISH, GERMAN}:
        return asked
    return request.accept_languages.best_match([ENGLISH, GERMAN], ENGLISH) or ENGLISH
