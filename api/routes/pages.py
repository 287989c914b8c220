"""The dashboard, the page that shows the API, and the description behind it.

Pages hold no data and are public; what they show they ask for with a token. Nothing is loaded from
another host.
"""

from typing import NoReturn

from quart import Blueprint, Response, current_app, request
from quart_schema import hide

from api.http.auth import Scope, requires
from api.http.openapi import openapi_json
from api.http.problems import NOT_FOUND, Problem
from api.pages.door import ROUTE
from api.pages.files import static_files

_DESCRIPTION = "lamplighter.openapi"

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
@requires(Scope.PUBLIC)
@hide
async def index() -> Response:
    """The dashboard."""
    return await _page("index.html")


@blueprint.get("/docs", strict_slashes=True)
@requires(Scope.PUBLIC)
@hide
async def docs() -> Response:
    """The API, made readable."""
    return await _page("docs.html")


@blueprint.get("/openapi.json")
@requires(Scope.PUBLIC)
@hide
async def openapi() -> Response:
    """The OpenAPI description, made once: routes do not change while the app runs."""
    if _DESCRIPTION not in current_app.extensions:
        current_app.extensions[_DESCRIPTION] = openapi_json(current_app)
    return Response(current_app.extensions[_DESCRIPTION], content_type="application/json")


@blueprint.get(ROUTE)
@requires(Scope.PUBLIC)
@hide
async def loaded(name: str) -> NoReturn:
    """What pages load is answered by `api/pages/door.py`; here comes what is not there."""
    raise Problem(NOT_FOUND)


async def _page(name: str) -> Response:
    page = static_files().pages[name]
    response = Response(page.body, content_type=page.content_type)
    response.headers["Cache-Control"] = "no-cache"
    response.set_etag(page.etag.strip('"'))
    await response.make_conditional(request)
    return response
