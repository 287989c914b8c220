"""A typed client of Lamplighter's API: `Client` blocks, `AsyncClient` runs under Trio.

    from lamplighter.client import Client

    with Client("http://127.0.0.1:8090", token="...") as lights:
        lights.command("2020203907290902", (255, 0, 0))   # returns once the light has proven it

Nothing of the service is imported, Trio only for `AsyncClient`. See docs/client.md.
"""

from typing import TYPE_CHECKING, Any

from lamplighter.client import models
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

if TYPE_CHECKING:
    from lamplighter.client.asynchronous import AsyncClient

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


def __getattr__(name: str) -> Any:
    """`AsyncClient`, once it is asked for: a script without Trio does not wait for its import."""
    if name != "AsyncClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lamplighter.client.asynchronous import AsyncClient

    return AsyncClient
