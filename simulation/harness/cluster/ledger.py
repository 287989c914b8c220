"""Hours of takes, gives, kills and failovers with the production keeper and shard store, quickly.

No radio, no lights and no web: what shards, leases, commits and accepted commands promise, and
nothing else. Whole houses are in `simulation.py`.
"""

from collections import Counter, deque
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any

import trio

from simulation.harness import determinism
from simulation.harness.build import without_logs
from simulation.harness.cluster.connection import WRONG_SIDE, Connection
from simulation.harness.cluster.engine_trouble import EngineTrouble
from simulation.harness.cluster.engine_watch import EngineWatch
from simulation.harness.cluster.faults import ClusterFaults
from simulation.harness.cluster.lease_watch import LeaseWatch
from simulation.harness.cluster.ledger_house import RIGHT_AT, LedgerHouse
from simulation.harness.cluster.ledger_light import LIGHTS, LedgerCommand, encode
from simulation.harness.cluster.ledger_watch import LedgerWatch
from simulation.harness.oracle import Violation
from simulation.world.chance import Chance
from store.engine.memory import Master, MemoryServers
from store.engine.port import Accept, Accepted, Commit
from store.engine.shards import FLEET, shard_of
from store.errors import StoreUnavailable

COMMAND_EVERY_S = 2.0
REST_S = 40.0
"""After the last fault: a lease expires, whoever was away comes back, all is taken and balanced."""
STILL_S = 15.0
LINES_KEPT = 4_000
"""Of the story: some minutes of all shards."""


class Ledger:
    """One run. To be made inside the run of Trio that runs it."""

    def __init__(self, seed: int, faults: ClusterFaults, minutes: float) -> None:
        self.faults = faults
        self.counts: Counter[str] = Counter()
        self.violation: Violation | None = None
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self.world_s = 0.0
        self._hash = blake2b(digest_size=16)
        self._minutes = minutes
        self._chance = Chance(f"ledger/{seed}")
        self._sides = self._chance.of("sides of a split")
        self._broken = trio.Event()
        self.servers = MemoryServers(
            replicas=faults.replicas,
            masters=faults.masters,
            lag_s=faults.lag_s,
            wall=self._wall,
            prefix=faults.prefix,
        )
        self.watch = LedgerWatch(
            self.servers, self.breaks, strict=faults.need > 0 and not faults.lossy
        )
        self.order = EngineWatch(self.breaks, self._committed)
        self.servers.told = self._told
        self.trouble = EngineTrouble(self.servers, faults, self._chance, self._failed_over)
        lights = [f"{number:016x}" for number in range(1, LIGHTS + 1)]
        self._lights: dict[str, list[str]] = {}
        for dev_eui in lights:
            self._lights.setdefault(shard_of(dev_eui), []).append(dev_eui)
        self.houses = [self._house(name) for name in "abcd"[: faults.houses]]
        self.leases = LeaseWatch(self.servers, self.houses, faults, self.breaks)

    def _house(self, name: str) -> LedgerHouse:
        rng = self._chance.of(f"connection {name}")
        connection = Connection(self.servers, self.trouble, self.faults, rng, self.counts)
        return LedgerHouse(
            name, connection, self.faults, self._chance, self.watch, self._lights, self._enqueue
        )

    def _wall(self) -> float:
        return RIGHT_AT + trio.current_time() + self.trouble.clock_off_s

    def breaks(self, about: str, what: str) -> None:
        """A promise does not hold: the first one ends the run."""
        if self.violation is None:
            self.violation = Violation(trio.current_time(), about, what)
            self.note("VIOLATION", about, what)
            self._broken.set()

    def note(self, *what: object) -> None:
        """Into the story."""
        line = f"{trio.current_time():10.3f} " + " ".join(map(str, what))
        self.lines.append(line)
        self._hash.update(line.encode())

    def digest(self) -> str:
        """The hash of all so far."""
        return self._hash.hexdigest()

    def _told(self, *what: Any) -> None:
        self.order.told(*what)
        self.leases.told(*what)

    def _committed(self, _master: Master, commit: Commit) -> None:
        self.note("commit", commit.shard, commit.token, commit.seq, commit.inbox_mark)

    def _failed_over(self, part: int, old: Master) -> None:
        self.note("failover", part, "the old master lives on" if old.answers else "")
        master = self.servers.masters[part]
        assert master is not None  # noqa: S101 - it was just promoted
        self.order.begins(master)
        self.watch.failed_over(part, old)
        for house in self.houses:
            connection = house.connection
            connection.wrong_side = old.answers and self._sides.random() < WRONG_SIDE
        there = {one.boot for one in self.houses if one.store and not one.connection.away}
        for boot in self.watch.owing - there:  # also one that left before, or was killed
            self.watch.lost_its_memory(boot)

    def _enqueue(self, house: LedgerHouse) -> None:
        """A house is about to do what only the fleet's owner may."""
        self.counts["enqueued"] += 1
        others = [
            one.boot
            for one in self.houses
            if one is not house and one.alive and one.keeper and one.keeper.may_begin(FLEET)
        ]
        if others:
            self.breaks("fleet", f"{house.boot} and {others[0]} both may enqueue")

    # ---------------------------------------------------------------- the story

    async def run(self) -> None:
        """Until it is quiet, or a promise is broken."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._story, nursery.cancel_scope)
            nursery.start_soon(self.trouble.run)
            for house in self.houses:
                nursery.start_soon(house.run)
            await self._broken.wait()
            nursery.cancel_scope.cancel(reason="a promise is broken")

    async def _story(self, scope: trio.CancelScope) -> None:
        faults = self.faults
        with trio.move_on_after(self._minutes * 60.0):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._command)
                for every_s, happen in (
                    (faults.kill_every_s, self._kill),
                    (faults.leave_every_s, self._leave),
                    (faults.pause_every_s, self._pause),
                    (faults.cut_every_s, self._cut),
                ):
                    nursery.start_soon(self._now_and_then, every_s, happen)
        self._heal()
        await trio.sleep(REST_S)
        self._check_owners()
        before = self._tokens()
        await trio.sleep(STILL_S)
        if self._tokens() != before:
            moved = min(set(self._tokens().items()) ^ set(before.items()))
            self.breaks("fleet", f"long after the last fault a shard moves: {moved}")
        for one in self.watch.missing():
            self.breaks("engine", f"lost: {one}")
        for shard, command_id in self.watch.disobeyed():
            self.breaks(shard, f"command {command_id} was accepted, and never obeyed")
        scope.cancel(reason="it is quiet")

    async def _now_and_then(
        self, every_s: float, happen: Callable[[LedgerHouse], Awaitable[None]]
    ) -> None:
        rng = self._chance.of(happen.__name__)
        async with trio.open_nursery() as nursery:
            while every_s:
                await trio.sleep(rng.expovariate(1.0 / every_s))
                nursery.start_soon(happen, rng.choice(self.houses))

    async def _kill(self, house: LedgerHouse) -> None:
        self.note("kill", house.boot)
        self.counts["kills"] += 1
        house.kill()
        await trio.lowlevel.checkpoint()

    async def _leave(self, house: LedgerHouse) -> None:
        self.note("leave", house.boot)
        self.counts["orderly ends"] += 1
        house.leave()
        await trio.lowlevel.checkpoint()

    async def _pause(self, house: LedgerHouse) -> None:
        for_s = self._chance.of(f"pause {trio.current_time()!r}").uniform(*self.faults.pause_s)
        self.note("pause", house.boot, f"{for_s:.1f}")
        self.counts["pauses"] += 1
        if self.watch.owed:
            self.watch.lost_its_memory(house.boot)
        house.connection.stand_still(for_s)
        await trio.lowlevel.checkpoint()

    async def _cut(self, house: LedgerHouse) -> None:
        rng = self._chance.of(f"cut {trio.current_time()!r}")
        deaf = rng.random() < 0.3
        self.note("cut", house.boot, "one way" if deaf else "")
        self.counts["partitions"] += 1
        self.watch.lost_its_memory(house.boot)
        house.connection.part(cut_off=not deaf, deaf=deaf)
        await trio.sleep(rng.uniform(*self.faults.cut_s))
        house.connection.part(cut_off=False, deaf=False)

    def _heal(self) -> None:
        self.note("healed")
        self.trouble.heal()
        for house in self.houses:
            house.heal()

    # ---------------------------------------------------------------- people

    async def _command(self) -> None:
        rng = self._chance.of("people")
        number = 0
        async with trio.open_nursery() as nursery:
            while True:
                await trio.sleep(rng.expovariate(1.0 / COMMAND_EVERY_S))
                number += 1
                dev_eui = rng.choice(rng.choice(list(self._lights.values())))
                house = rng.choice(self.houses)
                nursery.start_soon(self._ask, house, dev_eui, f"c{number}")

    async def _ask(self, house: LedgerHouse, dev_eui: str, command_id: str) -> None:
        store, boot, shard = house.store, house.boot, shard_of(dev_eui)
        if store is None or house.connection.still:
            return
        record = encode(LedgerCommand(command_id, dev_eui))
        accept = Accept(shard, dev_eui, command_id, record, record, 1.0)
        try:
            answer = await store.accept(accept)
        except StoreUnavailable:
            self.counts["refused: unavailable"] += 1
            if self._only_houses_fail and house.store is store:
                self.breaks(boot, f"command {command_id} was refused because of a take-over")
            return
        if house.store is store and answer.accepted in {Accepted.STORED, Accepted.KNOWN}:
            self.watch.accepted(boot, shard, command_id)

    @property
    def _only_houses_fail(self) -> bool:
        """Whether nothing is wrong with the engine and the way there."""
        faults = self.faults
        return not any(
            (
                faults.pause_every_s,
                faults.cut_every_s,
                faults.late,
                faults.unanswered,
                faults.cut,
                faults.fail_over_every_s,
                faults.missing_every_s,
                faults.outage_every_s,
                faults.moving_every_s,
                faults.slow,
            )
        )

    # ---------------------------------------------------------------- at the end

    def _tokens(self) -> dict[str, str]:
        return {
            shard: data.lease.token
            for master in self.servers.masters
            if master is not None
            for shard, data in master.data.shards.items()
        }

    def _check_owners(self) -> None:
        boots = {house.boot: house for house in self.houses}
        load = dict.fromkeys(boots, 0)
        for master in self.servers.masters:
            for shard, data in (master.data.shards if master is not None else {}).items():
                if data.lease.owner not in boots:
                    self.breaks("fleet", f"{shard} has no owner {REST_S:.0f} s after the faults")
                    return
                load[data.lease.owner] += 8 if shard == FLEET else 1
        fair = -(-sum(load.values()) // len(load))
        if max(load.values()) > fair + 1:
            self.breaks("fleet", f"the load is not balanced: {load}, fair is {fair}")

    @property
    def counted(self) -> Counter[str]:
        """What happened, and how often."""
        return self.counts + self.trouble.counts + self.watch.counts + self.order.counts


def run_ledger(seed: int, faults: ClusterFaults, minutes: float = 2.0) -> Ledger:
    """Run one seed; the run, when it is over."""

    async def main() -> Ledger:
        ledger = Ledger(seed, faults, minutes)
        await ledger.run()
        ledger.world_s = trio.current_time()
        return ledger

    with without_logs():
        return determinism.run(main, seed=seed)
