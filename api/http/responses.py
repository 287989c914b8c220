"""Good answers: JSON from declared models, encoded once, without a detour through dicts."""

from collections.abc import Mapping

import msgspec
from quart import Response

from api.http.services import services

_encoder = msgspec.json.Encoder()


def reply(
    view: msgspec.Struct, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The view as JSON."""
    return Response(
        _encoder.encode(view), status, dict(headers or {}), content_type="application/json"
    )


def address(path: str) -> str:
    """A path of ours as the caller sees it, for `Location`: behind the proxy's prefix, if any."""
    return services().settings.web.base_path + path


def no_content() -> Response:
    """Done, and nothing to say."""
    response = Response(b"", 204)
    del response.headers["Content-Type"]
    return response
