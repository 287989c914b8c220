"""Who serves the fleet: processes, shards, and how they moved."""

from urllib.parse import urlsplit

from quart import Blueprint, Response

from actors.cluster.shown import ClusterShown
from api.http.openapi import Answer, answers
from api.http.problems import RATE_LIMITED
from api.http.responses import reply
from api.http.services import services
from api.http.sight import Lights, shows

blueprint = Blueprint("cluster", __name__)


@blueprint.get("/cluster")
@shows(Lights.ALL)
@answers(
    Answer(200, "As the answering process sees it.", ClusterShown),
    problems=(RATE_LIMITED,),
    tag="operation",
)
async def get_cluster() -> Response:
    """Which processes serve the fleet, who owns which part of it, and how parts moved."""
    here = services()
    url = here.settings.store.url.get_secret_value()
    return reply(here.application.cluster.shown(urlsplit(url).scheme))
