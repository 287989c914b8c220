"""One order at a time, each light with a gateway of its own, heartbeats every 15 min.

Told of each order: when it was verified, how many frames were on the air, whether it was called
overdue (the service stopped trying by itself), and whether a frame was sent although the answer to
one before was on its way.
"""

import sys
from collections.abc import Iterable
from typing import Any
from unittest.mock import patch

import trio

from actors.device.command import Command, CommandStatus
from actors.link import spacing
from lorawan.events.model import Event, Uplink
from lorawan.kuando import LightState
from simulation.world.frames import DownlinkFrame, UplinkFrame
from simulation.world.observer import Observer
from simulation.world.world import World
from tests.reliability.delays import DELAYS
from tests.reliability.goals.building import Building
from tests.reliability.site import (
    COLOUR_BYTES,
    COLOURS,
    SETTLED_MOST_S,
)
from tests.support.clock_and_threads import in_virtual_time
from tests.support.running_application import RunningApplication, running_application

LIGHTS = 50
DAY_S = 86_400.0
HEARTBEAT_S = 900.0
LIVED_S = 6 * 3_600.0
"""Of heartbeats before the first order: a service knows its lights for longer than that."""
LATE_S = 5.0
"""What is verified sooner is only counted."""


class Watched:
    """One order as the pretend air saw it."""

    def __init__(self, light: LightState) -> None:
        self.light = light
        self.frames = 0
        self.frames_when_shown: int | None = None
        self.first: tuple[str, int] | None = None
        self.first_heard = False

    @property
    def needless(self) -> bool:
        """The first answer arrived, and yet a further frame had been sent meanwhile."""
        return self.first_heard and self.frames > (self.frames_when_shown or self.frames)


class Watch(Observer):
    """Sees the pretend air, for the one order that each light has at a time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.orders: dict[str, Watched] = {}
        world.watch(self)

    def frame_sent(
        self, gateway_id: str, frame: DownlinkFrame, frequency_hz: int, airtime_s: float
    ) -> None:
        """One more frame, if it is a colour."""
        order = self.orders.get(frame.dev_eui)
        if order is not None and frame.f_port is not None and len(frame.data) in COLOUR_BYTES:
            order.frames += 1

    def frame_received(self, frame: DownlinkFrame) -> None:
        """It may be the one that brought the colour."""
        order = self.orders.get(frame.dev_eui)
        if order is not None and order.frames_when_shown is None and self._shows(order, frame):
            order.frames_when_shown = order.frames

    def uplink_sent(self, frame: UplinkFrame) -> None:
        """It may be the first that tells of the colour."""
        order = self.orders.get(frame.dev_eui)
        if order is not None and order.first is None and self._shows(order, frame):
            order.first = (frame.dev_addr, frame.f_cnt)

    def event_made(self, event: Event) -> None:
        """It was heard."""
        order = self.orders.get(event.device.dev_eui)
        if (
            order is not None
            and isinstance(event, Uplink)
            and order.first == (event.dev_addr, event.f_cnt)
        ):
            order.first_heard = True

    def _shows(self, order: Watched, frame: DownlinkFrame | UplinkFrame) -> bool:
        return self.world.stations[frame.dev_eui].light.shown == order.light


def noted(shown_by: Iterable[tuple[Watched, Command]]) -> dict[str, Any]:
    """Orders as plain numbers."""
    made: dict[str, Any] = {
        "n": 0, "late_s": [], "frames": 0, "squares": 0, "overdue": 0, "needless": 0,
    }  # fmt: skip
    for watched, done in shown_by:
        made["n"] += 1
        made["frames"] += watched.frames
        made["squares"] += watched.frames**2
        made["overdue"] += done.overdue
        made["needless"] += watched.needless
        took_s = None
        if done.status is CommandStatus.VERIFIED and done.ended_at is not None:
            took_s = round(done.ended_at - done.accepted_at, 1)
        if took_s is None or took_s > LATE_S:
            made["late_s"].append(took_s)
    made["late_s"].sort(key=lambda each: (each is None, each))
    return made


def measure(
    loss: float,
    delay: str,
    spreading_factor: int,
    tick_s: float,
    orders: int,
    seed: int,
    *,
    lived_s: float = LIVED_S,
) -> dict[str, Any]:
    """So many orders (rounded up to whole rounds of all lights) at this loss per frame."""
    building = Building(LIGHTS, delay=delay, spreading_factor=spreading_factor, tick_s=tick_s)
    return in_virtual_time(_measure, building, loss, orders, seed, lived_s)


async def _measure(
    building: Building, loss: float, orders: int, seed: int, lived_s: float
) -> dict[str, Any]:
    done: list[tuple[Watched, Command]] = []
    world = building.world_of_single_lights(seed)
    watch = Watch(world)
    async with trio.open_nursery() as outer:
        await outer.start(world.run)
        async with running_application(world, seed=seed, policies=building.policies) as home:
            await home.settled(SETTLED_MOST_S)
            world.set_loss(uplink=loss, downlink=loss)
            await trio.sleep(lived_s)
            async with trio.open_nursery() as lights:
                for dev_eui in world.stations:
                    lights.start_soon(_often, home, watch, dev_eui, -(-orders // LIGHTS), done)
        outer.cancel_scope.cancel(reason="measured")
    return noted(done)


async def _often(
    home: RunningApplication,
    watch: Watch,
    dev_eui: str,
    rounds: int,
    done: list[tuple[Watched, Command]],
) -> None:
    for number in range(rounds):
        # anywhere between two heartbeats
        await trio.sleep(15.0 + home.world.rng.uniform(0.0, HEARTBEAT_S))
        light = COLOURS[number % len(COLOURS)]
        watched = watch.orders[dev_eui] = Watched(light)
        ordered = await home.command(dev_eui, light)
        command = await home.final(ordered.id, 2 * DAY_S)
        del watch.orders[dev_eui]  # what is sent from now on is not for this order
        done.append((watched, command))


def measure_spaced(*args: Any) -> dict[str, Any]:
    """The same, had frames 5 s apart not been proven safe for this firmware."""
    with patch.object(spacing, "SAMPLES_LEAST", sys.maxsize):
        return measure(*args)


def measure_change(before: str, after: str, orders: int, seed: int) -> dict[str, Any]:
    """The first orders after all lights begin to answer otherwise; nothing is lost."""
    return in_virtual_time(_measure_change, before, after, orders, seed)


async def _measure_change(before: str, after: str, orders: int, seed: int) -> dict[str, Any]:
    done: list[tuple[Watched, Command]] = []
    building = Building(LIGHTS, delay=before)
    world = building.world_of_single_lights(seed)
    watch = Watch(world)
    async with trio.open_nursery() as outer:
        await outer.start(world.run)
        async with running_application(world, seed=seed, policies=building.policies) as home:
            await home.settled(SETTLED_MOST_S)
            for count, delay in ((4 * LIGHTS, before), (orders, after)):
                world.set_answer_delay(DELAYS[delay])
                done = []
                for number in range(count):
                    dev_eui = list(world.stations)[number % LIGHTS]
                    await _one(home, watch, dev_eui, number // LIGHTS, done)
        outer.cancel_scope.cancel(reason="measured")
    return noted(done)


async def _one(
    home: RunningApplication,
    watch: Watch,
    dev_eui: str,
    number: int,
    done: list[tuple[Watched, Command]],
) -> None:
    light = COLOURS[number % len(COLOURS)]
    if home.world.showing(dev_eui) == light:
        light = COLOURS[(number + 1) % len(COLOURS)]
    watched = watch.orders[dev_eui] = Watched(light)
    ordered = await home.command(dev_eui, light)
    done.append((watched, await home.final(ordered.id, DAY_S)))
    del watch.orders[dev_eui]
    await trio.sleep(20.0)


def pooled(pieces: list[dict[str, Any]]) -> dict[str, Any]:
    """All pieces as one. Pieces that count frames only tell no times."""
    whole: dict[str, Any] = {
        key: sum(piece[key] for piece in pieces) for key in pieces[0] if key != "late_s"
    }
    whole["late_s"] = [each for piece in pieces for each in piece.get("late_s", ())]
    return whole


def hits(whole: dict[str, Any], within_s: float) -> int:
    """How many were verified within this time (5 s or more)."""
    late = sum(each is None or each > within_s for each in whole["late_s"])
    return int(whole["n"]) - late
