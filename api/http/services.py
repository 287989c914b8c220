"""What the handlers work with, found through the running app.

There is one value, made by `create_app`; no module holds state of its own.
"""

from dataclasses import dataclass

from quart import Quart, current_app

from actors.application import Application
from api.http.auth import Gatekeeper
from api.http.metrics import HttpMetrics
from api.http.peers import Peers
from api.http.rate_limits import RateLimiter
from api.live.hub import Hub
from api.server.shutdown import Shutdown
from api.settings.model import ApiSettings

_KEY = "lamplighter"


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a handler may use."""

    application: Application
    settings: ApiSettings
    gatekeeper: Gatekeeper
    peers: Peers
    limiter: RateLimiter
    """By address: of requests without a valid token."""
    token_limiter: RateLimiter
    """By token: of requests with one."""
    refusal_limiter: RateLimiter
    """By name, and of all: of refusals that are written into the audit."""
    hub: Hub
    http_metrics: HttpMetrics
    shutdown: Shutdown


def put_services(app: Quart, services: Services) -> None:
    """Give an app its services."""
    app.extensions[_KEY] = services


def services_of(app: Quart) -> Services:
    """The services of an app. Raises RuntimeError for an app that `create_app` did not make."""
    services = app.extensions.get(_KEY)
    if not isinstance(services, Services):
        raise RuntimeError("this app was not made by create_app")  # noqa: TRY004 not a type error
    return services


def services() -> Services:
    """The services of the app that answers now."""
    return services_of(current_app)


def application() -> Application:
    """The parts that are asked from outside, of the app that answers now."""
    return services().application
