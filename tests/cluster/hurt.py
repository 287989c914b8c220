"""Three real processes on three real servers, hurt again and again under load, and what must hold.

Callers behave as the documentation asks: any process, one Idempotency-Key for each command, the
same request again until there is an answer. What the service must keep is known from its answers.
"""

import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import trio

from tests.drill.faults import Faults, Outcome
from tests.drill.load import ENDED, Load
from tests.drill.script import ended
from tests.drill.serving import Serving
from tests.drill.site import Site, site
from tests.support.machines import Machine, Machines
from tests.support.processes import ROOT

PER_S = 5.0
LIGHTS = 12
PROCESSES = 3
REST_S = (0.0, 6.0)
"""Between two faults: some hit a cluster that has come to rest, some one that has not."""
PAUSE_S = (1.0, 20.0)
"""Shorter than a lease, and longer."""
TOLD_MOST_S = 120.0
BEGUN_MOST_S = 300.0
MASTER_MOST_S = 60.0
LOOK_S = 0.5
UNSET = ("uninitialized", "initializing")
MASTER_PAUSE_S = (5.0, 20.0)
SPLIT_S = (10.0, 30.0)
UNHEARD_S = (2.0, 12.0)
"""Callers try for 20 s: a command is refused where nothing can be stored for longer."""
FAULTS = {
    "kill": "kill",
    "pause": "pause",
    "leave": "leave",
    "kill master": "kill_master",
    "pause master": "pause_master",
}
"""By name, and who does it."""


@dataclass(frozen=True)
class Tally:
    """What a trial came to. `lost` is 0, or else it would have failed."""

    faults: tuple[Outcome, ...]
    accepted: int
    refused: int
    """No process took them in 20 s."""
    p50_s: float
    p99_s: float
    became: dict[str, int]
    took_s: float

    def __str__(self) -> str:
        became = ", ".join(f"{count} {status}" for status, count in sorted(self.became.items()))
        lines = [
            f"{len(self.faults)} faults, {self.accepted} commands accepted, 0 lost",
            f"{self.refused} refused; accepted within {self.p50_s * 1e3:.0f} ms (p50)",
            f"{self.p99_s * 1e3:.0f} ms (p99); {became}; {self.took_s:.0f} s",
        ]
        lines = [", ".join(lines)]
        for word in ("killed", "stands still", "cut off", "unheard", "ended", "started"):
            for whose in ("server", "process"):
                found = [
                    one.well_s or 0.0
                    for one in self.faults
                    if word in one.what and ("valkey" in one.what) == (whose == "server")
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

    async def run(self, plan: Sequence[str]) -> None:
        """These faults; each process and server is there again after its own."""
        for fault in plan:
            await getattr(self, FAULTS[fault])()
            await trio.sleep(self.chance.uniform(*REST_S))

    async def begun(self) -> None:
        """Wait until all processes take part, and every light is known to each and has its
        settings: a colour waits for them, and they take their time where frames are lost."""
        assert await self.faults.ready(), await self.faults.wrong()
        lights = set(self.here.world.stations)
        with trio.fail_after(BEGUN_MOST_S):
            for process in self.here.asked():
                set_up: set[str] = set()
                while set_up != lights:
                    await trio.sleep(LOOK_S)
                    told = (await self.here.http.get(f"{process.url}/api/v1/devices")).json()
                    set_up = {
                        one["dev_eui"] for one in told["devices"] if one["phase"] not in UNSET
                    }

    async def kill(self) -> None:
        """A process dies, and is started again."""
        name = self._process()
        await self._did(lambda: self.faults.kill(name))
        await self._did(lambda: self.faults.start(name))

    async def leave(self) -> None:
        """A process is ended by SIGTERM, and is started again."""
        name = self._process()
        await self._did(lambda: self.faults.leave(name))
        await self._did(lambda: self.faults.start(name))

    async def pause(self) -> None:
        """A process stands still, for shorter or longer than its leases hold."""
        name, pause_s = self._process(), self.chance.uniform(*PAUSE_S)
        await self._did(lambda: self.faults.pause(name, pause_s))

    async def become(self, name: str, root: Path) -> None:
        """A process is ended, and started again by the code at another root."""
        await self._did(lambda: self.faults.leave(name))
        self.here.processes[name].root = root
        await self._did(lambda: self.faults.start(name))

    async def kill_master(self) -> None:
        """The server that is written to dies, and is a replica afterwards."""
        name = await self._master()
        await self._did(lambda: self.faults.kill_server(name))
        await self._did(lambda: self.faults.start_server(name))

    async def pause_master(self) -> None:
        """The server that is written to stands still, and wakes as one of two masters."""
        name, pause_s = await self._master(), self.chance.uniform(*MASTER_PAUSE_S)
        await self._did(lambda: self.faults.pause_server(name, pause_s))

    async def split_master(self, machines: Machines) -> None:
        """The machine of the server that is written to is cut off from the other machines."""
        name, pause_s = await self._master(), self.chance.uniform(*SPLIT_S)
        await self._did(lambda: self.faults.split(machines, name, pause_s))

    async def lose_master(self, machines: Machines) -> None:
        """The server that is written to is heard by its replicas, and not by the processes."""
        name, pause_s = await self._master(), self.chance.uniform(*UNHEARD_S)
        await self._did(lambda: self.faults.lose(machines, name, pause_s))

    def _process(self) -> str:
        return self.chance.choice(list(self.here.processes))

    async def _master(self) -> str:
        with trio.fail_after(MASTER_MOST_S):
            while (name := await self.here.master()) is None:  # noqa: ASYNC110 other processes
                await trio.sleep(LOOK_S)
        return name

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
                assert light is not None, "each was given a colour, and has power"
                colours = {"red": light.red, "green": light.green, "blue": light.blue}
                one = told.get(dev_eui, {})
                if any(one.get(colour) != value for colour, value in colours.items()):
                    found.append(f"{process.name}: {dev_eui} shows {light}, told is {one}")
        return found


async def shown_by(http: httpx2.AsyncClient, process: Serving) -> dict[str, dict[str, int]]:
    """What a process tells that each light shows."""
    answer = await http.get(f"{process.url}/api/v1/devices")
    return {one["dev_eui"]: one["reported"] or {} for one in answer.json()["devices"]}


def any_plan(count: int, seed: int) -> list[str]:
    """So many faults: half of them kills of a process, a third of a server."""
    kinds = list(FAULTS)
    return random.Random(f"plan {seed}").choices(kinds, weights=[5, 2, 2, 2, 2], k=count)


async def hurt(
    plan: Sequence[str],
    seed: int,
    *,
    lights: int = LIGHTS,
    tell: Callable[[str], None] = lambda line: None,
) -> Tally:
    """A trial of these faults, from nothing to nothing."""
    return await tried(lambda trial: trial.run(plan), seed, lights=lights, tell=tell)


async def tried(
    run: Callable[[Trial], Awaitable[None]],
    seed: int,
    *,
    lights: int = LIGHTS,
    root: Path = ROOT,
    machines: Sequence[Machine] = (),
    tell: Callable[[str], None] = lambda line: None,
) -> Tally:
    """A whole trial, begun by the code at `root`, on an engine whose servers are on `machines`."""
    began = time.monotonic()
    made = site(lights, PROCESSES, root=root, machines=machines)
    async with made as here, trio.open_nursery() as nursery:
        load = Load(list(here.world.stations), here.asked, here.http, per_s=PER_S, seed=seed)
        trial = Trial(here, load, seed, tell)
        try:
            await trial.begun()
            await nursery.start(load.run)
            await run(trial)
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
