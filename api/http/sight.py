"""Which lights exist for who asks, and what each route tells of lights.

Every route declares with `@shows` what it tells. A caller whose sight is limited is refused where a
route tells of all lights, or does not say; a test (`tests/api/routes/test_sight.py`) walks over all
routes with such a caller. A light in a path (`dev_eui`) is looked at here for every route: one that
may not be seen is unknown. Handlers ask `seen()` in place of the board.
"""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar

from quart import g

from actors.board.seen import Seen
from api.http.auth import Caller
from api.http.problems import FORBIDDEN, UNKNOWN_DEVICE, Problem
from api.http.services import application

F = TypeVar("F", bound=Callable[..., Any])

_SHOWS = "_lamplighter_shows"
_DEV_EUI = re.compile(r"[0-9a-f]{16}")


class Lights(Enum):
    """What a route tells of lights, and does to them."""

    SEEN = "seen"
    """Only of those that the caller may see: it asks `seen()`, or has its light in the path."""
    NONE = "none"
    """Of none, and no number of them."""
    ALL = "all"
    """Of the fleet as a whole: refused (403) to callers whose sight is limited."""


def shows(lights: Lights) -> Callable[[F], F]:
    """Declare what a view tells of lights."""

    def mark(view: F) -> F:
        setattr(view, _SHOWS, lights)
        return view

    return mark


def shown_by(view: Callable[..., Any] | None) -> Lights | None:
    """What a view declares; None where it does not, which is taken for `ALL`."""
    declared = getattr(view, _SHOWS, None)
    return declared if isinstance(declared, Lights) else None


def seen() -> Seen:
    """The board as far as it exists for who asks."""
    caller: Caller = g.caller
    return Seen(caller.sight, application().board)


def check_sight(
    caller: Caller, view: Callable[..., Any] | None, path: Mapping[str, Any] | None
) -> None:
    """Raises Problem: 403 for what tells of all lights, 404 for a light that is not seen."""
    if not caller.sight.limited:
        return
    if shown_by(view) in {None, Lights.ALL}:
        raise Problem(
            FORBIDDEN, f"this is of the whole fleet, and {caller.name} may see some lights only"
        )
    dev_eui = str((path or {}).get("dev_eui", "")).lower()
    if _DEV_EUI.fullmatch(dev_eui) and not Seen(caller.sight, application().board).light(dev_eui):
        raise Problem(UNKNOWN_DEVICE)
