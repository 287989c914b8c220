"""One colour for many lights of one gateway, on a lossy radio; and far too many orders at SF12.

The floor of a push: the time in which one gateway can send one frame to each light and hear each
answer; 1.11 for what is lost at p = 5 %, and a quarter more for everything else.

Airtime is what the pretend gateway's ledger says was on the air, in any window of an hour, frames
of ChirpStack itself included.
"""

import math
from dataclasses import dataclass, replace

import trio

from actors.device.command import CommandStatus
from actors.downlink import DispatchPolicy
from actors.wiring import Policies
from lorawan.airtime import downlink_airtime_s, uplink_airtime_s
from lorawan.events.model import Modulation
from simulation.world.gateway import GAP_S, SentFrame
from simulation.world.region import EU868, EU868_SF9
from tests.reliability.site import (
    COLOURS,
    PRODUCTION,
    SETTLED_MOST_S,
    colour_frames,
    empty_world,
    furnish,
    in_virtual_time,
)
from tests.support.running_application import RunningApplication, running_application

LOSS = 0.05
SHARE = 0.999
ANSWER_FACTOR = 9
BUDGET_S = 360.0
HOUR_S = 3_600.0
OVERLOAD_LIGHTS, OVERLOAD_S = 150, 3 * HOUR_S
QUICK = replace(PRODUCTION, device=replace(PRODUCTION.device, window_s=5.0, backoff_first_s=1.0))
"""What if a machine waited no longer than an answer on a quiet network takes?"""


@dataclass(frozen=True, slots=True)
class Push:
    """When each light was verified, and the frames that it took."""

    verified_s: tuple[float, ...]
    lights: int
    frames: int

    @property
    def share_s(self) -> float:
        """When 99.9 % of all lights were verified; infinite if never."""
        rank = math.ceil(self.lights * SHARE)
        return self.verified_s[rank - 1] if len(self.verified_s) >= rank else math.inf


def floor_s(lights: int, tick_s: float) -> float:
    """One pass with room for each answer (answers at SF9), or one frame a tick if that is slower.

    Source: push_time of the project's physics notes: airtime, the gateway's gap, the answer, 50 ms.
    """
    down_s = downlink_airtime_s(5, EU868_SF9.rx2)
    cycle_s = down_s + GAP_S + uplink_airtime_s(25, Modulation(ANSWER_FACTOR, 125_000)) + 0.05
    if tick_s >= 1.0:
        return lights * max(cycle_s, tick_s)
    return (lights - 1) * cycle_s + down_s


def goal_s(lights: int, tick_s: float) -> float:
    """What is aimed at."""
    return 1.25 * floor_s(lights, tick_s) / (1.0 - LOSS) ** 2


def push(lights: int, tick_s: float, seed: int, *, quick: bool = False) -> Push:
    """One order to every light of one gateway, all at once."""
    return in_virtual_time(_push, lights, tick_s, seed, QUICK if quick else PRODUCTION)


async def _push(lights: int, tick_s: float, seed: int, policies: Policies) -> Push:
    world = empty_world(seed, tick_s=tick_s)
    furnish(world, lights, spreading_factor=ANSWER_FACTOR)
    async with trio.open_nursery() as outer:
        await outer.start(world.run)
        async with running_application(world, seed=seed, policies=policies) as home:
            await home.settled(SETTLED_MOST_S)
            await trio.sleep(HOUR_S)  # the airtime of the settings is forgotten
            world.set_loss(uplink=LOSS, downlink=LOSS)
            before = len(colour_frames(world))
            ordered = [await home.command(dev_eui, COLOURS[0]) for dev_eui in world.stations]
            done = [await home.final(each.id, 90_000.0) for each in ordered]
            frames = len(colour_frames(world)) - before
        outer.cancel_scope.cancel(reason="measured")
    began_at = ordered[0].accepted_at
    ended = [
        each.ended_at - began_at
        for each in done
        if each.status is CommandStatus.VERIFIED and each.ended_at is not None
    ]
    return Push(tuple(sorted(ended)), lights, frames)


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
