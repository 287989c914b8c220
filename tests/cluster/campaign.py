"""Hundreds of faults on several sites side by side: what `python -m tests.crash campaign` does.

A site is three processes, three servers under three Sentinels, lights and callers, on ports of its
own. On most of them a replica must confirm each commit, and processes and masters are killed; on
one of four none must, and the master is killed after its replicas were held back, so that what it
had acknowledged is gone from the engine and comes back from the memory of its owners only.

A site in which a promise is broken is kept (`build/campaign`), and another one goes on.
"""

import random
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import trio

from tests.cluster.rounds import COUNTS, Pattern, confirmed_rounds, lossy_rounds
from tests.cluster.worn_site import Seen, WornSite
from tests.drill.load import Load
from tests.drill.site import site
from tests.support.processes import ROOT

SITES = 4
FAILOVERS_EACH = 5
"""Kills of processes for each failover of either kind."""
LIGHTS = 6
PER_S = 3.0
LOSS = 0.02
"""Few frames are lost: a verdict comes soon, and it is not the radio that is tried here."""
PROCESSES = 3
JUDGED_EACH = 12
"""Rounds until all commands must have come to their end."""
BETWEEN_STARTS_S = 5.0
KEPT = ROOT / "build" / "campaign"
HEAD = (
    "round",
    "times",
    "accepted",
    "refused",
    "of them unknown",
    "all well after (p50 / most)",
    "longest without 2xx (p50 / most)",
    "accepted within (p50 / p99)",
    "shards moved (p50 / most)",
    "one had no owner (most)",
    "load",
)


@dataclass
class Tally:
    """What all sites saw."""

    rounds: list[Seen] = field(default_factory=list)
    judged: dict[str, dict[str, int]] = field(default_factory=dict)
    """By site, what became of its commands until it was judged last."""
    broken: list[str] = field(default_factory=list)
    took_s: float = 0.0

    def __str__(self) -> str:
        kills, failovers, lossy = (
            sum(getattr(COUNTS[one.pattern], kind) for one in self.rounds)
            for kind in ("kills", "failovers", "lossy")
        )
        held = [one for one in self.rounds if one.held and one.lost_bytes]
        verdicts: Counter[str] = sum((Counter(one) for one in self.judged.values()), Counter())
        became = ", ".join(f"{count} {status}" for status, count in sorted(verdicts.items()))
        most = f"{sum(one.held for one in held)} commands accepted meanwhile"
        kb = sum(one.lost_bytes for one in held) // 1000
        lines = [
            f"{kills} kills of processes, {failovers} failovers with need 1, {lossy} with need 0",
            f"what the promoted server had not, in {len(held)} of them: {kb} kB, {most}",
            f"became of all until the last judgement: {became}; broken: {len(self.broken)}",
            f"{self.took_s / 60:.0f} min",
            "",
            f"| {' | '.join(HEAD)} |",
            f"|{'---|' * len(HEAD)}",
        ]
        lines += [line for line in map(self._line, Pattern) if line is not None]
        left_s = [one.left_s for one in self.rounds if one.left_s is not None]
        if left_s:
            lines += ["", f"told to leave, ended after {_middle_and_most(left_s)}"]
        return "\n".join([*lines, *self.broken])

    def _line(self, pattern: Pattern) -> str | None:
        found = [one for one in self.rounds if one.pattern is pattern]
        if not found:
            return None
        took_s = sorted(took_s for one in found for took_s in one.seen.took_s)
        cells = [
            pattern,
            len(found),
            sum(one.seen.accepted for one in found),
            sum(one.seen.refused for one in found),
            sum(one.seen.unknown for one in found),
            _middle_and_most([one.well_s for one in found]),
            _middle_and_most([one.silent_s for one in found]),
            f"{_part(took_s, 0.5) * 1e3:.0f} ms / {_part(took_s, 0.99) * 1e3:.0f} ms",
            f"{_part(sorted(one.moves for one in found), 0.5)} / {max(one.moves for one in found)}",
            f"{max(one.dark_s for one in found):.1f} s",
            f"{min(one.load for one in found):.1f} to {max(one.load for one in found):.1f}",
        ]
        return f"| {' | '.join(map(str, cells))} |"


def _part(ordered: Sequence[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def _middle_and_most(found: Sequence[float]) -> str:
    return f"{_part(sorted(found), 0.5):.1f} s / {max(found):.1f} s"


class Campaign:
    """All sites, and what they saw."""

    def __init__(
        self, kills: int, failovers: int, lossy: int, seed: int, tell: Callable[[str], None]
    ) -> None:
        self.tally = Tally()
        self._confirmed = deque(confirmed_rounds(kills, failovers, seed))
        self._lossy = deque(lossy_rounds(lossy, seed))
        self._chance = random.Random(f"campaign {seed}")
        self._tell = tell

    async def run(self, sites: int = SITES) -> Tally:
        """Until every round was done, or was broken."""
        began = time.monotonic()
        try:
            async with trio.open_nursery() as nursery:
                for number in range(1, sites + 1):
                    nursery.start_soon(self._wear, number, number % SITES == 1)
                    await trio.sleep(BETWEEN_STARTS_S)
        finally:  # also where a signal ends it
            self.tally.took_s = time.monotonic() - began
            self._tell(f"several sites of three processes and three servers:\n{self.tally}")
        return self.tally

    async def _wear(self, number: int, lossy: bool) -> None:
        """One site after the other, each until its kind of rounds is over or something broke; who
        did lossy ones helps with the others then."""
        for rounds, need in (
            ((self._lossy, 0), (self._confirmed, 1)) if lossy else ((self._confirmed, 1),)
        ):
            lives = 0
            while rounds:
                lives += 1
                name = f"site {number}{'.' * (lives > 1)}{lives if lives > 1 else ''}, need {need}"
                try:
                    await self._life(name, rounds, need)
                except* Exception as group:  # noqa: BLE001 whatever it is: the other sites go on
                    self._broke(name, group)

    async def _life(self, name: str, rounds: deque[Pattern], need: int) -> None:
        seed = self._chance.randrange(1 << 30)
        made = site(LIGHTS, PROCESSES, need=need, loss=LOSS)
        async with made as here, trio.open_nursery() as nursery:
            load = Load(list(here.world.stations), here.asked, here.http, per_s=PER_S, seed=seed)
            worn = WornSite(here, load, seed, lambda line: self._tell(f"{name}: {line}"))
            try:
                await worn.trial.begun()
                await nursery.start(load.run)
                done = 0
                while rounds:
                    pattern = rounds.popleft()
                    self._note(name, await worn.round(pattern))
                    done += 1
                    if done % JUDGED_EACH == 0:
                        self.tally.judged[name] = await worn.judged()
                self.tally.judged[name] = await worn.judged()
            except BaseException:
                with trio.CancelScope(shield=True):
                    await trio.to_thread.run_sync(worn.keep, KEPT / f"{name} {time.time():.0f}")
                raise
            nursery.cancel_scope.cancel(reason="nothing is left to do")

    def _note(self, name: str, seen: Seen) -> None:
        self.tally.rounds.append(seen)
        figures = seen.seen
        more = f", lost {seen.lost_bytes} bytes and {seen.held} commands" if seen.lost_bytes else ""
        self._tell(
            f"{time.strftime('%H:%M:%S')} {name}: {seen.pattern}: well after {seen.well_s:.1f} s,"
            f" {seen.silent_s:.1f} s without 2xx, {figures.accepted} accepted, {figures.refused}"
            f" refused, {seen.moves} moves{more}; load {seen.load:.1f}"
        )

    def _broke(self, name: str, group: BaseExceptionGroup[BaseException]) -> None:
        found: list[BaseException] = [group]
        while isinstance(found[0], BaseExceptionGroup):
            found = list(found[0].exceptions)
        words = f"{name}: {type(found[0]).__name__}: {found[0]}"
        self.tally.broken.append(words)
        self._tell(f"{time.strftime('%H:%M:%S')} BROKEN {words}")


async def campaign(kills: int, seed: int, tell: Callable[[str], None]) -> Tally:
    """So many kills of processes, and a fifth of that failovers of each kind."""
    failovers = max(1, kills // FAILOVERS_EACH)
    return await Campaign(kills, failovers, failovers, seed, tell).run()
