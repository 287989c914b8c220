"""What may be done to the site, and how long it took until all was well again."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio

from tests.drill.load import Figures, Load
from tests.drill.site import Site
from tests.support.machines import Machines

LOOK_S = 0.1
WELL_MOST_S = 90.0
READY_MOST_S = 180.0
"""Three interpreters start at once, on a machine that may be busy."""
PAUSE_S = 20.0


@dataclass
class Outcome:
    """One fault, and what was seen of it."""

    what: str
    well_s: float | None
    """Until every part of the fleet had an owner that is alive, and every process that runs took
    part; None where that did not come in 90 s."""
    seen: Figures
    """What callers saw from the fault until then."""

    @property
    def words(self) -> str:
        """In a line."""
        slowest = max(self.seen.took_s, default=0.0)
        how = (
            "did not become well" if self.well_s is None else f"all well after {self.well_s:.1f} s"
        )
        return (
            f"{self.what}: {how}; {self.seen.accepted} commands accepted meanwhile, the slowest in"
            f" {slowest:.1f} s, {self.seen.refused} refused"
        )


class Faults:
    """Does it, waits, and tells."""

    def __init__(self, site: Site, load: Load, tell: Callable[[str], None]) -> None:
        self._site = site
        self._load = load
        self._tell = tell

    async def ready(self) -> bool:
        """Wait until all processes take part and everything has an owner."""
        with trio.move_on_after(READY_MOST_S) as scope:
            while not await self._well():  # noqa: ASYNC110 other processes
                await trio.sleep(LOOK_S)
        return not scope.cancelled_caught

    async def kill(self, name: str) -> Outcome:
        """A process dies."""
        process = self._site.processes[name]

        async def done() -> None:
            process.kill()

        return await self._seen(f"{name} killed", done)

    async def start(self, name: str) -> Outcome:
        """A process joins."""
        process = self._site.processes[name]

        async def done() -> None:
            process.start()

        return await self._seen(f"{name} started", done)

    async def leave(self, name: str) -> Outcome:
        """A process is ended as by a service manager."""
        process = self._site.processes[name]

        async def done() -> None:
            took_s = await process.leave()
            self._tell(f"{name} gave everything away and ended in {took_s:.1f} s")

        return await self._seen(f"{name} ended (SIGTERM)", done)

    async def pause(self, name: str, pause_s: float = PAUSE_S) -> Outcome:
        """A process stands still, the others take over what was its, and it wakes."""
        process = self._site.processes[name]

        async def done() -> None:
            process.pause()

        async def wake() -> None:
            process.resume()

        return await self._seen(f"{name} stands still for {pause_s:g} s", done, wake, pause_s)

    async def kill_server(self, name: str) -> Outcome:
        """A server of the engine dies."""
        which = await self._which(name)

        async def done() -> None:
            await trio.to_thread.run_sync(self._site.kill_server, name)

        return await self._seen(f"{which} killed", done)

    async def pause_server(self, name: str, pause_s: float = PAUSE_S) -> Outcome:
        """A server stands still; a master wakes believing that it is still that."""
        which = await self._which(name)

        async def done() -> None:
            self._site.freeze(name)

        async def wake() -> None:
            self._site.thaw(name)

        return await self._seen(f"{which} stands still for {pause_s:g} s", done, wake, pause_s)

    async def _which(self, name: str) -> str:
        return f"{name}, the master," if name == await self._site.master() else name

    async def start_server(self, name: str) -> Outcome:
        """A server that was killed is started again."""

        async def done() -> None:
            await trio.to_thread.run_sync(self._site.start_server, name)

        return await self._seen(f"{name} started", done)

    async def split(self, machines: Machines, name: str, pause_s: float) -> Outcome:
        """A server's machine is cut off from the others; the processes still reach all."""
        which, machine = await self._which(name), machines.at(self._site.servers[name].host)

        async def done() -> None:
            await trio.to_thread.run_sync(machines.split, machine)

        async def wake() -> None:
            await trio.to_thread.run_sync(machines.join, machine)

        return await self._seen(f"{which} cut off for {pause_s:.0f} s", done, wake, pause_s)

    async def lose(self, machines: Machines, name: str, pause_s: float) -> Outcome:
        """What a server answers to the processes gets lost, and Sentinel sees nothing of it."""
        which, machine = await self._which(name), machines.at(self._site.servers[name].host)

        async def done() -> None:
            await trio.to_thread.run_sync(machines.lose, machine)
            await trio.sleep(pause_s)
            await trio.to_thread.run_sync(machines.find, machine)

        return await self._seen(f"{which} unheard for {pause_s:.0f} s", done)

    async def _seen(
        self,
        what: str,
        done: Callable[[], Awaitable[None]],
        wake: Callable[[], Awaitable[None]] | None = None,
        pause_s: float = 0.0,
    ) -> Outcome:
        self._tell(f"{what} ...")
        before, began = self._load.figures.copy(), trio.current_time()
        await done()
        well_s = await self._until_well(began)
        outcome = Outcome(what, well_s, self._load.figures.copy().since(before))
        self._tell(outcome.words)
        if wake is not None:
            await trio.sleep(max(0.0, began + pause_s - trio.current_time()))
            woke = trio.current_time()
            await wake()
            again_s = await self._until_well(woke)
            how = "not well again" if again_s is None else f"all well {again_s:.1f} s later"
            self._tell(f"it woke: {how}")
        return outcome

    async def _until_well(self, began: float) -> float | None:
        told: set[str] = set()
        with trio.move_on_after(WELL_MOST_S):
            while (wrong := await self.wrong()) is not None or not await self._accepts():
                words = wrong or "no command was accepted for 2 s"
                if (kind := re.sub(r"\d+", "N", words)) not in told:
                    told.add(kind)
                    self._tell(f"  after {trio.current_time() - began:.1f} s: {words}")
                await trio.sleep(LOOK_S)
            return trio.current_time() - began
        return None

    async def wrong(self) -> str | None:
        """What is not well yet, in words: every process that runs sees every part with an owner
        that is alive, and all of those that run."""
        answering = self._site.asked()
        alive = {each.name for each in answering}
        for each in answering:
            told = await self._site.cluster(each)
            if told is None:
                return f"{each.name} does not answer"
            if told["shards_unowned"]:
                return f"{each.name} sees {told['shards_unowned']} parts without an owner"
            if told["store"]["problem"]:
                return f"{each.name}: {told['store']['problem']}"
            members = {one["name"]: one for one in told["members"] if one["state"] == "alive"}
            if missing := alive - members.keys():
                return f"{each.name} does not see {', '.join(sorted(missing))}"
            gone = [one["name"] for one in told["members"] if one["shards"]]
            if left := set(gone) - alive:
                return f"{each.name} sees parts that are still {', '.join(sorted(left))}'s"
        return None if answering else "nobody runs"

    async def _well(self) -> bool:
        return await self.wrong() is None

    async def _accepts(self) -> bool:
        """A command was accepted since the last look."""
        before = self._load.figures.accepted
        with trio.move_on_after(2.0):
            while self._load.figures.accepted == before:  # noqa: ASYNC110 other processes
                await trio.sleep(LOOK_S / 2)
        return self._load.figures.accepted > before
