"""How long a handler may take.

Every request is answered, also one that hangs when the service stops. Only handlers marked `waits`
may take longer, and those are released when the service stops.
"""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import trio
from quart import current_app, request
from quart.typing import ResponseReturnValue
from quart_trio import QuartTrio

from actors.fleetwide import NotHere
from api.http.address_rules import Rule
from api.http.carrying import carried_to
from api.http.problems import STOPPING, TOO_SLOW, Problem
from api.http.services import services

F = TypeVar("F", bound=Callable[..., Any])

_WAITS = "_lamplighter_waits"


def waits(view: F) -> F:
    """Mark a view that waits for a verdict, and gives up when the service stops."""
    setattr(view, _WAITS, True)
    return view


class LamplighterApp(QuartTrio):
    """A Quart app whose handlers have a deadline."""

    url_rule_class = Rule  # type: ignore[assignment]  # as in Quart

    async def dispatch_request(self, *context: Any) -> ResponseReturnValue:
        """Run the handler, here or where what it needs lives; raises Problem (504) when it takes
        too long.

        What is handed on differs between Quart's versions (a request's context before 0.23, an
        application's since), so it is not looked at: the request is known by its public proxy.
        """
        here = services()
        web = here.settings.web
        with trio.move_on_after(web.handler_s) as scope, here.shutdown.handling(scope):
            rule = request.url_rule
            view = current_app.view_functions.get(rule.endpoint) if rule is not None else None
            if getattr(view, _WAITS, False):
                scope.deadline += web.wait_most_s
            try:
                return await super().dispatch_request(*context)
            except NotHere as error:
                scope.deadline = math.inf  # each wait of what follows has its own
                return await carried_to(error.shard)
        if here.shutdown.handlers_cancelled:
            raise Problem(STOPPING)
        raise Problem(TOO_SLOW)
