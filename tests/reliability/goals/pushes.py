"""One order to every light of a building at one moment, several times in a row.

Told of each push: when the latest were verified, frames on the air, how many first answers were
heard (the first uplink that shows the colour), and how often two gateways in reach of one light
sent our frames at once.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import trio

from actors.device.command import CommandStatus
from lorawan.airtime import downlink_airtime_s
from lorawan.events.model import Event, Modulation, Uplink
from simulation.world.frames import DownlinkFrame, UplinkFrame
from simulation.world.observer import Observer
from simulation.world.world import World
from tests.reliability.goals.building import Building, lived_in
from tests.reliability.site import COLOUR_BYTES, COLOURS
from tests.support.clock_and_threads import in_virtual_time
from tests.support.running_application import RunningApplication

LIMIT_S = 4_000.0
"""A light that is not verified by then counts as never verified."""
LATE = 0.1
"""So much of a push is told in times; what was verified sooner is only counted."""


@dataclass
class PushWatch(Observer):
    """Sees one push in the pretend air."""

    world: World
    frames: int = 0
    overlaps: int = 0
    first: dict[str, tuple[str, int]] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    light: object = None
    _on_air: deque[tuple[float, str]] = field(default_factory=deque)

    def begin(self, light: object) -> None:
        """Another push, of this colour."""
        self.frames = self.overlaps = 0
        self.first, self.heard, self.light = {}, set(), light

    def frame_sent(
        self, gateway_id: str, frame: DownlinkFrame, frequency_hz: int, airtime_s: float
    ) -> None:
        """A colour of ours; another gateway in reach of the same lights may be sending, too."""
        if frame.f_port is None or frequency_hz != self.world.region.rx2_frequency_hz:
            return
        now_s = self.world.kernel.now
        while self._on_air and self._on_air[0][0] <= now_s:
            self._on_air.popleft()
        reach = self.world.stations[frame.dev_eui].links
        self.overlaps += any(end > now_s and other in reach for end, other in self._on_air)
        self._on_air.append((now_s + airtime_s, gateway_id))
        self.frames += len(frame.data) in COLOUR_BYTES

    def uplink_sent(self, frame: UplinkFrame) -> None:
        """It may be the first that tells of the colour."""
        if self.world.stations[frame.dev_eui].light.shown == self.light:
            self.first.setdefault(frame.dev_eui, (frame.dev_addr, frame.f_cnt))

    def event_made(self, event: Event) -> None:
        """It was heard."""
        dev_eui = event.device.dev_eui
        if isinstance(event, Uplink) and self.first.get(dev_eui) == (event.dev_addr, event.f_cnt):
            self.heard.add(dev_eui)


def measure(
    building: Building, loss: float | None, known: bool, pushes: int, limit_s: float, seed: int
) -> list[dict[str, Any]]:
    """So many pushes in a row, each for at most `limit_s`. `loss` None: a mixed fleet."""
    return in_virtual_time(_measure, building, loss, known, pushes, limit_s, seed)


async def _measure(
    building: Building, loss: float | None, known: bool, pushes: int, limit_s: float, seed: int
) -> list[dict[str, Any]]:
    made = []
    async with lived_in(building, seed, known=known, loss=loss) as home:
        watch = PushWatch(home.world)
        home.world.watch(watch)
        for number in range(pushes):
            made.append(await _push(home, watch, number, limit_s))
            await trio.sleep(pause_s(building))
    return made


def pause_s(building: Building) -> float:
    """Between two pushes, so that the hour's airtime never is what limits them."""
    modulation = Modulation(building.spreading_factor, 125_000)
    airtime_s = building.lights / building.apart * downlink_airtime_s(5, modulation)
    return max(180.0, 14.0 * airtime_s)


async def _push(
    home: RunningApplication, watch: PushWatch, number: int, limit_s: float
) -> dict[str, Any]:
    light = COLOURS[number % 3]
    watch.begin(light)
    dropped = _dropped(home.world)
    began = trio.current_time()
    ordered = [await home.command(dev_eui, light) for dev_eui in home.world.stations]
    took_s: list[float | None] = []
    for each in ordered:
        done = await home.parts.board.wait_command(
            each.id,
            lambda command: command.status.final,
            max(0.0, began + limit_s - trio.current_time()),
        )
        verified = done is not None and done.status is CommandStatus.VERIFIED
        ended_at = done.ended_at if done is not None else None
        took_s.append(
            round(ended_at - ordered[0].accepted_at, 1) if verified and ended_at else None
        )
    took_s.sort(key=lambda each: (each is None, each))
    n = len(ordered)
    return {
        "n": n,
        "late_s": took_s[int(n * (1.0 - LATE)) :],
        "half_s": took_s[n // 2],
        "frames": watch.frames,
        "answers": len(watch.first),
        "heard": len(watch.heard),
        "overlaps": watch.overlaps,
        "dropped": _dropped(home.world) - dropped,
    }


def _dropped(world: World) -> int:
    """Frames that a forwarder took and never sent."""
    counts = world.radio.counts
    return sum(count for what, count in counts.items() if what.startswith("downlink_dropped"))
