"""Colours: to order one, to hear its verdict, to take it back."""

from typing import Literal, TypeAlias

import msgspec

from lamplighter.client.ask import Ask, Repeat
from lamplighter.client.errors import StillPursued
from lamplighter.client.models import (
    CommandList,
    CommandStatus,
    CommandView,
    LightBody,
    LightView,
    NothingWanted,
)
from lamplighter.client.paths import path
from lamplighter.client.steps import Call, Kit, Pause, Steps, Whole

Colour: TypeAlias = tuple[int, int, int] | LightBody | LightView
"""Red, green and blue from 0 to 255; a `LightBody` blinks as well."""

WAIT_S = 120.0
WAIT_AT_ONCE_S = 30.0
"""Proxies end what is silent for a minute."""
LOOK_FIRST_S, LOOK_MOST_S = 1.0, 15.0
"""What is held or overdue is answered at once: then it is looked for, ever more seldom."""


def order(
    dev_eui: str,
    colour: Colour,
    *,
    keep: bool = True,
    ttl_s: float | None = None,
    key: str | None = None,
) -> Call[CommandView]:
    """Order a colour, and return as soon as the order is stored: it is pursued from then on.

    With `keep` the light is brought back to it after it drifted. `ttl_s` is how long it is pursued,
    by default 24 h. `key` is its `Idempotency-Key`: the same key is the same order; by default each
    call is an order of its own. Raises NotFound for an unknown light, and what all calls raise.
    """
    return _downlink(dev_eui, _body(colour, keep, ttl_s), key, 0.0)


def command(
    dev_eui: str,
    colour: Colour,
    *,
    keep: bool = True,
    ttl_s: float | None = None,
    key: str | None = None,
    wait_s: float = WAIT_S,
) -> Call[CommandView]:
    """Order a colour, and wait for its verdict: what is returned is verified by the light itself.

    The arguments are those of `order`. Raises Superseded, Withdrawn, Expired or Rejected for
    another end, and StillPursued when there is none after `wait_s`; all are NotVerified and have
    the `command`. A broken connection or a restart of the service meanwhile is waited out.
    """
    return Whole(lambda kit: _verdict(kit, dev_eui, _body(colour, keep, ttl_s), key, wait_s))


def find_command(command_id: str) -> Call[CommandView]:
    """One command, open or ended, with its timeline."""
    return Ask(model=CommandView, path=path("commands", command_id))


def commands(dev_eui: str, *, limit: int = 20) -> Call[CommandList]:
    """The newest commands of a light, at most 100."""
    return Ask(model=CommandList, path=path("devices", dev_eui, "commands"), query={"limit": limit})


def withdraw(
    command_id: str, *, keep: Literal["before", "nothing"] = "before"
) -> Call[CommandView]:
    """Take back a command that is not verified yet. What was wanted `before` is wanted again, or
    `nothing`. Raises Ended for one that has ended."""
    return Ask(
        model=CommandView,
        method="DELETE",
        path=path("commands", command_id),
        query={"keep": keep},
    )


def want_nothing(dev_eui: str) -> Call[NothingWanted]:
    """Ask nothing of a light any more; its open command is withdrawn."""
    return Ask(model=NothingWanted, method="DELETE", path=path("devices", dev_eui, "wanted"))


def _body(colour: Colour, keep: bool, ttl_s: float | None) -> dict[str, object]:
    light = light_of(colour)
    body: dict[str, object] = {**msgspec.structs.asdict(light), "keep": keep}
    return body if ttl_s is None else {**body, "ttl_s": ttl_s}


def light_of(colour: Colour) -> LightBody:
    """The colour as it is sent."""
    match colour:
        case (red, green, blue):
            return LightBody(red=red, green=green, blue=blue)
        case LightView():
            return LightBody(**msgspec.structs.asdict(colour))
        case LightBody():
            return colour


def _downlink(
    dev_eui: str, body: dict[str, object], key: str | None, wait_s: float
) -> Ask[CommandView]:
    whole_s = int(wait_s)
    return Ask(
        model=CommandView,
        method="POST",
        path=path("downlink", dev_eui),
        body=body,
        headers={"Prefer": f"wait={whole_s}" if whole_s else "respond-async"},
        repeat=Repeat.KEYED,
        key=key,
        wait_s=whole_s,
    )


def _verdict(
    kit: Kit, dev_eui: str, body: dict[str, object], key: str | None, wait_s: float
) -> Steps[CommandView]:
    until_s = kit.steady() + wait_s
    key = key or kit.new_key()
    look_s = LOOK_FIRST_S
    while True:
        left_s = max(0.0, until_s - kit.steady())
        found = yield from _downlink(dev_eui, body, key, min(left_s, WAIT_AT_ONCE_S)).steps(kit)
        if found.status == CommandStatus.VERIFIED:
            return found
        left_s = until_s - kit.steady()
        if left_s <= 0:
            raise StillPursued(found)
        yield Pause(min(left_s, look_s))
        look_s = min(LOOK_MOST_S, 1.5 * look_s)
