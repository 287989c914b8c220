"""One house's connection to the engine, and whatever may happen to it and to the house."""

import random
from collections import Counter

import trio

from simulation.harness.cluster.engine_trouble import EngineTrouble
from simulation.harness.cluster.faults import ClusterFaults
from store.engine.memory import Fate, Master, MemoryEngine, MemoryServers, Request

REPEATABLE = frozenset({"commit", "accept", "take", "renew", "give", "post", "reply"})
"""What changes something, and so may be carried out late or twice with an effect."""


WRONG_SIDE = 0.4
"""Of the houses find an old master that lives on, as long as it does."""


class Connection:
    """The engine as one house reaches it, over all its lives. `counts` are shared by all houses."""

    def __init__(
        self,
        servers: MemoryServers,
        trouble: EngineTrouble,
        faults: ClusterFaults,
        rng: random.Random,
        counts: Counter[str],
    ) -> None:
        self.cut_off = self.deaf = False
        self._parted: set[int] = set()
        """Parts of the engine that this house alone does not reach."""
        self.wrong_side = False
        """It finds the old master as long as that lives."""
        self._servers = servers
        self._trouble = trouble
        self._faults = faults
        self._rng = rng
        self._counts = counts
        self._still_until_s = 0.0
        self._goes_on = trio.Event()
        self._lives: list[MemoryEngine] = []

    def open(self) -> MemoryEngine:
        """The engine of a new life; what the one before had on its way may still arrive."""
        engine = MemoryEngine(self._servers, need=self._faults.need, fate=self._fate)
        engine.before = engine.after = self._while_still
        engine.hears = self._hears
        engine.finds = self._finds
        engine.cut_off, engine.deaf = self.cut_off, self.deaf
        engine.parted = self._parted
        self._lives = [engine]
        return engine

    @property
    def away(self) -> bool:
        """Whether the house can bring nothing to where everybody looks for it."""
        parted = self.cut_off or self.deaf or bool(self._parted)
        return self.still or parted or self.wrong_side

    @property
    def slow(self) -> bool:
        """Whether an actor that starts may wait for the engine for too long."""
        return self.still or self._trouble.lately

    @property
    def still(self) -> bool:
        """Whether the house stands still now."""
        return trio.current_time() < self._still_until_s

    def stand_still(self, for_s: float) -> None:
        """Nothing leaves the house, and nothing reaches it, for so long."""
        self._still_until_s = max(self._still_until_s, trio.current_time() + for_s)

    def go_on(self) -> None:
        """Only what already waits goes on waiting."""
        self._still_until_s = 0.0
        self._goes_on.set()
        self._goes_on = trio.Event()

    def part(self, *, cut_off: bool, deaf: bool) -> None:
        """Part the house from the engine, or join them again."""
        self.cut_off, self.deaf = cut_off, deaf
        for engine in self._lives:
            engine.cut_off, engine.deaf = cut_off, deaf

    def part_from(self, part: int) -> None:
        """Part the house from one part of the engine."""
        self._parted.add(part)

    def join(self, part: int) -> None:
        """It reaches that part again."""
        self._parted.discard(part)

    def join_all(self) -> None:
        """It reaches all of them."""
        self._parted.clear()

    async def wait_while_still(self) -> None:
        """A call of the house waits here at both its ends."""
        while self.still:  # it may be stopped anew meanwhile
            with trio.move_on_at(self._still_until_s):
                await self._goes_on.wait()

    async def _while_still(self, _request: Request) -> None:
        await self.wait_while_still()

    def _finds(self, part: int) -> Master | None:
        if self.wrong_side and part in self._trouble.old:
            return self._trouble.old[part]
        return self._servers.masters[part]

    def _hears(self, _name: str) -> bool:
        lost = self._faults.bell_lost if self._trouble.armed else 0.0
        return not self.still and not (lost and self._rng.random() < lost)

    def _fate(self, request: Request) -> Fate:
        faults, rng = self._faults, self._rng
        if not self._trouble.armed:
            return Fate()
        if self._trouble.moving and self._trouble.moving.intersection(request.about):
            self._counts["refused while a slot moves"] += 1
            return Fate(cut=0)
        fate = Fate()
        if faults.slow and rng.random() < faults.slow:
            self._counts["slow requests"] += 1
            slow_s = rng.uniform(*faults.slow_s)
            back = faults.slow_back and rng.random() < faults.slow_back
            fate = Fate(back_s=slow_s) if back else Fate(delay_s=slow_s)
        if request.name not in REPEATABLE:
            return fate
        dice = rng.random()
        for name, chance in (
            ("late", faults.late),
            ("unanswered", faults.unanswered),
            ("again", faults.again),
            ("cut", faults.cut),
        ):
            if dice < chance:
                self._counts[f"{name} requests"] += 1
                return self._drawn(name, request)
            dice -= chance
        return fate

    def _drawn(self, name: str, request: Request) -> Fate:
        rng = self._rng
        match name:
            case "late":
                return Fate(late_s=rng.uniform(*self._faults.late_s))
            case "again":
                return Fate(again_s=rng.uniform(*self._faults.late_s))
            case "cut":
                return Fate(cut=rng.randrange(len(request.about) + 1))
            case _:
                return Fate(unanswered=True)
