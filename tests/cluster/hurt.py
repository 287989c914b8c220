"""Three real processes on three real servers, hurt again and again under load, and what must hold.

Callers behave as the documentation asks: any process, one Idempotency-Key for each command, the
same request again until there is an answer. What the service must keep is known from its answers.
"""

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import trio

from tests.drill.faults import Faults, Outcome
from tests.drill.load import ENDED, Load
from tests.drill.script import ended
from tests.drill.serving import Serving
from tests.drill.site import Site, site

PER_S = 5.0
LIGHTS = 12
PROCESSES = 3
REST_S = (0.0, 6.0)
"""Between two faults: some hit a cluster that has come to rest, some one that has not."""
PAUSE_S = (1.0, 20.0)
"""Shorter than a lease, and longer."""
TOLD_MOST_S = 120.0
PROCESS_FAULTS = ("kill", "kill", "kill", "pause", "leave")
SERVER_FAULTS = ("kill", "pause")


@dataclass(frozen=True)
class Tally:
    """What a trial came to. `lost` is 0, or else it would have failed."""

    faults: tuple[Outcome, ...]
    accepted: int
    refused: int
    p50_s: float
    p99_s: float
    became: dict[str, int]
    took_s: float

    def times_s(self, word: str) -> list[float]:
        """How long it took until all was well after each fault that is named so."""
        return sorted(one.well_s for one in self.faults if word in one.what and one.well_s)

    def __str__(self) -> str:
        became = ", ".join(f"{count} {status}" for status, count in sorted(self.became.items()))
        lines = [
            f"{len(self.faults)} faults, {self.accepted} commands accepted, 0 lost",
            f"{self.refused} refused; accepted within {self.p50_s * 1e3:.0f} ms (p50)",
            f"{self.p99_s * 1e3:.0f} ms (p99); {became}; {self.took_s:.0f} s",
        ]
        lines = [", ".join(lines)]
        for word in ("killed", "stands still", "ended", "started"):
            for whose in ("master", "process"):
                found = [
                    one.well_s or 0.0
                    for one in self.faults
                    if word in one.what and ("valkey" in one.what) == (whose == "master")
                ]
                if found:
                    middle = sorted(found)[len(found) // 2]
                    lines.append(
                        f"{whose} {word}, {len(found)} times: all well after "
                        f"{middle:.1f} s (p50), {max(found):.1f} s at most"
                    )
        return "\n".join(lines)


class Trial:
    """Hurts a site; every fault is one of a process, or of the server that is written to."""

    def __init__(self, here: Site, load: Load, seed: int, tell: Callable[[str], None]) -> None:
        self.here = here
        self.load = load
        self.faults = Faults(here, load, tell)
        self.chance = random.Random(seed)
        self.seen: list[Outcome] = []

    async def run(self, count: int, *, servers: bool) -> None:
        """So many faults, of servers as well; each process and server is there again at the end."""
        assert await self.faults.ready(), await self.faults.wrong()
        while len(self.seen) < count:
            if servers and self.chance.random() < 0.3:
                await self.hurt_server(self.chance.choice(SERVER_FAULTS))
            else:
                await self.hurt_process(self.chance.choice(PROCESS_FAULTS))
            await trio.sleep(self.chance.uniform(*REST_S))

    async def hurt_process(self, how: str) -> None:
        """One process is hurt, and takes part again afterwards."""
        name = self.chance.choice(list(self.here.processes))
        if how == "pause":
            await self._did(lambda: self.faults.pause(name, self.chance.uniform(*PAUSE_S)))
            return
        await self._did(lambda: (self.faults.kill if how == "kill" else self.faults.leave)(name))
        await self._did(lambda: self.faults.start(name))

    async def hurt_server(self, how: str) -> None:
        """The master is hurt, and is a replica afterwards."""
        name = await self.here.master()
        assert name is not None, "Sentinel knows no master"
        if how == "pause":
            await self._did(lambda: self.faults.pause_server(name, self.chance.uniform(5.0, 20.0)))
            return
        await self._did(lambda: self.faults.kill_server(name))
        await self._did(lambda: self.faults.start_server(name))

    async def _did(self, fault: Callable[[], Awaitable[Outcome]]) -> None:
        outcome = await fault()
        assert outcome.well_s is not None, f"{outcome.words}: {await self.faults.wrong()}"
        self.seen.append(outcome)

    async def judged(self) -> dict[str, int]:
        """Every accepted command came to its end, and every process tells what lights show."""
        self.load.halted = True
        became = await ended(self.load)
        assert not became.get("missing"), f"acknowledged and lost: {became}"
        assert set(became) <= {"verified", "superseded"}, await self._open()
        untrue = await self._untrue()
        with trio.move_on_after(TOLD_MOST_S):
            while untrue:
                await trio.sleep(1.0)
                untrue = await self._untrue()
        assert untrue == []
        for process in self.here.processes.values():
            assert "Traceback" not in process.said(2_000), process.said(60)
        return became

    async def _open(self) -> list[Any]:
        """What every process tells of each command that did not come to its end."""
        return [
            (
                process.name,
                (await self.here.http.get(f"{process.url}/api/v1/commands/{one}")).json(),
            )
            for one, status in self.load.known.items()
            if status not in ENDED
            for process in self.here.asked()
        ]

    async def _untrue(self) -> list[str]:
        found = []
        for process in self.here.asked():
            told = await shown_by(self.here.http, process)
            for dev_eui in self.here.world.stations:
                light = self.here.world.showing(dev_eui)
                colours = {"red": light.red, "green": light.green, "blue": light.blue}
                one = told.get(dev_eui, {})
                if any(one.get(colour) != value for colour, value in colours.items()):
                    found.append(f"{process.name}: {dev_eui} shows {light}, told is {one}")
        return found


async def shown_by(http: httpx2.AsyncClient, process: Serving) -> dict[str, dict[str, int]]:
    """What a process tells that each light shows."""
    answer = await http.get(f"{process.url}/api/v1/devices")
    return {one["dev_eui"]: one["reported"] or {} for one in answer.json()["devices"]}


async def hurt(
    count: int, seed: int, *, servers: bool = True, tell: Callable[[str], None] = lambda line: None
) -> Tally:
    """A whole trial, from nothing to nothing."""
    began = time.monotonic()
    async with site(LIGHTS, PROCESSES) as here, trio.open_nursery() as nursery:
        load = Load(list(here.world.stations), here.asked, here.http, per_s=PER_S, seed=seed)
        trial = Trial(here, load, seed, tell)
        await nursery.start(load.run)
        try:
            await trial.run(count, servers=servers)
            became = await trial.judged()
        except AssertionError:
            for process in here.processes.values():
                tell(f"{process.name} is {process.state}; it said:\n{process.said()}")
            raise
        nursery.cancel_scope.cancel(reason="the trial is over")
        figures = load.figures
        return Tally(
            faults=tuple(trial.seen),
            accepted=figures.accepted,
            refused=figures.refused,
            p50_s=figures.percentile_s(0.5) or 0.0,
            p99_s=figures.percentile_s(0.99) or 0.0,
            became=became,
            took_s=time.monotonic() - began,
        )
    raise AssertionError("unreachable")
