"""One site of a campaign: it is hurt round after round, and judged now and then."""

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import trio

from tests.cluster.hurt import Trial
from tests.cluster.rounds import Pattern
from tests.drill.load import ENDED, Figures, Load
from tests.drill.site import Site
from tests.support.redis_sites import client_of

LOOK_S = 0.25
WELL_MOST_S = 150.0
PROMOTED_MOST_S = 90.0
ANSWERS_MOST_S = 60.0
BACK_MOST_S = 20.0
"""What a failover took is there again, by whoever knew it, at the latest so long after all is
well."""
APART_S = (0.0, 8.0)
"""From one fault of a round to the next: a take-over is over after 6 to 9 s."""
SOON_S = (0.0, 4.0)
DYING_S = (0.3, 5.0)
"""From a start until it is killed again: as it opens the engine, or takes shards."""
HELD_S = (0.5, 6.0)
REST_S = (0.0, 3.0)
EVEN_MOST_S = 20.0
EVEN = 2
"""Shards, of which the fleet's counts for eight."""
ALONE = {Pattern.KILL, Pattern.LEAVE, Pattern.MASTER, Pattern.LOSSY}
"""Whose figures are those of one fault."""
FIRST, LAST = "10", "100"
"""Priorities of replicas: the lowest is promoted before all others, whatever it has."""


@dataclass
class Seen:
    """What was seen of one round."""

    pattern: Pattern
    seen: Figures
    """What callers saw from the first fault until all was well."""
    well_s: float
    """From the first fault until every part had an owner and every process took part."""
    silent_s: float
    """The longest time without a 2xx meanwhile."""
    moves: int = 0
    """Shards that came to another owner, and were not given for the sake of balance."""
    dark_s: float = 0.0
    """The longest that one of them had none."""
    left_s: float | None = None
    """Until a process that was told to leave had ended."""
    held: int = 0
    """Commands that were accepted while the replicas were held back."""
    lost_bytes: int = 0
    """What the master had of its history, and the promoted one had not."""
    load: float = 0.0
    """Of the machine: how many wanted to run, on average of the last minute."""


@dataclass
class _Round:
    pattern: Pattern
    began_s: float
    before: Figures
    began_at: float = field(default_factory=time.time)
    hurt: set[str] = field(default_factory=set)
    """Processes that were killed or ended."""
    left_s: float | None = None
    held: int = 0
    lost_bytes: int = 0
    well_s: float | None = None
    """Where it was well before the round was over."""


class WornSite:
    """Does rounds. Raises AssertionError, with what was seen, where a promise is broken."""

    def __init__(self, here: Site, load: Load, seed: int, tell: Callable[[str], None]) -> None:
        self.here = here
        self.load = load
        self.trial = Trial(here, load, seed, tell)
        self.chance = random.Random(f"site {seed}")
        self._tell = tell
        self._judged: dict[str, str] = {}
        """What every command became by the last judgement but the newest ones."""

    async def round(self, pattern: Pattern) -> Seen:
        """Everything of this pattern, until all is well."""
        await self.here.whole()
        if pattern in ALONE:
            await self._even()
        now = _Round(pattern, trio.current_time(), self.load.figures.copy())
        await HOW[pattern](self, now)
        well_s = await self._until_well(now)
        now.well_s = well_s if now.well_s is None else now.well_s
        seen = self._seen(now)
        await self._count_moves(now, seen)
        await self._until_nothing_missing(pattern)
        await self.here.whole()
        await trio.sleep(self.chance.uniform(*REST_S))
        return seen

    async def judged(self) -> dict[str, int]:
        """What became of all commands; verdicts that were known before are what they were."""
        became = await self.trial.judged()
        for command_id, status in self.load.known.items():
            if command_id not in self._judged:
                again = await self.load.status(command_id)
                assert again == status, f"{command_id} was {status}, and is {again}"
                self._judged[command_id] = status
        self.load.halted = False
        return became

    def keep(self, where: Path) -> None:
        """What may tell why something went wrong; blocks."""
        self.here.keep(where)
        rest = [f"{one} {status}" for one, status in self.load.known.items() if status not in ENDED]
        (where / "open commands").write_text("\n".join(rest))

    async def _kill(self, now: _Round) -> None:
        name = self._process(now)
        self._dies(name, now)
        now.well_s = await self._until_well(now)  # by the others alone
        self.here.processes[name].start()

    async def _kill_two(self, now: _Round) -> None:
        first, second = self._process(now), self._process(now)
        self._dies(first, now)
        await self._apart(APART_S)
        self._dies(second, now)
        for name in self.chance.sample([first, second], 2):
            await self._apart(APART_S)
            self.here.processes[name].start()

    async def _kill_again(self, now: _Round) -> None:
        name = self._process(now)
        self._dies(name, now)
        await self._apart(SOON_S)
        self.here.processes[name].start()
        await self._apart(DYING_S)
        self._dies(name, now)
        await self._apart(APART_S)
        self.here.processes[name].start()

    async def _kill_each(self, now: _Round) -> None:
        for name in self.chance.sample(list(self.here.processes), len(self.here.processes)):
            self._dies(name, now)
            await self._apart(SOON_S)
            self.here.processes[name].start()
            await self._answers(name)

    async def _leave(self, now: _Round) -> None:
        name = self._process(now)
        now.left_s = await self.here.processes[name].leave()
        now.well_s = await self._until_well(now)
        self.here.processes[name].start()

    async def _master(self, now: _Round) -> None:
        old = await self.here.whole()
        await self._server_dies(old)
        await self._promoted(old)
        now.well_s = await self._until_well(now)
        await self._back(old)

    async def _master_worse(self, now: _Round) -> None:
        old = await self.here.whole()
        worse, _ = self._replicas(old)
        await self._prefer(worse)
        await self._hold(worse, old)
        await self._held_until_dead(now, old, [worse])
        await self._back(old)

    async def _master_and_process(self, now: _Round) -> None:
        name, old = self._process(now), await self.here.whole()
        process_first = self.chance.random() < 0.5
        if process_first:
            self._dies(name, now)
            await self._apart(SOON_S)
        await self._server_dies(old)
        if not process_first:
            await self._apart(SOON_S)
            self._dies(name, now)
        await self._apart(APART_S)
        self.here.processes[name].start()
        await self._promoted(old)
        await self._back(old)

    async def _lossy(self, now: _Round) -> None:
        old = await self.here.whole()
        replicas = self._replicas(old)
        for each in replicas:
            await self._hold(each, old)
        await self._held_until_dead(now, old, replicas)
        await self._back(old)

    async def _lossy_worse(self, now: _Round) -> None:
        old = await self.here.whole()
        worse, better = self._replicas(old)
        await self._prefer(worse)
        await self._hold(worse, old)
        await self._apart(SOON_S)
        await self._hold(better, old)
        await self._held_until_dead(now, old, [worse, better])
        await self._back(old)

    async def _held_until_dead(self, now: _Round, old: str, held: list[str]) -> None:
        """Load goes on for a while; then the master dies, and the replicas wake."""
        before = self.load.figures.accepted
        await self._apart(HELD_S)
        now.held = self.load.figures.accepted - before
        had = await self._offset(old, "master_repl_offset")
        await self._server_dies(old)
        for each in held:
            self.here.thaw(each)
        have = {name: await self._offset(name, "slave_repl_offset") for name in self._replicas(old)}
        promoted = await self._promoted(old)
        now.lost_bytes = had - have[promoted]
        await self._prefer(None)

    def _process(self, now: _Round) -> str:
        """One that was not hurt in this round."""
        name = self.chance.choice([each for each in self.here.processes if each not in now.hurt])
        now.hurt.add(name)
        return name

    def _dies(self, name: str, now: _Round) -> None:
        self.here.processes[name].kill()
        now.hurt.add(name)

    async def _server_dies(self, name: str) -> None:
        await trio.to_thread.run_sync(self.here.kill_server, name)

    async def _back(self, name: str) -> None:
        """A server that was killed is started again; as Sentinel makes it a replica, or at once as
        one whose settings say so."""
        await self._apart(SOON_S)
        await trio.to_thread.run_sync(self.here.start_server, name)
        master = await self.here.master()
        if master is not None and master != name and self.chance.random() < 0.5:
            to, server = self.here.servers[master], client_of(self.here.servers[name])
            await trio.to_thread.run_sync(server.replicaof, to.host, to.port)

    def _replicas(self, master: str) -> list[str]:
        others = [name for name in self.here.servers if name != master]
        return self.chance.sample(others, len(others))

    async def _hold(self, name: str, master: str) -> None:
        await trio.to_thread.run_sync(self.here.hold_back, name, master)

    async def _prefer(self, name: str | None) -> None:
        """Whom Sentinel promotes next."""
        for each in self.here.servers.keys() - self.here.ended - self.here.frozen:
            client = client_of(self.here.servers[each])
            priority = FIRST if each == name else LAST
            await trio.to_thread.run_sync(client.config_set, "replica-priority", priority)

    async def _offset(self, name: str, what: str) -> int:
        client = client_of(self.here.servers[name])
        told = await trio.to_thread.run_sync(client.info, "replication")
        return int(told[what])

    async def _promoted(self, old: str) -> str:
        """Wait until most Sentinels name another master."""
        with trio.move_on_after(PROMOTED_MOST_S):
            while True:
                name = await self.here.master()
                if name is not None and name != old:
                    return name
                await trio.sleep(LOOK_S)
        raise AssertionError("no replica was promoted")

    async def _answers(self, name: str) -> None:
        """Wait until a process is ready."""
        url = f"{self.here.processes[name].url}/readyz"
        with trio.move_on_after(ANSWERS_MOST_S):
            while not await self.load.is_ready(url):  # noqa: ASYNC110 another process
                await trio.sleep(LOOK_S)
            return
        raise AssertionError(f"{name} did not become ready: {self.here.processes[name].said()}")

    async def _apart(self, span_s: tuple[float, float]) -> None:
        await trio.sleep(self.chance.uniform(*span_s))

    async def _even(self) -> None:
        """Wait for even shares, so that nothing is seen but the one fault."""
        with trio.move_on_after(EVEN_MOST_S):
            while True:
                told = await self.here.cluster()
                loads = (
                    [one["shards"] + 8 * one["fleet"] for one in told["members"]] if told else []
                )
                if len(loads) == len(self.here.processes) and max(loads) - min(loads) <= EVEN:
                    return
                await trio.sleep(LOOK_S)

    async def _until_well(self, now: _Round) -> float:
        """Until the processes that run see every part with an owner, and a command was accepted."""
        wrong: str | None = "nothing was looked at"
        with trio.move_on_after(WELL_MOST_S):
            accepted = self.load.figures.accepted
            while True:
                wrong = await self.trial.faults.wrong()
                if wrong is None and self.load.figures.accepted > accepted:
                    return trio.current_time() - now.began_s
                await trio.sleep(LOOK_S)
        raise AssertionError(f"not well after {WELL_MOST_S:.0f} s: {wrong}")

    async def _until_nothing_missing(self, pattern: Pattern) -> None:
        began = trio.current_time()
        while True:
            await self.load.look()
            known = self.load.known.items()
            missing = [one for one, status in known if status == "missing"]
            if not missing:
                return
            if trio.current_time() > began + BACK_MOST_S:
                raise AssertionError(f"lost after {pattern}: {', '.join(missing)}")
            await trio.sleep(LOOK_S)

    def _seen(self, now: _Round) -> Seen:
        assert now.well_s is not None
        ended_s = now.began_s + now.well_s
        figures = self.load.figures.copy().since(now.before)
        times = [now.began_s, *(at_s for at_s in figures.at_s if at_s <= ended_s), ended_s]
        silent_s = max(later - one for one, later in pairwise(times))
        return Seen(
            pattern=now.pattern,
            seen=figures,
            well_s=now.well_s,
            silent_s=silent_s,
            left_s=now.left_s,
            held=now.held,
            lost_bytes=now.lost_bytes,
            load=os.getloadavg()[0],
        )

    async def _count_moves(self, now: _Round, seen: Seen) -> None:
        """As a process tells that saw the whole round."""
        for each in self.here.asked():
            told = None if each.name in now.hurt else await self.here.cluster(each)
            if told is not None:
                ended_at = now.began_at + seen.well_s
                moves = [one for one in told["moves"] if now.began_at <= one["at"] <= ended_at]
                seen.moves = sum(one["why"] != "given" for one in moves)
                seen.dark_s = max((one["dark_s"] for one in moves), default=0.0)
                return


HOW = {
    Pattern.KILL: WornSite._kill,
    Pattern.KILL_TWO: WornSite._kill_two,
    Pattern.KILL_AGAIN: WornSite._kill_again,
    Pattern.KILL_EACH: WornSite._kill_each,
    Pattern.LEAVE: WornSite._leave,
    Pattern.MASTER: WornSite._master,
    Pattern.MASTER_WORSE: WornSite._master_worse,
    Pattern.MASTER_AND_PROCESS: WornSite._master_and_process,
    Pattern.LOSSY: WornSite._lossy,
    Pattern.LOSSY_WORSE: WornSite._lossy_worse,
}
