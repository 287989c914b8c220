"""The Quart app: routes, gate, errors and description put together.

The rule it keeps: the app knows the house by its protocol only and starts nothing; `web.py` serves
it, tests call it.
"""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from quart import Blueprint
from quart_trio import QuartTrio

from actors.surface import House
from api import gate, openapi, problems
from api.auth import Gatekeeper
from api.base_path import BasePath
from api.drain import Drain
from api.ingest import Ingest
from api.inputs import only_known_parameters
from api.limits import RateLimiter
from api.live import socket as live
from api.live.hub import Hub
from api.meters import Meters
from api.peers import Peers
from api.routes import (
    alerts,
    caller,
    clock,
    commands,
    devices,
    downlink,
    gateways,
    health,
    insight,
    metrics,
    pages,
    rollouts,
    setback,
    supervisor,
    webhooks,
)
from api.services import Services, put_services, services_of
from api.settings import ApiSettings
from api.waiting import LamplighterApp
from api.webhooks import Webhooks

API = "/api/v1"
RESOURCES = (
    downlink,
    commands,
    devices,
    insight,
    rollouts,
    gateways,
    metrics,
    alerts,
    clock,
    setback,
    supervisor,
    caller,
    webhooks,
)


def create_app(
    house: House, settings: ApiSettings, *, extra: Sequence[Blueprint] = ()
) -> QuartTrio:
    """The app that serves `house`.

    Blueprints in `extra` come under the same gate: to read needs scope `viewer`, all else
    `operator`, unless their views are marked with `api.auth.requires`.
    """
    web = settings.web
    app = LamplighterApp("lamplighter", static_folder=str(pages.STATIC), static_url_path="/static")
    app.url_map.strict_slashes = False  # a slash too many at the end of a path is no mistake
    app.config["MAX_CONTENT_LENGTH"] = web.body_bytes_most
    app.config["BODY_TIMEOUT"] = web.body_timeout_s
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 0  # revalidated by ETag: a new release shows at once
    gatekeeper = Gatekeeper(web.tokens.by_scope())
    limiter = RateLimiter(web.rate_per_s, web.rate_burst)
    meters = Meters(house)
    hooks = Webhooks(house, gatekeeper, limiter, meters.webhooks)
    services = Services(
        house=house,
        settings=settings,
        gatekeeper=gatekeeper,
        peers=Peers(web.trusted_proxies),
        limiter=limiter,
        token_limiter=RateLimiter(web.token_rate_per_s, web.token_rate_burst),
        hub=Hub(web.live_clients_most, house.reachability),
        meters=meters,
        drain=Drain(),
        webhooks=hooks,
    )
    put_services(app, services)
    openapi.describe(app, _version())
    problems.install(app)
    gate.install(app)
    app.before_request(only_known_parameters)
    for resource in RESOURCES:
        app.register_blueprint(resource.blueprint, url_prefix=API)
    app.register_blueprint(live.blueprint, url_prefix=API)
    for blueprint in (metrics.root, health.blueprint, pages.blueprint, *extra):
        app.register_blueprint(blueprint)
    app.asgi_app = Ingest(app.asgi_app, services)  # type: ignore[assignment, method-assign]
    if web.base_path:
        app.asgi_app = BasePath(app.asgi_app, web.base_path)  # type: ignore[assignment, method-assign]
    return app


def replace_tokens(app: QuartTrio, settings: ApiSettings) -> None:
    """From now on the tokens are these; live clients whose token is none of them are closed."""
    here = services_of(app)
    here.gatekeeper.replace(settings.web.tokens.by_scope())
    here.hub.close_unless(here.gatekeeper.still, live.UNAUTHENTICATED_CODE, "the token was changed")


def _version() -> str:
    try:
        return version("lamplighter")
    except PackageNotFoundError:  # run from a checkout
        return "0"
