"""While the engine is away nothing can be handed to ChirpStack, and ChirpStack is left in peace."""

from collections.abc import Awaitable, Callable
from typing import Any

import trio
from trio.testing import MockClock

from actors.device.command import Command, CommandStatus
from lorawan.kuando import LightState
from store.engine.memory import Fate
from tests.support.cluster_house import Street
from tests.support.running_application import make_world

RED = LightState(red=255, blue=0, green=0, on=255, off=0)
LIGHTS = 20
AWAY_S = 120.0
CALLS_MOST = 6
"""What was under way when it began."""
GOES_ON_S = 5.0
"""After the engine is back and its owner has its lease again."""


class Counted:
    """Calls of what the dispatcher asks about single lights."""

    def __init__(self, network: Any) -> None:
        self.calls = 0
        for name in ("activation", "queue", "device", "enqueue"):
            setattr(network, name, self._counting(getattr(network, name)))

    def _counting(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def counted(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            return await call(*arguments, **named)

        return counted


async def test_lights_that_wait_ask_chirpstack_nothing_and_go_on_once_it_is_back(
    autojump_clock: MockClock,
) -> None:
    world = make_world(lights=LIGHTS, gateways=1)
    asked = Counted(world.network)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world)
        [house] = await street.open(nursery, "north")
        await street.owned_by_all()
        await trio.sleep(60)  # all have joined, and are given their settings one after the other
        house.engine.fate = lambda request: Fate(lost=True)
        dispatcher = house.parts.fleetwide.dispatcher
        assert dispatcher.statistics().waiting > LIGHTS / 4
        await trio.sleep(10)  # the lease is over
        before = asked.calls
        await trio.sleep(AWAY_S)
        assert asked.calls - before <= CALLS_MOST
        house.engine.fate = lambda request: Fate()
        await street.owned_by_all()
        before = asked.calls
        await trio.sleep(GOES_ON_S)
        assert asked.calls > before, "it goes on"
        command = await house.command(next(iter(world.stations)), RED)
        assert isinstance(command, Command)
        done = await house.final(command.id)
        assert done.status is CommandStatus.VERIFIED
        nursery.cancel_scope.cancel(reason="the test ends")
