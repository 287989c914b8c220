"""The same order again and again to many lights, each with a gateway of its own.

Loss begins when every light has its settings, so that only orders are measured.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from actors.wiring import Policies
from simulation.world.world import World
from tests.reliability.site import PRODUCTION, SETTLED_MOST_S, furnish_apart
from tests.support.running_application import RunningApplication, running_application

T = TypeVar("T")

LIGHTS = 50

CommandOften = Callable[[RunningApplication, World, str, int, list[T]], Awaitable[None]]
"""Orders one light so many times, and adds a trial for each."""


async def trials_of(
    world: World,
    seed: int,
    loss: float,
    commands: int,
    command_often: CommandOften[T],
    policies: Policies = PRODUCTION,
) -> list[T]:
    """So many commands, rounded up to whole rounds of all lights, at this loss per frame."""
    furnish_apart(world, LIGHTS)
    trials: list[T] = []
    async with trio.open_nursery() as outer:
        await outer.start(world.run)
        async with running_application(world, seed=seed, policies=policies) as home:
            await home.settled(SETTLED_MOST_S)
            world.set_loss(uplink=loss, downlink=loss)
            async with trio.open_nursery() as lights:
                for dev_eui in world.stations:
                    rounds = -(-commands // LIGHTS)
                    lights.start_soon(command_often, home, world, dev_eui, rounds, trials)
        outer.cancel_scope.cancel(reason="measured")
    return trials
