"""Frames sent to a light that has no power, while it has none."""

from typing import Any

import trio

from tests.reliability.goals.building import Building
from tests.reliability.goals.single_orders import LIGHTS, Watch, Watched
from tests.reliability.site import COLOURS, SETTLED_MOST_S
from tests.support.clock_and_threads import in_virtual_time
from tests.support.running_application import RunningApplication, running_application

DARK_MOST_S = 14 * 3_600.0
AFTER_S = 3_600.0
"""Of the dark after the order: longer than the service tries by itself."""
LIT_S = 7_200.0
"""Between two spells: joins, settings and heartbeats of a light that is well."""


def measure(
    loss: float, orders: int, seed: int, *, lights: int = LIGHTS, most_s: float = DARK_MOST_S
) -> dict[str, Any]:
    """So many orders to lights that went dark at any time within the last 14 h."""
    return in_virtual_time(_measure, loss, orders, seed, lights, most_s)


async def _measure(
    loss: float, orders: int, seed: int, count: int, most_s: float
) -> dict[str, Any]:
    building = Building(count)
    world = building.world_of_single_lights(seed)
    watch = Watch(world)
    frames: list[int] = []
    async with trio.open_nursery() as outer:
        await outer.start(world.run)
        async with running_application(world, seed=seed, policies=building.policies) as home:
            await home.settled(SETTLED_MOST_S)
            world.set_loss(uplink=loss, downlink=loss)
            async with trio.open_nursery() as lights:
                for dev_eui in world.stations:
                    lights.start_soon(
                        _often, home, watch, dev_eui, -(-orders // count), most_s, frames
                    )
        outer.cancel_scope.cancel(reason="measured")
    return {"n": len(frames), "frames": sum(frames), "squares": sum(each**2 for each in frames)}


async def _often(
    home: RunningApplication,
    watch: Watch,
    dev_eui: str,
    rounds: int,
    most_s: float,
    frames: list[int],
) -> None:
    world = home.world
    for number in range(rounds):
        await trio.sleep(LIT_S + world.rng.uniform(0.0, 900.0))
        world.unplug(dev_eui)
        await trio.sleep(world.rng.uniform(0.0, most_s))
        light = COLOURS[number % len(COLOURS)]
        watched = watch.orders[dev_eui] = Watched(light)
        await home.command(dev_eui, light)
        await trio.sleep(AFTER_S)
        frames.append(watched.frames)
        world.plug(dev_eui)
