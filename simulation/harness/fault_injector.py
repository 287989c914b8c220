"""Injects crashes between an actor and its ports, and faults between store writer and store.

The actor's code is unchanged; it crashes where it calls one of its ports, which is everywhere that
it can be interrupted: before a message is handled, before and after its commit, and between its
effects. Disarmed, every call goes through.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import trio

from actors.device.actor import DevicePorts
from actors.device.command import Command
from actors.device.effects import Heard
from actors.device.model import Attempt, Device, Hearing
from simulation.harness.scenario import ServiceFaults
from simulation.world.chance import Chance
from store.errors import StoreUnavailable
from store.port import Record, Table, Write


class InjectedCrash(Exception):
    """An actor fails here because the simulation wants it to."""


class Poison:
    """A message that no actor can handle."""


class FaultInjector:
    """Injects at random. `only` limits crashes to some devices; `counts` says how often it did."""

    def __init__(self, faults: ServiceFaults, chance: Chance, kill: Callable[[str], None]) -> None:
        self.faults = faults
        self.armed = True
        self.only: frozenset[str] | None = None
        self.counts: Counter[str] = Counter()
        self._fails_until_s = 0.0
        self._chance = chance
        self._rng = chance.each("crash")
        self._lights = chance.each("light")
        self._store = chance.of("store")
        self._kill = kill

    def source(self, what: str) -> random.Random:
        """The random source of another kind of fault."""
        return self._chance.of(what)

    def fail_until(self, at_s: float) -> None:
        """The store fails until then (Trio's time)."""
        self._fails_until_s = at_s
        self.counts["store failures"] += 1

    def maybe_crash_device(self, dev_eui: str) -> None:
        """Perhaps raise InjectedCrash in a device's actor."""
        faults = self.faults
        if not self.armed or not faults.light_crash:
            return
        if self.only is not None and dev_eui not in self.only:
            return
        if self._rng[dev_eui].random() < faults.light_crash:
            self.counts["light crash"] += 1
            raise InjectedCrash(f"device {dev_eui}")

    def maybe_crash_part(self, where: str) -> None:
        """Perhaps raise InjectedCrash in another actor."""
        chance = self.faults.part_crash
        if self.armed and chance and self._rng[where].random() < chance:
            self.counts["part crash"] += 1
            raise InjectedCrash(where)

    async def before_commit(self, writes: Sequence[Write]) -> None:
        """A slow disk, a failing one, or the end of the process just before it is written."""
        faults, rng = self.faults, self._store
        if not self.armed:
            return
        if faults.store_slow and rng.random() < faults.store_slow:
            self.counts["slow commit"] += 1
            await trio.sleep(rng.uniform(*faults.store_slow_s))
        if trio.current_time() < self._fails_until_s:
            self.counts["failed commit"] += 1
            await trio.sleep(0.01)
            raise StoreUnavailable("simulated: the disk is full")
        self.maybe_crash_part("store")
        await self._perhaps_die("before")

    async def after_commit(self, writes: Sequence[Write]) -> None:
        """The end of the process just after it was written, or an answer that is lost."""
        if not self.armed:
            return
        await self._perhaps_die("after")
        lost = self.faults.store_answer_lost
        if lost and self._store.random() < lost:
            self.counts["lost answer of a commit"] += 1
            raise StoreUnavailable("simulated: written, but nobody said so")

    async def _perhaps_die(self, when: str) -> None:
        chance = self.faults.kill_at_commit
        if chance and self._store.random() < chance / 2:
            self._kill(f"{when} a commit")
            await trio.sleep_forever()  # the process is gone; nothing after this line happens

    def wrap_ports(self, dev_eui: str, ports: DevicePorts) -> DevicePorts:
        """The ports of one device, with crashes injected at them."""
        return replace(
            ports,
            rng=self._lights[dev_eui],  # its own, so that its draws shift no other's
            clock=_Clock(self, dev_eui, ports),
            store_writer=_StoreWriter(self, dev_eui, ports),
            board=_Board(self, dev_eui, ports),
            dispatcher=_Dispatcher(self, dev_eui, ports),
            inquirer=_Inquirer(self, dev_eui, ports),
        )


@dataclass(slots=True)
class _CrashingPort:
    injector: FaultInjector
    dev_eui: str
    ports: DevicePorts

    def maybe_crash(self) -> None:
        self.injector.maybe_crash_device(self.dev_eui)


class _Clock(_CrashingPort):
    """Asked first for each message."""

    def now(self) -> float:
        self.maybe_crash()
        return self.ports.clock.now()

    def steady(self) -> float:
        return self.ports.clock.steady()

    @property
    def stepped_s(self) -> float:
        return self.ports.clock.stepped_s


class _StoreWriter(_CrashingPort):
    async def commit(self, writes: list[Write]) -> None:
        self.maybe_crash()
        await self.ports.store_writer.commit(writes)
        self.maybe_crash()

    async def read(self, table: Table, key: str) -> Record | None:
        return await self.ports.store_writer.read(table, key)


class _Board(_CrashingPort):
    def publish(self, subject: Device | Command) -> None:
        self.ports.board.publish(subject)
        self.maybe_crash()


class _Dispatcher(_CrashingPort):
    def submit(self, dev_eui: str, attempt: Attempt, hearings: tuple[Hearing, ...]) -> None:
        self.maybe_crash()
        self.ports.dispatcher.submit(dev_eui, attempt, hearings)

    def withdraw(self, dev_eui: str) -> None:
        self.ports.dispatcher.withdraw(dev_eui)
        self.maybe_crash()


class _Inquirer(_CrashingPort):
    def ask(self, dev_eui: str, number: int, known: Heard | None = None) -> None:
        self.maybe_crash()
        self.ports.inquirer.ask(dev_eui, number, known)
