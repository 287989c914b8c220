"""People and programs that command the lights, each light at moments of its own.

They use the application as the web does, and report what it answered to the oracle.
"""

import random
from typing import Protocol

import trio

from actors.application import Application
from actors.commands import Accepted, CommandOrder
from actors.device.command import Command
from actors.refusal import Refusal
from lorawan.kuando.light_state import LightState
from simulation.harness.oracle import Oracle
from simulation.harness.scenario import Scenario
from simulation.world.chance import Chance
from store.errors import StoreError

COLOURS = (
    LightState(255, 0, 0),
    LightState(0, 255, 0),
    LightState(0, 0, 255, 50, 50),
    LightState(0, 0, 0, 255, 0),
    LightState(1, 2, 3, 4, 5),
)
SHORT_TTL_S = (30.0, 900.0)


class Service(Protocol):
    """What people see of the service."""

    @property
    def application(self) -> Application | None:
        """Whom they ask now; None while nobody answers."""
        ...

    def serves(self, application: Application) -> bool:
        """Whether whoever was asked lives on, so that its answer arrives."""
        ...

    def initialize(self, dev_eui: str, *, force: bool) -> None:
        """Have a light given its settings."""
        ...


class People:
    """All who command lights."""

    def __init__(
        self, scenario: Scenario, process: Service, oracle: Oracle, chance: Chance
    ) -> None:
        self._asks = scenario.people
        self._process = process
        self._oracle = oracle
        self._rng = chance.each("people")
        self._second_thoughts = chance.each("withdrawals")
        self._sent = 0

    async def use(self, dev_eui: str) -> None:
        """Command one light now and then, until cancelled."""
        rng, asks = self._rng[dev_eui], self._asks
        while True:
            await trio.sleep(rng.expovariate(1.0 / asks.command_every_s))
            await self._command(dev_eui, rng)
            while rng.random() < asks.burst:
                await trio.sleep(rng.uniform(0.0, 3.0))
                await self._command(dev_eui, rng)
            if rng.random() < asks.other and self._process.application is not None:
                force = rng.random() < 0.3
                self._process.initialize(dev_eui, force=force)

    async def push(self, lights: list[str]) -> None:
        """One colour for all at once now and then, until cancelled."""
        rng, asks = self._rng["push"], self._asks
        while asks.push_every_s:
            await trio.sleep(rng.expovariate(1.0 / asks.push_every_s))
            await self.push_once(lights)

    async def push_once(self, lights: list[str]) -> None:
        """One colour for all of these now."""
        state, application = self._rng["push"].choice(COLOURS), self._process.application
        if application is not None:
            for dev_eui in lights:
                await self._ask(application, dev_eui, state, None, keep=True, key=None)

    async def _command(self, dev_eui: str, rng: random.Random) -> None:
        application, asks = self._process.application, self._asks
        state = rng.choice(COLOURS[: asks.colours])
        ttl_s = rng.uniform(*SHORT_TTL_S) if rng.random() < asks.short_ttl else None
        keep = rng.random() >= asks.no_keep
        twice = rng.random() < asks.repeated
        self._sent += 1
        key = f"key-{self._sent}" if twice else None
        if application is None:
            return
        if not twice:
            made_id = await self._ask(application, dev_eui, state, ttl_s, keep, key)
            if made_id is not None and asks.withdrawn:
                await self._perhaps_take_back(dev_eui, made_id)
            return
        made: list[str | None] = []

        async def ask(application: Application) -> None:
            made.append(await self._ask(application, dev_eui, state, ttl_s, keep, key))

        other = self._process.application or application  # where there are several: any of them
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, application)
            nursery.start_soon(ask, other)
        self._oracle.by_one_key(dev_eui, {one for one in made if one is not None})

    async def _perhaps_take_back(self, dev_eui: str, command_id: str) -> None:
        rng = self._second_thoughts[dev_eui]
        if rng.random() >= self._asks.withdrawn:
            return
        await trio.sleep(rng.choice((0.0, rng.uniform(0.0, 5.0), rng.uniform(0.0, 60.0))))
        application = self._process.application
        if application is None:
            return
        self._oracle.takes_back(command_id)
        try:
            outcome = await application.commands.withdraw(command_id)
        except StoreError:
            return
        if self._process.serves(application) and isinstance(outcome, Command):
            self._oracle.counts["taken back"] += 1
            self._oracle.taken_back(outcome)

    async def _ask(
        self,
        application: Application,
        dev_eui: str,
        state: LightState,
        ttl_s: float | None,
        keep: bool,
        key: str | None,
    ) -> str | None:
        try:
            outcome = await application.commands.give(
                CommandOrder(
                    dev_eui=dev_eui,
                    light=state,
                    keep=keep,
                    ttl_s=ttl_s,
                    idempotency_key=key,
                    fingerprint=f"{state}",
                )
            )
        except StoreError:
            return None  # over HTTP: 503, or the connection that broke with the process
        if not self._process.serves(application):
            return None
        if isinstance(outcome, Refusal):
            self._oracle.counts[f"refused: {outcome.value}"] += 1
            return None
        assert isinstance(outcome, Accepted)  # noqa: S101 - the other of the two
        self._oracle.accepted(outcome.command)
        return outcome.command.id
