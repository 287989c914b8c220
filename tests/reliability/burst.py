"""A hundred orders at once: how many of the first answers does a gateway hear?

A gateway is deaf while it sends. The naive way gives all to ChirpStack at once; ours leaves room
for each answer.

An answer counts as heard when a gateway received the first uplink that the light sent after the
colour first reached it; a second chance does not count.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import trio

from lorawan.events.model import Reception
from lorawan.kuando import SetLight, encode
from simulation.world.frames import UplinkFrame
from simulation.world.world import World
from tests.reliability.site import (
    COLOURS,
    PRODUCTION,
    SETTLED_MOST_S,
    colour_frames,
    empty_world,
    furnish,
)
from tests.support.clock_and_threads import in_virtual_time
from tests.support.running_application import RunningApplication, running_application

LIGHTS = 100
GOAL = 0.95
LIMIT_S = 1_800.0
LIGHT = COLOURS[0]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One burst. `took_s`: to the last verdict (ours), or to the last light that shows it."""

    answers: int
    heard: int
    frames: int
    took_s: float
    overlaps: int
    """Times at which two gateways sent our frames at once."""
    shown_s: tuple[float, ...] = ()
    heard_s: tuple[float, ...] = ()


@dataclass
class Ears:
    """Listens in on the pretend air: who answered first, and was it heard?"""

    world: World
    began_s: float
    first: dict[str, tuple[str, int]] = field(default_factory=dict)
    heard_s: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        air = self.world.radio
        send, deliver = air.uplink, air.deliver

        def uplink(sender: object, frame: UplinkFrame, payload_bytes: int) -> float:
            if self.world.stations[frame.dev_eui].light.shown == LIGHT:
                self.first.setdefault(frame.dev_eui, (frame.dev_addr, frame.f_cnt))
            return send(sender, frame, payload_bytes)  # type: ignore[arg-type]

        def delivered(frame: UplinkFrame, receptions: tuple[Reception, ...]) -> None:
            if self.first.get(frame.dev_eui) == (frame.dev_addr, frame.f_cnt):
                self.heard_s[frame.dev_eui] = self.world.kernel.now - self.began_s
            deliver(frame, receptions)

        air.uplink = uplink  # type: ignore[method-assign,assignment]
        air.deliver = delivered


def ours(seed: int, spreading_factor: int, gateways: int = 1, lights: int = LIGHTS) -> Outcome:
    """All orders given to the service at one moment."""
    return in_virtual_time(_burst, seed, spreading_factor, gateways, lights, False)


def naive(seed: int, spreading_factor: int, gateways: int = 1, lights: int = LIGHTS) -> Outcome:
    """The same frames given straight to ChirpStack, at one moment."""
    return in_virtual_time(_burst, seed, spreading_factor, gateways, lights, True)


async def _burst(
    seed: int, spreading_factor: int, gateways: int, lights: int, naively: bool
) -> Outcome:
    world = empty_world(seed)
    furnish(world, lights, gateways, spreading_factor=spreading_factor)
    async with trio.open_nursery() as outer:
        await outer.start(world.run)
        async with running_application(world, seed=seed, policies=PRODUCTION) as home:
            await home.settled(SETTLED_MOST_S)
            await trio.sleep(60.0)
            before = len(colour_frames(world))
            world.kernel.catch_up()
            began_s = world.kernel.now
            ears = Ears(world, began_s)
            took_s = await (_inject(home) if naively else _order(home))
            sent = colour_frames(world)
        outer.cancel_scope.cancel(reason="measured")
    return Outcome(
        answers=len(ears.first),
        heard=len(ears.heard_s),
        frames=len(sent) - before,
        took_s=took_s,
        overlaps=overlaps(world, began_s),
        shown_s=tuple(sorted(_shown_s(world, dev_eui) - began_s for dev_eui in ears.first)),
        heard_s=tuple(sorted(ears.heard_s.values())),
    )


async def _order(home: RunningApplication) -> float:
    began_at = home.now()
    ordered = [await home.command(dev_eui, LIGHT) for dev_eui in home.world.stations]
    done = [await home.final(each.id, LIMIT_S) for each in ordered]
    return max(each.ended_at or 0.0 for each in done) - began_at


async def _inject(home: RunningApplication) -> float:
    world, began = home.world, trio.current_time()
    for dev_eui in world.stations:
        world.network.inject(dev_eui, encode(SetLight(LIGHT, reply=True)))
    while world.network.statistics().queued:
        assert trio.current_time() < began + LIMIT_S
        await trio.sleep(0.5)
    took_s = trio.current_time() - began
    await trio.sleep(60.0)  # the gateways' own queues, and the last answers
    return took_s


def _shown_s(world: World, dev_eui: str) -> float:
    return next(s.since_s for s in world.stations[dev_eui].light.truth if s.light == LIGHT)


def overlaps(world: World, since_s: float) -> int:
    """Pairs of our frames in RX2 since then that two gateways had on the air at once."""
    sent = sorted(
        (frame.start_s, frame.start_s + frame.airtime_s)
        for gateway in world.gateways.values()
        for frame in gateway.ledger
        if frame.f_port is not None
        and frame.start_s >= since_s
        and frame.frequency_hz == world.region.rx2_frequency_hz
    )
    return sum(later[0] < earlier[1] for earlier, later in pairwise(sent))
