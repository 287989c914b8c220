"""Worlds of one firmware and one kind of forwarder, for the tests of the calibration."""

from collections.abc import Awaitable, Callable

import msgspec
import pytest
import trio

from lorawan.events.model import Modulation
from simulation.world.answer_delay import ONE_SECOND, AnswerDelay
from simulation.world.forwarder import SX1302_HAL_2, Forwarder
from simulation.world.profile import CALM
from simulation.world.world import World
from tests.support.running_application import make_world

MakeWorld = Callable[..., Awaitable[World]]


@pytest.fixture
def a_world(nursery: trio.Nursery) -> MakeWorld:
    """Makes a running world."""

    async def make(
        *,
        delay: AnswerDelay = ONE_SECOND,
        forwarder: Forwarder = SX1302_HAL_2,
        lights: int = 5,
        spreading_factor: int = 9,
        **chances: object,
    ) -> World:
        profile = msgspec.structs.replace(
            CALM, answer_delay=delay, forwarders=(forwarder,), **chances
        )
        world = make_world(lights=lights, gateways=1, profile=profile, firmware=((61, 1.0),))
        for station in world.stations.values():
            station.modulation = Modulation(spreading_factor, 125_000)
        await nursery.start(world.run)
        return world

    return make
