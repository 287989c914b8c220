"""A gateway goes away, commands come meanwhile, the gateway returns: when is the last one verified?

Time zero is the moment at which the backhaul is back, not the moment at which anybody learns of it.
"""

import trio

from actors.device.command import CommandStatus
from lorawan.airtime import downlink_airtime_s, uplink_airtime_s
from lorawan.events.model import Modulation
from tests.reliability.site import (
    COLOURS,
    PRODUCTION,
    SETTLED_MOST_S,
    empty_world,
    furnish,
)
from tests.support.clock_and_threads import in_virtual_time
from tests.support.running_application import RunningApplication, running_application

OUTAGES_S = (300.0, 900.0, 3_600.0)
LIGHTS = (4, 50)
"""With few lights each of them has tried in vain many times when the gateway is back."""
SPREADING_FACTOR = 7
GOAL_S = 30.0
SETTLED_S = 1_200.0
"""Longer than a heartbeat: the phases of the lights are where they fall."""


def lane_s() -> float:
    """How long one frame keeps its gateway: it, its answer, and the tick that it leaves on."""
    policy = PRODUCTION.dispatch
    down_s = downlink_airtime_s(6, policy.region.rx2(policy.rx2_dr))
    up_s = uplink_airtime_s(25, Modulation(SPREADING_FACTOR, 125_000))
    return max(1.0, down_s + policy.answer_delay_s + up_s)


def drain_s(lights: int) -> float:
    """So many frames, one after another."""
    return lights * lane_s()


def run(outage_s: float, seed: int, lights: int) -> list[float | None]:
    """Seconds from the return of the gateway to the verdict, of each command."""
    return in_virtual_time(_run, outage_s, seed, lights)


async def _run(outage_s: float, seed: int, lights: int) -> list[float | None]:
    world = empty_world(seed)
    furnish(world, lights, spreading_factor=SPREADING_FACTOR)
    (gateway_id,) = world.gateways
    ended: list[float | None] = []
    async with trio.open_nursery() as outer:
        await outer.start(world.run)
        async with running_application(world, seed=seed, policies=PRODUCTION) as home:
            await home.settled(SETTLED_MOST_S)
            await trio.sleep(SETTLED_S + world.rng.uniform(0.0, 60.0))
            world.stop_gateway(gateway_id)
            back_at = home.now() + outage_s
            async with trio.open_nursery() as commands:
                for dev_eui in world.stations:
                    wait_s = world.rng.uniform(0.0, outage_s)
                    commands.start_soon(_command, home, dev_eui, wait_s, back_at, ended)
                await trio.sleep(outage_s)
                world.start_gateway(gateway_id)
        outer.cancel_scope.cancel(reason="measured")
    return ended


async def _command(
    home: RunningApplication, dev_eui: str, wait_s: float, back_at: float, ended: list[float | None]
) -> None:
    await trio.sleep(wait_s)
    ordered = await home.command(dev_eui, COLOURS[0])
    done = await home.final(ordered.id, 90_000.0)
    verified = done.status is CommandStatus.VERIFIED
    ended.append(done.ended_at - back_at if verified and done.ended_at is not None else None)
