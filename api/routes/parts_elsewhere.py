"""What an answer lacks because another process of the cluster has it: asked of that, briefly.

The actor of a light runs where its shard lives. What is expected of it is known where the fleet's
own shard lives, and there are the actors that run once for the fleet. Where nobody answers within a
second, or a process of another version says what this one cannot read, the answer goes without.
"""

from collections.abc import Callable
from contextlib import suppress

import msgspec
import trio

from actors.once import FLEETWIDE
from actors.replace import replace
from api.http.carrying import asked_of
from api.http.services import application
from api.models import DeviceView, LightQuality, SupervisorView
from api.models.actors import DeviceActorView
from api.models.requests import SupervisorQuery
from store.engine.shards import FLEET, shard_of

ASK_S = 1.0


class _Told(msgspec.Struct, frozen=True):
    """What is read of a `DeviceView` of another process, whose version may know other fields."""

    actor: DeviceActorView | None = None
    next_timer_at: float | None = None
    quality: LightQuality | None = None


_decoder = msgspec.json.Decoder(_Told)
_trees = msgspec.json.Decoder(SupervisorView)


async def with_parts_elsewhere(view: DeviceView) -> DeviceView:
    """A light inspected, with what its own owner and the fleet's say of it."""
    dev_eui = view.device.dev_eui
    found: list[DeviceView] = [view]

    async def ask(shard: str, taken_over: Callable[[DeviceView, _Told], DeviceView]) -> None:
        body = await asked_of(shard, ASK_S)
        if body is not None:
            with suppress(msgspec.MsgspecError):
                found[0] = taken_over(found[0], _decoder.decode(body))

    async with trio.open_nursery() as nursery:
        if view.actor is None:
            nursery.start_soon(ask, shard_of(dev_eui), _actor)
        if not application().fleetwide_is_here:
            nursery.start_soon(ask, FLEET, _quality)
    return found[0]


async def with_fleetwide_elsewhere(view: SupervisorView, query: SupervisorQuery) -> SupervisorView:
    """The actors of this process, with those that run once for the fleet and their dead letters."""
    if application().fleetwide_is_here:
        await trio.lowlevel.checkpoint()
        return view
    body = await asked_of(FLEET, ASK_S)
    if body is None:
        return view
    try:
        told = _trees.decode(body)
    except msgspec.MsgspecError:
        return view
    there = next((one for one in told.root.children if one.id == FLEETWIDE), None)
    if there is None:
        return view
    actors = {one.id for one in there.children}
    letters = [*view.dead_letters, *(one for one in told.dead_letters if one.actor_id in actors)]
    letters.sort(key=lambda one: one.at, reverse=True)
    return SupervisorView(
        root=view.root.with_child(there, most=query.children),
        dead_letters=letters[: query.dead_letters],
    )


def _actor(view: DeviceView, told: _Told) -> DeviceView:
    return replace(view, actor=told.actor, next_timer_at=told.next_timer_at)


def _quality(view: DeviceView, told: _Told) -> DeviceView:
    return replace(view, quality=told.quality)
