"""What the handlers work with, found through the running app.

The rule it keeps: one value made by `create_app`; no module holds state of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import trio
from quart import Quart, current_app

from actors.surface import House
from api.auth import Gatekeeper
from api.limits import RateLimiter
from api.live.hub import Hub
from api.meters import Meters
from api.settings import ApiSettings

_KEY = "lamplighter"


class Drain:
    """The end of service: whoever waits for a verdict is released, to answer with what is known."""

    def __init__(self) -> None:
        self._scopes: set[trio.CancelScope] = set()
        self.begun = False

    def begin(self) -> None:
        """Release all that wait, and all that would."""
        self.begun = True
        for scope in self._scopes:
            scope.cancel(reason="the service is stopping")

    @contextmanager
    def releasing(self) -> Iterator[trio.CancelScope]:
        """A scope that ends early when the service stops; `cancelled_caught` tells."""
        with trio.CancelScope() as scope:
            self._scopes.add(scope)
            if self.begun:
                scope.cancel(reason="the service is stopping")
            try:
                yield scope
            finally:
                self._scopes.discard(scope)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a handler may use."""

    house: House
    settings: ApiSettings
    gatekeeper: Gatekeeper
    limiter: RateLimiter
    hub: Hub
    meters: Meters
    drain: Drain


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
    return services_of(current_app._get_current_object())  # noqa: SLF001 Quart's own way
