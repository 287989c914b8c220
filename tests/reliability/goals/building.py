"""The building that the goals are measured in: how it is set, and how it is made."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
import trio

from actors.downlink import DispatchPolicy
from actors.wiring import Policies
from simulation.world.forwarder import CONCENTRATORD_4_5_2, FORWARDERS
from simulation.world.region import EU868, EU868_SF9
from simulation.world.world import World
from store.memory import MemoryDisk
from store.port import Delete, Put, Table
from tests.reliability.delays import DELAYS, QUICK
from tests.reliability.site import COLOURS, SETTLED_MOST_S, empty_world, furnish, furnish_apart
from tests.support.running_application import RunningApplication, running_application

HOUR_S = 3_600.0
WARM_LIGHTS = 120
WARM_EVERY_S = 12.0
"""Single orders from which the service learns how its lights answer, far enough apart that no
answer meets another frame."""
POOR_EVERY, POOR_LOSS, OTHER_LOSS = 10, 0.30, 0.0222
"""A mixed fleet: every tenth light loses so much, the others so much; 5 % in all."""


@dataclass(frozen=True, slots=True)
class Building:
    """Lights and gateways. `apart`: so many cells that share no light, with a gateway each."""

    lights: int
    gateways: int = 1
    apart: int = 1
    delay: str = QUICK
    spreading_factor: int = 9
    tick_s: float = 1.0
    forwarder: str = CONCENTRATORD_4_5_2.name

    def world(self, seed: int) -> World:
        """Furnished; the lights get power one after another."""
        world = self._empty(seed)
        for _ in range(self.apart):
            furnish(
                world,
                self.lights // self.apart,
                self.gateways,
                spreading_factor=self.spreading_factor,
            )
        return self._answering(world)

    def world_of_single_lights(self, seed: int) -> World:
        """Each light with a gateway of its own: nobody waits for anybody."""
        world = self._empty(seed)
        furnish_apart(world, self.lights, spreading_factor=self.spreading_factor)
        return self._answering(world)

    def _empty(self, seed: int) -> World:
        region = EU868_SF9 if self.spreading_factor < 12 else EU868
        return empty_world(seed, region=region, tick_s=self.tick_s)

    def _answering(self, world: World) -> World:
        world.set_answer_delay(DELAYS[self.delay])
        for gateway_id in world.gateways:
            world.set_forwarder(gateway_id, FORWARDERS[self.forwarder])
        return world

    @property
    def policies(self) -> Policies:
        """The defaults, but for the data rate of RX2, which operators must set."""
        return Policies(dispatch=DispatchPolicy(rx2_dr=3 if self.spreading_factor < 12 else 0))


@asynccontextmanager
async def lived_in(
    building: Building, seed: int, *, known: bool = True, loss: float | None = 0.0
) -> AsyncIterator[RunningApplication]:
    """The service in this building, when every light has its settings and the hour's airtime is
    free. `known`: it has sent single orders for a while; else it starts with lights that it knows
    and nothing learned, as after an update from a version that did not learn.

    `loss` is that of every frame; None: every tenth light has more, the others less.
    """
    world, disk = building.world(seed), MemoryDisk()
    async with trio.open_nursery() as outer:
        await outer.start(world.run)
        async with running_application(world, disk, seed=seed, policies=building.policies) as home:
            await home.settled(SETTLED_MOST_S)
            set_loss(world, loss)
            if known:
                await _warm_up(home)
                await trio.sleep(HOUR_S)
                yield home
        if not known:
            forget(disk)
            async with running_application(
                world, disk, seed=seed + 1, policies=building.policies
            ) as home:
                await home.settled(SETTLED_MOST_S)
                await trio.sleep(HOUR_S)
                yield home
        outer.cancel_scope.cancel(reason="measured")


def set_loss(world: World, loss: float | None) -> None:
    """Of each frame and direction; None is a mixed fleet."""
    for number, dev_eui in enumerate(world.stations):
        own = loss
        if own is None:
            own = POOR_LOSS if number % POOR_EVERY == 0 else OTHER_LOSS
        world.set_loss(uplink=own, downlink=own, dev_eui=dev_eui)


async def _warm_up(home: RunningApplication) -> None:
    for dev_eui in list(home.world.stations)[:WARM_LIGHTS]:
        await home.command(dev_eui, COLOURS[-1])
        await trio.sleep(WARM_EVERY_S)


def forget(disk: MemoryDisk) -> None:
    """Of what is stored only the lights' records are left, without counts of lost frames."""
    for record in disk.records(Table.META):
        disk.apply([Delete(Table.META, record.key)])
    for record in disk.records(Table.DEVICE):
        light = msgspec.json.decode(record.value)
        light.pop("losses", None)
        disk.apply([Put(Table.DEVICE, record.key, msgspec.json.encode(light), record.at)])
