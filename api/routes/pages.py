"""The dashboard, the page that shows the API, and the description behind it.

Pages hold no data and are public; what they show they ask for with a token. Nothing is loaded from
another host.
"""

from pathlib import Path

from quart import Blueprint, Response, current_app, send_from_directory
from quart_schema import hide

from api.http.auth import Scope, requires
from api.http.openapi import openapi_json

STATIC = Path(__file__).parent.parent / "static"
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


async def _page(name: str) -> Response:
    response = await send_from_directory(STATIC, name)
    response.headers["Cache-Control"] = "no-cache"
    return response
