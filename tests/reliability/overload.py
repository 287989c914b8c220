"""Far too many orders at SF12, for hours: does a gateway stay within its airtime?

Airtime is what the pretend gateway's ledger says was on the air, in any window of an hour, frames
of ChirpStack itself included.
"""

import trio

from actors.downlink import DispatchPolicy
from actors.wiring import Policies
from simulation.world.gateway import SentFrame
from simulation.world.region import EU868
from tests.reliability.site import COLOURS, empty_world, furnish
from tests.support.clock_and_threads import in_virtual_time
from tests.support.running_application import RunningApplication, running_application

LOSS = 0.05
BUDGET_S = 360.0
HOUR_S = 3_600.0
OVERLOAD_LIGHTS, OVERLOAD_S = 150, 3 * HOUR_S


def overload(seed: int) -> list[SentFrame]:
    """All that the one gateway sent in three hours of far too many orders at SF12."""
    return in_virtual_time(_overload, seed)


async def _overload(seed: int) -> list[SentFrame]:
    world = empty_world(seed, region=EU868)
    furnish(world, OVERLOAD_LIGHTS, spreading_factor=9)
    policies = Policies(dispatch=DispatchPolicy(rx2_dr=0))
    async with trio.open_nursery() as outer:
        await outer.start(world.run)
        async with running_application(world, seed=seed, policies=policies) as home:
            await trio.sleep(120.0)  # the lights are not even set up when the orders begin
            world.set_loss(uplink=LOSS, downlink=LOSS)
            await _order_without_end(home, trio.current_time() + OVERLOAD_S)
        outer.cancel_scope.cancel(reason="measured")
    (gateway,) = world.gateways.values()
    return list(gateway.ledger)


async def _order_without_end(home: RunningApplication, until: float) -> None:
    number = 0
    while trio.current_time() < until:
        for dev_eui in home.world.stations:
            await home.command(dev_eui, COLOURS[number % len(COLOURS)])
        number += 1
        await trio.sleep(240.0)


def busiest_hour_s(sent: list[SentFrame], *, ours: bool) -> float:
    """The most airtime in RX2 that any window of an hour holds; frames are cut at its edges.

    Without `ours` the frames of ChirpStack itself (join-accepts, acknowledgements) count, too.
    """
    frames = [
        (each.start_s, each.start_s + each.airtime_s)
        for each in sent
        if each.frequency_hz == EU868.rx2_frequency_hz and (each.f_port is not None or not ours)
    ]
    return max((airtime_in(frames, end - HOUR_S) for _, end in frames), default=0.0)


def airtime_in(frames: list[tuple[float, float]], since_s: float) -> float:
    """Seconds on the air within the hour from `since_s`."""
    until_s = since_s + HOUR_S
    return sum(max(0.0, min(end, until_s) - max(start, since_s)) for start, end in frames)
