"""Whole processes of a cluster over the pretend world, on an engine in memory and in virtual time.

The actors are the production ones; only engine, network and clock are others.
"""

import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

import trio

from actors.clocks.clock import RunClock
from actors.cluster_application import ClusterApplication
from actors.clustered import ClusterOptions, ClusterParts
from actors.commands import Accepted, CommandOrder
from actors.device.command import Command
from actors.device.model import Phase
from actors.environment import Policies
from actors.outgoing.ports import NoSender, Sender
from actors.refusal import Refusal
from actors.wiring import Environment
from lorawan.events import Event
from lorawan.kuando import LightState
from lorawan.stream.source import EventSource
from simulation.world.world import World
from store.engine.memory import MemoryEngine, MemoryServers
from store.engine.shards import ALL_SHARDS, FLEET
from store.shards import ShardStore
from tests.support.running_application import DEFAULT_EPOCH_AT, POLICIES, make_world, world_began


class House:
    """One process. `run` is its life; `kill` ends it as SIGKILL would."""

    def __init__(
        self,
        name: str,
        world: World,
        servers: MemoryServers,
        policies: Policies = POLICIES,
        events: EventSource | None = None,
        need: int = 0,
        sender: Sender | None = None,
    ) -> None:
        self.name = name
        self._scope = trio.CancelScope()
        rng = random.Random(name)
        clock = RunClock(DEFAULT_EPOCH_AT + trio.current_time() - world_began(world))
        self.engine = MemoryEngine(servers, need=need)
        self.store = ShardStore(self.engine, name, steady=clock.steady)
        environment = Environment(
            store=self.store,
            network=world.network,
            clock=clock,
            rng=rng,
            boot=name,
            new_id=lambda: f"{rng.getrandbits(64):016x}",
            events=events,
            sender=sender or NoSender(),
        )
        options = ClusterOptions(name=name, need=need)
        self.parts = ClusterParts(environment, policies, self.store, options)
        self.application = ClusterApplication(self.parts)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until it is killed, or the test ends."""
        await self.store.open()
        with self._scope:
            await self.application.run(task_status=task_status)

    def kill(self) -> None:
        """It is gone at once: nothing of it reaches the engine or the network any more."""
        self.engine.is_closed = True
        self._scope.cancel(reason="killed")

    @property
    def owned(self) -> set[str]:
        """Its shards."""
        return set(self.parts.keeper.owned)

    def reads(self, shard: str) -> bool:
        """Whether the actors of a shard run here."""
        return self.parts.flow.inbox.reads(shard)

    @property
    def lights(self) -> set[str]:
        """Those whose actors run here."""
        return set(self.parts.fleet.actors)

    async def command(self, dev_eui: str, light: LightState, **more: object) -> Command:
        """Order a colour; it must be accepted."""
        outcome = await self._ordered(dev_eui, light, more)
        assert isinstance(outcome, Accepted), outcome
        return outcome.command

    async def refusal(self, dev_eui: str, light: LightState, **more: object) -> Refusal:
        """Order a colour; it must be refused."""
        outcome = await self._ordered(dev_eui, light, more)
        assert isinstance(outcome, Refusal), outcome
        return outcome

    async def _ordered(
        self, dev_eui: str, light: LightState, more: dict[str, object]
    ) -> Accepted | Refusal:
        asked: dict[str, object] = {"keep": True, "correlation_id": "test"}
        order = CommandOrder(dev_eui=dev_eui, light=light, **(asked | more))  # type: ignore[arg-type]
        return await self.application.commands.give(order)

    async def final(self, command_id: str, timeout_s: float = 3_600.0) -> Command:
        """Wait until a command is final, as this process sees it."""
        found = await self.parts.board.wait_command(command_id, lambda c: c.status.final, timeout_s)
        assert found is not None
        return found


class Street:
    """Some houses over one world and one engine; webhooks go to them in turns."""

    def __init__(
        self,
        world: World,
        servers: MemoryServers | None = None,
        events: Callable[[], EventSource | None] = lambda: None,
        need: int = 0,
        sender: Sender | None = None,
    ) -> None:
        self.world = world
        self.sender = sender
        """Posts to the receivers of hooks."""
        self.need = need
        """Replicas that confirm each commit."""
        self.events = events
        """ChirpStack's stream, as each house reads it."""
        self.servers = servers or MemoryServers()
        self.houses: list[House] = []
        self._turn = 0

    async def open(
        self, nursery: trio.Nursery, *names: str, policies: Policies = POLICIES
    ) -> Sequence[House]:
        """Start houses, one after another."""
        self.world.delivery.sink = lambda event: nursery.start_soon(self._deliver, event)
        begun = [
            House(name, self.world, self.servers, policies, self.events(), self.need, self.sender)
            for name in names
        ]
        for house in begun:
            await nursery.start(house.run)
            self.houses.append(house)
        return begun

    async def spread(self, nursery: trio.Nursery, *names: str) -> None:
        """Start houses, each with lights of its own: a process before them has died, and its
        shards are taken in a random order, while what is given is what has no lights."""
        [before] = await self.open(nursery, "before")
        await self.owned_by_all()
        await self.settled()
        await self.open(nursery, *names)
        await trio.sleep(10)
        self.close(before)
        await trio.sleep(30)
        await self.owned_by_all()

    def close(self, house: House) -> None:
        """It is killed."""
        self.houses.remove(house)
        house.kill()

    async def owned_by_all(self, timeout_s: float = 60.0) -> None:
        """Wait until every shard has an owner whose actors run."""
        with trio.fail_after(timeout_s):
            while not self._all_owned():  # noqa: ASYNC110 - many parts, none of which tells
                await trio.sleep(0.1)

    async def settled(self, timeout_s: float = 1_800.0) -> None:
        """Wait until every light has its settings and is idle, on every board."""
        with trio.fail_after(timeout_s):
            for house in self.houses:
                for dev_eui in self.world.stations:
                    await house.parts.board.wait_device(
                        dev_eui, lambda d: d.phase is Phase.IDLE, timeout_s
                    )

    def hold_replicas(self) -> None:
        """From now on nothing reaches the replica of the only master."""
        [master] = self.servers.masters
        assert master is not None
        master.catch_up()
        master.replicas[0].held = True

    def fleet_house(self) -> House:
        """Where the fleet's own shard lives."""
        [house] = [one for one in self.houses if one.parts.fleetwide_here is not None]
        return house

    def _all_owned(self) -> bool:
        reads = [
            shard
            for house in self.houses
            for shard in ALL_SHARDS
            if house.parts.flow.inbox.reads(shard)
        ]
        return sorted(reads) == sorted(ALL_SHARDS) and FLEET in reads

    async def _deliver(self, event: Event) -> None:
        if self.houses:
            self._turn += 1
            house = self.houses[self._turn % len(self.houses)]
            await house.parts.flow.intake.deliver(event)


@asynccontextmanager
async def two_houses(lights: int) -> AsyncGenerator[tuple[Street, trio.Nursery], None]:
    """Two processes that share a fleet, each with its part of it."""
    world = make_world(lights=lights)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world)
        await street.open(nursery, "north", "south")
        await trio.sleep(30)
        await street.owned_by_all()
        yield street, nursery
        nursery.cancel_scope.cancel(reason="the test ends")
