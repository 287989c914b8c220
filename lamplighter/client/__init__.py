"""A typed client of Lamplighter's API: `Client` blocks, `AsyncClient` runs under Trio.

    from lamplighter.client import Client

    with Client("http://127.0.0.1:8090", token="...") as lights:
        lights.command("2020203907290902", (255, 0, 0))   # returns once the light has proven it

Nothing of the service is imported, Trio only for `AsyncClient`; each name once it is asked for. See
docs/client.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lamplighter.client import models
    from lamplighter.client.asynchronous import AsyncClient
    from lamplighter.client.blocking import Client
    from lamplighter.client.calls.orders import Colour
    from lamplighter.client.errors import (
        BadAddress,
        BadToken,
        Closed,
        Conflict,
        EditedMeanwhile,
        Ended,
        Expired,
        Forbidden,
        Invalid,
        LamplighterError,
        NotFound,
        NotVerified,
        RateLimited,
        Refused,
        Rejected,
        StillPursued,
        Superseded,
        Unanswered,
        Unauthenticated,
        Unavailable,
        Withdrawn,
    )
    from lamplighter.client.live.follow import Lost
    from lamplighter.client.live.news import Change, News, Resumed, Snapshot
    from lamplighter.client.steps import Patience

__all__ = [
    "AsyncClient",
    "BadAddress",
    "BadToken",
    "Change",
    "Client",
    "Closed",
    "Colour",
    "Conflict",
    "EditedMeanwhile",
    "Ended",
    "Expired",
    "Forbidden",
    "Invalid",
    "LamplighterError",
    "Lost",
    "News",
    "NotFound",
    "NotVerified",
    "Patience",
    "RateLimited",
    "Refused",
    "Rejected",
    "Resumed",
    "Snapshot",
    "StillPursued",
    "Superseded",
    "Unanswered",
    "Unauthenticated",
    "Unavailable",
    "Withdrawn",
    "models",
]

_HOMES = {
    "asynchronous": ("AsyncClient",),
    "blocking": ("Client",),
    "calls.orders": ("Colour",),
    "errors": (
        "BadAddress",
        "BadToken",
        "Closed",
        "Conflict",
        "EditedMeanwhile",
        "Ended",
        "Expired",
        "Forbidden",
        "Invalid",
        "LamplighterError",
        "NotFound",
        "NotVerified",
        "RateLimited",
        "Refused",
        "Rejected",
        "StillPursued",
        "Superseded",
        "Unanswered",
        "Unauthenticated",
        "Unavailable",
        "Withdrawn",
    ),
    "live.follow": ("Lost",),
    "live.news": ("Change", "News", "Resumed", "Snapshot"),
    "steps": ("Patience",),
}
"""Which module has which names. A script waits for what it uses, and the command line, which knows
addresses and errors by this package, for nothing more before it asks."""
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """A name of `__all__`, imported once it is asked for."""
    if name == "models":
        return import_module(f"{__name__}.models")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
