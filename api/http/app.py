"""The Quart app: routes, middleware, errors and description put together.

It starts nothing: `web_actor.py` serves it, and tests call it.
"""

from collections.abc import Sequence

from quart import Blueprint
from quart_trio import QuartTrio

from actors.application import Application
from actors.cluster.release import installed_version
from api.http import carrying, middleware, openapi, problems
from api.http.asgi_app import AsgiApp
from api.http.auth import Gatekeeper
from api.http.base_path import BasePath
from api.http.deadlines import LamplighterApp
from api.http.metrics import HttpMetrics
from api.http.peers import Peers
from api.http.rate_limits import RateLimiter
from api.http.requests import only_known_parameters
from api.http.services import Services, put_services, services_of
from api.live import socket as live
from api.live.hub import Hub
from api.pages.door import StaticDoor
from api.pages.files import static_files
from api.routes import (
    alerts,
    audit,
    calibrations,
    caller,
    clock,
    cluster,
    commands,
    device_details,
    devices,
    downlink,
    gateways,
    guide,
    health,
    hooks,
    metrics,
    pages,
    plans,
    quality,
    restored_store,
    rollouts,
    scenes,
    schedules,
    supervisor,
)
from api.server.shutdown import Shutdown
from api.settings.model import ApiSettings
from api.webhooks import description as webhooks
from api.webhooks.endpoint import Endpoint
from api.webhooks.intake import Intake

API = "/api/v1"
REFUSALS_PER_S, REFUSALS_BURST = 1 / 600, 5
"""Of one name: five at once, then one in ten minutes, 150 a day, whatever somebody asks for."""
RESOURCES = (
    downlink,
    commands,
    devices,
    device_details,
    rollouts,
    plans,
    scenes,
    schedules,
    hooks,
    gateways,
    quality,
    metrics,
    alerts,
    clock,
    cluster,
    restored_store,
    calibrations,
    supervisor,
    audit,
    caller,
    webhooks,
)


def create_app(
    application: Application, settings: ApiSettings, *, extra: Sequence[Blueprint] = ()
) -> QuartTrio:
    """The app that serves `application`.

    Blueprints in `extra` pass the same middleware: to read needs scope `viewer`, all else
    `operator`, unless their views are marked with `api.http.auth.requires`.
    """
    web = settings.web
    app = LamplighterApp("lamplighter", static_folder=None)
    app.url_map.strict_slashes = False  # a slash too many at the end of a path is no mistake
    app.config["MAX_CONTENT_LENGTH"] = web.body_bytes_most
    app.config["BODY_TIMEOUT"] = web.body_timeout_s
    http_metrics = HttpMetrics(application.metrics)
    services = Services(
        application=application,
        settings=settings,
        gatekeeper=Gatekeeper(*web.gatekeeper()),
        peers=Peers(web.trusted_proxies, web.trusted_user_header),
        limiter=RateLimiter(web.rate_per_s, web.rate_burst),
        token_limiter=RateLimiter(web.token_rate_per_s, web.token_rate_burst),
        refusal_limiter=RateLimiter(REFUSALS_PER_S, REFUSALS_BURST),
        hub=Hub(web.live_clients_most, application.board),
        http_metrics=http_metrics,
        shutdown=Shutdown(),
    )
    put_services(app, services)
    openapi.describe(app, installed_version())
    problems.install(app)
    middleware.install(app)
    app.before_request(only_known_parameters)
    for resource in RESOURCES:
        app.register_blueprint(resource.blueprint, url_prefix=API)
    app.register_blueprint(live.blueprint, url_prefix=API)
    for blueprint in (metrics.root, health.blueprint, pages.blueprint, guide.blueprint, *extra):
        app.register_blueprint(blueprint)
    if application.carrier is not None:
        application.carrier.serve = carrying.CarriedHere(app.asgi_app)
    endpoint = Endpoint(services, Intake(application.event_door, http_metrics.webhooks))
    door = StaticDoor(services, static_files())
    app.asgi_app = AsgiApp(app.asgi_app, services, endpoint, door)  # type: ignore[assignment, method-assign]
    if web.base_path:
        app.asgi_app = BasePath(app.asgi_app, web.base_path)  # type: ignore[assignment, method-assign]
    return app


def replace_tokens(app: QuartTrio, settings: ApiSettings) -> None:
    """From now on tokens, people and what each may see are these; live clients who would not be let
    in as the same are closed."""
    here = services_of(app)
    here.gatekeeper.replace(*settings.web.gatekeeper())
    here.hub.close_unless(here.gatekeeper.still, live.UNAUTHENTICATED_CODE, "the token was changed")
