"""The house without its web, in this process: all actors of a service over a real store.

The rule it keeps: everything is made as `api.service.serve` makes it, but for the network server,
which is the quiet one, called directly.
"""

import random
import secrets
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
import structlog
import trio
import trio.testing

from actors.clock import RunClock
from actors.dispatcher import DispatchPolicy
from actors.house import Lamplighter
from actors.parts import Parts, Policies, World
from api.service import new_id
from store.open import open_store
from tests.bench.network import QuietNetwork

POLICIES = Policies(dispatch=DispatchPolicy(rx2_dr=3))
RUNNING_TIMEOUT_S = 60.0
LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Household:
    """A running house and its parts."""

    house: Lamplighter
    parts: Parts

    async def all_running(self, lights: int) -> None:
        """Wait until so many lights have a running actor and stand on the board."""
        with trio.fail_after(RUNNING_TIMEOUT_S):
            while not self._all_running(lights):  # noqa: ASYNC110 nobody tells of all at once
                await trio.sleep(LOOK_S)
            await trio.testing.wait_all_tasks_blocked()

    def _all_running(self, lights: int) -> bool:
        if len(self.house.devices()) < lights:
            return False
        return all(child.state.value == "running" for child in self.parts.lights.report().children)


@asynccontextmanager
async def at_home(store_url: str, lights: int) -> AsyncGenerator[Household, None]:
    """A house over what is stored at `store_url`, running until the end of the block."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))  # errors only
    async with open_store(store_url) as store, trio.open_nursery() as nursery:
        world = World(
            store=store,
            network=QuietNetwork(lights),
            clock=RunClock(time.time()),
            rng=random.Random(1),
            boot=secrets.token_hex(8),
            new_id=new_id,
        )
        parts = Parts(world, POLICIES)
        house = Lamplighter(parts)
        await nursery.start(house.run)
        yield Household(house, parts)
        nursery.cancel_scope.cancel(reason="enough was measured")


def answer(value: object) -> None:
    """Tell the bench that started this process what was measured."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()
